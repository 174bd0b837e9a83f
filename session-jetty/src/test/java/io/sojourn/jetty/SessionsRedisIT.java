package io.sojourn.jetty;

import io.sojourn.SessionStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class SessionsRedisIT extends SessionsContract {

  private final RedisServer redis;

  SessionsRedisIT(RedisServer redis) {
    this.redis = redis;
  }

  @Override
  SessionStore open(String application, Supplier<Duration> clock) {
    return PatientStores.open(redis.url(), application, clock);
  }
}
