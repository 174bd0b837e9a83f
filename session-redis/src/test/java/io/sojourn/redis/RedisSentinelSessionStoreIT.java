package io.sojourn.redis;

import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.SessionStoreContract;
import io.sojourn.testkit.server.RedisSentinels;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract of stores on a primary that sentinels name. */
class RedisSentinelSessionStoreIT extends SessionStoreContract {

  private static RedisSentinels sentinels;

  @BeforeAll
  static void startSentinels() {
    sentinels = RedisSentinels.start();
  }

  @AfterAll
  static void stopSentinels() {
    sentinels.close();
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clockOffset) {
    return new RedisSessionStore(
        new StoreConfiguration(
            sentinels.url(), application, Map.of("timeout", "10s"), clockOffset));
  }

  /** Port 1 is nobody's. */
  @Override
  protected SessionStore openUnreachable() {
    return new RedisSessionStore(
        StoreConfiguration.of("redis-sentinel://127.0.0.1:1/sojourn", "unreachable"));
  }
}
