package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.PatientStores;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;

/** The contract of containers over Redis servers of some shape. */
abstract class TomcatRedisContract extends TomcatContract {

  /** Where the servers are. */
  abstract String url();

  /** What the store has to know besides. */
  Map<String, String> options() {
    return Map.of();
  }

  @Override
  protected final SessionStore open(String application, Supplier<Duration> clock) {
    return PatientStores.open(url(), application, options(), clock);
  }
}
