package io.sojourn.codec;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Sorted maps and sets: the comparator, null for natural order, and then all in order. */
@SuppressWarnings("JdkObsolete") // SortedMap and SortedSet are what a tree looks for.
final class TreeForms {

  /*
   * A tree is filled as Java serialization fills it, from something already sorted: no comparator
   * is asked, so keys need not be complete yet, and none that compares as equal by now is dropped.
   */

  private TreeForms() {}

  static final class OfMap extends GraphForm<SortedMap<@Nullable Object, @Nullable Object>> {
    @Override
    void encode(Graph graph, GraphOutput out, SortedMap<@Nullable Object, @Nullable Object> value) {
      writeComparator(graph, out, value, value.comparator());
      ContainerForms.writeMap(graph, out, value, false);
    }

    @Override
    boolean walk(Walk walk, SortedMap<@Nullable Object, @Nullable Object> value) {
      return walk.visit(value.comparator()) && ContainerForms.walk(walk, value);
    }

    @Override
    SortedMap<@Nullable Object, @Nullable Object> decode(Graph graph, GraphInput in) {
      Comparator<@Nullable Object> comparator = readComparator(graph, in);
      SortedMap<@Nullable Object, @Nullable Object> value = new TreeMap<>(comparator);
      graph.reference(value);
      int size = in.length(2);
      List<Map.Entry<@Nullable Object, @Nullable Object>> entries = new ArrayList<>(size);
      for (int i = 0; i < size; i++) {
        Object key = graph.readClassAndObject(in);
        entries.add(new AbstractMap.SimpleEntry<>(key, graph.readClassAndObject(in)));
      }
      value.putAll(new SortedEntries(comparator, entries));
      return value;
    }
  }

  static final class OfSet extends GraphForm<SortedSet<@Nullable Object>> {
    @Override
    void encode(Graph graph, GraphOutput out, SortedSet<@Nullable Object> value) {
      writeComparator(graph, out, value, value.comparator());
      ContainerForms.writeAll(graph, out, value, value.size(), 0);
    }

    @Override
    boolean walk(Walk walk, SortedSet<@Nullable Object> value) {
      return walk.visit(value.comparator()) && ContainerForms.walk(walk, value, value.size());
    }

    @Override
    SortedSet<@Nullable Object> decode(Graph graph, GraphInput in) {
      Comparator<@Nullable Object> comparator = readComparator(graph, in);
      SortedSet<@Nullable Object> value = new TreeSet<>(comparator);
      graph.reference(value);
      int size = in.length(1);
      List<@Nullable Object> elements = new ArrayList<>(size);
      for (int i = 0; i < size; i++) {
        elements.add(graph.readClassAndObject(in));
      }
      value.addAll(new SortedElements(comparator, elements));
      return value;
    }
  }

  private static void writeComparator(
      Graph graph, GraphOutput out, Object tree, @Nullable Comparator<?> comparator) {
    graph.enterLate(tree);
    graph.writeClassAndObject(out, comparator);
    graph.leaveLate();
  }

  @SuppressWarnings("unchecked")
  private static @Nullable Comparator<@Nullable Object> readComparator(Graph graph, GraphInput in) {
    return (Comparator<@Nullable Object>) graph.readClassAndObject(in);
  }

  /** What {@link TreeMap#putAll} takes without comparing. */
  private static final class SortedEntries extends AbstractMap<@Nullable Object, @Nullable Object>
      implements SortedMap<@Nullable Object, @Nullable Object> {
    private final @Nullable Comparator<@Nullable Object> comparator;
    private final List<Map.Entry<@Nullable Object, @Nullable Object>> entries;

    SortedEntries(
        @Nullable Comparator<@Nullable Object> comparator,
        List<Map.Entry<@Nullable Object, @Nullable Object>> entries) {
      this.comparator = comparator;
      this.entries = entries;
    }

    @Override
    public @Nullable Comparator<@Nullable Object> comparator() {
      return comparator;
    }

    @Override
    public Set<Map.Entry<@Nullable Object, @Nullable Object>> entrySet() {
      return new AbstractSet<>() {
        @Override
        public Iterator<Map.Entry<@Nullable Object, @Nullable Object>> iterator() {
          return entries.iterator();
        }

        @Override
        public int size() {
          return entries.size();
        }
      };
    }

    @Override
    public SortedMap<@Nullable Object, @Nullable Object> subMap(
        @Nullable Object from, @Nullable Object to) {
      throw new UnsupportedOperationException();
    }

    @Override
    public SortedMap<@Nullable Object, @Nullable Object> headMap(@Nullable Object to) {
      throw new UnsupportedOperationException();
    }

    @Override
    public SortedMap<@Nullable Object, @Nullable Object> tailMap(@Nullable Object from) {
      throw new UnsupportedOperationException();
    }

    @Override
    public @Nullable Object firstKey() {
      throw new UnsupportedOperationException();
    }

    @Override
    public @Nullable Object lastKey() {
      throw new UnsupportedOperationException();
    }
  }

  /** What {@link TreeSet#addAll} takes without comparing. */
  private static final class SortedElements extends AbstractSet<@Nullable Object>
      implements SortedSet<@Nullable Object> {
    private final @Nullable Comparator<@Nullable Object> comparator;
    private final List<@Nullable Object> elements;

    SortedElements(
        @Nullable Comparator<@Nullable Object> comparator, List<@Nullable Object> elements) {
      this.comparator = comparator;
      this.elements = elements;
    }

    @Override
    public @Nullable Comparator<@Nullable Object> comparator() {
      return comparator;
    }

    @Override
    public Iterator<@Nullable Object> iterator() {
      return elements.iterator();
    }

    @Override
    public int size() {
      return elements.size();
    }

    @Override
    public SortedSet<@Nullable Object> subSet(@Nullable Object from, @Nullable Object to) {
      throw new UnsupportedOperationException();
    }

    @Override
    public SortedSet<@Nullable Object> headSet(@Nullable Object to) {
      throw new UnsupportedOperationException();
    }

    @Override
    public SortedSet<@Nullable Object> tailSet(@Nullable Object from) {
      throw new UnsupportedOperationException();
    }

    @Override
    public @Nullable Object first() {
      throw new UnsupportedOperationException();
    }

    @Override
    public @Nullable Object last() {
      throw new UnsupportedOperationException();
    }
  }
}
