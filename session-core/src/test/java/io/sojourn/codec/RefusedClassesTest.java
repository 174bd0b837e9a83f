package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Values that somebody planted in the store: refused before any of their code could run. */
@Tag("G10")
@Tag("R57")
class RefusedClassesTest {

  private static final String FLAG = "shop.gadget.ran";

  /** Everything in it reports when it runs. */
  private static final String[] APPLICATION = {
    """
    class Gadget implements Serializable {
      static { System.setProperty("shop.gadget.ran", "initialized"); }
      int n = 1;
    }
    """,
    """
    class HookedGadget implements Serializable {
      static { System.setProperty("shop.gadget.ran", "initialized"); }
      private void readObject(ObjectInputStream in) throws Exception {
        System.setProperty("shop.gadget.ran", "readObject");
      }
    }
    """,
    """
    enum EnumGadget { A; static { System.setProperty("shop.gadget.ran", "initialized"); } }
    """,
    """
    interface FaceGadget { Object RAN = System.setProperty("shop.gadget.ran", "initialized"); }
    """,
    """
    class Harmless implements java.lang.reflect.InvocationHandler, Serializable {
      Object content;
      Harmless(Object content) { this.content = content; }
      public Object invoke(Object p, java.lang.reflect.Method m, Object[] a) { return null; }
    }
    """,
    """
    class Plain { }
    """,
    """
    class Maker {
      static Object wrap(Object o) { return new Harmless(o); }
      public static List<Object> make() {
        TreeMap<String, Object> tree = new TreeMap<>();
        tree.put("k", new Gadget());
        return List.of(
          new Gadget(), new HookedGadget(), EnumGadget.A,
          new ArrayList<>(List.of(new Gadget())), new HashSet<>(List.of(new HookedGadget())),
          tree, Map.of("k", EnumGadget.A), wrap(new Gadget()), wrap(wrap(new HookedGadget())),
          new Gadget[0], new Object[] {new Gadget[1][0]}, new HookedGadget[0][0][0],
          new EnumGadget[0], wrap(EnumGadget.class), wrap(Gadget.class),
          java.lang.reflect.Proxy.newProxyInstance(Maker.class.getClassLoader(),
            new Class<?>[] {FaceGadget.class}, new Harmless(null)),
          Collections.unmodifiableList(new ArrayList<>(List.of(new Gadget()))));
      }
    }
    """
  };

  private static final Compiled ATTACKER = Compiled.of(APPLICATION);

  private static final ClassFilter ANY = ClassFilter.of("shop.*");
  private static final ClassFilter HARMLESS = ClassFilter.of("shop.Harmless");

  static Stream<EncodedValue> planted() {
    Compiled attacker = ATTACKER.again();
    List<AttributeCodec> codecs =
        List.of(new KryoCodec(attacker, ANY), new JavaCodec(attacker, ANY));
    return ((List<?>) attacker.make("Maker"))
        .stream().flatMap(value -> codecs.stream().map(codec -> codec.encode(value)));
  }

  @AfterEach
  void forget() {
    System.clearProperty(FLAG);
  }

  @ParameterizedTest
  @MethodSource("planted")
  void aRefusedClassIsNotEvenLoaded(EncodedValue value) {
    Compiled victim = ATTACKER.again();
    System.clearProperty(FLAG);

    for (AttributeCodec codec :
        List.of(new KryoCodec(victim, HARMLESS), new JavaCodec(victim, HARMLESS))) {
      assertThatThrownBy(() -> codec.decode(value))
          .isInstanceOf(DecodeException.class)
          .hasMessageContaining("Gadget is not allowed");
    }
    assertThat(victim.asked).noneMatch(name -> name.contains("Gadget"));
    assertThat(System.getProperty(FLAG)).isNull();
  }

  @ParameterizedTest
  @MethodSource("planted")
  void anApplicationsOwnGadgetCanBeDenied(EncodedValue value) {
    Compiled victim = ATTACKER.again();
    System.clearProperty(FLAG);
    ClassFilter filter =
        ClassFilter.ofApplication(
            victim, "!shop.Gadget !shop.HookedGadget !shop.EnumGadget !shop.FaceGadget");

    assertThatThrownBy(() -> new KryoCodec(victim, filter).decode(value))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("Gadget is refused");
    assertThat(victim.asked).noneMatch(name -> name.contains("Gadget"));
    assertThat(System.getProperty(FLAG)).isNull();
  }

  @Test
  void whatCouldNotBeDecodedIsRefusedWhenEncoding() {
    Compiled application = ATTACKER.again();
    KryoCodec kryo = new KryoCodec(application, HARMLESS);
    JavaCodec java = new JavaCodec(application, HARMLESS);

    for (Object value : (List<?>) application.make("Maker")) {
      for (AttributeCodec codec : List.of(kryo, java)) {
        assertThatThrownBy(() -> codec.encode(value))
            .isInstanceOf(EncodeException.class)
            .hasMessageContaining("Gadget is not allowed");
      }
    }
  }

  @Test
  void aClassThatNeedsAHookIsRefusedInsideTheFastForm() {
    Compiled before =
        Compiled.of(
            "class Cart implements Serializable { int a = 1;"
                + " public static Object make() { return new Cart(); } }");
    Compiled after =
        Compiled.of(
            "class Cart implements Serializable { int a;"
                + " private void readObject(ObjectInputStream in) {"
                + " System.setProperty(\"shop.gadget.ran\", \"hook\"); } }");
    EncodedValue value = before.codec().encode(before.make("Cart"));

    assertThatThrownBy(() -> after.codec().decode(value)).isInstanceOf(DecodeException.class);
    assertThat(System.getProperty(FLAG)).isNull();
  }

  @Test
  void aClassWhoseSuperclassIsRefusedIsRefused() {
    Compiled application =
        Compiled.of(
            "class Base implements Serializable { }",
            "class Cart extends Base { public static Object make() { return new Cart(); } }");
    ClassFilter filter = ClassFilter.of("shop.Cart");
    EncodedValue value = application.codec().encode(application.make("Cart"));
    KryoCodec codec = new KryoCodec(application, filter);

    assertThatThrownBy(() -> codec.decode(value)).hasMessageContaining("shop.Base");
    assertThatThrownBy(() -> codec.encode(application.make("Cart")))
        .hasMessageContaining("shop.Base");
    assertThatThrownBy(() -> new JavaCodec(application, filter).encode(application.make("Cart")))
        .hasMessageContaining("shop.Base");
  }

  @Test
  void aTypeOfTheTableCanBeDeniedToo() {
    KryoCodec any = new KryoCodec(getClass().getClassLoader(), ClassFilter.of(""));
    for (Object denied :
        List.of(
            new java.util.ArrayDeque<>(List.of(1)),
            java.net.URI.create("https://shop.example/"),
            java.time.Instant.EPOCH)) {
      String pattern = "!" + denied.getClass().getName();
      KryoCodec none = new KryoCodec(getClass().getClassLoader(), ClassFilter.of(pattern));
      for (Object value : List.of(denied, new Object[] {denied})) {
        assertThatThrownBy(() -> none.encode(value)).isInstanceOf(EncodeException.class);
        assertThatThrownBy(() -> none.decode(any.encode(value)))
            .isInstanceOf(DecodeException.class)
            .hasMessageContaining(pattern);
      }
    }
  }

  @Test
  void aClassOfAnotherApplicationIsRefusedWhenEncoding() {
    Compiled one =
        Compiled.of(
            "class Cart implements Serializable {"
                + " public static Object make() { return new Cart(); } }");
    Compiled other = Compiled.of("class Cart implements Serializable { }");

    assertThatThrownBy(() -> other.codec().encode(one.make("Cart")))
        .isInstanceOf(EncodeException.class)
        .hasMessageContaining("cannot be found again");
  }
}
