package io.sojourn.jetty;

import io.sojourn.SessionStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class JettyRedisIT extends JettyContract {

  private final RedisServer redis;

  JettyRedisIT(RedisServer redis) {
    this.redis = redis;
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clock) {
    return PatientStores.open(redis.url(), application, clock);
  }
}
