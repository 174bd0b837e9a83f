package io.sojourn.codec;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.Serializer;
import com.esotericsoftware.kryo.kryo5.io.Input;
import com.esotericsoftware.kryo.kryo5.io.Output;

/** How objects of one class are written into a {@link Graph} and read from it. Stateless. */
abstract class GraphForm<T> extends Serializer<T> {

  abstract void encode(Graph graph, GraphOutput out, T value);

  /**
   * Reads one object. Calls {@link Kryo#reference} before it reads what could refer back to it; if
   * it cannot, its {@link #encode} must call {@link Graph#enterLate}.
   *
   * @return the object; never null
   */
  abstract T decode(Graph graph, GraphInput in);

  /**
   * Goes through what can change in an object, in the order in which it is encoded.
   *
   * @return false if the walk has ended; or, as it is by default, if this does not come by all that
   *     can change
   */
  boolean walk(Walk walk, T value) {
    return false;
  }

  @Override
  public final void write(Kryo kryo, Output output, T value) {
    Graph graph = (Graph) kryo;
    int number = graph.hashCost.takeNumber();
    long outer = graph.hashCost.enter();
    encode(graph, (GraphOutput) output, value);
    graph.hashCost.leave(number, outer);
  }

  @Override
  public final T read(Kryo kryo, Input input, Class<? extends T> type) {
    Graph graph = (Graph) kryo;
    int number = graph.hashCost.takeNumber();
    long outer = graph.hashCost.enter();
    T value = decode(graph, (GraphInput) input);
    graph.hashCost.leave(number, outer);
    return value;
  }
}
