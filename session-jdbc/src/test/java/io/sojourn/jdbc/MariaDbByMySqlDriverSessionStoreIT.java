package io.sojourn.jdbc;

import io.sojourn.testkit.server.MariaDbServer;

class MariaDbByMySqlDriverSessionStoreIT extends JdbcStoreContract {

  MariaDbByMySqlDriverSessionStoreIT(MariaDbServer server) {
    super(server.mySqlDriverUrl("contract2"));
    server.createDatabase("contract2");
  }
}
