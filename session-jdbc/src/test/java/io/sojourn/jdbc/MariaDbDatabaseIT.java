package io.sojourn.jdbc;

import io.sojourn.testkit.server.MariaDbServer;

class MariaDbDatabaseIT extends MariaDbContract {

  MariaDbDatabaseIT(MariaDbServer server) {
    super(server.newDatabase(), server::jdbcUrl);
  }
}
