package io.sojourn.jdbc;

import io.sojourn.testkit.server.MariaDbServer;

class MariaDbSessionStoreIT extends JdbcStoreContract {

  MariaDbSessionStoreIT(MariaDbServer server) {
    super(server.jdbcUrl("contract"));
    server.createDatabase("contract");
  }
}
