package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.esotericsoftware.kryo.kryo5.io.Output;
import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodeException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Hashtable;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A thousand bytes must not cost more hashing than anybody can wait for. */
@Tag("G10")
@Tag("R57")
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@SuppressWarnings({"JdkObsolete", "CollectionUndefinedEquality"})
class HashCostTest {

  private static final int LEVELS = 40;

  private static final ClassLoader LOADER = HashCostTest.class.getClassLoader();
  private static final ClassFilter FILTER = ClassFilter.of("io.sojourn.codec.*");

  private final KryoCodec kryo = new KryoCodec(LOADER, FILTER);
  private final JavaCodec java = new JavaCodec(LOADER, FILTER);

  static Stream<Arguments> bombs() {
    return Stream.of(
        arguments("sets", nested(HashSet::new)),
        arguments("sets in order", nested(LinkedHashSet::new)),
        arguments("lists in a set", holding(new HashSet<>(), lattice(LEVELS))),
        arguments("sets in a list in a map", holding(new HashMap<>(), unhashed(LEVELS))),
        arguments("lists in a concurrent map", holding(new ConcurrentHashMap<>(), lattice(LEVELS))),
        arguments("records in a set", holding(new HashSet<>(), pairs(LEVELS))),
        arguments("many texts in each of many", sharing(3_000)),
        arguments("arrays of lists", new Object[] {holding(new HashSet<>(), lattice(LEVELS))}));
  }

  /** Some that Java serialization alone can store. */
  static Stream<Arguments> javaBombs() {
    return Stream.concat(
        bombs(),
        Stream.of(
            arguments("lists in a table", holding(new Hashtable<>(), lattice(LEVELS))),
            arguments(
                "views of sets in a set", holding(new HashSet<>(), unmodifiable(unhashed(LEVELS)))),
            arguments(
                "hooks", new Samples.Holder(holding(new HashSet<>(), lattice(LEVELS)), "manual"))));
  }

  /** Each of two sets holds the two below it; filled from above, while nothing costs anything. */
  private static Object nested(Supplier<Set<Object>> factory) {
    Set<Object> root = factory.get();
    Set<Object> left = root;
    Set<Object> right = factory.get();
    for (int i = 0; i < LEVELS; i++) {
      Set<Object> lowerLeft = factory.get();
      Set<Object> lowerRight = factory.get();
      lowerLeft.add("left");
      left.addAll(List.of(lowerLeft, lowerRight));
      right.addAll(List.of(lowerLeft, lowerRight));
      left = lowerLeft;
      right = lowerRight;
    }
    return root;
  }

  private static List<Object> lattice(int levels) {
    List<Object> list = new ArrayList<>(List.of("bottom"));
    for (int i = 0; i < levels; i++) {
      list = new ArrayList<>(List.of(new Object[] {list}));
      list.add(list.get(0));
    }
    return list;
  }

  /** Lists in a set that all have the same long list; it was filled when they were in the set. */
  private static Object sharing(int count) {
    List<Object> shared = new ArrayList<>();
    Set<Object> set = new HashSet<>();
    for (int i = 0; i < count; i++) {
      set.add(new ArrayList<>(List.of(shared, "list " + i)));
    }
    shared.addAll(Collections.nCopies(count, "x"));
    return set;
  }

  private static Object pairs(int levels) {
    Object pair = "bottom";
    for (int i = 0; i < levels; i++) {
      pair = new Samples.Pair(pair, pair);
    }
    return pair;
  }

  private static List<Object> unhashed(int levels) {
    return new ArrayList<>(List.of(nested(HashSet::new), lattice(levels)));
  }

  private static Object unmodifiable(Object value) {
    return Collections.unmodifiableList(new ArrayList<>(List.of(value)));
  }

  /** Put in while it was empty. */
  private static Object holding(Object container, Object content) {
    List<Object> key = new ArrayList<>();
    if (container instanceof Map<?, ?>) {
      @SuppressWarnings("unchecked")
      Map<Object, Object> map = (Map<Object, Object>) container;
      map.put(key, "value");
    } else {
      @SuppressWarnings("unchecked")
      Set<Object> set = (Set<Object>) container;
      set.add(key);
    }
    key.add(content);
    return container;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("bombs")
  void aBombInTheFastFormIsRefused(String name, Object bomb) {
    Emitter emitter = new Emitter();

    assertThatThrownBy(() -> kryo.decode(Stored.byHand(out -> emitter.write(out, bomb))))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("hashing");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("javaBombs")
  void aBombInTheJavaFormIsRefused(String name, Object bomb) {
    for (AttributeCodec codec : List.of(kryo, java)) {
      assertThatThrownBy(() -> codec.decode(Stored.byJava(bomb)))
          .isInstanceOf(DecodeException.class)
          .hasMessageContaining("hashing");
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("javaBombs")
  void whatWouldBeABombIsRefusedWhenEncoding(String name, Object bomb) {
    for (AttributeCodec codec : List.of(kryo, java)) {
      assertThatThrownBy(() -> codec.encode(bomb))
          .isInstanceOf(EncodeException.class)
          .hasMessageContaining("hashing");
    }
  }

  @Test
  void aBombInAMapInOrderIsRefused() {
    Object bomb = holding(new LinkedHashMap<>(), lattice(LEVELS));
    Emitter emitter = new Emitter();

    assertThatThrownBy(() -> kryo.decode(Stored.byHand(out -> emitter.write(out, bomb))))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("hashing");
    assertThatThrownBy(() -> kryo.decode(Stored.byJava(bomb)))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("hashing");
  }

  @Test
  void aBombInASetThatCannotBeChangedIsRefused() {
    Object bomb = lattice(LEVELS);
    for (int token : new int[] {46, 48}) {
      Emitter emitter = new Emitter();
      assertThatThrownBy(
              () ->
                  kryo.decode(
                      Stored.byHand(
                          out -> {
                            out.writeVarInt(token, true);
                            out.writeVarInt(1, true);
                            emitter.number(new Object());
                            out.writeVarInt(2, true);
                            emitter.write(out, bomb);
                            emitter.write(out, "value");
                          })))
          .isInstanceOf(DecodeException.class)
          .hasMessageContaining("hashing");
    }
  }

  @Test
  void whatIsSharedButNotHashedIsNoBomb() {
    Object shared = lattice(40);
    for (Object value :
        List.of(
            shared,
            new HashMap<>(Map.of("key", shared)),
            new ConcurrentHashMap<>(Map.of("key", shared)),
            Map.of("key", shared, "other", pairs(40)),
            new Object[] {shared, pairs(40), new HashSet<>(Set.of("x"))})) {
      String expected = Description.of(value);
      for (AttributeCodec codec : List.of(kryo, java)) {
        assertThat(Description.of(codec.decode(codec.encode(value)))).isEqualTo(expected);
      }
    }
  }

  @Test
  void aKeyThatManyMapsShareIsNoBomb() {
    List<String> key = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      key.add("part " + i);
    }
    List<Object> maps = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      maps.add(new HashMap<>(Map.of(key, i)));
    }
    String expected = Description.of(maps);

    for (AttributeCodec codec : List.of(kryo, java)) {
      assertThat(Description.of(codec.decode(codec.encode(maps)))).isEqualTo(expected);
    }
  }

  @Test
  void setsOfSetsAsApplicationsHaveThemAreNoBombs() {
    Set<Object> sets = new HashSet<>();
    for (int i = 0; i < 200; i++) {
      sets.add(new HashSet<>(List.of(Set.of(i), List.of(new Samples.Point(i, i)), "text " + i)));
    }

    for (AttributeCodec codec : List.of(kryo, java)) {
      assertThat(codec.decode(codec.encode(sets))).isEqualTo(sets);
    }
  }

  /** Writes format 1 and asks nothing. */
  private static final class Emitter {
    private final IdentityHashMap<Object, Integer> numbers = new IdentityHashMap<>();
    private boolean described;

    void number(Object object) {
      numbers.put(object, numbers.size());
    }

    void write(Output out, Object value) {
      if (value instanceof String text) {
        out.writeVarInt(2, true);
        out.writeVarInt(text.length() << 1, true);
        text.chars().forEach(out::writeByte);
        return;
      }
      if (value instanceof Samples.Pair && !described) {
        byte[] description = Graph.describe(Samples.Pair.class, 'R', Layout.of(Samples.Pair.class));
        out.writeVarInt(1, true);
        out.writeVarInt(description.length, true);
        out.writeBytes(description);
        described = true;
      } else {
        out.writeVarInt(token(value), true);
      }
      Integer number = numbers.get(value);
      if (number != null) {
        out.writeVarInt(number + 2, true);
        return;
      }
      number(value);
      out.writeVarInt(1, true);
      if (value instanceof Samples.Pair pair) {
        write(out, pair.left());
        write(out, pair.right());
      } else if (value instanceof Map<?, ?> map) {
        out.writeVarInt(map.size(), true);
        map.forEach(
            (key, content) -> {
              write(out, key);
              write(out, content);
            });
      } else {
        Collection<?> elements =
            value instanceof Object[] array ? List.of(array) : (Collection<?>) value;
        out.writeVarInt(elements.size(), true);
        elements.forEach(element -> write(out, element));
      }
    }

    private static int token(Object value) {
      return value instanceof Samples.Pair
          ? Graph.FIRST_DESCRIBED
          : JdkForms.TABLE.stream()
              .filter(entry -> entry.type() == value.getClass())
              .findFirst()
              .orElseThrow()
              .token();
    }
  }
}
