package io.sojourn.jdbc;

import static org.awaitility.Awaitility.await;

import io.sojourn.testkit.server.DatabaseServer;
import io.sojourn.testkit.server.PostgreSqlServer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;

/**
 * Does to a database server what its administrator may do, and has an account for stores that may
 * do no more than docs tell to grant. Each call takes a connection of its own.
 */
final class Administrator {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int NO_SUCH_CONNECTION = 1094;

  private final DatabaseServer server;
  private final boolean postgreSql;

  /** An administrator who creates the account. */
  Administrator(DatabaseServer server) {
    this.server = server;
    this.postgreSql = server instanceof PostgreSqlServer;
    run("CREATE USER app IDENTIFIED BY 'secret'", "CREATE ROLE app LOGIN PASSWORD 'secret'");
  }

  /** The words of MySQL and MariaDB, or those of PostgreSQL. */
  private String inItsWords(String mySql, String postgreSql) {
    return this.postgreSql ? postgreSql : mySql;
  }

  /** A new database that the account may use. */
  String newDatabase() {
    String database = server.newDatabase();
    grant(database);
    return database;
  }

  /** Lets the account use a database. */
  void grant(String database) {
    run(
        "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON " + database + ".* TO app",
        "ALTER DATABASE " + database + " OWNER TO app");
  }

  /** The URL of a database for the account. */
  String url(String database) {
    return server
        .jdbcUrl(database)
        .replaceFirst("user=[^&]*&password=[^&]*", "user=app&password=secret");
  }

  /** A connection of the one who may do everything, as soon as there is one to be had. */
  Connection connect(String database) {
    return await()
        .atMost(PATIENCE)
        .ignoreExceptionsInstanceOf(SQLException.class)
        .until(() -> DriverManager.getConnection(server.jdbcUrl(database)), Objects::nonNull);
  }

  void createDatabase(String database) {
    server.createDatabase(database);
    grant(database);
  }

  void dropDatabase(String database) {
    run("DROP DATABASE " + database, "DROP DATABASE " + database + " WITH (FORCE)");
  }

  /** Makes all connections of the account read-only, as those to a demoted primary are. */
  void refuseWrites() {
    setReadOnly("on");
  }

  void takeWrites() {
    setReadOnly("off");
  }

  private void setReadOnly(String value) {
    run(
        "SET GLOBAL read_only = " + value,
        "ALTER SYSTEM SET default_transaction_read_only = " + value);
    if (postgreSql) {
      run("", "SELECT pg_reload_conf()");
    }
  }

  /** Whether that is what a new connection meets. */
  boolean refusesWrites() {
    return ask(
            "SELECT @@GLOBAL.read_only",
            "SELECT CAST(CAST(current_setting('default_transaction_read_only') AS BOOLEAN) AS INT)")
        .contains(1L);
  }

  /** The ids of the account's connections. */
  Set<Long> connections() {
    return ask(
        "SELECT id FROM information_schema.processlist WHERE user = 'app'",
        "SELECT pid FROM pg_stat_activity WHERE usename = 'app'");
  }

  /** The ids of those that carry out something, or wait for a lock. */
  Set<Long> busyConnections() {
    return ask(
        "SELECT id FROM information_schema.processlist WHERE user = 'app' AND command <> 'Sleep'",
        "SELECT pid FROM pg_stat_activity WHERE usename = 'app' AND state <> 'idle'");
  }

  /** Ends connections in the middle of whatever they do. */
  void disconnect(Set<Long> connections) {
    try (Connection connection = connect(inItsWords("", "postgres"));
        Statement statement = connection.createStatement()) {
      for (long id : connections) {
        disconnect(statement, id);
      }
    } catch (SQLException e) {
      throw new IllegalStateException("The server does not disconnect " + connections, e);
    }
  }

  private void disconnect(Statement statement, long connection) throws SQLException {
    try {
      statement.execute(
          inItsWords("KILL " + connection, "SELECT pg_terminate_backend(" + connection + ")"));
    } catch (SQLException e) {
      if (e.getErrorCode() != NO_SUCH_CONNECTION) {
        throw e;
      }
    }
  }

  void lockAccount() {
    run("ALTER USER app ACCOUNT LOCK", "ALTER ROLE app NOLOGIN");
  }

  void unlockAccount() {
    run("ALTER USER app ACCOUNT UNLOCK", "ALTER ROLE app LOGIN");
  }

  void changePassword() {
    setPassword("another");
  }

  void restorePassword() {
    setPassword("secret");
  }

  private void setPassword(String password) {
    run(
        "ALTER USER app IDENTIFIED BY '" + password + "'",
        "ALTER ROLE app PASSWORD '" + password + "'");
  }

  /** How many connections there may be; on PostgreSQL, where that is fixed, of the account. */
  void limitConnections(int limit) {
    run("SET GLOBAL max_connections = " + limit, "ALTER ROLE app CONNECTION LIMIT " + limit);
  }

  /**
   * How large a packet may be over connections to come, on MySQL and MariaDB.
   *
   * @return what it was before
   */
  long limitPackets(long bytes) {
    long before = ask("SELECT @@GLOBAL.max_allowed_packet", "").iterator().next();
    run("SET GLOBAL max_allowed_packet = " + bytes, "");
    return before;
  }

  private void run(String mySql, String postgreSql) {
    String text = inItsWords(mySql, postgreSql);
    try (Connection connection = connect(inItsWords("", "postgres"));
        Statement statement = connection.createStatement()) {
      statement.execute(text);
    } catch (SQLException e) {
      throw new IllegalStateException("The server refuses: " + text, e);
    }
  }

  private Set<Long> ask(String mySql, String postgreSql) {
    String text = inItsWords(mySql, postgreSql);
    try (Connection connection = connect(inItsWords("", "postgres"));
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(text)) {
      Set<Long> answers = new HashSet<>();
      while (rows.next()) {
        answers.add(rows.getLong(1));
      }
      return answers;
    } catch (SQLException e) {
      throw new IllegalStateException("The server does not answer: " + text, e);
    }
  }
}
