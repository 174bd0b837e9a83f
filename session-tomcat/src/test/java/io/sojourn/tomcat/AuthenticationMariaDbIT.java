package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class AuthenticationMariaDbIT extends AuthenticationContract {

  private final String url;

  AuthenticationMariaDbIT(MariaDbServer mariaDb) {
    url = mariaDb.jdbcUrl(mariaDb.newDatabase());
  }

  @Override
  SessionStore open(String application) {
    return PatientStores.open(
        url, application, Map.of("maximumPoolSize", "2"), () -> Duration.ZERO);
  }
}
