package io.sojourn.jdbc;

import io.sojourn.testkit.server.MySqlServer;

class MySqlSessionStoreIT extends JdbcStoreContract {

  MySqlSessionStoreIT(MySqlServer server) {
    super(server.jdbcUrl("contract"));
    server.createDatabase("contract");
  }
}
