package io.sojourn.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.redis.RedisSessionStoreProvider;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/**
 * What does an operation of the Redis store take, measured by a bare command that moves the same
 * bytes? A thousand sessions of five attributes of 400 bytes, and a hash with the same fields for
 * each. The two calls take turns, each over a connection of its own; {@link Pairs} reports them one
 * by one.
 *
 * <pre>
 * mvn -q -DskipTests -pl benchmarks -am package
 * java -jar benchmarks/target/benchmarks.jar RedisStore -prof io.sojourn.benchmarks.Pairs
 * </pre>
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@State(Scope.Benchmark)
public class RedisStoreBenchmark {

  private static final int SESSIONS = 1000;
  private static final int ATTRIBUTES = 5;
  private static final int ATTRIBUTE_BYTES = 400;
  private static final int SMALL = 100;
  private static final int LARGE = 2000;

  private static final byte[] ACCESSED = bytes("accessed");
  private static final byte[][] OWN = {
    bytes("version"), ACCESSED, bytes("created"), bytes("idle"), bytes("touch")
  };

  private final Random random = new Random(1);
  private final SessionKey[] keys = new SessionKey[SESSIONS];
  private final byte[][] names = new byte[SESSIONS][];

  private RedisServer server;
  private SessionStore store;
  private RedisClient client;
  private StatefulRedisConnection<byte[], byte[]> connection;
  private RedisCommands<byte[], byte[]> redis;
  private int turn;

  /** For JMH. */
  @SuppressWarnings("NullAway.Init") // JMH calls the setup
  public RedisStoreBenchmark() {}

  /** Starts the server and fills it. */
  @Setup
  public void start() {
    server = RedisServer.startPrivate();
    store = new RedisSessionStoreProvider().open(StoreConfiguration.of(server.url(), "benchmark"));
    client = RedisClient.create(server.url());
    connection = client.connect(ByteArrayCodec.INSTANCE);
    redis = connection.sync();
    IdleTimeout timeout = new IdleTimeout(Duration.ofHours(8), Duration.ofHours(2));
    for (int i = 0; i < SESSIONS; i++) {
      keys[i] = SessionKey.of("session " + i);
      names[i] = bytes("bare:" + keys[i].hex());
      Map<String, EncodedValue> attributes = new HashMap<>();
      for (byte[] own : OWN) {
        redis.hset(names[i], own, bytes(Long.toString(System.currentTimeMillis())));
      }
      for (int j = 1; j <= ATTRIBUTES; j++) {
        byte[] value = random(ATTRIBUTE_BYTES);
        attributes.put("attribute" + j, EncodedValue.of(value));
        redis.hset(names[i], bytes(":attribute" + j), value);
      }
      store.create(new NewSession(keys[i], Instant.now(), timeout, attributes));
    }
  }

  /** Ends all. */
  @TearDown
  public void close() {
    store.close();
    connection.close();
    client.shutdown();
    server.close();
  }

  /** Reads a whole session, 2 KB; HGETALL. */
  @Benchmark
  public void load(Blackhole hole) throws Exception {
    int i = next();
    pair(hole, () -> store.load(keys[i], SessionStore.NO_VERSION), () -> redis.hgetall(names[i]));
  }

  /** Asks what is new in a session of which the current version is known; HMGET. */
  @Benchmark
  public void loadUnchanged(Blackhole hole) throws Exception {
    int i = next();
    pair(
        hole,
        () -> {
          LoadResult result = store.load(keys[i], SessionStore.FIRST_VERSION);
          if (!(result instanceof LoadResult.Unchanged)) {
            throw new IllegalStateException("Somebody has saved: " + result);
          }
          return result;
        },
        () -> redis.hmget(names[i], OWN));
  }

  /** Writes one attribute of 100 bytes; HSET. */
  @Benchmark
  public void saveSmall(Blackhole hole) throws Exception {
    save(hole, "small", SMALL);
  }

  /** Writes one attribute of 2 KB; HSET. */
  @Benchmark
  public void saveLarge(Blackhole hole) throws Exception {
    save(hole, "large", LARGE);
  }

  /** Moves the time of last access; HSET. */
  @Benchmark
  public void touch(Blackhole hole) throws Exception {
    int i = next();
    byte[] now = bytes(Long.toString(System.currentTimeMillis()));
    pair(
        hole,
        () -> saved(SessionDelta.touch(keys[i], Duration.ZERO)),
        () -> redis.hset(names[i], ACCESSED, now));
  }

  private void save(Blackhole hole, String name, int size) throws Exception {
    int i = next();
    byte[] content = random(size);
    pair(
        hole,
        () ->
            saved(
                new SessionDelta(
                    keys[i],
                    Map.of(name, new AttributeChange.Set(EncodedValue.of(content))),
                    Optional.empty(),
                    Duration.ZERO)),
        () -> redis.hset(names[i], bytes(name), content));
  }

  private long saved(SessionDelta delta) {
    return store.save(delta).orElseThrow();
  }

  private void pair(Blackhole hole, Callable<?> ofStore, Callable<?> bare) throws Exception {
    Pairs.call(hole, turn % 2 == 0, ofStore, bare);
  }

  private int next() {
    turn++;
    return random.nextInt(SESSIONS);
  }

  private byte[] random(int size) {
    byte[] bytes = new byte[size];
    random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
