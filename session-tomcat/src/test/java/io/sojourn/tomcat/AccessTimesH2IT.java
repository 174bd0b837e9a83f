package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import java.util.UUID;

class AccessTimesH2IT extends AccessTimesContract {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  @Override
  SessionStore open(String application) {
    return Stores.open(url, application);
  }
}
