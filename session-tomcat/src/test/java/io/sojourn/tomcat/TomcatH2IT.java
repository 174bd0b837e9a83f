package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;

class TomcatH2IT extends TomcatContract {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  @Override
  protected SessionStore open(String application, Supplier<Duration> clock) {
    return SessionStores.open(
        new StoreConfiguration(url, application, Map.of(), clock), getClass().getClassLoader());
  }
}
