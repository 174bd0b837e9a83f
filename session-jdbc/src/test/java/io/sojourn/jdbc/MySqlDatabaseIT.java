package io.sojourn.jdbc;

import io.sojourn.testkit.server.MySqlServer;

class MySqlDatabaseIT extends MySqlLikeContract {

  MySqlDatabaseIT(MySqlServer server) {
    super(server.newDatabase(), server::jdbcUrl);
  }
}
