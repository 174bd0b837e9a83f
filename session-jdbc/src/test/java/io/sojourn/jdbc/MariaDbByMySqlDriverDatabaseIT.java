package io.sojourn.jdbc;

import io.sojourn.testkit.server.MariaDbServer;

class MariaDbByMySqlDriverDatabaseIT extends MariaDbContract {

  MariaDbByMySqlDriverDatabaseIT(MariaDbServer server) {
    super(server.newDatabase(), server::mySqlDriverUrl);
  }
}
