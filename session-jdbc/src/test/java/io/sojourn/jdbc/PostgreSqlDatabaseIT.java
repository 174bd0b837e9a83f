package io.sojourn.jdbc;

import io.sojourn.testkit.server.PostgreSqlServer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

class PostgreSqlDatabaseIT extends DatabaseServerContract {

  private final String database;
  private final String url;

  PostgreSqlDatabaseIT(PostgreSqlServer server) {
    this.database = server.newDatabase();
    this.url = server.jdbcUrl(database);
  }

  @Override
  String url() {
    return url;
  }

  @Override
  String urlWithoutAccount() {
    return url.replaceFirst("user=[^&]*&password=[^&]*&?", "");
  }

  @Override
  String isOwnRow() {
    return "version > 0";
  }

  @Override
  String attributeRows() {
    return "sojourn_session_attribute";
  }

  @Override
  String typeOfSaves() {
    return "TEXT NOT NULL DEFAULT ''";
  }

  @Override
  Map<String, String> countingProperties() {
    return Map.of("socketFactory", CountingSocketFactory.class.getName());
  }

  @Override
  List<String> statements(Connection connection, Runnable something) throws SQLException {
    execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
    execute("SELECT pg_stat_statements_reset()");
    something.run();
    List<String> statements = new ArrayList<>();
    try (Connection observer = DriverManager.getConnection(url);
        Statement statement = observer.createStatement();
        ResultSet rows =
            statement.executeQuery(
                """
                SELECT query, calls FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
                WHERE d.datname = current_database() AND query NOT LIKE '%pg_stat_statements%'
                  AND query NOT ILIKE 'SET %'""")) {
      while (rows.next()) {
        for (int i = 0; i < rows.getInt(2); i++) {
          statements.add(rows.getString(1));
        }
      }
    }
    return statements;
  }

  @Override
  long bytes(Connection connection, Runnable something) {
    long before = CountingSocketFactory.bytes();
    something.run();
    return CountingSocketFactory.bytes() - before;
  }

  @Override
  String analyze() {
    return "ANALYZE";
  }

  @Override
  long rowsRead(Connection connection, Runnable something) throws SQLException {
    long before = rowsRead(connection);
    something.run();
    return rowsRead(connection) - before;
  }

  private long rowsRead(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("SELECT pg_stat_force_next_flush()");
      statement.execute("SELECT 1");
    }
    return number(
        """
        SELECT (SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_user_tables)
          + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)""");
  }

  @Override
  String makeReadOnly() {
    return "SET default_transaction_read_only = on";
  }

  @Override
  String setTimeZone(String name, String offset) {
    return "SET TIME ZONE '" + name + "'";
  }

  @Override
  void createAccount(String name, String password) throws SQLException {
    execute("CREATE USER " + name + " PASSWORD '" + password + "'");
  }

  @Override
  void grantRows(String name) throws SQLException {
    execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON sojourn_session, sojourn_session_attribute TO "
            + name,
        "GRANT SELECT ON sojourn_session_version TO " + name);
  }

  @Override
  void grantCreation(String name) throws SQLException {
    execute("GRANT USAGE, CREATE ON SCHEMA public TO " + name);
  }
}
