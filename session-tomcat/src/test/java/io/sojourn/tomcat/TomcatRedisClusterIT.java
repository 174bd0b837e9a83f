package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.server.RedisClusterServers;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;

class TomcatRedisClusterIT extends TomcatContract {

  private final RedisClusterServers cluster = RedisClusterServers.start();

  @AfterAll
  void stopServers() {
    cluster.close();
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clock) {
    return SessionStores.open(
        new StoreConfiguration(cluster.url(), application, Map.of(), clock),
        getClass().getClassLoader());
  }
}
