package io.sojourn.testkit;

import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Stores that wait longer than a slow machine takes to answer, for tests that are not of outages.
 */
public final class PatientStores {

  private static final String PATIENCE = "10s";

  private PatientStores() {}

  /** What to give, beside the URL, to a store. */
  public static Map<String, String> options(String url) {
    if (url.startsWith("jdbc:")) {
      return Map.of("connectionTimeout", PATIENCE, "socketTimeout", PATIENCE);
    }
    return url.startsWith("redis") ? Map.of("timeout", PATIENCE) : Map.of();
  }

  /** Opens one with the sessions of this application. */
  public static SessionStore open(String url, String application, Supplier<Duration> clockOffset) {
    return open(url, application, Map.of(), clockOffset);
  }

  /** Opens one that is given these options besides. */
  public static SessionStore open(
      String url, String application, Map<String, String> options, Supplier<Duration> clockOffset) {
    Map<String, String> all = new HashMap<>(options(url));
    all.putAll(options);
    return SessionStores.open(
        new StoreConfiguration(url, application, all, clockOffset),
        PatientStores.class.getClassLoader());
  }
}
