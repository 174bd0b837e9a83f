package io.sojourn.tomcat;

import io.sojourn.testkit.server.PostgreSqlServer;
import io.sojourn.testkit.server.RealServers;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class TomcatPostgreSqlIT extends TomcatSqlContract {

  TomcatPostgreSqlIT(PostgreSqlServer postgreSql) {
    super(postgreSql.jdbcUrl(postgreSql.newDatabase()));
  }
}
