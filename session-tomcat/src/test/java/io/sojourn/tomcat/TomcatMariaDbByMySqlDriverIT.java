package io.sojourn.tomcat;

import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class TomcatMariaDbByMySqlDriverIT extends TomcatSqlContract {

  TomcatMariaDbByMySqlDriverIT(MariaDbServer mariaDb) {
    super(mariaDb.mySqlDriverUrl(mariaDb.newDatabase()));
  }
}
