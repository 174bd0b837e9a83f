package io.sojourn.codec;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.esotericsoftware.kryo.kryo5.io.Output;
import com.sun.management.ThreadMXBean;
import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodedValue;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.ObjectStreamClass;
import java.io.ObjectStreamField;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Hashtable;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/**
 * Bytes that somebody has tampered with, behind a checksum that is right: what was stored, changed
 * at random, and what the formats' grammars allow, with lengths, references and names at random.
 * Whatever they are, decoding them ends with a value or a decode exception, within a second of
 * processor time and in little memory, and without a class that nobody allowed.
 *
 * <p>{@code -Dsojourn.test.mutations=1000000} is the long form.
 */
@Tag("R57")
@Tag("G10")
@SuppressWarnings({"JdkObsolete", "serial"})
class MutationTest {

  private static final int MUTATIONS = Integer.getInteger("sojourn.test.mutations", 20_000);
  private static final int CHUNK = 100;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final long ALLOWED = 64 << 20;
  private static final long ALLOWED_NANOS = Duration.ofSeconds(1).toNanos();

  private static final String CANARY = MutationTest.class.getName() + "$Canary";
  private static final String FLAG = CANARY;

  /** Not allowed below: nothing of it may run. */
  static final class Canary implements Serializable {
    static {
      System.setProperty(FLAG, "initialized");
    }

    int n;
  }

  private static final ClassFilter FILTER =
      ClassFilter.of("io.sojourn.codec.* !io.sojourn.codec.MutationTest$Canary");

  private static final List<Class<?>> CLASSES =
      List.of(
          ArrayList.class,
          BitSet.class,
          HashMap.class,
          HashSet.class,
          Hashtable.class,
          TreeMap.class,
          ConcurrentHashMap.class,
          Integer.class,
          Number.class,
          java.math.BigInteger.class,
          java.util.ArrayDeque.class,
          java.util.IdentityHashMap.class,
          java.util.PriorityQueue.class,
          java.util.Vector.class,
          java.util.EnumMap.class,
          java.util.LinkedHashMap.class,
          java.util.concurrent.CopyOnWriteArrayList.class,
          List.of(1, 2).getClass(),
          java.util.Collections.unmodifiableList(new ArrayList<>()).getClass(),
          Samples.Node.class,
          Samples.Item.class,
          Samples.Holder.class,
          Samples.Box.class,
          Samples.External.class,
          Samples.Color.class,
          Object[].class,
          int[].class,
          byte[].class,
          String[].class);

  private final Set<String> asked = ConcurrentHashMap.newKeySet();
  private final ClassLoader application =
      new ClassLoader(getClass().getClassLoader()) {
        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
          asked.add(name);
          return super.loadClass(name, resolve);
        }
      };
  private final KryoCodec kryo = new KryoCodec(application, FILTER);
  private final JavaCodec plain = new JavaCodec(application, FILTER);

  private long accepted;
  private long mostAllocated;
  private long mostNanos;

  @Test
  void whateverIsStoredOnlyDecodeExceptionsComeOfIt(TestReporter reporter) throws IOException {
    Random random = new Random(4711);
    List<byte[]> stored = new ArrayList<>();
    for (EncodedValue value : GoldenFileTest.golden().values()) {
      stored.add(value.bytes());
      stored.add(plain.encode(kryo.decode(value)).bytes());
    }

    for (int done = 0; done < MUTATIONS; done += CHUNK) {
      assertTimeoutPreemptively(
          PATIENCE,
          () -> {
            for (int i = 0; i < CHUNK; i++) {
              decode(
                  switch (random.nextInt(8)) {
                    case 0 -> kryoGrammar(random);
                    case 1 -> javaGrammar(random);
                    default -> mutated(random, stored);
                  });
            }
          });
    }

    assertThat(System.getProperty(FLAG)).isNull();
    assertThat(asked).isNotEmpty();
    // The JVM itself asks for more of its own, where it makes proxies and accessors.
    assertThat(asked.stream().filter(name -> !name.matches("(java|jdk)\\..*")))
        .allMatch(name -> FILTER.refusal(name) == null);
    assertThat(accepted).isLessThan(MUTATIONS / 2);
    reporter.publishEntry(
        MUTATIONS
            + " inputs, accepted "
            + accepted
            + ", most allocated "
            + mostAllocated
            + ", most nanoseconds "
            + mostNanos);
  }

  private void decode(byte[] bytes) {
    AttributeCodec codec = bytes[0] == 1 ? kryo : plain;
    EncodedValue value = Stored.sealed(bytes);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    long started = threads.getCurrentThreadCpuTime();
    try {
      codec.decode(value);
      accepted++;
    } catch (DecodeException expected) {
      // It is meant to come of it.
    } catch (Throwable other) {
      throw new AssertionError(HexFormat.of().formatHex(bytes), other);
    }
    long nanos = threads.getCurrentThreadCpuTime() - started;
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    mostAllocated = Math.max(mostAllocated, allocated);
    mostNanos = Math.max(mostNanos, nanos);
    if (allocated > ALLOWED) {
      throw new AssertionError(allocated + ": " + HexFormat.of().formatHex(bytes));
    }
    if (nanos >= ALLOWED_NANOS) {
      throw new AssertionError(nanos + " ns: " + HexFormat.of().formatHex(bytes));
    }
  }

  private static byte[] mutated(Random random, List<byte[]> stored) {
    byte[] bytes = stored.get(random.nextInt(stored.size())).clone();
    for (int changes = 1 + random.nextInt(4); changes > 0 && bytes.length > 7; changes--) {
      int at = 6 + random.nextInt(bytes.length - 6);
      switch (random.nextInt(9)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt(256);
        case 2 -> bytes[at] = (byte) (bytes[at] + random.nextInt(5) - 2);
        case 3 -> bytes[at] = (byte) (0x70 + random.nextInt(16)); // a token of a Java stream
        case 4 -> bytes = splice(bytes, at, at, varint(length(random)));
        case 5 -> {
          if (at + 4 <= bytes.length) {
            ByteBuffer.wrap(bytes).putInt(at, length(random));
          }
        }
        case 6 -> bytes = splice(bytes, at, Math.min(bytes.length, at + random.nextInt(9)), NONE);
        case 7 -> {
          byte[] other = stored.get(random.nextInt(stored.size()));
          int from = 6 + random.nextInt(other.length - 6);
          int to = Math.min(other.length, from + random.nextInt(64));
          bytes = splice(bytes, at, at, Arrays.copyOfRange(other, from, to));
        }
        default -> bytes = splice(bytes, at, at, Arrays.copyOfRange(bytes, 6, at));
      }
    }
    return bytes;
  }

  private static final byte[] NONE = {};

  private static byte[] splice(byte[] bytes, int from, int to, byte[] insert) {
    byte[] result = new byte[from + insert.length + bytes.length - to];
    System.arraycopy(bytes, 0, result, 0, from);
    System.arraycopy(insert, 0, result, from, insert.length);
    System.arraycopy(bytes, to, result, from + insert.length, bytes.length - to);
    return result;
  }

  private static byte[] varint(int number) {
    Output out = new Output(5);
    out.writeVarInt(number, true);
    return out.toBytes();
  }

  /** Mostly one that could be right. */
  private static int length(Random random) {
    return switch (random.nextInt(8)) {
      case 0 -> Integer.MAX_VALUE - random.nextInt(16);
      case 1 -> 1 << random.nextInt(32);
      case 2 -> -random.nextInt(3);
      default -> random.nextInt(5);
    };
  }

  private static byte[] kryoGrammar(Random random) {
    Output out = new Output(1024, -1);
    out.writeBytes(new byte[] {1, 0, 0, 0, 0, 0});
    kryoObject(random, out, 2 + random.nextInt(12));
    return out.toBytes();
  }

  private static void kryoObject(Random random, Output out, int left) {
    int token = left <= 0 ? 2 + random.nextInt(8) : random.nextInt(84);
    out.writeVarInt(token, true);
    if (token == 1) {
      Output description = new Output(128, -1);
      description.writeByte("SREAS".charAt(random.nextInt(5)));
      String name =
          random.nextInt(6) == 0 ? CANARY : CLASSES.get(random.nextInt(CLASSES.size())).getName();
      description.writeVarInt(name.length() << 1, true);
      description.writeBytes(name.getBytes(US_ASCII));
      for (int fields = length(random); fields > 0 && fields < 5; fields--) {
        description.writeByte("ZBCSIJFDL".charAt(random.nextInt(9)));
        description.writeVarInt(1 << 1, true);
        description.writeByte('a' + random.nextInt(26));
      }
      out.writeVarInt(random.nextInt(8) == 0 ? length(random) : description.position(), true);
      out.writeBytes(description.toBytes());
    }
    if (random.nextInt(12) > 0) {
      out.writeVarInt(random.nextInt(4) > 0 ? 1 : random.nextInt(8), true);
    }
    int children = length(random);
    out.writeVarInt(children, true);
    for (int child = Math.min(children, 4); child > 0 && left > 0; child--) {
      kryoObject(random, out, left - 1 - random.nextInt(3));
    }
  }

  private static byte[] javaGrammar(Random random) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.write(new byte[] {2, 0, 0, 0, 0, 0});
      out.writeInt(0xACED0005);
      javaContent(random, out, 2 + random.nextInt(12));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static void javaContent(Random random, DataOutputStream out, int left)
      throws IOException {
    int kind = left <= 0 ? random.nextInt(3) : random.nextInt(14);
    switch (kind) {
      case 0 -> out.write(0x70);
      case 1 -> {
        out.write(0x74);
        out.writeUTF("text");
      }
      case 2 -> reference(random, out);
      case 3 -> {
        out.write(0x77); // data of a block
        int size = random.nextInt(13);
        out.write(size);
        for (int i = 0; i < size; i++) {
          out.write(random.nextInt(3) > 0 ? 0 : random.nextInt(256));
        }
      }
      case 4 -> {
        out.write(0x7C); // a long text
        out.writeLong(random.nextInt(3) > 0 ? 2 : length(random));
        out.write(new byte[] {'a', 'b'});
      }
      case 5 -> {
        out.write(random.nextBoolean() ? 0x76 : 0x7E); // a class, an enum
        javaClass(random, out, left - 2, null);
      }
      case 6 -> {
        Class<?> array = CLASSES.get(CLASSES.size() - 1 - random.nextInt(4));
        out.write(0x75);
        javaClass(random, out, left - 2, array);
        int length = length(random);
        out.writeInt(length);
        for (int i = 0; i < Math.min(length, 4); i++) {
          if (array == int[].class) {
            out.writeInt(i);
          } else if (array == byte[].class) {
            out.write(i);
          } else {
            javaContent(random, out, left - 2);
          }
        }
      }
      case 7 -> out.write(0x79 + random.nextInt(5));
      default -> {
        out.write(0x73);
        Class<?> type = CLASSES.get(random.nextInt(CLASSES.size() - 4));
        javaClass(random, out, left - 2, type);
        javaFields(random, out, left - 2, type);
        if (random.nextInt(3) > 0) {
          out.write(0x77);
          out.write(8);
          out.writeInt(length(random));
          out.writeInt(length(random));
        }
        for (int i = random.nextInt(5); i > 0; i--) {
          javaContent(random, out, left - 2);
        }
        out.write(0x78);
      }
    }
  }

  private static void reference(Random random, DataOutputStream out) throws IOException {
    out.write(0x71);
    out.writeInt(0x7E0000 + (random.nextInt(9) == 0 ? length(random) : random.nextInt(12)));
  }

  private static void javaClass(
      Random random, DataOutputStream out, int left, @Nullable Class<?> known) throws IOException {
    if (known == null && random.nextInt(4) == 0) {
      reference(random, out);
      return;
    }
    if (random.nextInt(20) == 0) {
      out.write(0x7D); // a proxy
      int faces = random.nextInt(3);
      out.writeInt(random.nextInt(5) == 0 ? length(random) : faces);
      for (int i = 0; i < faces; i++) {
        out.writeUTF(random.nextBoolean() ? "java.util.List" : CANARY);
      }
      out.write(0x78);
      out.write(0x70);
      return;
    }
    Class<?> type = known == null ? CLASSES.get(random.nextInt(CLASSES.size())) : known;
    ObjectStreamClass description = ObjectStreamClass.lookupAny(type);
    out.write(0x72);
    out.writeUTF(random.nextInt(12) == 0 ? CANARY : description.getName());
    out.writeLong(description.getSerialVersionUID());
    out.write(random.nextInt(8) == 0 ? random.nextInt(32) : type.isEnum() ? 0x12 : hooks(type));
    ObjectStreamField[] fields =
        random.nextInt(8) == 0 ? new ObjectStreamField[0] : description.getFields();
    out.writeShort(fields.length);
    for (ObjectStreamField field : fields) {
      out.write(field.getTypeCode());
      out.writeUTF(field.getName());
      if (!field.isPrimitive()) {
        out.write(0x74);
        out.writeUTF(field.getTypeString());
      }
    }
    out.write(0x78);
    Class<?> parent = type.getSuperclass();
    if (!type.isArray()
        && parent != null
        && Serializable.class.isAssignableFrom(parent)
        && left > -20) {
      javaClass(random, out, left - 1, parent);
    } else {
      out.write(0x70);
    }
  }

  private static int hooks(Class<?> type) {
    return Arrays.stream(type.getDeclaredMethods()).anyMatch(m -> m.getName().equals("writeObject"))
        ? 3
        : 2;
  }

  private static void javaFields(Random random, DataOutputStream out, int left, Class<?> type)
      throws IOException {
    Class<?> parent = type.getSuperclass();
    if (parent != null && Serializable.class.isAssignableFrom(parent)) {
      javaFields(random, out, left, parent);
    }
    for (ObjectStreamField field : ObjectStreamClass.lookupAny(type).getFields()) {
      switch (field.getTypeCode()) {
        case 'I' -> out.writeInt(length(random));
        case 'F' -> out.writeFloat(random.nextInt(3) == 0 ? 1e-30f : 0.75f);
        case 'J', 'D' -> out.writeLong(random.nextLong());
        case 'S', 'C' -> out.writeShort(random.nextInt());
        case 'Z', 'B' -> out.write(random.nextInt());
        default -> javaContent(random, out, left - 1);
      }
    }
  }

  /** So that the grammars are known to reach what they are for. */
  @Test
  void theGrammarsMakeValuesToo() {
    Random random = new Random(1);
    Map<Integer, Integer> made = new HashMap<>();
    for (int i = 0; i < 1_000; i++) {
      for (byte[] bytes : List.of(kryoGrammar(random), javaGrammar(random))) {
        long before = accepted;
        decode(bytes);
        made.merge((int) bytes[0], (int) (accepted - before), Integer::sum);
      }
    }

    assertThat(made.get(1)).isGreaterThan(5);
    assertThat(made.get(2)).isGreaterThan(5);
  }
}
