package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import java.time.Duration;
import java.util.Map;

/** Stores that tests hand to managers. */
final class Stores {

  private Stores() {}

  /** The store at this URL, with the sessions of this application. */
  static SessionStore open(String url, String application) {
    return SessionStores.open(
        new StoreConfiguration(url, application, Map.of(), () -> Duration.ZERO),
        Stores.class.getClassLoader());
  }
}
