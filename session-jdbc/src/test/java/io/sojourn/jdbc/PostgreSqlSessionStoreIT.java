package io.sojourn.jdbc;

import io.sojourn.testkit.server.PostgreSqlServer;

class PostgreSqlSessionStoreIT extends JdbcStoreContract {

  PostgreSqlSessionStoreIT(PostgreSqlServer server) {
    super(server.jdbcUrl("contract"));
    server.createDatabase("contract");
  }
}
