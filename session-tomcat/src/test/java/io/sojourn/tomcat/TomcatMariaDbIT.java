package io.sojourn.tomcat;

import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class TomcatMariaDbIT extends TomcatSqlContract {

  TomcatMariaDbIT(MariaDbServer mariaDb) {
    super(mariaDb.jdbcUrl(mariaDb.newDatabase()));
  }
}
