package io.sojourn.jdbc;

import io.sojourn.testkit.server.DatabaseServer;
import io.sojourn.testkit.server.MySqlServer;

class MySqlOutageIT extends OneTableOutageContract {

  @Override
  DatabaseServer startServer() {
    return MySqlServer.startPrivate();
  }
}
