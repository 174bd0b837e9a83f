package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class TomcatMariaDbIT extends TomcatContract {

  private final String url;

  TomcatMariaDbIT(MariaDbServer mariaDb) {
    this.url = mariaDb.jdbcUrl(mariaDb.newDatabase());
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clock) {
    return SessionStores.open(
        new StoreConfiguration(url, application, Map.of(), clock), getClass().getClassLoader());
  }
}
