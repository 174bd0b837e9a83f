package io.sojourn.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.AclSetuserArgs;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.protocol.CommandType;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A server that drops keys when its memory is full. */
class RedisEvictionIT {

  private static RedisServer server;
  private static RedisClient client;
  private static StatefulRedisConnection<String, String> connection;
  private static RedisCommands<String, String> redis;

  private final Logger logger = Logger.getLogger(RedisDriver.class.getName());
  private final List<String> logged = new CopyOnWriteArrayList<>();
  private final Handler handler =
      new Handler() {
        @Override
        public void publish(LogRecord record) {
          logged.add(new SimpleFormatter().formatMessage(record));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  @BeforeAll
  static void startServer() {
    server = RedisServer.startPrivate();
    client = RedisClient.create(server.url());
    connection = client.connect();
    redis = connection.sync();
    redis.configSet("maxmemory", "100mb");
  }

  @AfterAll
  static void stopServer() {
    connection.close();
    client.shutdown();
    server.close();
  }

  @BeforeEach
  void listen() {
    logger.addHandler(handler);
  }

  @AfterEach
  void listenNoMore() {
    logger.removeHandler(handler);
  }

  private static void use(String url) {
    SessionStore store =
        new RedisSessionStore(
            new StoreConfiguration(url, "shop", Map.of("timeout", "10s"), () -> Duration.ZERO));
    // The answer to what is asked beside comes before that of the second call.
    store.ping();
    store.ping();
    store.close();
  }

  @Test
  @Tag("R76")
  void isWarnedOf() {
    redis.configSet("maxmemory-policy", "allkeys-lru");
    use(server.url());
    await()
        .untilAsserted(
            () ->
                assertThat(logged)
                    .singleElement()
                    .asString()
                    .contains("maxmemory-policy allkeys-lru", "noeviction"));
  }

  @Test
  @Tag("R76")
  void isNotWarnedOfIfItKeepsThem() {
    redis.configSet("maxmemory-policy", "noeviction");
    use(server.url());
    assertThat(logged).isEmpty();
  }

  @Test
  @Tag("R76")
  void mayBeKeptFromUs() {
    redis.configSet("maxmemory-policy", "allkeys-lru");
    redis.aclSetuser(
        "app", AclSetuserArgs.Builder.on().addPassword("secret").addCommand(CommandType.PING));
    use(server.url().replace("//", "//app:secret@"));
    assertThat(logged).isEmpty();
  }
}
