package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class ActivationRedisIT extends ActivationContract {

  private final String url;

  ActivationRedisIT(RedisServer redis) {
    this.url = redis.url();
  }

  @Override
  SessionStore open(String application) {
    return PatientStores.open(url, application, () -> Duration.ZERO);
  }
}
