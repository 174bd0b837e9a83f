package io.sojourn.tomcat;

import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class CausalMariaDbIT extends TomcatCausalContract {

  CausalMariaDbIT(MariaDbServer mariaDb) {
    super(mariaDb.jdbcUrl(mariaDb.newDatabase()));
  }
}
