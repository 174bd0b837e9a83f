package io.sojourn.redis;

import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.SessionStoreContract;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ExtendWith;

/** The contract of stores on a real Redis. */
@ExtendWith(RealServers.class)
class RedisSessionStoreIT extends SessionStoreContract {

  private final RedisServer server;

  RedisSessionStoreIT(RedisServer server) {
    this.server = server;
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clockOffset) {
    return new RedisSessionStore(
        new StoreConfiguration(server.url(), application, Map.of("timeout", "10s"), clockOffset));
  }

  /** Port 1 is nobody's. */
  @Override
  protected SessionStore openUnreachable() {
    return new RedisSessionStore(StoreConfiguration.of("redis://127.0.0.1:1", "unreachable"));
  }
}
