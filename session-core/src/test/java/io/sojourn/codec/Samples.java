package io.sojourn.codec;

import java.io.Externalizable;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectInputStream;
import java.io.ObjectOutput;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamField;
import java.io.Serializable;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Classes of the kind that applications put into sessions. */
@SuppressWarnings({"serial", "UnusedVariable", "ClassCanBeStatic", "StaticAssignmentInConstructor"})
final class Samples {

  private Samples() {}

  enum Color {
    RED,
    GREEN,
    BLUE
  }

  enum Operation {
    PLUS {
      @Override
      int apply(int a, int b) {
        return a + b;
      }
    },
    MINUS {
      @Override
      int apply(int a, int b) {
        return a - b;
      }
    };

    abstract int apply(int a, int b);
  }

  record Money(BigDecimal amount, String currency) implements Serializable {}

  record Point(int x, int y) implements Serializable {}

  record Line(Point from, Point to, Color color) implements Serializable {}

  record Tags(List<String> tags) implements Serializable {
    Tags {
      tags = List.copyOf(tags);
    }
  }

  record Box(@Nullable Object content) implements Serializable {}

  record Pair(Object left, Object right) implements Serializable {}

  record Loud(String text) implements Serializable {
    @Override
    public String text() {
      return text.toUpperCase(Locale.ROOT);
    }
  }

  record HookedRecord(String text) implements Serializable {
    private Object readResolve() {
      return new HookedRecord(text.toUpperCase(Locale.ROOT));
    }
  }

  static class Item implements Serializable {
    private final long productId;
    private final String name;
    private final BigDecimal price;
    private int quantity;
    private Color color = Color.GREEN;
    private boolean gift;
    private transient @Nullable String cached = "set by the initializer";

    Item(long productId, String name, BigDecimal price, int quantity) {
      this.productId = productId;
      this.name = name;
      this.price = price;
      this.quantity = quantity;
    }

    void setQuantity(int quantity) {
      this.quantity = quantity;
    }
  }

  static final class Cart implements Serializable {
    private final String id;
    private final List<Item> items = new ArrayList<>();
    private @Nullable String coupon;

    Cart(String id) {
      this.id = id;
    }

    List<Item> items() {
      return items;
    }
  }

  static Cart cart(int size) {
    Cart cart = new Cart("cart-4711");
    for (int i = 0; i < size; i++) {
      cart.items.add(
          new Item(
              100_000L + i, "Product number " + i, BigDecimal.valueOf(1999 + i, 2), 1 + i % 3));
    }
    return cart;
  }

  static class AllKinds implements Serializable {
    boolean z = true;
    byte b = -1;
    char c = 'ß';
    short s = -300;
    int i = Integer.MIN_VALUE;
    long j = Long.MAX_VALUE;
    float f = 1.5f;
    double d = -0.0;
    @Nullable Object l = "text";
    int[] a = {1, 2, 3};
    @Nullable Object nothing;
    Integer boxed = 7;
    Comparable<?> face = "comparable";
  }

  static class Base implements Serializable {
    private int z = 1;
    private String base = "base";
  }

  static class Middle extends Base {
    private String alpha = "alpha";
  }

  static final class Derived extends Middle {
    private int a = 2;
    private String omega = "omega";
  }

  static final class Shadowing extends Base {
    private String base = "not the base";
  }

  static final class Node implements Serializable {
    final String name;
    @Nullable Object next;
    @Nullable Object other;

    Node(String name) {
      this.name = name;
    }
  }

  static final class ByLength implements Comparator<String>, Serializable {
    @Override
    public int compare(String a, String b) {
      return a.length() != b.length() ? a.length() - b.length() : a.compareTo(b);
    }
  }

  static final class Singleton implements Serializable {
    static final Singleton INSTANCE = new Singleton();

    private Object readResolve() {
      return INSTANCE;
    }
  }

  static final class Replaced implements Serializable {
    private final transient NotSerializable hidden = new NotSerializable();
    private final String text;

    Replaced(String text) {
      this.text = text;
    }

    private Object writeReplace() {
      return new Replacement(text);
    }
  }

  static final class Replacement implements Serializable {
    private final String text;

    Replacement(String text) {
      this.text = text;
    }

    private Object readResolve() {
      return new Replaced(text);
    }
  }

  static final class Hooked implements Serializable {
    private String text;
    private transient int restored;

    Hooked(String text) {
      this.text = text;
    }

    private void writeObject(ObjectOutputStream out) throws IOException {
      out.defaultWriteObject();
      out.writeInt(text.length());
    }

    private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
      in.defaultReadObject();
      restored = in.readInt();
    }
  }

  /** Writes what it has, but not as its fields. */
  static final class Holder implements Serializable {
    private int number = 0x77040000;
    private Object content;
    private String text;
    private transient boolean restored;

    Holder(Object content, String text) {
      this.content = content;
      this.text = text;
    }

    private void writeObject(ObjectOutputStream out) throws IOException {
      out.writeInt(number);
      out.writeObject(content);
      out.writeUTF(text);
    }

    private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
      number = in.readInt();
      content = in.readObject();
      text = in.readUTF();
      restored = true;
    }
  }

  static final class WithPersistentFields implements Serializable {
    private static final ObjectStreamField[] serialPersistentFields = {
      new ObjectStreamField("kept", String.class)
    };
    private @Nullable String kept = "kept";
    private @Nullable String dropped = "dropped";
  }

  public static final class External implements Externalizable {
    private String text = "";

    public External() {}

    External(String text) {
      this.text = text;
    }

    @Override
    public void writeExternal(ObjectOutput out) throws IOException {
      out.writeUTF(text);
    }

    @Override
    public void readExternal(ObjectInput in) throws IOException {
      text = in.readUTF().toUpperCase(Locale.ROOT);
    }
  }

  static final class NamedList extends ArrayList<String> {
    private String name = "a list with a name";
  }

  static final class NamedMap extends HashMap<String, Object> {
    private String name = "a map with a name";
  }

  /** Keeps those that were read last. */
  static final class LastRead extends LinkedHashMap<String, Object> {
    private int most = 3;

    LastRead() {
      super(16, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, Object> eldest) {
      return size() > most;
    }
  }

  static final class NamedOrder extends LinkedHashSet<String> {
    private String name = "a set in order with a name";
  }

  static final class OutOfStock extends RuntimeException {
    private final List<String> items;

    OutOfStock(List<String> items, Throwable cause) {
      super("out of stock", cause);
      this.items = items;
    }
  }

  static class NotSerializable {
    private String lost = "from the constructor";
  }

  static final class OfNotSerializable extends NotSerializable implements Serializable {
    private String own = "own";
  }

  static final class Outer implements Serializable {
    private final String name = "outer";

    final class Inner implements Serializable {
      String name() {
        return name;
      }
    }
  }

  interface Greeter {
    String greet(String name);
  }

  static final class Handler implements InvocationHandler, Serializable {
    private final String greeting;

    Handler(String greeting) {
      this.greeting = greeting;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments) {
      return greeting;
    }
  }

  interface SerializableGreeter extends Greeter, Serializable {}
}
