package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.sojourn.AttributeCodec;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The JDK's collections behave after decoding as they did before: what they refuse and allow. */
@Tag("R45")
@Tag("G8")
@SuppressWarnings({"unchecked", "rawtypes", "JdkObsolete"})
class JdkBehaviourTest {

  private static final ClassLoader LOADER = JdkBehaviourTest.class.getClassLoader();
  private static final ClassFilter FILTER = ClassFilter.of("io.sojourn.codec.*");

  static Stream<Arguments> collections() {
    List<Integer> list = new ArrayList<>(List.of(3, 1, 2));
    return Stream.of(
        arguments("ArrayList", list),
        arguments("ArrayDeque", new ArrayDeque<>(list)),
        arguments("HashSet", new HashSet<>(list)),
        arguments("TreeSet", new TreeSet<>(list)),
        arguments("List.of", List.of(3, 1, 2)),
        arguments("List.of one", List.of(3)),
        arguments("List.copyOf", List.copyOf(list)),
        arguments("Stream.toList", Stream.of(3, 1, null).toList()),
        arguments("Set.of", Set.of(3, 1, 2)),
        arguments("Arrays.asList", Arrays.asList(3, 1, 2)),
        arguments("emptyList", Collections.emptyList()),
        arguments("emptySet", Collections.emptySet()),
        arguments("singletonList", Collections.singletonList(3)),
        arguments("singleton", Collections.singleton(3)),
        arguments("unmodifiableCollection", Collections.unmodifiableCollection(list)),
        arguments("unmodifiableList", Collections.unmodifiableList(list)),
        arguments("unmodifiableSet", Collections.unmodifiableSet(new HashSet<>(list))),
        arguments("unmodifiableSortedSet", Collections.unmodifiableSortedSet(new TreeSet<>(list))),
        arguments("synchronizedList", Collections.synchronizedList(new ArrayList<>(list))),
        arguments("checkedList", Collections.checkedList(new ArrayList<>(list), Integer.class)),
        arguments("checkedSet", Collections.checkedSet(new HashSet<>(list), Integer.class)),
        arguments("newSetFromMap", Collections.newSetFromMap(new ConcurrentHashMap<>())),
        arguments("EnumSet", EnumSet.of(Samples.Color.RED)),
        arguments("CopyOnWriteArrayList", new CopyOnWriteArrayList<>(list)),
        arguments("LinkedBlockingDeque of three", bounded(list)));
  }

  private static Object bounded(List<Integer> list) {
    Collection<Integer> deque = new LinkedBlockingDeque<>(3);
    deque.addAll(list);
    return deque;
  }

  static Stream<Arguments> maps() {
    Map<Integer, Integer> map = new HashMap<>(Map.of(1, 2));
    return Stream.of(
        arguments("HashMap", map),
        arguments("TreeMap", new TreeMap<>(map)),
        arguments("ConcurrentHashMap", new ConcurrentHashMap<>(map)),
        arguments("Map.of", Map.of(1, 2)),
        arguments("Map.of two", Map.of(1, 2, 3, 4)),
        arguments("emptyMap", Collections.emptyMap()),
        arguments("singletonMap", Collections.singletonMap(1, 2)),
        arguments("unmodifiableMap", Collections.unmodifiableMap(map)),
        arguments("unmodifiableSortedMap", Collections.unmodifiableSortedMap(new TreeMap<>(map))),
        arguments("synchronizedMap", Collections.synchronizedMap(map)),
        arguments("checkedMap", Collections.checkedMap(map, Integer.class, Integer.class)),
        arguments("EnumMap", new EnumMap<>(Map.of(Samples.Color.RED, 1))),
        arguments("LinkedHashMap in access order", accessOrder()));
  }

  private static Object accessOrder() {
    Map<Integer, Integer> map = new LinkedHashMap<>(16, 0.75f, true);
    map.put(1, 2);
    map.put(5, 6);
    return map;
  }

  private static Stream<AttributeCodec> codecs() {
    return Stream.of(new KryoCodec(LOADER, FILTER), new JavaCodec(LOADER, FILTER));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("collections")
  void aCollectionAllowsAndRefusesTheSame(String name, Object value) {
    codecs()
        .forEach(
            codec -> {
              List<String> decoded = use((Collection) codec.decode(codec.encode(value)));
              List<String> copy = use((Collection) codec.decode(codec.encode(value)));

              assertThat(decoded).isEqualTo(copy).isEqualTo(use((Collection) original(name)));
            });
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("maps")
  void aMapAllowsAndRefusesTheSame(String name, Object value) {
    codecs()
        .forEach(
            codec ->
                assertThat(use((Map) codec.decode(codec.encode(value))))
                    .isEqualTo(use((Map) original(name))));
  }

  /** A new one each time, since using it changes it. */
  private static Object original(String name) {
    return Stream.concat(collections(), maps())
        .filter(arguments -> arguments.get()[0].equals(name))
        .findFirst()
        .orElseThrow()
        .get()[1];
  }

  private static List<String> use(Collection collection) {
    return List.of(
        outcome(() -> collection.contains(null)),
        outcome(() -> collection.add(null)),
        outcome(() -> collection.add(1)),
        outcome(() -> collection.add(9)),
        outcome(() -> collection.add("text")),
        outcome(() -> collection.remove(3)),
        outcome(() -> collection.removeIf(element -> element instanceof String)),
        outcome(() -> collection instanceof List<?> list ? list.set(0, null) : "no list"),
        outcome(() -> collection instanceof List<?> list ? list.getClass() : "no list"),
        outcome(collection::size),
        outcome(() -> collection.iterator().next()),
        outcome(
            () -> {
              collection.clear();
              return collection.toString();
            }));
  }

  private static List<String> use(Map map) {
    return List.of(
        outcome(() -> map.get(null)),
        outcome(() -> map.get(1)),
        outcome(() -> map.put(null, 1)),
        outcome(() -> map.put(3, null)),
        outcome(() -> map.put(7, 8)),
        outcome(() -> map.put("text", "text")),
        outcome(() -> map.put(Samples.Color.BLUE, 5)),
        outcome(() -> map.remove(3)),
        outcome(() -> map.remove("text")),
        outcome(() -> map.entrySet().iterator().next().getClass()),
        outcome(() -> map.keySet().remove(7)),
        outcome(() -> map.keySet().toArray().length),
        outcome(() -> sorted(map)),
        outcome(
            () -> {
              map.clear();
              return map.toString();
            }));
  }

  /** A hash map's order differs with its size, and an enum's hash with each JVM. */
  private static String sorted(Map map) {
    List<String> entries = new ArrayList<>();
    map.forEach((key, value) -> entries.add(key + "=" + value));
    entries.sort(null);
    return entries.toString();
  }

  private interface Action {
    @Nullable Object run();
  }

  private static String outcome(Action action) {
    try {
      return String.valueOf(action.run());
    } catch (RuntimeException e) {
      return e.getClass().getName();
    }
  }
}
