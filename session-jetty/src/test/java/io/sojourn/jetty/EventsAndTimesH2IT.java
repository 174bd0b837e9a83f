package io.sojourn.jetty;

import io.sojourn.SessionStore;
import io.sojourn.testkit.PatientStores;
import java.time.Duration;
import java.util.UUID;

class EventsAndTimesH2IT extends EventsAndTimes {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  @Override
  protected SessionStore open(String application) {
    return PatientStores.open(url, application, () -> Duration.ZERO);
  }
}
