package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class TomcatRedisIT extends TomcatContract {

  private final RedisServer redis;

  TomcatRedisIT(RedisServer redis) {
    this.redis = redis;
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clock) {
    return SessionStores.open(
        new StoreConfiguration(redis.url(), application, Map.of(), clock),
        getClass().getClassLoader());
  }
}
