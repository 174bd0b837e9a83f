package io.sojourn.jdbc;

import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.SessionStoreContract;
import io.sojourn.testkit.server.RealServers;
import java.time.Duration;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ExtendWith;

/** The contract of stores on a database that is a server, opened by its URL. */
@ExtendWith(RealServers.class)
abstract class JdbcStoreContract extends SessionStoreContract {

  private final String url;

  JdbcStoreContract(String url) {
    this.url = url;
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clockOffset) {
    return new JdbcSessionStoreProvider()
        .open(new StoreConfiguration(url, application, PatientStores.options(url), clockOffset));
  }

  @Override
  protected SessionStore openUnreachable() {
    String scheme = url.substring(0, url.indexOf("//"));
    return new JdbcSessionStoreProvider()
        .open(StoreConfiguration.of(scheme + "//127.0.0.1:1/nobody", "contract"));
  }
}
