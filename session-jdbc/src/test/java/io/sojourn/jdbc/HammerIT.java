package io.sojourn.jdbc;

import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.MySqlServer;
import io.sojourn.testkit.server.PostgreSqlServer;
import io.sojourn.testkit.server.RealServers;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@link Hammer} on real servers. */
@ExtendWith(RealServers.class)
@Tag("G2")
class HammerIT {

  @Test
  void nothingIsLostOnMariaDb(MariaDbServer server) {
    Hammer.run(server.jdbcUrl(server.newDatabase()));
  }

  @Test
  void nothingIsLostOnMariaDbByTheDriverOfMySql(MariaDbServer server) {
    Hammer.run(server.mySqlDriverUrl(server.newDatabase()));
  }

  @Test
  void nothingIsLostOnMySql(MySqlServer server) {
    Hammer.run(server.jdbcUrl(server.newDatabase()));
  }

  @Test
  void nothingIsLostOnPostgreSql(PostgreSqlServer server) {
    Hammer.run(server.jdbcUrl(server.newDatabase()));
  }
}
