package io.sojourn.jdbc;

import io.sojourn.SessionKey;
import io.sojourn.testkit.server.DatabaseServer;
import io.sojourn.testkit.server.PostgreSqlServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

class PostgreSqlOutageIT extends DatabaseOutageContract {

  @Override
  DatabaseServer startServer() {
    return PostgreSqlServer.startPrivate();
  }

  @Override
  List<String> tables() {
    return List.of("sojourn_session", "sojourn_session_attribute");
  }

  /** The transaction that looks for deadlocks first gives way. */
  @Override
  void outweighSaves(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET deadlock_timeout = '1h'");
    }
  }

  @Override
  void lockAttribute(Connection connection, SessionKey key) throws SQLException {
    lockRow(
        connection,
        "SELECT version FROM sojourn_session_attribute WHERE application = 'app' AND origin = ?"
            + " AND name = 'a' FOR UPDATE",
        key);
  }
}
