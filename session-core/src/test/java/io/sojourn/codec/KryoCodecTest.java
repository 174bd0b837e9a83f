package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Currency;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@SuppressWarnings({"JavaUtilDate", "JdkObsolete", "UnnecessaryStringBuilder"})
class KryoCodecTest {

  private static final ClassLoader LOADER = KryoCodecTest.class.getClassLoader();
  private static final ClassFilter FILTER = ClassFilter.of("io.sojourn.codec.*");

  private final KryoCodec kryo = new KryoCodec(LOADER, FILTER);
  private final JavaCodec java = new JavaCodec(LOADER, FILTER);

  @Test
  void aCartIsLessThan45PercentOfWhatJavaMakesOfIt() {
    int small = kryo.encode(Samples.cart(20)).size();
    int large = java.encode(Samples.cart(20)).size();

    assertThat(100 * small).isLessThan(45 * large);
    assertThat(small).isEqualTo(938);
  }

  @Test
  void anEqualStringInAnotherInstanceIsNoChange() {
    Samples.Item one = new Samples.Item(1, "name", BigDecimal.ONE, 1);
    Samples.Item other = new Samples.Item(1, new String("name"), new BigDecimal("1"), 1);

    assertThat(kryo.encode(List.of(one, "name"))).isEqualTo(kryo.encode(List.of(other, "name")));
  }

  @Test
  void mutatingAnythingInAValueChangesItsBytes() {
    Samples.Cart cart = Samples.cart(3);
    EncodedValue before = kryo.encode(cart);
    cart.items().get(2).setQuantity(99);
    EncodedValue after = kryo.encode(cart);
    cart.items().remove(0);

    assertThat(after).isNotEqualTo(before);
    assertThat(kryo.encode(cart)).isNotEqualTo(after);
  }

  @Test
  void setsOfValuesHaveOneEncodingHoweverTheyWereMade() {
    assertThat(kryo.encode(Set.of("a", "b", "c", "d")))
        .isEqualTo(kryo.encode(Set.of("d", "b", "a", "c")));
    assertThat(kryo.encode(Map.of("a", 1, "b", 2, "c", 3)))
        .isEqualTo(kryo.encode(Map.of("c", 3, "b", 2, "a", 1)));
  }

  @Test
  void accessOrderSurvives() {
    Map<String, Integer> map = new LinkedHashMap<>(16, 0.75f, true);
    map.put("a", 1);
    map.put("b", 2);

    @SuppressWarnings("unchecked")
    Map<String, Integer> decoded = (Map<String, Integer>) kryo.decode(kryo.encode(map));
    assertThat(decoded.get("a")).isEqualTo(1);
    assertThat(decoded.keySet()).containsExactly("b", "a");
    assertThat(map.keySet()).containsExactly("a", "b");
  }

  @Test
  void emptyCollectionsOfTheJdkComeBackAsTheSameOnes() {
    Object decoded = kryo.decode(kryo.encode(new Object[] {Collections.emptyList(), List.of()}));

    assertThat(((Object[]) decoded)[0]).isSameAs(Collections.emptyList());
    assertThat(((Object[]) decoded)[1]).isSameAs(List.of());
  }

  @Test
  void whatIsNotSerializableIsRefusedByName() {
    assertThatThrownBy(() -> kryo.encode(new ArrayList<>(List.of(Optional.of(1)))))
        .isInstanceOf(EncodeException.class)
        .hasMessageContaining("java.util.ArrayList")
        .hasMessageContaining("java.util.Optional is not Serializable");
    assertThatThrownBy(() -> java.encode(new ArrayList<>(List.of(Optional.of(1)))))
        .isInstanceOf(EncodeException.class)
        .hasMessageContaining("java.util.Optional is not Serializable");
  }

  @Test
  void aRefusalTellsWhatTheClassAloneCanTell() {
    assertThat(kryo.refusal("text")).isEmpty();
    assertThat(kryo.refusal(Samples.cart(1))).isEmpty();
    assertThat(kryo.refusal(new Samples.Replaced("x"))).isEmpty();
    assertThat(kryo.refusal(new ArrayList<>(List.of(new Object())))).isEmpty();
    assertThat(kryo.refusal(new Object())).hasValue("java.lang.Object is not Serializable");
    assertThat(new KryoCodec(LOADER, ClassFilter.of("")).refusal(Samples.cart(1)).orElseThrow())
        .contains("Samples$Cart is not allowed")
        .contains("io.sojourn.codec.*");
    assertThat(java.refusal(new Object())).isPresent();
  }

  @Test
  void valuesEnumsAndRecordsOfThemAreImmutable() {
    for (Object value :
        List.of(
            "text",
            1,
            true,
            'c',
            new BigDecimal("1"),
            BigInteger.ONE,
            UUID.randomUUID(),
            Instant.EPOCH,
            Samples.Color.RED,
            Samples.Operation.PLUS,
            Locale.forLanguageTag("zh-Hant-TW"),
            Currency.getInstance("EUR"),
            URI.create("a:b"),
            String.class,
            new Samples.Money(BigDecimal.ONE, "EUR"),
            new Samples.Box(null),
            new Samples.Line(
                new Samples.Point(1, 2), new Samples.Point(3, 4), Samples.Color.RED))) {
      assertThat(kryo.isImmutable(value)).as("%s", value.getClass()).isTrue();
      assertThat(java.isImmutable(value)).isTrue();
    }
  }

  @Test
  void whatCouldChangeIsNotImmutable() {
    for (Object value :
        List.of(
            new Date(),
            new ArrayList<>(),
            List.of(new Date()),
            Collections.unmodifiableList(new ArrayList<>()),
            new int[0],
            Samples.cart(0),
            new Samples.Box(new Date()),
            new Samples.Tags(List.of()),
            new Samples.HookedRecord("x"),
            new BigDecimal("1") {
              private static final long serialVersionUID = 1L;
            },
            new StringBuilder("x"))) {
      assertThat(kryo.isImmutable(value)).as("%s", value.getClass()).isFalse();
    }
    assertThat(kryo.isImmutable(deepBox(100_000))).isFalse();
  }

  private static Object deepBox(int depth) {
    Object box = new Samples.Box(null);
    for (int i = 0; i < depth; i++) {
      box = new Samples.Box(box);
    }
    return box;
  }

  @Test
  void theApplicationsOwnClassesNeedNoPattern() {
    Compiled application =
        Compiled.of(
            "class Cart implements Serializable { Cart[] more = {null};"
                + " public static Object make() { return new Cart(); } }");
    Object cart = application.make("Cart");
    ClassFilter filter = ClassFilter.ofApplication(application, "");
    KryoCodec codec = new KryoCodec(application, filter);
    JavaCodec javaCodec = new JavaCodec(application, filter);

    assertThat(codec.decode(codec.encode(cart))).hasSameClassAs(cart);
    assertThat(codec.decode(javaCodec.encode(cart))).hasSameClassAs(cart);
    assertThat(codec.refusal(Samples.cart(1))).isPresent();
  }

  @Test
  void manyThreadsShareACodec() throws Exception {
    List<Object> values =
        List.of(
            Samples.cart(20),
            new HashMap<>(Map.of("a", 1, "b", List.of(1, 2))),
            new Samples.Derived(),
            new ArrayList<>(List.of(new Samples.Hooked("text"), Samples.Operation.MINUS)),
            "text");
    List<EncodedValue> expected = values.stream().map(kryo::encode).toList();
    List<String> descriptions =
        values.stream().map(v -> Description.of(kryo.decode(kryo.encode(v)))).toList();
    KryoCodec shared = new KryoCodec(LOADER, FILTER);
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      List<Callable<Boolean>> tasks = new ArrayList<>();
      for (int thread = 0; thread < 8; thread++) {
        int start = thread;
        tasks.add(
            () -> {
              for (int i = start; i < start + 500; i++) {
                int k = i % values.size();
                EncodedValue encoded = shared.encode(values.get(k));
                assertThat(encoded).isEqualTo(expected.get(k));
                assertThat(Description.of(shared.decode(encoded))).isEqualTo(descriptions.get(k));
              }
              return true;
            });
      }
      for (Future<Boolean> done : threads.invokeAll(tasks)) {
        assertThat(done.get(60, TimeUnit.SECONDS)).isTrue();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void aConcurrentMapMayChangeWhileItIsEncoded() throws Exception {
    Map<Integer, Integer> map = new ConcurrentHashMap<>();
    ExecutorService threads = Executors.newSingleThreadExecutor();
    try {
      Future<?> changing =
          threads.submit(
              () -> {
                for (int i = 0; !Thread.currentThread().isInterrupted(); i++) {
                  map.put(i % 1000, i);
                  map.remove((i + 500) % 1000);
                }
              });
      for (int i = 0; i < 500; i++) {
        assertThat(kryo.decode(kryo.encode(map))).isInstanceOf(ConcurrentHashMap.class);
      }
      assertThat(changing.isDone()).isFalse();
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void aLargeValueDoesNotStayInThePool() {
    byte[] large = new byte[8 << 20];

    assertThat((byte[]) kryo.decode(kryo.encode(large))).hasSameSizeAs(large);
    assertThat(kryo.encode("small").size()).isEqualTo(6 + 7);
  }

  @Test
  void whatIsTooLargeIsRefusedWhenEncoding() {
    byte[] large = new byte[65 << 20];

    assertThatThrownBy(() -> kryo.encode(large)).isInstanceOf(EncodeException.class);
    assertThatThrownBy(() -> java.encode(large)).isInstanceOf(EncodeException.class);
  }

  @Test
  @Tag("G8")
  void aDroppedCodecKeepsNoClassLoader() throws Exception {
    ReferenceQueue<ClassLoader> collected = new ReferenceQueue<>();
    WeakReference<ClassLoader> loader = useAndDrop(collected);
    for (int i = 0; i < 50 && loader.get() != null; i++) {
      System.gc();
      collected.remove(20);
    }

    assertThat(loader.get()).isNull();
  }

  private static WeakReference<ClassLoader> useAndDrop(ReferenceQueue<ClassLoader> collected) {
    Compiled application =
        Compiled.of(
            "enum Size { S, M }",
            "record Tag(String t) implements Serializable { }",
            "class Cart implements Serializable { Size s = Size.M; Object t = new Tag(\"t\");"
                + " Object a = new Tag[0];"
                + " public static Object make() { return new Cart(); } }");
    KryoCodec codec = application.codec();
    Object cart = application.make("Cart");
    codec.decode(codec.encode(cart));
    codec.isImmutable(cart);
    return new WeakReference<>(application, collected);
  }
}
