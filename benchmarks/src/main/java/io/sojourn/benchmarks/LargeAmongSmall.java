package io.sojourn.benchmarks;

import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.NewSession;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.redis.RedisSessionStoreProvider;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * How long does a small call take while another thread reads a session of 8 MB again and again?
 * Once through the Redis store, and once with bare commands over one connection that all threads
 * share, as the driver is mostly used. Prints a line for each, without and with the large session.
 *
 * <pre>
 * java -cp benchmarks/target/benchmarks.jar io.sojourn.benchmarks.LargeAmongSmall
 * </pre>
 */
public final class LargeAmongSmall {

  private static final int LARGE = 8_000_000;
  private static final int SMALL_CALLS = 3_000;
  private static final int WARM_UP = 1_000;

  private LargeAmongSmall() {}

  /** Runs it; takes no arguments. */
  public static void main(String[] arguments) throws InterruptedException {
    RedisServer server = RedisServer.startPrivate();
    RedisClient client = RedisClient.create(server.url());
    SessionStore store =
        new RedisSessionStoreProvider()
            .open(
                new StoreConfiguration(
                    server.url(), "benchmark", Map.of("timeout", "10s"), () -> Duration.ZERO));
    try (StatefulRedisConnection<byte[], byte[]> connection =
        client.connect(ByteArrayCodec.INSTANCE)) {
      SessionKey small = created(store, 2_000);
      SessionKey large = created(store, LARGE);
      RedisCommands<byte[], byte[]> bare = connection.sync();
      byte[] smallName = {'s'};
      byte[] largeName = {'l'};
      byte[] field = {'f'};
      bare.hset(smallName, field, new byte[20]);
      bare.hset(largeName, field, new byte[LARGE]);
      Runnable ofStore = () -> store.load(small, SessionStore.FIRST_VERSION);
      Runnable ofBare = () -> bare.hget(smallName, field);
      measure("store", ofStore, () -> {});
      measure("store, with a large session", ofStore, () -> store.load(large, -1));
      measure("bare", ofBare, () -> {});
      measure("bare, with a large value", ofBare, () -> bare.hget(largeName, field));
    } finally {
      store.close();
      client.shutdown();
      server.close();
    }
  }

  private static SessionKey created(SessionStore store, int size) {
    SessionKey key = SessionKey.of("of " + size);
    IdleTimeout timeout = new IdleTimeout(Duration.ofHours(1), Duration.ofMinutes(10));
    store.create(
        new NewSession(
            key,
            SessionStore.FIRST_VERSION,
            Instant.now(),
            timeout,
            Map.of("value", EncodedValue.of(new byte[size]))));
    return key;
  }

  private static void measure(String what, Runnable small, Runnable large)
      throws InterruptedException {
    AtomicBoolean over = new AtomicBoolean();
    Thread beside =
        new Thread(
            () -> {
              while (!over.get()) {
                large.run();
                pause();
              }
            });
    beside.start();
    for (int i = 0; i < WARM_UP; i++) {
      small.run();
    }
    long[] nanos = new long[SMALL_CALLS];
    for (int i = 0; i < SMALL_CALLS; i++) {
      long start = System.nanoTime();
      small.run();
      nanos[i] = System.nanoTime() - start;
    }
    over.set(true);
    beside.join();
    Arrays.sort(nanos);
    System.out.printf(
        "%s: median %d, 95 %% %d, 99 %% %d us%n",
        what,
        nanos[SMALL_CALLS / 2] / 1000,
        nanos[SMALL_CALLS * 95 / 100] / 1000,
        nanos[SMALL_CALLS * 99 / 100] / 1000);
  }

  private static void pause() {
    try {
      Thread.sleep(1);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
