package io.sojourn.jdbc;

import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.SessionStoreContract;
import java.time.Duration;
import java.util.UUID;
import java.util.function.Supplier;

class H2SessionStoreTest extends SessionStoreContract {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  @Override
  protected SessionStore open(String application, Supplier<Duration> clockOffset) {
    return new JdbcSessionStoreProvider()
        .open(new StoreConfiguration(url, application, PatientStores.options(url), clockOffset));
  }

  @Override
  protected SessionStore openUnreachable() {
    return new JdbcSessionStoreProvider()
        .open(StoreConfiguration.of("jdbc:h2:tcp://127.0.0.1:1/mem:nobody", "contract"));
  }
}
