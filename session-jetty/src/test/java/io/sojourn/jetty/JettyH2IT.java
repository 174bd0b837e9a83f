package io.sojourn.jetty;

import io.sojourn.SessionStore;
import io.sojourn.testkit.PatientStores;
import java.time.Duration;
import java.util.UUID;
import java.util.function.Supplier;

class JettyH2IT extends JettyContract {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  @Override
  protected SessionStore open(String application, Supplier<Duration> clock) {
    return PatientStores.open(url, application, clock);
  }
}
