package io.sojourn.jdbc;

import io.sojourn.testkit.server.MySqlServer;

class MySqlByMariaDbDriverSessionStoreIT extends JdbcStoreContract {

  MySqlByMariaDbDriverSessionStoreIT(MySqlServer server) {
    super(server.mariaDbDriverUrl("contract2"));
    server.createDatabase("contract2");
  }
}
