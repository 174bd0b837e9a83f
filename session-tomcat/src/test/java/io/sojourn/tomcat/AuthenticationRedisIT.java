package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class AuthenticationRedisIT extends AuthenticationContract {

  private final RedisServer redis;

  AuthenticationRedisIT(RedisServer redis) {
    this.redis = redis;
  }

  @Override
  SessionStore open(String application) {
    return PatientStores.open(redis.url(), application, () -> Duration.ZERO);
  }
}
