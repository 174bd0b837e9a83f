package io.sojourn.tomcat;

import io.sojourn.testkit.server.MySqlServer;
import io.sojourn.testkit.server.RealServers;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class TomcatMySqlIT extends TomcatSqlContract {

  TomcatMySqlIT(MySqlServer mySql) {
    super(mySql.jdbcUrl(mySql.newDatabase()));
  }
}
