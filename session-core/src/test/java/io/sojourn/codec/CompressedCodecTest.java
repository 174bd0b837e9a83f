package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodedValue;
import io.sojourn.InMemorySessionStore;
import io.sojourn.LiveSession;
import io.sojourn.LoadResult;
import io.sojourn.SessionKey;
import io.sojourn.SessionPolicy;
import io.sojourn.SessionRepository;
import io.sojourn.settings.SessionSettings;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.reflect.InvocationTargetException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("G10")
class CompressedCodecTest {

  private static final ClassLoader LOADER = CompressedCodecTest.class.getClassLoader();
  private static final ClassFilter FILTER = ClassFilter.of("io.sojourn.codec.*");
  private static final SessionKey ORIGIN = SessionKey.of("session");
  private static final String NAME = "attribute";

  private final KryoCodec plain = new KryoCodec(LOADER, FILTER);
  private final CompressedCodec on = new CompressedCodec(plain, true);
  private final CompressedCodec off = new CompressedCodec(plain, false);

  private static List<String> words(int count) {
    List<String> words = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      words.add("word number " + i % 40);
    }
    return words;
  }

  @Test
  void whatIsLargeAndCompressesIsStoredSmaller() {
    EncodedValue encoded = on.encode(words(1_000));
    EncodedValue stored = on.seal(encoded, ORIGIN, NAME);

    assertThat((int) stored.bytes()[0]).isEqualTo(4);
    assertThat(stored.size()).isLessThan(encoded.size() / 3);
    assertThat(on.open(stored, ORIGIN, NAME)).isEqualTo(encoded);
  }

  @Test
  void whatIsSmallOrDoesNotCompressIsStoredAsItIs() {
    byte[] noise = new byte[100_000];
    new Random(1).nextBytes(noise);
    for (Object value : List.of("small", words(100), noise)) {
      EncodedValue encoded = on.encode(value);
      assertThat(on.seal(encoded, ORIGIN, NAME)).isSameAs(encoded);
      assertThat(on.open(encoded, ORIGIN, NAME)).isSameAs(encoded);
    }
  }

  /** So nodes of either kind serve one site while it is switched on or off. */
  @Test
  void nodesThatCompressAndNodesThatDoNotReadEachOther() {
    InMemorySessionStore store = new InMemorySessionStore();
    List<SessionRepository> nodes = new ArrayList<>();
    for (AttributeCodec codec :
        List.of(on, off, new CompressedCodec(new JavaCodec(LOADER, FILTER), true))) {
      nodes.add(new SessionRepository(store, codec, SessionPolicy.DEFAULT));
    }
    LiveSession begun = nodes.get(0).create("id", Duration.ofHours(1));
    begun.setAttribute(NAME, words(1_000));
    assertThat(nodes.get(0).flush(begun)).isTrue();

    for (int i = 0; i < 9; i++) {
      SessionRepository node = nodes.get(i % 3);
      LiveSession session = Objects.requireNonNull(node.open("id"));
      @SuppressWarnings("unchecked")
      List<String> list = (List<String>) Objects.requireNonNull(session.attribute(NAME));
      assertThat(list).hasSize(1_000 + i / 2);
      long before = version(store);
      assertThat(node.flush(session)).isTrue();
      assertThat(version(store)).as("only read").isEqualTo(before);
      if (i % 2 == 1) {
        list.add("more");
        assertThat(node.flush(session)).isTrue();
        assertThat(version(store)).isEqualTo(before + 1);
      }
    }
  }

  private static long version(InMemorySessionStore store) {
    return ((LoadResult.Found) store.load(SessionKey.of("id"), 0)).session().version();
  }

  @Test
  void whatIsEncryptedIsCompressedFirst() {
    AttributeCodec codec =
        new EncryptedCodec(
            on, EncryptionKeys.of("2026:" + "B".repeat(42) + "A="), EncryptedCodec.Mode.REQUIRED);
    EncodedValue encoded = codec.encode(words(1_000));
    EncodedValue stored = codec.seal(encoded, ORIGIN, NAME);

    assertThat((int) stored.bytes()[0]).isEqualTo(3);
    assertThat(stored.size()).isLessThan(encoded.size() / 3);
    assertThat(codec.open(stored, ORIGIN, NAME)).isEqualTo(encoded);
  }

  /** What the first release stored: read for ever. */
  @Test
  @Tag("R40")
  void whatHasBeenCompressedIsRead() {
    byte[] golden = Base64.getDecoder().decode(GOLDEN);

    assertThat(on.decode(off.open(EncodedValue.of(golden), ORIGIN, NAME)))
        .isEqualTo("0123456789".repeat(1_000));
  }

  private static final String GOLDEN =
      "BAAAACca/wUBAEn3oV8CoJwBMDEyMzQ1Njc4OQoA////////////////////////////////////////////////////FVA1Njc4OQ==";

  private void refused(byte[] bytes) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    Object value;
    try {
      value = on.decode(on.open(EncodedValue.of(bytes), ORIGIN, NAME));
    } catch (DecodeException expected) {
      assertThat(threads.getCurrentThreadAllocatedBytes() - before)
          .isLessThan(1_000_000 + 256L * bytes.length);
      return;
    }
    // A block that refers to another of two equal places.
    assertThat(value).isEqualTo(words(1_000));
  }

  @Test
  void aLengthThatCannotBeIsRefusedBeforeThereIsRoomForIt() {
    byte[] stored = on.seal(on.encode(words(1_000)), ORIGIN, NAME).bytes();
    for (int length : new int[] {Integer.MAX_VALUE, 64 << 20, 1 << 20, -1, 0, 5}) {
      byte[] bomb = stored.clone();
      ByteBuffer.wrap(bomb).putInt(2, length);
      refused(bomb);
    }
    refused(new byte[] {4, 0, 4, 0, 0, 0, 0});
  }

  /** Before there is room made for it, and to the byte. */
  @Test
  void whatBecomesLargerThanAnAttributeMayBeIsRefused() {
    EncodedValue encoded = plain.encode(words(10_000));
    byte[] stored = on.seal(encoded, ORIGIN, NAME).bytes();
    int payload = encoded.size() - 6;
    CodecLimits enough = new CodecLimits(payload, 200, 1_000_000);
    CodecLimits tooFew = new CodecLimits(payload - 1, 200, 1_000_000);

    for (boolean compresses : new boolean[] {true, false}) {
      assertThat(open(enough, compresses, stored)).isEqualTo(words(10_000));
      assertThatThrownBy(() -> open(tooFew, compresses, stored))
          .isInstanceOf(DecodeException.class)
          .hasMessageContaining("more than an attribute may have");
    }
    CodecLimits few = new CodecLimits(5_000, 200, 1_000_000);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    AttributeCodec small = new CompressedCodec(plain, true, few);
    long before = threads.getCurrentThreadAllocatedBytes();
    assertThatThrownBy(() -> small.open(EncodedValue.of(stored), ORIGIN, NAME))
        .isInstanceOf(DecodeException.class);
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(encoded.size() / 2);
  }

  /** A codec of the user's has limits of its own. */
  @Test
  void whatIsLargerThanAnAttributeMayBeIsNotCompressedSoThatItCanBeRead() {
    EncodedValue encoded = plain.encode(words(10_000));
    AttributeCodec small = new CompressedCodec(plain, true, new CodecLimits(5_000, 200, 1_000_000));
    EncodedValue stored = small.seal(encoded, ORIGIN, NAME);

    assertThat(stored).isEqualTo(encoded);
    assertThat(small.open(stored, ORIGIN, NAME)).isEqualTo(encoded);
  }

  private static Object open(CodecLimits limits, boolean compresses, byte[] stored) {
    AttributeCodec codec =
        new CompressedCodec(new KryoCodec(LOADER, FILTER, limits), compresses, limits);
    return codec.decode(codec.open(EncodedValue.of(stored), ORIGIN, NAME));
  }

  @Test
  void whatAnAttributeMayBeIsWhatIsSet() {
    EncodedValue stored = on.seal(on.encode(words(10_000)), ORIGIN, NAME);
    SessionSettings settings = new SessionSettings();
    assertThat(settings.codec(LOADER, LOADER).open(stored, ORIGIN, NAME).size())
        .isGreaterThan(50_000);

    settings.set("maxEncodedBytes", "50000");
    assertThatThrownBy(() -> settings.codec(LOADER, LOADER).open(stored, ORIGIN, NAME))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("more than an attribute may have");
  }

  /** A localization is one byte more than what the other codecs make at most. */
  @Test
  void aLocalizationOfTheMostThatAnAttributeMayBeIsRead() {
    EncodedValue within = plain.encode(words(10_000));
    byte[] bytes = new byte[within.size() + 1];
    bytes[0] = 5;
    System.arraycopy(within.bytes(), 0, bytes, 1, within.size());
    EncodedValue stored = on.seal(EncodedValue.of(bytes), ORIGIN, NAME);
    CodecLimits enough = new CodecLimits(within.size() - 6, 200, 1_000_000);

    assertThat((int) stored.bytes()[0]).isEqualTo(4);
    assertThat(new CompressedCodec(plain, true, enough).open(stored, ORIGIN, NAME).bytes())
        .isEqualTo(bytes);
  }

  @Test
  void everyTruncationAndWhateverElseIsDoneToItIsAnError() {
    byte[] stored = on.seal(on.encode(words(1_000)), ORIGIN, NAME).bytes();
    for (int length = 1; length < stored.length; length += 1 + length / 50) {
      refused(Arrays.copyOf(stored, length));
    }
    Random random = new Random(5);
    for (int i = 0; i < 5_000; i++) {
      byte[] changed = stored.clone();
      changed[1 + random.nextInt(changed.length - 1)] ^= (byte) (1 + random.nextInt(255));
      refused(changed);
    }
  }

  @Test
  void withoutTheLibraryItSaysSoAndReadsWhatIsNotCompressed() throws Exception {
    ClassLoader without =
        new ClassLoader(LOADER) {
          @Override
          protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (name.startsWith("net.jpountz.")) {
              throw new ClassNotFoundException(name);
            }
            if (!name.startsWith(CompressedCodec.class.getName())) {
              return super.loadClass(name, resolve);
            }
            Class<?> known = findLoadedClass(name);
            if (known != null) {
              return known;
            }
            try (InputStream in =
                Objects.requireNonNull(
                    getResourceAsStream(name.replace('.', '/') + ".class"), name)) {
              byte[] bytes = in.readAllBytes();
              return defineClass(
                  name, bytes, 0, bytes.length, CompressedCodec.class.getProtectionDomain());
            } catch (IOException e) {
              throw new ClassNotFoundException(name, e);
            }
          }
        };
    Class<?> type = without.loadClass(CompressedCodec.class.getName());
    assertThat(type).isNotEqualTo(CompressedCodec.class);
    var constructor = type.getConstructor(AttributeCodec.class, boolean.class);

    assertThatThrownBy(() -> constructor.newInstance(plain, true))
        .isInstanceOf(InvocationTargetException.class)
        .cause()
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at.yawk.lz4:lz4-java");
    AttributeCodec reader = (AttributeCodec) constructor.newInstance(plain, false);
    EncodedValue small = plain.encode("small");
    assertThat(reader.open(small, ORIGIN, NAME)).isSameAs(small);
    EncodedValue stored = on.seal(on.encode(words(1_000)), ORIGIN, NAME);
    assertThatThrownBy(() -> reader.open(stored, ORIGIN, NAME))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("at.yawk.lz4:lz4-java");
  }
}
