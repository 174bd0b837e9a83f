package io.sojourn.codec;

import java.lang.reflect.Array;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Arrays of references, of one component type. */
final class ArrayForm extends GraphForm<@Nullable Object[]> {

  private final Class<?> component;

  ArrayForm(Class<?> component) {
    this.component = component;
  }

  @Override
  void encode(Graph graph, GraphOutput out, @Nullable Object[] array) {
    out.writeVarInt(array.length, true);
    for (Object element : array) {
      graph.writeClassAndObject(out, element);
    }
  }

  @Override
  boolean walk(Walk walk, @Nullable Object[] array) {
    return ContainerForms.walk(walk, Arrays.asList(array), array.length);
  }

  @Override
  @Nullable Object[] decode(Graph graph, GraphInput in) {
    @Nullable Object[] array = (@Nullable Object[]) Array.newInstance(component, in.length(1));
    graph.reference(array);
    for (int i = 0; i < array.length; i++) {
      Object element = graph.readClassAndObject(in);
      if (!(element instanceof Graph.Missing)) {
        array[i] = element;
      }
    }
    return array;
  }
}
