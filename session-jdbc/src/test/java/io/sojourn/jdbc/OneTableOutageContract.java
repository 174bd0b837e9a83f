package io.sojourn.jdbc;

import io.sojourn.SessionKey;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/** The part of the contract that is the same on MySQL and MariaDB. */
abstract class OneTableOutageContract extends DatabaseOutageContract {

  /** The transaction that has written fewer rows gives way. */
  @Override
  void outweighSaves(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE ballast (id INT PRIMARY KEY AUTO_INCREMENT, a INT)");
      connection.setAutoCommit(false);
      statement.execute("INSERT INTO ballast (a) VALUES (1)" + ", (1)".repeat(200));
    }
  }

  @Override
  void lockAttribute(Connection connection, SessionKey key) throws SQLException {
    lockRow(
        connection,
        "SELECT version FROM sojourn_session WHERE application = 'app' AND origin = ? AND kind = 1"
            + " AND name = 'a' FOR UPDATE",
        key);
  }
}
