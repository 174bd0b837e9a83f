package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.AttributeCodec;
import io.sojourn.EncodedValue;
import java.io.Serializable;
import java.math.BigDecimal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.Arguments;

/**
 * That a value has not changed is told without encoding it, and never of one that would be encoded
 * to other bytes.
 *
 * <p>{@code -Dsojourn.test.mutations=1000000} is the long form.
 */
@Tag("R1")
@Tag("G2")
@SuppressWarnings({"JavaUtilDate", "JdkObsolete", "UnnecessaryStringBuilder", "serial"})
class FootprintTest {

  private static final int MUTATIONS = Integer.getInteger("sojourn.test.mutations", 20_000);

  private final AttributeCodec codec =
      new KryoCodec(FootprintTest.class.getClassLoader(), ClassFilter.of("io.sojourn.codec.*"));
  private final Random random = new Random(20);

  /** A bean as applications have them. */
  static final class Bean implements Serializable {
    private static final long serialVersionUID = 1L;

    boolean flag;
    byte small;
    char letter;
    short shorter;
    int number;
    long longer;
    float real;
    double precise;
    @Nullable Object left;
    @Nullable Object right;
    transient int notStored;
  }

  record Label(String text, int number) implements Serializable {}

  record Shelf(String name, List<Object> content) implements Serializable {}

  private BooleanSupplier watch(Object value) {
    return codec.watch(value).orElseThrow(() -> new AssertionError("It is not watched"));
  }

  @Test
  void aCartIsAsItWasUntilAnItemOfItChanges() {
    Samples.Cart cart = Samples.cart(20);
    BooleanSupplier unchanged = watch(cart);

    assertThat(unchanged.getAsBoolean()).isTrue();
    assertThat(unchanged.getAsBoolean()).isTrue();
    cart.items().get(7).setQuantity(99);
    assertThat(unchanged.getAsBoolean()).isFalse();
  }

  @Test
  void anElementThatMovesFromOneListToWhatFollowsItIsAChange() {
    List<Object> inner = new ArrayList<>(List.of("a", "b"));
    List<Object> outer = new ArrayList<>(List.of(inner, "c"));
    BooleanSupplier unchanged = watch(outer);

    outer.add(1, inner.remove(1));

    assertThat(outer).hasToString("[[a], b, c]");
    assertThat(unchanged.getAsBoolean()).isFalse();
  }

  @Test
  void whatRefersToItselfEnds() {
    Bean one = new Bean();
    Bean two = new Bean();
    one.left = two;
    two.left = one;
    two.right = new ArrayList<>(List.of(one, two));
    BooleanSupplier unchanged = watch(one);

    assertThat(unchanged.getAsBoolean()).isTrue();
    two.number++;
    assertThat(unchanged.getAsBoolean()).isFalse();
  }

  @Test
  void aViewIsLookedThrough() {
    List<Object> viewed = new ArrayList<>(List.of("a", new Date(1)));
    BooleanSupplier unchanged = watch(new Shelf("s", Collections.unmodifiableList(viewed)));

    assertThat(unchanged.getAsBoolean()).isTrue();
    ((Date) viewed.get(1)).setTime(2);
    assertThat(unchanged.getAsBoolean()).isFalse();
  }

  /** As lists that know of a database do. */
  static final class Detaching extends ArrayList<Object> {
    private static final long serialVersionUID = 1L;

    Object writeReplace() {
      return new ArrayList<>(this);
    }
  }

  @Test
  void aViewOfWhatIsWrittenAsSomethingElseIsLookedAtItself() {
    List<Object> viewed = new Detaching();
    viewed.add("a");
    Object view = Collections.unmodifiableList(viewed);
    EncodedValue before = codec.encode(view);
    BooleanSupplier unchanged = watch(view);

    assertThat(unchanged.getAsBoolean()).isTrue();
    viewed.add("b");
    assertThat(codec.encode(view)).isNotEqualTo(before);
    assertThat(unchanged.getAsBoolean()).isFalse();
  }

  @Test
  void aFieldThatIsNotStoredDoesNotCount() {
    Bean bean = new Bean();
    BooleanSupplier unchanged = watch(bean);

    bean.notStored++;

    assertThat(unchanged.getAsBoolean()).isTrue();
  }

  @Test
  void whatDoesNotShowAllOfItselfIsNotWatched() {
    assertThat(codec.watch(new byte[] {1})).isEmpty();
    assertThat(codec.watch(new ArrayList<>(List.of(new int[] {1})))).isEmpty();
    assertThat(codec.watch(new StringBuilder("a"))).isEmpty();
    assertThat(codec.watch(new Samples.Hooked("text"))).isEmpty();
    assertThat(codec.watch(new ArrayList<>(List.of(new Samples.NamedList())))).isEmpty();
  }

  @Test
  void whatIsTooLargeIsNotWatched() {
    List<Object> list = new ArrayList<>(Collections.nCopies(100_000, "a"));
    Object nested = "a";
    for (int i = 0; i < 150; i++) {
      nested = new ArrayList<>(List.of(nested));
    }

    assertThat(codec.watch(list)).isEmpty();
    assertThat(codec.watch(nested)).isEmpty();
  }

  @Test
  void objectsThatCanChangeCountOnceEach() {
    List<Date> dates = new ArrayList<>();
    for (int i = 0; i < 16_383; i++) {
      dates.add(new Date(i));
    }
    BooleanSupplier unchanged = watch(dates);

    assertThat(unchanged.getAsBoolean()).isTrue();
    dates.get(16_000).setTime(0);
    assertThat(unchanged.getAsBoolean()).isFalse();
    dates.add(new Date(0));
    assertThat(codec.watch(dates)).isEmpty();
  }

  /** Of all the kinds of values that the codec is tried with. */
  @Test
  void noneOfTheSamplesChangesByItself() {
    int watched = 0;
    for (Arguments sample : RoundTripTest.values().toList()) {
      Optional<BooleanSupplier> unchanged = codec.watch(sample.get()[2]);
      if (unchanged.isPresent()) {
        watched++;
        assertThat(unchanged.get().getAsBoolean()).as("%s", sample.get()[0]).isTrue();
      }
    }
    assertThat(watched).isGreaterThan(80);
  }

  @Test
  void noChangeOfTheBytesIsMissed() {
    int same = 0;
    int changed = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      List<Object> all = new ArrayList<>();
      Object value = graph(all, 4);
      BooleanSupplier unchanged = watch(value);
      EncodedValue before = codec.encode(value);
      for (int times = random.nextInt(3); times > 0; times--) {
        if (!all.isEmpty()) {
          mutate(all.get(random.nextInt(all.size())));
        }
      }
      if (unchanged.getAsBoolean()) {
        same++;
        assertThat(codec.encode(value)).isEqualTo(before);
      } else {
        changed++;
      }
    }
    assertThat(same).isGreaterThan(MUTATIONS / 10);
    assertThat(changed).isGreaterThan(MUTATIONS / 10);
  }

  /** Beans, records and containers, some of which are in it twice. */
  private Object graph(List<Object> all, int depth) {
    if (depth == 0 || (depth < 3 && random.nextInt(4) == 0)) {
      return switch (random.nextInt(5)) {
        case 0 -> "text" + random.nextInt(3);
        case 1 -> random.nextInt(300);
        case 2 -> new Label("label", random.nextInt(2));
        case 3 -> new BigDecimal(random.nextInt(5));
        default -> add(all, new Date(random.nextInt(9)));
      };
    }
    if (!all.isEmpty() && random.nextInt(8) == 0) {
      return all.get(random.nextInt(all.size()));
    }
    int kind = random.nextInt(15);
    switch (kind) {
      case 0, 1, 2 -> {
        Bean bean = add(all, new Bean());
        bean.left = graph(all, depth - 1);
        bean.right = random.nextBoolean() ? null : graph(all, depth - 1);
        return bean;
      }
      case 3 -> {
        return new Shelf("shelf", elements(all, new ArrayList<>(), depth));
      }
      case 4 -> {
        return Collections.unmodifiableList(elements(all, new ArrayList<>(), depth));
      }
      case 5 -> {
        return List.copyOf(elements(all, new ArrayList<>(), depth));
      }
      case 6 -> {
        Object[] array = elements(all, new ArrayList<>(), depth).toArray();
        return add(all, array);
      }
      case 7 -> {
        Map<Object, Object> map =
            add(all, random.nextBoolean() ? new HashMap<>() : new TreeMap<>());
        return entries(all, map, depth);
      }
      case 8 -> {
        return entries(all, add(all, new LinkedHashMap<>()), depth);
      }
      case 9 -> {
        return entries(all, add(all, new ConcurrentHashMap<>()), depth);
      }
      case 10 -> {
        return add(all, new TreeSet<Object>(List.of("a", "b" + random.nextInt(9))));
      }
      case 11 -> {
        return add(all, new HashSet<Object>(List.of("a", "b" + random.nextInt(9))));
      }
      case 12 -> {
        return elements(all, add(all, new LinkedList<>()), depth);
      }
      case 13 -> {
        return elements(all, add(all, new ArrayDeque<>()), depth);
      }
      default -> {
        return elements(all, add(all, new ArrayList<>()), depth);
      }
    }
  }

  private static <T> T add(List<Object> all, T object) {
    all.add(object);
    return object;
  }

  private <C extends Collection<Object>> C elements(List<Object> all, C to, int depth) {
    for (int i = random.nextInt(4); i > 0; i--) {
      to.add(graph(all, depth - 1));
    }
    return to;
  }

  private Map<Object, Object> entries(List<Object> all, Map<Object, Object> to, int depth) {
    for (int i = random.nextInt(4); i > 0; i--) {
      to.put("key" + random.nextInt(9), graph(all, depth - 1));
    }
    return to;
  }

  /** Changes something, or sets it to what it was. */
  @SuppressWarnings("unchecked")
  private void mutate(Object object) {
    if (object instanceof Bean bean) {
      switch (random.nextInt(10)) {
        case 0 -> bean.flag = random.nextBoolean();
        case 1 -> bean.small = (byte) random.nextInt(2);
        case 2 -> bean.letter = (char) random.nextInt(2);
        case 3 -> bean.shorter = (short) random.nextInt(2);
        case 4 -> bean.number = random.nextInt(2);
        case 5 -> bean.longer = random.nextInt(2);
        case 6 -> bean.real = random.nextInt(2);
        case 7 -> bean.precise = random.nextBoolean() ? -0.0 : 0.0;
        case 8 -> bean.left = random.nextBoolean() ? bean.right : bean.left;
        default -> bean.notStored++;
      }
    } else if (object instanceof Date date) {
      date.setTime(random.nextInt(9));
    } else if (object instanceof Object[] array) {
      if (array.length > 0) {
        array[random.nextInt(array.length)] = array[random.nextInt(array.length)];
      }
    } else if (object instanceof Map<?, ?>) {
      Map<Object, Object> map = (Map<Object, Object>) object;
      if (random.nextBoolean()) {
        map.put("key" + random.nextInt(9), "new");
      } else {
        map.remove("key" + random.nextInt(9));
      }
    } else if (object instanceof HashSet<?>) {
      ((Collection<Object>) object).remove("b" + random.nextInt(9));
    } else {
      Collection<Object> elements = (Collection<Object>) object;
      switch (random.nextInt(3)) {
        case 0 -> elements.add("c");
        case 1 -> elements.removeIf(element -> random.nextInt(3) == 0);
        default -> {
          if (object instanceof List<?> list) {
            Collections.shuffle(list, random);
          }
        }
      }
    }
  }
}
