package io.sojourn.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.RedisClient;
import io.lettuce.core.ScriptOutputType;
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
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/**
 * What does an operation of the Redis store take, measured by a bare Lettuce call that moves the
 * same bytes? A thousand sessions of five attributes of 400 bytes. The bare call runs the store's
 * own script, with what the store has sent for that session; or it is what nobody who keeps a
 * session could do with less: one HGETALL, HMGET or HSET of a hash that is as large, where fillers
 * bring it to the bytes that the store's call moves by the server's own count: a longer name of the
 * hash, a field more. The two calls take turns, each over a connection of its own; {@link Pairs}
 * reports them one by one.
 *
 * <pre>
 * mvn -q -DskipTests -pl benchmarks -am package
 * java -jar benchmarks/target/benchmarks.jar RedisStore -prof io.sojourn.benchmarks.Pairs
 * </pre>
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 10, time = 1)
@Measurement(iterations = 6, time = 1)
@State(Scope.Benchmark)
public class RedisStoreBenchmark {

  private static final int SESSIONS = 1000;
  private static final int ATTRIBUTES = 5;
  private static final int ATTRIBUTE_BYTES = 400;
  private static final int SMALL = 100;
  private static final int LARGE = 2000;

  /** How often a call is made to count its bytes, and how far the two may be apart. */
  private static final int COUNTED = 200;

  private static final int TOLERANCE = 24;

  private static final byte[] FIELD = bytes("field");
  private static final byte[] FILLER = bytes("filler");

  private final Random random = new Random(1);
  private final SessionKey[] keys = new SessionKey[SESSIONS];
  private final byte[][] names = new byte[SESSIONS][];

  /** What the bare call is: the store's {@code script}, or a plain {@code command}. */
  @Param({"script", "command"})
  public String bare = "command";

  private @Nullable CommandTrace trace;
  private RedisServer server;
  private SessionStore store;
  private RedisClient client;
  private StatefulRedisConnection<byte[], byte[]> connection;
  private RedisCommands<byte[], byte[]> redis;
  private byte[] filler;
  private int turn;

  /** What is measured. */
  @Param({"load", "loadUnchanged", "saveSmall", "saveLarge", "touch"})
  public String operation;

  /** For JMH. */
  @SuppressWarnings("NullAway.Init") // JMH calls the setup
  public RedisStoreBenchmark() {}

  /** Starts the server and fills it. */
  @Setup
  public void start() throws Exception {
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
      for (int j = 1; j <= ATTRIBUTES; j++) {
        byte[] value = random(ATTRIBUTE_BYTES);
        attributes.put("attribute" + j, EncodedValue.of(value));
        redis.hset(names[i], bytes(":attribute" + j), value);
      }
      store.create(
          new NewSession(keys[i], SessionStore.FIRST_VERSION, Instant.now(), timeout, attributes));
      redis.hset(names[i], FIELD, random(Long.toString(System.currentTimeMillis()).length()));
    }
    if (bare.equals("script")) {
      int port = URI.create(server.url()).getPort();
      trace = CommandTrace.record(port, SESSIONS, this::ofStore);
    }
    matchBytes();
  }

  /** Has the bare call move what the store's call does. */
  private void matchBytes() throws Exception {
    filler = new byte[0];
    Traffic wanted = traffic(this::ofStore);
    Traffic had = traffic(this::bare);
    filler = bytes("x".repeat((int) Math.max(0, wanted.in - had.in)));
    if (operation.equals("load") && trace == null) {
      byte[] answer = random((int) (wanted.out - had.out));
      for (int i = 0; i < SESSIONS; i++) {
        redis.hset(names[i], FILLER, answer);
        byte[] longer = bytes(new String(names[i], UTF_8) + new String(filler, UTF_8));
        redis.rename(names[i], longer);
        names[i] = longer;
      }
    }
    had = traffic(this::bare);
    System.out.println("Bytes of the store's call: " + wanted + ", of the bare one: " + had);
    if (Math.abs(wanted.in - had.in) + Math.abs(wanted.out - had.out) > TOLERANCE) {
      throw new IllegalStateException("The bare call does not move the same bytes");
    }
  }

  /** Bytes to the server and from it. */
  private record Traffic(long in, long out) {}

  private Traffic traffic(Call call) throws Exception {
    call.run(0);
    Traffic first = total();
    Traffic second = total();
    for (int i = 0; i < COUNTED; i++) {
      call.run(i % SESSIONS);
    }
    Traffic third = total();
    return new Traffic(
        (third.in - second.in - (second.in - first.in)) / COUNTED,
        (third.out - second.out - (second.out - first.out)) / COUNTED);
  }

  private Traffic total() {
    String stats = redis.info("stats");
    return new Traffic(
        figure(stats, "total_net_input_bytes"), figure(stats, "total_net_output_bytes"));
  }

  private static long figure(String stats, String name) {
    Matcher matcher = Pattern.compile(name + ":(\\d+)").matcher(stats);
    if (!matcher.find()) {
      throw new IllegalStateException("The server does not say " + name);
    }
    return Long.parseLong(matcher.group(1));
  }

  /** Ends all. */
  @TearDown
  public void close() {
    store.close();
    connection.close();
    client.shutdown();
    server.close();
  }

  /** The two calls. */
  @Benchmark
  public void call(Blackhole hole) throws Exception {
    turn++;
    int i = random.nextInt(SESSIONS);
    Pairs.call(hole, turn % 2 == 0, () -> ofStore(i), () -> bare(i));
  }

  /** A call about one of the sessions. */
  private interface Call {
    Object run(int session) throws Exception;
  }

  private Object ofStore(int i) {
    return switch (operation) {
      case "load" -> store.load(keys[i], SessionStore.NO_VERSION);
      case "loadUnchanged" -> unchanged(store.load(keys[i], SessionStore.FIRST_VERSION));
      case "saveSmall" -> saved(set(keys[i], "small", SMALL));
      case "saveLarge" -> saved(set(keys[i], "large", LARGE));
      case "touch" -> saved(SessionDelta.touch(keys[i], Duration.ZERO));
      default -> throw new IllegalStateException(operation);
    };
  }

  private Object bare(int i) {
    CommandTrace same = trace;
    if (same != null) {
      ScriptOutputType answer =
          operation.equals("load") ? ScriptOutputType.VALUE : ScriptOutputType.INTEGER;
      return same.again(redis, answer, i, random(written()), random);
    }
    return switch (operation) {
      case "load" -> redis.hgetall(names[i]);
      case "loadUnchanged" -> redis.hmget(names[i], FIELD, filler);
      case "saveSmall" -> redis.hset(names[i], Map.of(FIELD, random(SMALL), FILLER, filler));
      case "saveLarge" -> redis.hset(names[i], Map.of(FIELD, random(LARGE), FILLER, filler));
      case "touch" -> redis.hset(names[i], FIELD, filler);
      default -> throw new IllegalStateException(operation);
    };
  }

  /** How many bytes a call writes. */
  private int written() {
    return switch (operation) {
      case "saveSmall" -> SMALL;
      case "saveLarge" -> LARGE;
      default -> 0;
    };
  }

  private static LoadResult unchanged(LoadResult result) {
    if (!(result instanceof LoadResult.Unchanged)) {
      throw new IllegalStateException("Somebody has saved: " + result);
    }
    return result;
  }

  private SessionDelta set(SessionKey key, String name, int size) {
    return new SessionDelta(
        key,
        Map.of(name, new AttributeChange.Set(EncodedValue.of(random(size)))),
        Optional.empty(),
        Duration.ZERO);
  }

  private long saved(SessionDelta delta) {
    return store.save(delta).orElseThrow();
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
