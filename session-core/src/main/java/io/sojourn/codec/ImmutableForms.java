package io.sojourn.codec;

import io.sojourn.DecodeException;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The JDK's immutable collections and maps: nothing can refer to one before it is complete. */
final class ImmutableForms {

  /*
   * Set.of and Map.of iterate in an order of the JVM's choosing, and a set filled in the order in
   * which another iterates may iterate in a third. So values are written sorted, which gives the
   * same bytes everywhere. Other elements are written in an order that leads back to the one in
   * which they came, so that at least here one set keeps one encoding: some rotation of that order
   * or of its reverse does, since both only say where in its table a set begins and which way it
   * goes. If none of the first does (equal hashes) the order stays as it is.
   */

  private static final int TRIES = 32;

  private ImmutableForms() {}

  static GraphForm<Set<?>> ofSet() {
    return new ImmutableForm<>(
        1, set -> ordered(set.toArray(), element -> element, e -> Set.of(e).toArray()), Set::of);
  }

  static GraphForm<Map<?, ?>> ofMap() {
    return new ImmutableForm<>(2, ImmutableForms::flat, ImmutableForms::mapOf);
  }

  static GraphForm<List<?>> ofSingletonList() {
    return new ImmutableForm<>(0, List::toArray, e -> Collections.singletonList(only(e, 1)[0]));
  }

  static GraphForm<Set<?>> ofSingletonSet() {
    return new ImmutableForm<>(0, Set::toArray, e -> Collections.singleton(only(e, 1)[0]));
  }

  static GraphForm<Map<?, ?>> ofSingletonMap() {
    return new ImmutableForm<>(
        0, ImmutableForms::flat, e -> Collections.singletonMap(only(e, 2)[0], e[1]));
  }

  /** Made from all that it contains. */
  private static class ImmutableForm<T> extends GraphForm<T> {
    private final int keys;
    private final Function<T, @Nullable Object[]> writer;
    private final Function<@Nullable Object[], T> reader;

    /**
     * A form.
     *
     * @param keys at every how many elements there is one that is hashed; 0 for none
     */
    ImmutableForm(
        int keys, Function<T, @Nullable Object[]> writer, Function<@Nullable Object[], T> reader) {
      this.keys = keys;
      this.writer = writer;
      this.reader = reader;
    }

    @Override
    void encode(Graph graph, GraphOutput out, T value) {
      graph.enterLate(value);
      @Nullable Object[] elements = writer.apply(value);
      ContainerForms.writeAll(graph, out, Arrays.asList(elements), elements.length, keys);
      graph.leaveLate();
    }

    @Override
    boolean walk(Walk walk, T value) {
      return ContainerForms.walkAny(walk, value);
    }

    @Override
    T decode(Graph graph, GraphInput in) {
      @Nullable Object[] elements = new @Nullable Object[in.length(1)];
      for (int i = 0; i < elements.length; i++) {
        elements[i] = keys > 0 && i % keys == 0 ? graph.readKey(in) : graph.readClassAndObject(in);
      }
      return reader.apply(elements);
    }
  }

  /** {@code List.of} and {@code Stream.toList}, which are of one class and differ over null. */
  static final class OfList extends ImmutableForm<List<?>> {
    private static final GraphForm<List<?>> NULLS =
        new ImmutableForm<>(0, List::toArray, elements -> Arrays.stream(elements).toList());

    OfList() {
      super(0, List::toArray, List::of);
    }

    @Override
    void encode(Graph graph, GraphOutput out, List<?> value) {
      boolean nulls = allowsNull(value);
      out.writeBoolean(nulls);
      if (nulls) {
        NULLS.encode(graph, out, value);
      } else {
        super.encode(graph, out, value);
      }
    }

    @Override
    List<?> decode(Graph graph, GraphInput in) {
      return in.readBoolean() ? NULLS.decode(graph, in) : super.decode(graph, in);
    }

    @SuppressWarnings("ReturnValueIgnored")
    private static boolean allowsNull(List<?> list) {
      try {
        list.contains(null);
        return true;
      } catch (NullPointerException refused) {
        return false;
      }
    }
  }

  private static @Nullable Object[] flat(Map<?, ?> map) {
    Object[] entries = map.entrySet().toArray();
    if (entries.length > 1) {
      entries = ordered(entries, ImmutableForms::key, e -> mapOf(flat(e)).keySet().toArray());
    }
    return flat(entries);
  }

  private static @Nullable Object[] flat(Object[] entries) {
    @Nullable Object[] flat = new @Nullable Object[entries.length * 2];
    for (int i = 0; i < entries.length; i++) {
      flat[2 * i] = key(entries[i]);
      flat[2 * i + 1] = ((Map.Entry<?, ?>) entries[i]).getValue();
    }
    return flat;
  }

  private static Object key(Object entry) {
    return ((Map.Entry<?, ?>) entry).getKey();
  }

  private static Map<?, ?> mapOf(@Nullable Object[] flat) {
    Map.Entry<?, ?>[] entries = new Map.Entry<?, ?>[only(flat, flat.length & ~1).length / 2];
    for (int i = 0; i < entries.length; i++) {
      Object key = flat[2 * i];
      Object value = flat[2 * i + 1];
      if (key == null || value == null) {
        throw new DecodeException("A null in an immutable map", null);
      }
      entries[i] = Map.entry(key, value);
    }
    return Map.ofEntries(entries);
  }

  private static @Nullable Object[] only(@Nullable Object[] elements, int length) {
    if (elements.length != length) {
      throw new DecodeException("An immutable collection of the wrong size", null);
    }
    return elements;
  }

  /**
   * Elements in an order that their set or map, made again, will give again.
   *
   * @param key what makes an element's place
   * @param remake the keys of a set or map filled in an order, as it iterates
   */
  private static Object[] ordered(
      Object[] elements, Function<Object, Object> key, Function<Object[], Object[]> remake) {
    if (elements.length < 2) {
      return elements;
    }
    if (Arrays.stream(elements).map(key).allMatch(ImmutableForms::isSortable)) {
      Arrays.sort(
          elements,
          Comparator.comparing((Object element) -> className(key.apply(element)))
              .thenComparing(element -> comparable(key.apply(element))));
      return elements;
    }
    Object[] keys = Arrays.stream(elements).map(key).toArray();
    Object[] reversed = elements.clone();
    Collections.reverse(Arrays.asList(reversed));
    for (int shift = 0; shift < Math.min(TRIES, elements.length); shift++) {
      for (Object[] order : new Object[][] {elements, reversed}) {
        Object[] candidate = order.clone();
        Collections.rotate(Arrays.asList(candidate), shift);
        if (isSame(remake.apply(candidate), keys)) {
          return candidate;
        }
      }
    }
    return elements;
  }

  private static boolean isSame(Object[] some, Object[] others) {
    for (int i = 0; i < some.length; i++) {
      if (some[i] != others[i]) {
        return false;
      }
    }
    return true;
  }

  private static boolean isSortable(Object value) {
    return value instanceof String
        || value instanceof Integer
        || value instanceof Long
        || value instanceof UUID
        || value instanceof Enum;
  }

  private static String className(Object value) {
    Class<?> type =
        value instanceof Enum<?> constant ? constant.getDeclaringClass() : value.getClass();
    return type.getName();
  }

  @SuppressWarnings("unchecked")
  private static Comparable<Object> comparable(Object value) {
    return (Comparable<Object>) value;
  }
}
