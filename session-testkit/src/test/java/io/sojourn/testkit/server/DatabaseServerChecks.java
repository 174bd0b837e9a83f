package io.sojourn.testkit.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

/** What holds for the servers of every database. */
abstract class DatabaseServerChecks {

  private final DatabaseProduct<?> product;
  private final DatabaseServer shared;
  private final String probeTimeouts;

  DatabaseServerChecks(DatabaseProduct<?> product, DatabaseServer shared, String probeTimeouts) {
    this.product = product;
    this.shared = shared;
    this.probeTimeouts = probeTimeouts;
  }

  /** Returns a query for the names of all databases. */
  abstract String databases();

  @Test
  void theSharedServerAnswers() throws SQLException {
    assertThat(query(shared.jdbcUrl(shared.newDatabase()), "SELECT 6 * 7")).isEqualTo("42");
  }

  @Test
  void databasesAreCreatedOnceAndApartFromEachOther() throws SQLException {
    String name = shared.newDatabase() + "_Mixed";
    shared.createDatabase(name);
    update(shared.jdbcUrl(name), "CREATE TABLE t (id INT)");
    shared.createDatabase(name);

    assertThat(query(shared.jdbcUrl(name), "SELECT COUNT(*) FROM t")).isEqualTo("0");
    assertThat(shared.newDatabase()).isNotEqualTo(name);
    assertThatThrownBy(() -> shared.createDatabase("a; DROP DATABASE b"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void whatWasCommittedIsKeptOverAKill() throws SQLException {
    try (DatabaseServer own = product.startPrivate()) {
      int port = own.port();
      String url = own.jdbcUrl(own.newDatabase());
      update(url, "CREATE TABLE t (id INT PRIMARY KEY)");
      try (Connection open = DriverManager.getConnection(url)) {
        update(url, "INSERT INTO t VALUES (7)");

        own.kill();
        assertThatThrownBy(() -> query(open, "SELECT 1")).isInstanceOf(SQLException.class);
      }
      assertThatThrownBy(() -> query(url, "SELECT id FROM t")).isInstanceOf(SQLException.class);
      own.start();

      assertThat(own.port()).isEqualTo(port);
      assertThat(query(url, "SELECT id FROM t")).isEqualTo("7");
    }
  }

  @Test
  void nothingIsAnsweredWhileSuspended() throws SQLException {
    try (DatabaseServer own = product.startPrivate()) {
      String url = own.jdbcUrl(own.newDatabase()) + probeTimeouts;
      try (Connection open =
          await().ignoreExceptions().until(() -> DriverManager.getConnection(url), any -> true)) {
        own.suspend();
        assertThatThrownBy(() -> query(url, "SELECT 1")).isInstanceOf(SQLException.class);
        assertThatThrownBy(() -> query(open, "SELECT 1")).isInstanceOf(SQLException.class);
      }

      own.resume();
      await().ignoreExceptions().until(() -> query(url, "SELECT 1").equals("1"));

      own.suspend(); // and close takes it as it is
    }
  }

  @Test
  void privateServersAreApartFromEachOther() throws SQLException {
    try (DatabaseServer one = product.startPrivate();
        DatabaseServer other = product.startPrivate()) {
      one.createDatabase("same");
      other.createDatabase("same");
      update(one.jdbcUrl("same"), "CREATE TABLE t (id INT)");
      update(other.jdbcUrl("same"), "CREATE TABLE t (id INT)");

      one.kill();

      assertThat(query(other.jdbcUrl("same"), "SELECT COUNT(*) FROM t")).isEqualTo("0");
    }
  }

  @Test
  void closeLeavesNoProcessAndNoFolder() throws IOException {
    ProgramChecks.closeLeavesNoProcessAndNoFolder(product.programInArtifact("secret"));
  }

  @Test
  void aServerThatWasGivenIsUsedButLeftRunning() throws SQLException {
    DatabaseServer given = product.at(shared.jdbcUrl("whatever"));
    String database = given.newDatabase();
    String url = shared.jdbcUrl(product.administrationDatabase());
    try (Connection open = DriverManager.getConnection(given.jdbcUrl(database))) {
      assertThat(query(open, "SELECT 1")).isEqualTo("1");
      assertThat(query(url, databases())).contains(database);
      assertThatThrownBy(given::kill).isInstanceOf(UnsupportedOperationException.class);

      given.close();
    }

    assertThat(query(url, databases())).isNotEmpty().doesNotContain(database);
    assertThatThrownBy(() -> product.at("jdbc:h2:mem:test"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("sojourn.test.");
  }

  static void update(String url, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.executeUpdate(sql);
    }
  }

  /** Returns the first column of all rows. */
  static String query(String url, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url)) {
      return query(connection, sql);
    }
  }

  private static String query(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      StringBuilder column = new StringBuilder();
      while (rows.next()) {
        column.append(rows.getString(1)).append(' ');
      }
      return column.toString().strip();
    }
  }
}
