package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.PatientStores;
import java.time.Duration;
import java.util.function.Supplier;

/** The contract of containers over a relational database. */
abstract class TomcatSqlContract extends TomcatContract {

  private final String url;

  /**
   * Over this database.
   *
   * @param url of an empty database, as its driver takes it
   */
  TomcatSqlContract(String url) {
    this.url = url;
  }

  @Override
  protected final SessionStore open(String application, Supplier<Duration> clock) {
    return PatientStores.open(url, application, clock);
  }
}
