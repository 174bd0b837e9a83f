package io.sojourn.jdbc;

import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.SessionStoreContract;
import io.sojourn.testkit.server.PostgreSqlServer;
import io.sojourn.testkit.server.RealServers;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class PostgreSqlSessionStoreIT extends SessionStoreContract {

  private final String url;

  PostgreSqlSessionStoreIT(PostgreSqlServer server) {
    server.createDatabase("contract");
    this.url = server.jdbcUrl("contract");
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clockOffset) {
    return new JdbcSessionStoreProvider()
        .open(new StoreConfiguration(url, application, Map.of(), clockOffset));
  }

  @Override
  protected SessionStore openUnreachable() {
    return new JdbcSessionStoreProvider()
        .open(StoreConfiguration.of("jdbc:postgresql://127.0.0.1:1/nobody", "contract"));
  }
}
