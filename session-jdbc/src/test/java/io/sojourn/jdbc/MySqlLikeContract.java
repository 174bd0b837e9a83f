package io.sojourn.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.LoadResult;
import io.sojourn.SessionDelta;
import io.sojourn.SessionException;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.testkit.PatientStores;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** MySQL and MariaDB, by either driver. */
abstract class MySqlLikeContract extends DatabaseServerContract {

  private final String url;
  private final String database;
  private final String other;

  /**
   * For subclasses.
   *
   * @param database its name
   * @param url its URL
   */
  MySqlLikeContract(String database, UnaryOperator<String> url) {
    this.url = url.apply(database);
    this.database = database;
    this.other = database + "_other";
  }

  @Override
  final String url() {
    return url;
  }

  @Override
  final String urlWithoutAccount() {
    return url.replaceFirst("user=[^&]*&password=[^&]*&?", "");
  }

  @Override
  final String isOwnRow() {
    return "kind = 0";
  }

  @Override
  final String attributeRows() {
    return "sojourn_session WHERE kind = 1";
  }

  @Override
  final String typeOfSaves() {
    return "VARBINARY(120) NULL";
  }

  @Override
  final String otherSchema() {
    return other;
  }

  @AfterEach
  final void dropOther() throws SQLException {
    execute("DROP DATABASE IF EXISTS " + other);
  }

  @Override
  final List<String> statements(Connection connection, Runnable something) throws SQLException {
    long id = single(connection, "SELECT CONNECTION_ID()");
    execute(
        "SET GLOBAL log_output = 'TABLE'",
        "TRUNCATE mysql.general_log",
        "SET GLOBAL general_log = 1");
    something.run();
    execute("SET GLOBAL general_log = 0");
    List<String> statements = new ArrayList<>();
    try (Connection observer = DriverManager.getConnection(url);
        PreparedStatement log =
            observer.prepareStatement(
                "SELECT argument FROM mysql.general_log WHERE thread_id = ?"
                    + " AND command_type IN ('Query', 'Execute') ORDER BY event_time")) {
      log.setLong(1, id);
      try (ResultSet rows = log.executeQuery()) {
        while (rows.next()) {
          statements.add(rows.getString(1));
        }
      }
    }
    return statements;
  }

  @Override
  final long bytes(Connection connection, Runnable something) throws SQLException {
    long asking = -bytes(connection);
    asking += bytes(connection);
    long before = bytes(connection);
    something.run();
    return bytes(connection) - before - asking;
  }

  private static long bytes(Connection connection) throws SQLException {
    return single(connection, "SHOW SESSION STATUS LIKE 'Bytes_%'");
  }

  @Override
  final String analyze() {
    return "ANALYZE TABLE sojourn_session";
  }

  @Override
  final long rowsRead(Connection connection, Runnable something) throws SQLException {
    long before = single(connection, "SHOW SESSION STATUS LIKE 'Handler_read_%'");
    something.run();
    return single(connection, "SHOW SESSION STATUS LIKE 'Handler_read_%'") - before;
  }

  /** The last column, summed up. */
  private static long single(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      int column = rows.getMetaData().getColumnCount();
      long sum = 0;
      while (rows.next()) {
        sum += rows.getLong(column);
      }
      return sum;
    }
  }

  @Override
  final String makeReadOnly() {
    return "SET SESSION TRANSACTION READ ONLY";
  }

  @Override
  final String setTimeZone(String name, String offset) {
    return "SET time_zone = '" + offset + "'";
  }

  @Override
  final void createAccount(String name, String password) throws SQLException {
    execute(
        "CREATE USER " + name + "@'%' IDENTIFIED BY '" + password + "'",
        // Somebody has to see the database to use it.
        "GRANT LOCK TABLES ON " + database + ".* TO " + name + "@'%'");
  }

  @Override
  final void grantRows(String name) throws SQLException {
    execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON "
            + database
            + ".sojourn_session TO "
            + name
            + "@'%'",
        "GRANT SELECT ON " + database + ".sojourn_session_version TO " + name + "@'%'");
  }

  @Override
  final void grantCreation(String name) throws SQLException {
    execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON " + database + ".* TO " + name + "@'%'");
  }

  /** Its answer to an update that changes nothing is 0, as if there were no row. */
  @Test
  @Tag("G4")
  void aDriverThatCountsOnlyChangedRowsLosesNoSession() {
    try (SessionStore store =
        PatientStores.open(url + "&useAffectedRows=true", "app", () -> Duration.ZERO)) {
      SessionKey key = created(store, Map.of("a", value("1")));
      SessionDelta earlier = SessionDelta.touch(key, Duration.ofMinutes(5));
      assertThat(store.save(earlier)).hasValue(1);
      assertThat(store.save(earlier)).hasValue(1);
      assertThat(store.save(delta(key, Map.of("a", set("1"))))).hasValue(2);
      assertThat(store.save(delta(key, Map.of("a", set("1"))))).hasValue(3);
      assertThat(store.remove(key)).isTrue();
      assertThat(store.save(earlier)).isEmpty();
      assertThat(store.save(delta(key, Map.of("a", set("1"))))).isEmpty();
    }
  }

  /** A save leans on an error that must be one in each of them. */
  @Test
  @Tag("G7")
  void saveNeverRevivesARemovedSessionWhateverTheSqlMode() {
    for (String mode : List.of("", "NO_UNSIGNED_SUBTRACTION", "ANSI", "TRADITIONAL")) {
      DriverDataSource dataSource =
          new DriverDataSource(url) {
            @Override
            public Connection getConnection() throws SQLException {
              Connection connection = super.getConnection();
              try (Statement statement = connection.createStatement()) {
                statement.execute("SET sql_mode = '" + mode + "'");
              }
              return connection;
            }
          };
      SessionStore store = JdbcSessionStore.of(dataSource, configuration());
      SessionKey key = created(store, Map.of("a", value("1")));
      assertThat(store.save(delta(key, Map.of("a", set("2"), "b", set("2"))))).hasValue(2);
      assertThat(store.remove(key)).isTrue();
      assertThat(store.save(delta(key, Map.of("a", set("2"), "b", set("2"))))).isEmpty();
      assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Missing.class);
      assertThat(store.create(session(key, Map.of("c", value("1"))))).isTrue();
      assertThat(attributes(store, key)).containsOnlyKeys("c");
    }
  }

  @Test
  void statementsThatTheServerPreparesDoTheSame() {
    String prepared =
        url + "&useServerPrepStmts=true&cachePrepStmts=true&prepStmtCacheSqlLimit=8192";
    try (SessionStore store = PatientStores.open(prepared, "app", () -> Duration.ZERO)) {
      for (int round = 0; round < 3; round++) {
        SessionKey key = created(store, Map.of("a", value("1"), "b", value("1")));
        for (int version = 2; version < 10; version++) {
          assertThat(
                  store.save(
                      delta(
                          key,
                          Map.of(
                              "a",
                              new AttributeChange.Replace(value("x" + version), version - 1),
                              "n" + version,
                              set("1")))))
              .hasValue(version);
        }
        assertThat(attributes(store, key)).hasSize(10).containsEntry("a", value("x9"));
        assertThat(store.remove(key)).isTrue();
        assertThat(store.save(delta(key, Map.of("a", set("2"), "b", set("2"))))).isEmpty();
        assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Missing.class);
      }
    }
  }

  /** The mark of its removal has been swept: only an insert could write it. */
  @Test
  @Tag("R1")
  void aReplacementOfWhatIsNotThereWritesNothing() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of("a", value("1")));
    assertThat(store.save(delta(key, Map.of("gone", new AttributeChange.Replace(value("x"), 1)))))
        .hasValue(2);
    assertThat(attributes(store, key)).containsOnlyKeys("a");
    assertThat(((LoadResult.Changed) store.load(key, 1)).set()).isEmpty();
    assertThat(store.save(delta(key, Map.of("gone", new AttributeChange.Replace(value("x"), 2)))))
        .hasValue(3);
    assertThat(attributes(store, key)).containsOnlyKeys("a");
    assertThat(store.save(delta(key, Map.of("gone", set("back"))))).hasValue(4);
    assertThat(store.save(delta(key, Map.of("gone", new AttributeChange.Replace(value("y"), 4)))))
        .hasValue(5);
    assertThat(attributes(store, key)).containsEntry("gone", value("y"));
  }

  @Test
  @Tag("R87")
  void aValueThatTheServerDoesNotTakeIsRefusedByItsAttributesName() throws SQLException {
    long packet = number("SELECT @@max_allowed_packet");
    int size = (int) Math.min(packet + 1, 1 << 27);
    SessionStore store = open(Map.of("maxAttributeBytes", "" + Integer.MAX_VALUE));
    SessionKey key = created(store, Map.of("a", value("1")));
    EncodedValue tooLarge = EncodedValue.of(new byte[size]);
    assertThatThrownBy(
            () -> store.save(delta(key, Map.of("video", new AttributeChange.Set(tooLarge)))))
        .isExactlyInstanceOf(SessionException.class)
        .hasMessageContaining("video")
        .hasMessageContaining("max_allowed_packet");
    // Each of its bytes takes two in the text of a statement.
    byte[] quotes = new byte[(int) (packet / 2)];
    Arrays.fill(quotes, (byte) '\'');
    assertThat(store.refusal("video", EncodedValue.of(quotes))).isPresent();
    assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Unchanged.class);
  }
}
