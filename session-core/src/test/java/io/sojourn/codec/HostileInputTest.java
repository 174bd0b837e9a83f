package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Damaged and hostile bytes cost one clear error, and not much memory. */
@Tag("G10")
@SuppressWarnings({"JavaUtilDate", "JdkObsolete"})
class HostileInputTest {

  private static final ClassLoader LOADER = HostileInputTest.class.getClassLoader();
  private static final ClassFilter FILTER = ClassFilter.of("io.sojourn.codec.*");
  private static final long ALLOWED = 4 << 20;

  private final KryoCodec kryo = new KryoCodec(LOADER, FILTER);
  private final JavaCodec java = new JavaCodec(LOADER, FILTER);

  private static List<Object> values() {
    Samples.Node cycle = new Samples.Node("a");
    cycle.next = new Samples.Box(cycle);
    return List.of(
        Samples.cart(5),
        cycle,
        new Samples.AllKinds(),
        new Samples.Line(new Samples.Point(1, 2), new Samples.Point(3, 4), Samples.Color.RED),
        new ArrayList<>(Arrays.asList("text", "日本語", null, 1, 2L, 3.0, BigInteger.TEN, 'c')),
        new HashMap<>(Map.of("a", new HashSet<>(List.of(1, 2)), "b", new ArrayDeque<>(List.of(1)))),
        new LinkedHashMap<>(Map.of("a", new TreeMap<>(Map.of("x", 1)))),
        new ConcurrentHashMap<>(Map.of("a", new Object[] {new int[3], new String[] {"s"}})),
        List.of(Set.of("a", "b"), Map.of(1, 2, 3, 4), Collections.singletonMap("k", "v")),
        List.of(new long[4], new byte[40], new double[2], new boolean[3], new char[3]),
        List.of(Locale.GERMANY, ZonedDateTime.of(2026, 1, 2, 3, 4, 5, 6, ZoneId.of("Asia/Tokyo"))),
        new Samples.Operation[][] {{Samples.Operation.PLUS}, null});
  }

  private static long allocated() {
    return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
  }

  /** Whether it was decoded; anything but a decode exception fails the test. */
  private static boolean accepted(AttributeCodec codec, EncodedValue value) {
    long before = allocated();
    boolean accepted;
    try {
      codec.decode(value);
      accepted = true;
    } catch (DecodeException expected) {
      accepted = false;
    }
    assertThat(allocated() - before).isLessThan(ALLOWED);
    return accepted;
  }

  @Test
  void everyTruncationIsAnError() {
    for (Object value : values()) {
      for (AttributeCodec codec : List.of(kryo, java)) {
        byte[] whole = codec.encode(value).bytes();
        for (int length = 0; length < whole.length; length++) {
          byte[] part = Arrays.copyOf(whole, length);
          assertThat(accepted(codec, EncodedValue.of(part))).isFalse();
          if (length >= 6) {
            assertThat(accepted(codec, Stored.sealed(part))).isFalse();
          }
        }
      }
    }
  }

  @Test
  void whatIsLeftOverIsAnError() {
    for (Object value : values()) {
      for (AttributeCodec codec : List.of(kryo, java)) {
        byte[] whole = codec.encode(value).bytes();
        for (byte extra : new byte[] {0, 1, 0x70, 0x77, (byte) 0xFF}) {
          byte[] more = Arrays.copyOf(whole, whole.length + 1);
          more[whole.length] = extra;
          assertThat(accepted(codec, Stored.sealed(more))).isFalse();
        }
      }
    }
  }

  @Test
  void everyChangedByteIsSeenByTheChecksum() {
    for (AttributeCodec codec : List.of(kryo, java)) {
      byte[] whole = codec.encode(Samples.cart(3)).bytes();
      for (int i = 0; i < whole.length; i++) {
        byte[] changed = whole.clone();
        changed[i] ^= (byte) (1 << i % 8);
        assertThat(accepted(codec, EncodedValue.of(changed))).isFalse();
      }
    }
  }

  @Test
  void hugeLengthsAreErrorsAndAllocateNothing() {
    for (int token = 2; token < 80; token++) {
      int type = token;
      for (int prefix : new int[] {0, 1, 2}) {
        for (int length : new int[] {Integer.MAX_VALUE, 1 << 28, 1 << 16, -1}) {
          EncodedValue value =
              Stored.byHand(
                  out -> {
                    out.writeVarInt(type, true);
                    for (int i = 0; i < prefix; i++) {
                      out.writeByte(i);
                    }
                    out.writeVarInt(length, true);
                    out.writeBytes(new byte[20]);
                  });
          long before = allocated();
          try {
            kryo.decode(value);
          } catch (DecodeException expected) {
            // Or a value that takes such a number as its own.
          }
          assertThat(allocated() - before).isLessThan(ALLOWED / 8);
        }
      }
    }
  }

  @Test
  void theSameBytesCannotBeDeclaredAtEveryLevel() {
    EncodedValue value =
        Stored.byHand(
            out -> {
              for (int level = 0; level < 150; level++) {
                out.writeVarInt(63, true); // Object[]
                out.writeByte(1); // not a reference
                out.writeVarInt(900_000, true);
              }
              out.writeBytes(new byte[1_000_000]);
            });

    long before = allocated();
    assertThatThrownBy(() -> kryo.decode(value))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("more elements");
    assertThat(allocated() - before).isLessThan(20 << 20);
  }

  @Test
  void hugeArraysAreErrorsInTheJavaForm() {
    byte[] bytes = java.encode(new long[] {1, 2, 3}).bytes();
    int length = bytes.length - 3 * 8 - 4;
    assertThat(ByteBuffer.wrap(bytes).getInt(length)).isEqualTo(3);
    ByteBuffer.wrap(bytes).putInt(length, Integer.MAX_VALUE - 8);

    assertThat(accepted(java, Stored.sealed(bytes))).isFalse();

    byte[] map = java.encode(new HashMap<>(Map.of("k", "v"))).bytes();
    ByteBuffer.wrap(map).putInt(map.length - 13, 1 << 28);
    assertThat(accepted(java, Stored.sealed(map))).isFalse();
  }

  @Test
  void anUnknownFormatOrFlagIsAnErrorThatSaysSo() {
    byte[] bytes = kryo.encode("text").bytes();
    byte[] format = bytes.clone();
    format[0] = 9;
    byte[] flags = bytes.clone();
    flags[1] = 0x40;
    byte[] damaged = bytes.clone();
    damaged[3] ^= 1;

    assertThatThrownBy(() -> kryo.decode(Stored.sealed(format)))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("Format 9");
    assertThatThrownBy(() -> kryo.decode(Stored.sealed(flags)))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("Flags 40");
    assertThatThrownBy(() -> kryo.decode(EncodedValue.of(damaged)))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("checksum");
  }

  @Test
  void depthIsBoundedOnTheWayOutAndOnTheWayIn() {
    assertThat(Description.of(kryo.decode(kryo.encode(chain(199))))).contains("199");
    assertThat(Description.of(java.decode(java.encode(chain(90))))).contains("90");
    assertThatThrownBy(() -> kryo.encode(chain(201)))
        .isInstanceOf(EncodeException.class)
        .hasMessageContaining("200");
    assertThatThrownBy(() -> java.encode(chain(101)))
        .isInstanceOf(EncodeException.class)
        .hasMessageContaining("100");
    assertThat(
            accepted(
                kryo,
                Stored.byHand(
                    out -> {
                      for (int i = 0; i < 100_000; i++) {
                        out.writeVarInt(33, true);
                        out.writeByte(1);
                        out.writeVarInt(1, true);
                      }
                      out.writeVarInt(0, true);
                    })))
        .isFalse();
  }

  @Test
  void whateverTheJavaFormWritesItReads() {
    for (int depth = 90; depth < 110; depth++) {
      EncodedValue value;
      try {
        value = java.encode(chain(depth));
      } catch (EncodeException refused) {
        assertThat(depth).isGreaterThan(95);
        continue;
      }
      assertThat(Description.of(java.decode(value))).isEqualTo(Description.of(chain(depth)));
    }
    List<Object> wide = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      wide.add(new Samples.Hooked("text " + i));
    }
    assertThat(Description.of(java.decode(java.encode(wide)))).contains("text 4999");
  }

  private static Object chain(int length) {
    Samples.Node first = new Samples.Node("1");
    Samples.Node last = first;
    for (int i = 2; i <= length; i++) {
      Samples.Node node = new Samples.Node("" + i);
      last.next = node;
      last = node;
    }
    return first;
  }

  @Test
  void halfAnEntryOfMapOfIsAnErrorThoughTheJdkHasAnotherForIt() {
    byte[] bytes = java.encode(Map.of("a", 1, "b", 2)).bytes();
    ByteBuffer block = ByteBuffer.wrap(bytes);
    for (int at = 6; at < bytes.length - 4; at++) {
      if (bytes[at] == 0x77 && block.getInt(at + 2) == 4) {
        block.putInt(at + 2, 3);
      }
    }
    assertThat(accepted(java, Stored.sealed(bytes))).isFalse();
  }

  /** An object without fields, in the Kryo form. */
  private static EncodedValue objectOf(String name) {
    GraphOutput description = new GraphOutput(10_000);
    description.reset();
    description.writeByte('S');
    description.text(name);
    description.writeVarInt(0, true);
    return Stored.byHand(
        out -> {
          out.writeVarInt(Graph.DESCRIPTOR, true);
          out.writeVarInt(description.position(), true);
          out.writeBytes(description.toBytes());
          out.writeByte(1); // not a reference
        });
  }

  /** An object without fields, in the Java form. */
  private static EncodedValue javaObjectOf(String name) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.write(new byte[] {2, 0, 0, 0, 0, 0});
    out.writeInt(0xACED0005);
    out.writeShort(0x7372); // an object, and its class
    out.writeUTF(name);
    out.writeLong(1);
    out.writeByte(2); // Serializable
    out.writeShort(0);
    out.writeShort(0x7870); // no annotation, no superclass
    return Stored.sealed(bytes.toByteArray());
  }

  @Test
  @Tag("R57")
  void aClassNameThatIsTooLongIsRefusedBeforeAnythingIsLoaded() throws IOException {
    String longest = "shop." + "x".repeat(1_024 - 5);
    String tooLong = longest + "x";
    Compiled application = Compiled.of("class Cart { }");
    KryoCodec codec = new KryoCodec(application, ClassFilter.of("shop.*"));

    for (EncodedValue value : List.of(objectOf(longest), javaObjectOf(longest))) {
      application.asked.clear();
      assertThatThrownBy(() -> codec.decode(value)).isInstanceOf(DecodeException.class);
      assertThat(application.asked).contains(longest);
    }
    for (EncodedValue value : List.of(objectOf(tooLong), javaObjectOf(tooLong))) {
      application.asked.clear();
      assertThatThrownBy(() -> codec.decode(value))
          .isInstanceOf(DecodeException.class)
          .hasMessageContaining("1025 characters");
      assertThat(application.asked).doesNotContain(tooLong);
    }
  }

  @Test
  void nullIsNoAttribute() {
    assertThat(accepted(kryo, Stored.byHand(out -> out.writeByte(0)))).isFalse();
  }

  @Test
  void aReferenceToNothingIsAnError() {
    for (int id : new int[] {0, 2, 3, 100, -1}) {
      assertThat(
              accepted(
                  kryo,
                  Stored.byHand(
                      out -> {
                        out.writeVarInt(33, true);
                        out.writeVarInt(id, true);
                      })))
          .isFalse();
    }
  }

  @Test
  void anErrorLeavesTheCodecAsGoodAsItWas() {
    EncodedValue cart = kryo.encode(Samples.cart(20));
    for (int i = 0; i < 100; i++) {
      byte[] part = Arrays.copyOf(cart.bytes(), 50 + i * 5);
      assertThat(accepted(kryo, Stored.sealed(part))).isFalse();
      assertThatThrownBy(() -> kryo.encode(new Object[] {Samples.cart(1), new Object()}))
          .isInstanceOf(EncodeException.class);
      assertThat(kryo.encode(kryo.decode(cart))).isEqualTo(cart);
    }
  }
}
