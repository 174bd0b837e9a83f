package io.sojourn.codec;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.ConcurrentModificationException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** Collections, maps and arrays of references. */
final class ContainerForms {

  private ContainerForms() {}

  @SuppressWarnings("JdkObsolete")
  static void addTo(List<JdkForms.Entry> table) {
    container(table, 33, ArrayList.class, new CollectionForm(false, ArrayList::new));
    container(table, 34, LinkedList.class, new CollectionForm(false, n -> new LinkedList<>()));
    container(table, 35, ArrayDeque.class, new CollectionForm(false, n -> new ArrayDeque<>(n + 1)));
    container(table, 36, HashSet.class, new CollectionForm(true, n -> new HashSet<>(capacity(n))));
    container(
        table,
        37,
        LinkedHashSet.class,
        new CollectionForm(true, n -> new LinkedHashSet<>(capacity(n))));
    container(table, 38, TreeSet.class, new TreeForms.OfSet());
    container(table, 39, HashMap.class, new MapForm(n -> new HashMap<>(capacity(n))));
    container(table, 40, LinkedHashMap.class, new LinkedHashMapForm());
    container(table, 41, TreeMap.class, new TreeForms.OfMap());
    container(
        table, 42, ConcurrentHashMap.class, new MapForm(n -> new ConcurrentHashMap<>(capacity(n))));

    GraphForm<List<?>> lists = new ImmutableForms.OfList();
    container(table, 43, List.of(1).getClass(), lists);
    container(table, 44, List.of().getClass(), lists);
    GraphForm<Set<?>> sets = ImmutableForms.ofSet();
    container(table, 45, Set.of(1).getClass(), sets);
    container(table, 46, Set.of().getClass(), sets);
    GraphForm<Map<?, ?>> maps = ImmutableForms.ofMap();
    container(table, 47, Map.of(1, 1).getClass(), maps);
    container(table, 48, Map.of().getClass(), maps);

    constant(table, 49, Collections.emptyList());
    constant(table, 50, Collections.emptySet());
    constant(table, 51, Collections.emptyMap());
    container(table, 52, Collections.singletonList(1).getClass(), ImmutableForms.ofSingletonList());
    container(table, 53, Collections.singleton(1).getClass(), ImmutableForms.ofSingletonSet());
    container(
        table, 54, Collections.singletonMap(1, 1).getClass(), ImmutableForms.ofSingletonMap());
    container(table, 63, Object[].class, new ArrayForm(Object.class));
    container(table, 64, String[].class, new ArrayForm(String.class));
  }

  private static void container(
      List<JdkForms.Entry> table, int token, Class<?> type, GraphForm<?> form) {
    table.add(new JdkForms.Entry(token, type, form, true, false));
  }

  private static void constant(List<JdkForms.Entry> table, int token, Object constant) {
    GraphForm<?> form = new JdkForms.ValueForm<>((out, v) -> {}, in -> constant);
    table.add(new JdkForms.Entry(token, constant.getClass(), form, false, true));
  }

  private static final class CollectionForm extends GraphForm<Collection<@Nullable Object>> {
    private final boolean hashes;
    private final IntFunction<Collection<@Nullable Object>> factory;

    CollectionForm(boolean hashes, IntFunction<Collection<@Nullable Object>> factory) {
      this.hashes = hashes;
      this.factory = factory;
    }

    @Override
    void encode(Graph graph, GraphOutput out, Collection<@Nullable Object> value) {
      writeAll(graph, out, value, value.size(), hashes ? 1 : 0);
    }

    @Override
    boolean walk(Walk walk, Collection<@Nullable Object> value) {
      return ContainerForms.walk(walk, value, value.size());
    }

    @Override
    Collection<@Nullable Object> decode(Graph graph, GraphInput in) {
      int size = in.length(1);
      Collection<@Nullable Object> value = factory.apply(size);
      graph.reference(value);
      for (int i = 0; i < size; i++) {
        value.add(hashes ? graph.readKey(in) : graph.readClassAndObject(in));
      }
      return value;
    }
  }

  private static final class MapForm extends GraphForm<Map<@Nullable Object, @Nullable Object>> {
    private final IntFunction<Map<@Nullable Object, @Nullable Object>> factory;

    MapForm(IntFunction<Map<@Nullable Object, @Nullable Object>> factory) {
      this.factory = factory;
    }

    @Override
    void encode(Graph graph, GraphOutput out, Map<@Nullable Object, @Nullable Object> value) {
      writeMap(graph, out, value, true);
    }

    @Override
    boolean walk(Walk walk, Map<@Nullable Object, @Nullable Object> value) {
      return ContainerForms.walk(walk, value);
    }

    @Override
    Map<@Nullable Object, @Nullable Object> decode(Graph graph, GraphInput in) {
      int size = in.length(2);
      Map<@Nullable Object, @Nullable Object> value = factory.apply(size);
      graph.reference(value);
      for (int i = 0; i < size; i++) {
        Object key = graph.readKey(in);
        value.put(key, graph.readClassAndObject(in));
      }
      return value;
    }
  }

  private static final class LinkedHashMapForm
      extends GraphForm<Map<@Nullable Object, @Nullable Object>> {
    private final MapForm form = new MapForm(n -> new LinkedHashMap<>(capacity(n)));

    @Override
    void encode(Graph graph, GraphOutput out, Map<@Nullable Object, @Nullable Object> value) {
      if (isInAccessOrder(value)) {
        throw Graph.NeedsJava.SIGNAL;
      }
      form.encode(graph, out, value);
    }

    @Override
    boolean walk(Walk walk, Map<@Nullable Object, @Nullable Object> value) {
      return form.walk(walk, value);
    }

    @Override
    Map<@Nullable Object, @Nullable Object> decode(Graph graph, GraphInput in) {
      return form.decode(graph, in);
    }

    /** No method tells; a copy, which orders itself in the same way, shows it. */
    @SuppressWarnings("unchecked")
    private static boolean isInAccessOrder(Map<?, ?> map) {
      Map<Object, Object> copy = (Map<Object, Object>) ((LinkedHashMap<?, ?>) map).clone();
      copy.clear();
      copy.put(1, 1);
      copy.put(2, 2);
      copy.get(1);
      return Integer.valueOf(2).equals(copy.keySet().iterator().next());
    }
  }

  /**
   * The elements behind their number, which may change under our hands.
   *
   * @param keys at every how many elements there is one that will be hashed; 0 for none
   */
  static void writeAll(
      Graph graph,
      GraphOutput out,
      Iterable<? extends @Nullable Object> elements,
      int size,
      int keys) {
    out.writeVarInt(size, true);
    int left = size;
    for (Object element : elements) {
      if (left-- == 0) {
        break;
      }
      if (keys > 0 && (size - 1 - left) % keys == 0) {
        graph.writeKey(out, element);
      } else {
        graph.writeClassAndObject(out, element);
      }
    }
    if (left != 0) {
      throw new ConcurrentModificationException();
    }
  }

  /**
   * Keys and values in turn, behind the number of entries, which may change under our hands.
   *
   * @param hashes whether the keys will be hashed
   */
  static void writeMap(Graph graph, GraphOutput out, Map<?, ?> map, boolean hashes) {
    if (map instanceof ConcurrentHashMap) {
      Object[] entries = map.entrySet().toArray();
      out.writeVarInt(entries.length, true);
      for (Object entry : entries) {
        graph.writeKey(out, ((Map.Entry<?, ?>) entry).getKey());
        graph.writeClassAndObject(out, ((Map.Entry<?, ?>) entry).getValue());
      }
      return;
    }
    int left = map.size();
    out.writeVarInt(left, true);
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      if (left-- == 0) {
        break;
      }
      if (hashes) {
        graph.writeKey(out, entry.getKey());
      } else {
        graph.writeClassAndObject(out, entry.getKey());
      }
      graph.writeClassAndObject(out, entry.getValue());
    }
    if (left != 0) {
      throw new ConcurrentModificationException();
    }
  }

  /** Goes through a map or a collection. */
  static boolean walkAny(Walk walk, Object value) {
    return value instanceof Map<?, ?> map
        ? walk(walk, map)
        : value instanceof Collection<?> elements && walk(walk, elements, elements.size());
  }

  /** Goes through elements, by their number first. */
  static boolean walk(Walk walk, Iterable<? extends @Nullable Object> elements, int size) {
    if (!walk.visit((long) size)) {
      return false;
    }
    for (Object element : elements) {
      if (!walk.visit(element)) {
        return false;
      }
    }
    return true;
  }

  /** Goes through keys and values in turn, by their number first. */
  static boolean walk(Walk walk, Map<?, ?> map) {
    if (!walk.visit((long) map.size())) {
      return false;
    }
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      if (!walk.visit(entry.getKey()) || !walk.visit(entry.getValue())) {
        return false;
      }
    }
    return true;
  }

  private static int capacity(int size) {
    return (int) Math.min(1 << 30, Math.ceil(size / 0.75));
  }
}
