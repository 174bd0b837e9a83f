package io.sojourn.jetty;

import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.PatientStores;
import java.time.Duration;
import java.util.function.Supplier;

/** Opens stores for tests. */
final class Stores {

  private Stores() {}

  static SessionStore open(String url, String application, Supplier<Duration> clock) {
    return SessionStores.open(
        new StoreConfiguration(url, application, PatientStores.options(url), clock),
        Stores.class.getClassLoader());
  }
}
