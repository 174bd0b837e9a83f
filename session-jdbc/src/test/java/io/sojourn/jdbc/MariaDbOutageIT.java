package io.sojourn.jdbc;

import io.sojourn.testkit.server.DatabaseServer;
import io.sojourn.testkit.server.MariaDbServer;

class MariaDbOutageIT extends OneTableOutageContract {

  @Override
  DatabaseServer startServer() {
    return MariaDbServer.startPrivate();
  }
}
