package io.sojourn.jetty;

import io.sojourn.SessionStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class EventsAndTimesRedisIT extends EventsAndTimes {

  private final RedisServer redis;

  EventsAndTimesRedisIT(RedisServer redis) {
    this.redis = redis;
  }

  @Override
  protected SessionStore open(String application) {
    return PatientStores.open(redis.url(), application, () -> Duration.ZERO);
  }
}
