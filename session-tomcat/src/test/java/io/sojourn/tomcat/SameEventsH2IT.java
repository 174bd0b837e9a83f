package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;

class SameEventsH2IT extends SameEventsContract {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  @Override
  SessionStore open(String application) {
    return SessionStores.open(
        new StoreConfiguration(url, application, Map.of(), () -> Duration.ZERO),
        getClass().getClassLoader());
  }
}
