package io.sojourn.benchmarks;

import io.sojourn.AttributeCodec;
import io.sojourn.EncodedValue;
import io.sojourn.codec.ClassFilter;
import io.sojourn.codec.KryoCodec;
import io.sojourn.testkit.SamplePayloads;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does it take to encode, decode and check one attribute, measured by Java serialization and
 * by a copy of the encoded bytes?
 *
 * <pre>
 * mvn -q -DskipTests -pl benchmarks -am package
 * java -jar benchmarks/target/benchmarks.jar CodecBenchmark -prof gc -rf json
 * </pre>
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
// A heap that grows asks the system for memory, and that takes longer than to copy 20 KB into it.
@Fork(
    value = 2,
    jvmArgsAppend = {"-Xms1g", "-Xmx1g", "-XX:+AlwaysPreTouch"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Thread)
public class CodecBenchmark {

  private static final int LARGE = 200 * 1024;

  /** The attribute. */
  @Param({
    "long",
    "string",
    "cart",
    "cart20k",
    "profile",
    "security",
    "bytes20k",
    "bytes200k",
    "string20k",
    "string200k"
  })
  public String attribute = "cart";

  /** Who encodes it. */
  @Param({"kryo", "java", "copy"})
  public String codec = "kryo";

  private Object value;
  private Subject subject;
  private byte[] encoded;

  /** For JMH. */
  @SuppressWarnings("NullAway.Init") // JMH calls the setup
  public CodecBenchmark() {}

  /** How many bytes it takes. */
  @AuxCounters(AuxCounters.Type.EVENTS)
  @State(Scope.Thread)
  public static class Size {
    /** The encoded value's. */
    public long bytes;

    /** For JMH. */
    public Size() {}
  }

  /** Encodes and decodes. */
  private interface Subject {
    byte[] encode(Object value) throws IOException;

    Object decode(byte[] bytes) throws IOException, ClassNotFoundException;
  }

  /** Makes the attribute and encodes it once. */
  @Setup
  public void prepare() throws IOException {
    value = sample(attribute);
    subject =
        switch (codec) {
          case "kryo" -> new OfKryo();
          case "java" -> new OfJava();
          case "copy" -> new Copy(new OfKryo().encode(value));
          default -> throw new IllegalArgumentException(codec);
        };
    encoded = subject.encode(value);
  }

  /** Writes it. */
  @Benchmark
  public byte[] encode(Size size) throws IOException {
    size.bytes = encoded.length;
    return subject.encode(value);
  }

  /** Reads it. */
  @Benchmark
  public Object decode() throws IOException, ClassNotFoundException {
    return subject.decode(encoded);
  }

  /** Finds that it has not changed. */
  @Benchmark
  public boolean check() throws IOException {
    return Arrays.equals(subject.encode(value), encoded);
  }

  private static final class OfKryo implements Subject {
    private final AttributeCodec codec =
        new KryoCodec(
            CodecBenchmark.class.getClassLoader(),
            ClassFilter.of("io.sojourn.testkit.* io.sojourn.benchmarks.*"));

    @Override
    public byte[] encode(Object value) {
      return codec.encode(value).bytes();
    }

    @Override
    public Object decode(byte[] bytes) {
      return codec.decode(EncodedValue.of(bytes));
    }
  }

  private static final class OfJava implements Subject {
    @Override
    public byte[] encode(Object value) throws IOException {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
        out.writeObject(value);
      }
      return bytes.toByteArray();
    }

    @Override
    @SuppressWarnings("BanSerializableRead") // of what this class has written
    public Object decode(byte[] bytes) throws IOException, ClassNotFoundException {
      try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
        return in.readObject();
      }
    }
  }

  private static final class Copy implements Subject {
    private final byte[] bytes;

    Copy(byte[] bytes) {
      this.bytes = bytes;
    }

    @Override
    public byte[] encode(Object value) {
      return bytes.clone();
    }

    @Override
    public Object decode(byte[] encoded) {
      return encoded.clone();
    }
  }

  // ---------------------------------------------------------------- the attributes

  private static Object sample(String name) {
    return switch (name) {
      case "long" -> 1_234_567_890_123L;
      case "string" -> "anna.schmidt@example.org";
      case "cart" -> new ArrayList<>(SamplePayloads.cart(20));
      case "cart20k" -> new ArrayList<>(SamplePayloads.cart(330));
      case "profile" -> profile();
      case "security" -> new Context(token());
      case "bytes20k" -> bytes(LARGE / 10);
      case "bytes200k" -> bytes(LARGE);
      case "string20k" -> "0123456789".repeat(LARGE / 100);
      case "string200k" -> "0123456789".repeat(LARGE / 10);
      default -> throw new IllegalArgumentException(name);
    };
  }

  private static byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    new Random(1).nextBytes(bytes);
    return bytes;
  }

  private static Map<String, Object> profile() {
    Map<String, Object> profile = new HashMap<>();
    profile.put("id", UUID.fromString("01234567-89ab-cdef-0123-456789abcdef"));
    profile.put("name", "Anna Schmidt");
    profile.put("locale", Locale.GERMANY);
    profile.put("born", LocalDate.of(1985, 4, 12));
    profile.put("seen", Instant.ofEpochSecond(1_790_000_000L));
    profile.put("credit", new BigDecimal("129.95"));
    profile.put("visits", 42);
    profile.put("newsletter", true);
    profile.put("tags", new ArrayList<>(List.of("tea", "books", "garden")));
    return profile;
  }

  private static Token token() {
    List<Authority> authorities =
        Collections.unmodifiableList(
            new ArrayList<>(List.of(new Authority("ROLE_USER"), new Authority("ROLE_EDITOR"))));
    return new Token(new User("anna", authorities), "192.0.2.17", authorities);
  }

  /** What a security framework keeps of a user who has logged in. */
  static final class Context implements Serializable {
    private static final long serialVersionUID = 1L;
    final Token token;

    Context(Token token) {
      this.token = token;
    }
  }

  /** A login. */
  @SuppressWarnings("serial") // a list of a type that does not say so, as frameworks have
  static final class Token implements Serializable {
    private static final long serialVersionUID = 1L;
    final User user;
    final String address;
    final List<Authority> authorities;
    final boolean authenticated = true;

    Token(User user, String address, List<Authority> authorities) {
      this.user = user;
      this.address = address;
      this.authorities = authorities;
    }
  }

  /** Who has logged in. */
  @SuppressWarnings("serial") // as above
  static final class User implements Serializable {
    private static final long serialVersionUID = 1L;
    final String name;
    final List<Authority> authorities;
    final boolean enabled = true;
    final boolean locked = false;

    User(String name, List<Authority> authorities) {
      this.name = name;
      this.authorities = authorities;
    }
  }

  /** What the user may do. */
  record Authority(String role) implements Serializable {}
}
