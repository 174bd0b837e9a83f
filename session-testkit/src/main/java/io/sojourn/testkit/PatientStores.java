package io.sojourn.testkit;

import java.util.Map;

/**
 * Stores that wait longer than a slow machine takes to answer, for tests that are not of outages.
 */
public final class PatientStores {

  private static final String PATIENCE = "10s";

  private PatientStores() {}

  /** What to give, beside the URL, to a store. */
  public static Map<String, String> options(String url) {
    return url.startsWith("jdbc:")
        ? Map.of("connectionTimeout", PATIENCE, "socketTimeout", PATIENCE)
        : Map.of("timeout", PATIENCE);
  }
}
