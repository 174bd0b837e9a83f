package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.server.RedisSentinels;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;

class TomcatRedisSentinelIT extends TomcatContract {

  private final RedisSentinels sentinels = RedisSentinels.start();

  @AfterAll
  void stopServers() {
    sentinels.close();
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clock) {
    return SessionStores.open(
        new StoreConfiguration(sentinels.url(), application, Map.of(), clock),
        getClass().getClassLoader());
  }
}
