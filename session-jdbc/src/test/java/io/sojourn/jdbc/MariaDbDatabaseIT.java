package io.sojourn.jdbc;

import io.sojourn.testkit.server.MariaDbServer;

class MariaDbDatabaseIT extends MySqlLikeContract {

  MariaDbDatabaseIT(MariaDbServer server) {
    super(server.newDatabase(), server::jdbcUrl);
  }
}
