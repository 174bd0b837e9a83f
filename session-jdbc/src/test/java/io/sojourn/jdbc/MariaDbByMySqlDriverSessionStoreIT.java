package io.sojourn.jdbc;

import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.SessionStoreContract;
import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class MariaDbByMySqlDriverSessionStoreIT extends SessionStoreContract {

  private final String url;

  MariaDbByMySqlDriverSessionStoreIT(MariaDbServer server) {
    server.createDatabase("contract2");
    this.url = server.mySqlDriverUrl("contract2");
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clockOffset) {
    return new JdbcSessionStoreProvider()
        .open(new StoreConfiguration(url, application, Map.of(), clockOffset));
  }

  @Override
  protected SessionStore openUnreachable() {
    return new JdbcSessionStoreProvider()
        .open(StoreConfiguration.of("jdbc:mysql://127.0.0.1:1/nobody", "contract"));
  }
}
