package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class EventsAndTimesRedisIT extends EventsAndTimes {

  private final String url;

  EventsAndTimesRedisIT(RedisServer redis) {
    this.url = redis.url();
  }

  @Override
  protected SessionStore open(String application) {
    return PatientStores.open(url, application, () -> Duration.ZERO);
  }
}
