package io.sojourn;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.codec.ClassFilter;
import io.sojourn.codec.JavaCodec;
import io.sojourn.codec.KryoCodec;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Hashtable;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Maps and sets that another JVM has stored, in whatever order they were there, are not taken for
 * changed when they have only been read: their order here is another one.
 *
 * <p>{@code -Dsojourn.test.collections=100000} is the long form.
 */
@Tag("R1")
@Tag("G9")
@SuppressWarnings("JdkObsolete")
class UnchangedCollectionsTest {

  private static final List<TimeUnit> UNITS = List.of(TimeUnit.values());
  private static final int COLLECTIONS = Integer.getInteger("sojourn.test.collections", 3_000);
  private static final int EACH = 100;
  private static final int READS = 3;
  private static final IdleTimeout TIMEOUT =
      IdleTimeout.of(Duration.ofHours(1), Duration.ofMinutes(15));

  private static final List<AttributeCodec> CODECS = codecs();

  record Key(String name, int number) implements java.io.Serializable {}

  /** The other JVM: makes them and writes what its codec makes of them. */
  static final class OtherNode {
    public static void main(String[] arguments) throws IOException {
      Random random = new Random(Long.parseLong(arguments[1]));
      List<AttributeCodec> codecs = CODECS;
      try (DataOutputStream out =
          new DataOutputStream(
              new java.io.BufferedOutputStream(Files.newOutputStream(Path.of(arguments[0]))))) {
        for (int i = 0; i < Integer.parseInt(arguments[2]); i++) {
          AttributeCodec codec = codecs.get(i % 8 == 7 ? 1 : 0);
          byte[] bytes = codec.encode(collection(random, 1)).bytes();
          out.writeInt(bytes.length);
          out.write(bytes);
        }
      }
    }
  }

  private static List<AttributeCodec> codecs() {
    ClassLoader loader = UnchangedCollectionsTest.class.getClassLoader();
    ClassFilter filter = ClassFilter.of("io.sojourn.*");
    return List.of(new KryoCodec(loader, filter), new JavaCodec(loader, filter));
  }

  private static Object collection(Random random, int depth) {
    return random.nextBoolean() ? map(random, depth) : set(random);
  }

  private static Object map(Random random, int depth) {
    int kind = random.nextInt(11);
    Map<Object, Object> map =
        switch (kind) {
          case 0, 1, 2, 3 -> new HashMap<>(random.nextInt(70));
          case 4, 5 -> new ConcurrentHashMap<>(random.nextInt(70));
          case 6 -> new LinkedHashMap<>();
          case 7 -> new Hashtable<>(1 + random.nextInt(70));
          case 8 -> new TreeMap<>();
          default -> new HashMap<>(1, 0.3f + random.nextFloat());
        };
    int keys = kind == 8 ? random.nextInt(3) : random.nextInt(8);
    fill(random, map.keySet(), key -> map.put(key, value(random, depth)), keys);
    return switch (kind) {
      case 9 -> map.containsKey(null) ? map : Map.copyOf(map);
      case 10 -> Collections.unmodifiableMap(map);
      default -> map;
    };
  }

  private static Object set(Random random) {
    int kind = random.nextInt(8);
    Set<Object> set =
        switch (kind) {
          case 0, 1, 2 -> new HashSet<>(random.nextInt(70));
          case 3 -> new LinkedHashSet<>();
          case 4 -> ConcurrentHashMap.newKeySet();
          case 5 -> new TreeSet<>();
          default -> new HashSet<>();
        };
    fill(random, set, set::add, kind == 5 ? random.nextInt(3) : random.nextInt(8));
    return switch (kind) {
      case 6 -> Set.copyOf(set);
      case 7 -> Collections.unmodifiableSet(set);
      default -> set;
    };
  }

  /** As collections come about: grown, shrunk, cleared and grown again. */
  private static void fill(
      Random random,
      Collection<Object> keys,
      java.util.function.Consumer<Object> put,
      int kindOfKeys) {
    for (int rounds = 1 + random.nextInt(3); rounds > 0; rounds--) {
      int most = random.nextInt(20) == 0 ? 150 : 12;
      for (int i = random.nextInt(most); i > 0; i--) {
        put.accept(key(random, kindOfKeys));
      }
      if (random.nextInt(3) == 0) {
        keys.removeIf(key -> random.nextInt(3) > 0);
      }
    }
  }

  private static Object key(Random random, int kind) {
    int number = random.nextInt(1_000);
    return switch (kind) {
      case 0 -> "key" + number;
      case 1 -> number * 65_536;
      case 2 -> (long) number << 32 | random.nextInt(3);
      case 3 -> new UUID(number, random.nextInt(5));
      case 4 -> UNITS.get(number % UNITS.size());
      case 5 -> new Key("name" + number, number % 7);
      case 6 -> new ArrayList<>(List.of("AaAa", number % 50));
      default -> number % 2 == 0 ? "BBBB" + number : (Object) (double) number;
    };
  }

  private static Object value(Random random, int depth) {
    return switch (random.nextInt(5)) {
      case 0 -> random.nextInt();
      case 1 -> depth > 0 ? collection(random, depth - 1) : "none";
      case 2 -> new EnumMap<>(Map.of(TimeUnit.DAYS, random.nextInt(9)));
      default -> "value " + random.nextInt(100);
    };
  }

  @Test
  void whatWasOnlyReadIsNeverSavedAgain(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("stored");
    Process other =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                OtherNode.class.getName(),
                file.toString(),
                "4711",
                Integer.toString(COLLECTIONS))
            .inheritIO()
            .start();
    assertThat(other.waitFor()).isZero();
    InMemorySessionStore store = new InMemorySessionStore();
    SessionRepository node = new SessionRepository(store, CODECS.get(0), SessionPolicy.DEFAULT);

    int reordered = 0;
    try (DataInputStream in =
        new DataInputStream(new java.io.BufferedInputStream(Files.newInputStream(file)))) {
      for (int session = 0; session < COLLECTIONS / EACH; session++) {
        SessionKey key = SessionKey.of("session" + session);
        Map<String, EncodedValue> stored = new HashMap<>();
        for (int i = 0; i < EACH; i++) {
          stored.put("attribute" + i, EncodedValue.of(in.readNBytes(in.readInt())));
        }
        assertThat(
                store.create(
                    new NewSession(
                        key, SessionStore.FIRST_VERSION, Instant.now(), TIMEOUT, stored)))
            .isTrue();
        reordered += readAndFlush(node, "session" + session, stored);

        LoadResult.Found found = (LoadResult.Found) store.load(key, 0);
        found
            .session()
            .attributes()
            .forEach((name, now) -> assertThat(now.value()).as(name).isEqualTo(stored.get(name)));
        assertThat(found.session().version()).isEqualTo(SessionStore.FIRST_VERSION);
      }
    }
    assertThat(reordered).as("the test has some that come back in another order").isPositive();
  }

  private static int readAndFlush(
      SessionRepository node, String id, Map<String, EncodedValue> stored) {
    int reordered = 0;
    for (int read = 0; read < READS; read++) {
      LiveSession session = Objects.requireNonNull(node.open(id));
      node.beginUse(session);
      for (Map.Entry<String, EncodedValue> attribute : stored.entrySet()) {
        Object value = Objects.requireNonNull(session.attribute(attribute.getKey()));
        if (read == 0 && !CODECS.get(0).encode(value).equals(attribute.getValue())) {
          reordered++;
        }
      }
      assertThat(node.flush(session)).isTrue();
      node.endUse(session);
    }
    return reordered;
  }
}
