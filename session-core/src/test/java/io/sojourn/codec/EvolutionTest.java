package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.sojourn.DecodeException;
import io.sojourn.EncodedValue;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** An old and a new version of an application read what the other has stored. */
@Tag("G8")
class EvolutionTest {

  private static final String SMALL =
      """
      class Cart implements Serializable {
        int count = 3; String owner = "ann";
        public static Object make() { return new Cart(); }
      }
      """;

  private static final String LARGE =
      """
      class Cart implements Serializable {
        double weight = 1.5; int count = 4; String owner = "bob"; String note = "by initializer";
        List<Object> extra = new ArrayList<>(List.of("x", new Date(1)));
        public static Object make() { return new Cart(); }
      }
      """;

  private static EncodedValue stored(Compiled application) {
    EncodedValue value = application.codec().encode(application.make("Cart"));
    assertThat((int) value.bytes()[0]).isEqualTo(1);
    return value;
  }

  private static String read(EncodedValue value, Compiled application) {
    return Description.of(application.codec().decode(value));
  }

  private static String moved(String from, String to) {
    return read(stored(Compiled.of(from)), Compiled.of(to));
  }

  private static void refused(String from, String to, String message) {
    EncodedValue value = stored(Compiled.of(from));
    Compiled later = Compiled.of(to);
    assertThatThrownBy(() -> read(value, later))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining(message);
  }

  private static String cart(String fields) {
    return "class Cart implements Serializable {"
        + fields
        + " public static Object make() { return new Cart(); } }";
  }

  @Test
  void anAddedFieldKeepsItsDefault() {
    assertThat(moved(SMALL, LARGE))
        .isEqualTo(
            "shop.Cart(weight=java.lang.Double:0.0 count=java.lang.Integer:3"
                + " owner=java.lang.String:ann note=null extra=null )");
  }

  @Test
  void aRemovedFieldIsDropped() {
    assertThat(moved(LARGE, SMALL))
        .isEqualTo("shop.Cart(count=java.lang.Integer:4 owner=java.lang.String:bob )");
  }

  @Test
  void anotherSerialVersionIsAnErrorInTheJavaForm() {
    Compiled before = Compiled.of(cart("static final long serialVersionUID = 1; int a = 1;"));
    Compiled after = Compiled.of(cart("static final long serialVersionUID = 2; int a;"));
    EncodedValue value =
        new JavaCodec(before, ClassFilter.of("shop.*")).encode(before.make("Cart"));

    assertThatThrownBy(() -> read(value, after)).isInstanceOf(DecodeException.class);
  }

  @Test
  void aNumberMayBecomeWiderOrBeBoxed() {
    assertThat(
            moved(
                cart(
                    "int a = 1; int b = 2; Integer c = 3; float d = 1; Short e = 5; char f = 'f';"),
                cart("long a; Integer b; int c; double d; long e; Object f;")))
        .isEqualTo(
            "shop.Cart(a=java.lang.Long:1 b=java.lang.Integer:2 c=java.lang.Integer:3"
                + " d=java.lang.Double:1.0 e=java.lang.Long:5 f=java.lang.Character:f )");
  }

  @Test
  void whatCouldLoseSomethingIsAnError() {
    refused(cart("long a = 1;"), cart("int a;"), "Field a of shop.Cart");
    refused(cart("int a = 1;"), cart("float a;"), "Field a of shop.Cart");
    refused(cart("Integer a = null;"), cart("int a;"), "Field a of shop.Cart");
    refused(cart("String a = \"x\";"), cart("Integer a;"), "Field a of shop.Cart");
    refused(cart("boolean a = true;"), cart("int a;"), "Field a of shop.Cart");
  }

  @Test
  void anErrorSaysNothingOfTheValue() {
    EncodedValue value = stored(Compiled.of(cart("String a = \"secret\";")));
    Compiled later = Compiled.of(cart("Integer a;"));

    assertThatThrownBy(() -> read(value, later)).message().doesNotContain("secret");
  }

  @Test
  void enumConstantsMayBeReordered() {
    Compiled before =
        Compiled.of("enum Size { S, M, L }", cart("Size a = Size.M; Size[] b = {Size.L};"));
    Compiled after = Compiled.of("enum Size { L { }, XL, M, S }", cart("Size a; Size[] b;"));

    assertThat(read(stored(before), after))
        .isEqualTo("shop.Cart(a=shop.Size:M b=[Lshop.Size;[shop.Size$1:L] )");
  }

  @Test
  void aRemovedEnumConstantIsAnErrorOnlyWhereItIsWanted() {
    Compiled before = Compiled.of("enum Size { S, M }", cart("Size a = Size.M; int b = 2;"));
    Compiled wanted = Compiled.of("enum Size { S }", cart("Size a;"));
    Compiled unwanted = Compiled.of("enum Size { S }", cart("int b;"));
    EncodedValue value = stored(before);

    assertThatThrownBy(() -> read(value, wanted))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("shop.Size");
    assertThat(read(value, unwanted)).isEqualTo("shop.Cart(b=java.lang.Integer:2 )");
  }

  @Test
  void recordComponentsAreMatchedByName() {
    String before =
        "record Cart(int a, String b, long c) implements Serializable {"
            + " public static Object make() { return new Cart(1, \"x\", 3); } }";
    String after = "record Cart(boolean d, long c, String b, Object e) implements Serializable { }";

    assertThat(moved(before, after))
        .isEqualTo(
            "shop.Cart(d=java.lang.Boolean:false c=java.lang.Long:3 b=java.lang.String:x e=null )");
  }

  @Test
  void aRecordThatRefusesWhatWasStoredIsAnError() {
    refused(
        cart("int a = 1;"),
        "record Cart(int a, String b) implements Serializable {"
            + " public Cart { Objects.requireNonNull(b); } }",
        "constructor of shop.Cart");
  }

  private static List<String> fields(String description) {
    return Stream.of(
            description.substring("shop.Cart(".length(), description.length() - 1).split(" ", -1))
        .sorted()
        .toList();
  }

  @Test
  void anEnumsNewConstantIsAnErrorOnlyWhereItIsNotKnown() {
    Compiled before = Compiled.of("enum Size { S, M }", cart("Size a = Size.S;"));
    Compiled after = Compiled.of("enum Size { S, M, L }", cart("Size a = Size.L;"));
    EncodedValue unknown = stored(after);

    assertThat(read(stored(before), after)).isEqualTo("shop.Cart(a=shop.Size:S )");
    assertThatThrownBy(() -> read(unknown, before))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("shop.Size");
  }

  @Test
  void aMissingClassIsAnErrorThatNamesIt() {
    EncodedValue value = stored(Compiled.of(SMALL));
    Compiled without = Compiled.of("class Other { }");

    assertThatThrownBy(() -> read(value, without))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("shop.Cart");
  }

  @Test
  void aClassThatGainedAHookIsAnError() {
    refused(
        SMALL,
        """
        class Cart implements Serializable {
          int count; String owner;
          private Object readResolve() { return "hooked"; }
        }
        """,
        "shop.Cart");
  }

  @Test
  void aClassThatBecameAnEnumIsAnError() {
    refused(SMALL, "enum Cart { A }", "shop.Cart");
  }

  @Test
  void aRemovedFieldMayBeOfClassesThatAreGone() {
    Compiled before =
        Compiled.of(
            "class Gone implements Serializable { Object self = this; Kind[] k = {Kind.A, null};"
                + " List<Object> more = new ArrayList<>(List.of(new Lost(this, Kind.A)));"
                + " long l = 5; }",
            "record Lost(Gone back, Kind kind) implements Serializable { }",
            "enum Kind { A }",
            cart(
                "Object a = new ArrayList<>(List.of(new Gone(), new Gone()));"
                    + "Object b = new Gone[] {new Gone()}; Object c = Set.of(new Gone(), Kind.A);"
                    + "TreeMap<String, Object> d = new TreeMap<>(Map.of(\"k\", new Gone()));"
                    + "String z = \"kept\"; Object y = new ArrayList<>(List.of(1));"));
    Compiled after = Compiled.of(cart("String z; Object y;"));

    assertThat(read(stored(before), after))
        .isEqualTo(
            "shop.Cart(z=java.lang.String:kept y=java.util.ArrayList[java.lang.Integer:1]() )");
  }

  @Test
  void whatWasFirstSeenInARemovedFieldIsStillThere() {
    Compiled before =
        Compiled.of(
            "class Kept implements Serializable { int n = 7; }",
            cart("Kept shared = new Kept(); Object a = List.of(shared); Object b = shared;"));
    Compiled after =
        Compiled.of(
            "class Kept implements Serializable { int n; }", cart("Object b; Object shared;"));
    Compiled without =
        Compiled.of("class Kept implements Serializable { int n; }", cart("Object b;"));

    assertThat(read(stored(before), after))
        .isEqualTo("shop.Cart(b=shop.Kept(n=java.lang.Integer:7 ) shared=#1 )");
    assertThat(read(stored(before), without))
        .isEqualTo("shop.Cart(b=shop.Kept(n=java.lang.Integer:7 ) )");
  }

  @Test
  void whatIsIncompleteInARemovedFieldIsNotHandedOut() {
    Compiled before =
        Compiled.of(
            "class Gone implements Serializable { }",
            cart(
                "List<Object> b = new ArrayList<>(List.of(new Gone()));"
                    + " Object a = List.of(b); Object c = b;"));
    Compiled after = Compiled.of(cart("Object c;"));
    EncodedValue value = stored(before);

    assertThatThrownBy(() -> read(value, after))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("removed field");
  }

  @Test
  void aGoneClassIsAnErrorOutsideOfRemovedFields() {
    Compiled before =
        Compiled.of(
            "class Gone implements Serializable { }",
            cart("Object a = new Gone(); Object b = new Gone();"));
    Compiled after = Compiled.of(cart("Object b;"));
    EncodedValue value = stored(before);

    assertThatThrownBy(() -> read(value, after))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("shop.Gone");
  }

  private static final String INT = "a=java.lang.Integer:1";
  private static final String NO_FIELD = "a=java.lang.Integer:0";
  private static final String LIST = "a=java.util.ArrayList[java.lang.Integer:1]()";
  private static final String ITEMS =
      "a=shop.Item(n=java.lang.Integer:7 ) b=[Lshop.Item;[shop.Item(n=java.lang.Integer:7 )]";
  private static final String SIZES = "a=shop.Size:M b=[Lshop.Size;[shop.Size:L]";

  private static String hooked(String write, String read) {
    return cart(
        "static final long serialVersionUID = 1; int a = 1;"
            + " private void writeObject(ObjectOutputStream out) throws IOException {"
            + write
            + " } private void readObject(ObjectInputStream in) throws Exception {"
            + read
            + " }");
  }

  private static String record(String components, String values) {
    return "record Cart("
        + components
        + ") implements Serializable {"
        + " public static Object make() { return new Cart("
        + values
        + "); } }";
  }

  private static Arguments change(
      String name, List<String> old, List<String> later, String forth, String back) {
    return arguments(name, old, later, forth, back);
  }

  private static Arguments change(
      String name, String old, String later, String forth, String back) {
    return change(name, List.of(old), List.of(later), forth, back);
  }

  private static final String REFUSED = "refused";

  /** What the new version makes of what the old one stored, and the other way about. */
  static Stream<Arguments> changes() {
    return Stream.of(
        change(
            "field added",
            cart("int a = 1;"),
            cart("int a = 1; int b = 2; String c = \"x\";"),
            INT + " b=java.lang.Integer:0 c=null",
            INT),
        change(
            "fields reordered",
            cart("int a = 1; String b = \"x\"; long c = 3;"),
            cart("long c = 3; int a = 1; String b = \"x\";"),
            INT + " b=java.lang.String:x c=java.lang.Long:3",
            INT + " b=java.lang.String:x c=java.lang.Long:3"),
        change(
            "field removed, and its class with it",
            List.of(
                "class Gone implements Serializable { Object self = this; }",
                cart("int a = 1; Object b = new Gone(); List<?> c = List.of(new Gone(), 7);")),
            List.of(cart("int a = 1;")),
            INT,
            INT + " b=null c=null"),
        change(
            "field removed that was the first to hold a shared object",
            List.of(
                "class Kept implements Serializable { int n = 7; }",
                cart("Kept shared = new Kept(); Object a = shared; Object b = shared;")),
            List.of(
                "class Kept implements Serializable { int n = 7; }",
                cart("Object b = new Kept();")),
            "b=shop.Kept(n=java.lang.Integer:7 )",
            "shared=null a=null b=shop.Kept(n=java.lang.Integer:7 )"),
        change(
            "field renamed",
            cart("int a = 1; int c = 3;"),
            cart("int b = 1; int c = 3;"),
            "b=java.lang.Integer:0 c=java.lang.Integer:3",
            NO_FIELD + " c=java.lang.Integer:3"),
        change(
            "transient to field",
            cart("transient int a = 1; int b = 2;"),
            cart("int a = 1; int b = 2;"),
            NO_FIELD + " b=java.lang.Integer:2",
            NO_FIELD + " b=java.lang.Integer:2"),
        change(
            "field to transient",
            cart("int a = 1; int b = 2;"),
            cart("transient int a = 1; int b = 2;"),
            NO_FIELD + " b=java.lang.Integer:2",
            NO_FIELD + " b=java.lang.Integer:2"),
        change(
            "static field and method added",
            cart("int a = 1;"),
            cart("int a = 1; static int c = 3; int d() { return 4; }"),
            INT,
            INT),
        change(
            "declared type List<Integer> to List<Object>",
            cart("List<Integer> a = new ArrayList<>(List.of(1));"),
            cart("List<Object> a = new ArrayList<>(List.of(1));"),
            LIST,
            LIST),
        change(
            "declared type List<Integer> to Collection<Object>",
            cart("List<Integer> a = new ArrayList<>(List.of(1));"),
            cart("Collection<Object> a = new ArrayList<>(List.of(1));"),
            LIST,
            LIST),
        change(
            "int widened to long",
            cart("int a = 1;"),
            cart("long a = 1;"),
            "a=java.lang.Long:1",
            REFUSED),
        change(
            "long narrowed to int",
            cart("long a = 1;"),
            cart("int a = 1;"),
            REFUSED,
            "a=java.lang.Long:1"),
        change(
            "Object of a Character to Character",
            cart("Object a = 'c';"),
            cart("Character a = 'c';"),
            "a=java.lang.Character:c",
            "a=java.lang.Character:c"),
        change("int to Integer", cart("int a = 1;"), cart("Integer a = 1;"), INT, INT),
        change("Integer of null to int", cart("Integer a;"), cart("int a = 1;"), REFUSED, INT),
        change("Integer to Long", cart("Integer a = 1;"), cart("Long a = 1L;"), REFUSED, REFUSED),
        change("int to String", cart("int a = 1;"), cart("String a = \"1\";"), REFUSED, REFUSED),
        change(
            "component of a record, int to long",
            record("int a", "1"),
            record("long a", "1"),
            "a=java.lang.Long:1",
            REFUSED),
        change(
            "component of a record added",
            record("int a", "1"),
            record("int a, String b", "1, \"x\""),
            INT + " b=null",
            INT),
        change(
            "components of a record reordered",
            record("int a, String b, long c", "1, \"x\", 3"),
            record("long c, int a, String b", "3, 1, \"x\""),
            INT + " b=java.lang.String:x c=java.lang.Long:3",
            INT + " b=java.lang.String:x c=java.lang.Long:3"),
        change("class to record", cart("int a = 1;"), record("int a", "1"), INT, INT),
        change(
            "class to record with more",
            cart("int a = 1;"),
            record("int a, String b", "1, \"x\""),
            INT + " b=null",
            INT),
        change(
            "superclass added",
            List.of(cart("int a = 1;")),
            List.of(
                "class Base implements Serializable { int b = 2; }",
                "class Cart extends Base { int a = 1;"
                    + " public static Object make() { return new Cart(); } }"),
            INT + " b=java.lang.Integer:0",
            INT),
        change(
            "field moved to the superclass",
            List.of(cart("int a = 1; String b = \"x\";")),
            List.of(
                "class Base implements Serializable { String b = \"x\"; }",
                "class Cart extends Base { int a = 1;"
                    + " public static Object make() { return new Cart(); } }"),
            INT + " b=java.lang.String:x",
            INT + " b=java.lang.String:x"),
        change(
            "field moved to a subclass",
            List.of(
                "class Base implements Serializable { String b = \"x\"; }",
                "class Cart extends Base { int a = 1;"
                    + " public static Object make() { return new Cart(); } }"),
            List.of(
                "class Base implements Serializable { }",
                "class Cart extends Base { int a = 1; String b = \"x\";"
                    + " public static Object make() { return new Cart(); } }"),
            INT + " b=java.lang.String:x",
            INT + " b=java.lang.String:x"),
        change(
            "class made final",
            cart("int a = 1; List<Integer> b = new ArrayList<>(List.of(2));"),
            "final " + cart("int a = 1; List<Integer> b = new ArrayList<>(List.of(2));"),
            INT + " b=java.util.ArrayList[java.lang.Integer:2]()",
            INT + " b=java.util.ArrayList[java.lang.Integer:2]()"),
        change(
            "class of a field made final",
            List.of(
                "class Item implements Serializable { int n = 7; }",
                cart("Item a = new Item(); Item[] b = {new Item()};")),
            List.of(
                "final class Item implements Serializable { int n = 7; }",
                cart("Item a = new Item(); Item[] b = {new Item()};")),
            ITEMS,
            ITEMS),
        change(
            "interface added",
            cart("int a = 1;"),
            "class Cart implements Serializable, Comparable<Cart> { int a = 1;"
                + " public int compareTo(Cart o) { return 0; }"
                + " public static Object make() { return new Cart(); } }",
            INT,
            INT),
        change(
            "another serialVersionUID",
            cart("static final long serialVersionUID = 1; int a = 1;"),
            cart("static final long serialVersionUID = 2; int a = 1;"),
            INT,
            INT),
        change(
            "enum constants reordered",
            List.of("enum Size { S, M, L }", cart("Size a = Size.M; Size[] b = {Size.L};")),
            List.of("enum Size { L, XL, M, S }", cart("Size a = Size.M; Size[] b = {Size.L};")),
            SIZES,
            SIZES),
        change(
            "enum constant added",
            List.of("enum Size { S, M }", cart("Size a = Size.S;")),
            List.of("enum Size { S, M, L }", cart("Size a = Size.L;")),
            "a=shop.Size:S",
            REFUSED),
        change(
            "enum constant given a body",
            List.of("enum Size { S, M }", cart("Size a = Size.S;")),
            List.of("enum Size { S { }, M }", cart("Size a = Size.S;")),
            "a=shop.Size$1:S",
            "a=shop.Size:S"),
        change(
            "enum constant removed",
            List.of("enum Size { S, M }", cart("Size a = Size.M;")),
            List.of("enum Size { S }", cart("Size a = Size.S;")),
            REFUSED,
            "a=shop.Size:S"),
        change(
            "enum to class",
            "enum Cart { A; public static Object make() { return A; } }",
            cart("int a = 1;"),
            REFUSED,
            REFUSED),
        change(
            "class renamed in a field that is removed",
            List.of(
                "class Old implements Serializable { int n = 1; }",
                cart("int a = 1; Object b = new Old();")),
            List.of("class New implements Serializable { int n = 1; }", cart("int a = 1;")),
            INT,
            INT + " b=null"),
        change(
            "class renamed in a field that is kept",
            List.of(
                "class Old implements Serializable { int n = 1; }", cart("Object b = new Old();")),
            List.of(
                "class New implements Serializable { int n = 1; }", cart("Object b = new New();")),
            REFUSED,
            REFUSED),
        change(
            "writeObject and readObject gained, fields as they are",
            cart("static final long serialVersionUID = 1; int a = 1;"),
            hooked("out.defaultWriteObject();", "in.defaultReadObject();"),
            REFUSED,
            INT),
        change(
            "writeObject and readObject gained, fields in its own way",
            cart("static final long serialVersionUID = 1; int a = 1;"),
            hooked("out.writeInt(a);", "a = in.readInt();"),
            REFUSED,
            REFUSED),
        change(
            "made Externalizable",
            cart("static final long serialVersionUID = 1; int a = 1;"),
            "class Cart implements Externalizable { static final long serialVersionUID = 1;"
                + " int a = 1; public Cart() { }"
                + " public void writeExternal(ObjectOutput o) throws IOException { o.writeInt(a); }"
                + " public void readExternal(ObjectInput i) throws IOException { a = i.readInt(); }"
                + " public static Object make() { return new Cart(); } }",
            REFUSED,
            REFUSED));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("changes")
  void aChangeIsReadAsItShouldBeOrIsAnError(
      String change, List<String> old, List<String> later, String forth, String back) {
    Compiled before = Compiled.of(old.toArray(String[]::new));
    Compiled after = Compiled.of(later.toArray(String[]::new));

    assertReads(before, after, forth);
    assertReads(after, before, back);
  }

  private static void assertReads(Compiled writer, Compiled reader, String expected) {
    EncodedValue value = writer.codec().encode(writer.make("Cart"));
    byte[] bytes = value.bytes().clone();
    if (expected.equals(REFUSED)) {
      assertThatThrownBy(() -> read(value, reader)).isInstanceOf(DecodeException.class);
    } else {
      assertThat(fields(read(value, reader))).isEqualTo(fields("shop.Cart(" + expected + " )"));
    }

    assertThat(value.bytes()).isEqualTo(bytes);
    assertThat(read(value, writer.again())).isEqualTo(read(value, writer));
  }
}
