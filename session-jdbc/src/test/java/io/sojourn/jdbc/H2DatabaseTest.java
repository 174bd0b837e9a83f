package io.sojourn.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.AttributeChange;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** H2 inside this JVM. */
class H2DatabaseTest extends JdbcSessionStoreContract {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  @Override
  String url() {
    return url;
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
    return "VARCHAR(120) DEFAULT '' NOT NULL";
  }

  @Override
  Connection countedConnection() throws SQLException {
    return DriverManager.getConnection(url);
  }

  /** Those of all connections. */
  @Override
  List<String> statements(Connection connection, Runnable something) throws SQLException {
    execute("SET QUERY_STATISTICS TRUE");
    something.run();
    List<String> statements = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT sql_statement, execution_count FROM information_schema.query_statistics")) {
      while (rows.next()) {
        statements.addAll(Collections.nCopies(rows.getInt(2), rows.getString(1)));
      }
    }
    execute("SET QUERY_STATISTICS FALSE");
    statements.removeIf(sql -> sql.startsWith("SET QUERY_STATISTICS"));
    return statements;
  }

  /** Nor with settings of the database, which are an administrator's to say. */
  @Override
  String urlWithoutAccount() {
    return url.replaceFirst(";.*", "");
  }

  @Override
  void createAccount(String name, String password) throws SQLException {
    execute("CREATE USER " + name + " PASSWORD '" + password + "'");
  }

  @Override
  void grantRows(String name) throws SQLException {
    execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON sojourn_session TO " + name,
        "GRANT SELECT, INSERT, UPDATE, DELETE ON sojourn_session_attribute TO " + name,
        "GRANT SELECT ON sojourn_session_version TO " + name);
  }

  @Override
  void grantCreation(String name) throws SQLException {
    execute(
        "GRANT ALTER ANY SCHEMA TO " + name,
        "GRANT SELECT, INSERT, UPDATE, DELETE ON SCHEMA PUBLIC TO " + name);
  }

  @ParameterizedTest
  @ValueSource(strings = {"executeUpdate", "commit"})
  @Tag("G2")
  @Tag("G5")
  void aSaveWhoseAnswerWasLostIsDoneOnce(String lost) {
    AtomicReference<@Nullable Runnable> meanwhile = new AtomicReference<>();
    DriverDataSource losing =
        new DriverDataSource(url()) {
          @Override
          public Connection getConnection() throws SQLException {
            return losing(Connection.class, super.getConnection(), lost, meanwhile);
          }
        };
    SessionStore other = open();
    SessionStore store = JdbcSessionStore.of(losing, configuration());
    SessionKey key = created(store, Map.of("a", value("1")));
    meanwhile.set(
        () -> {
          for (int i = 3; i < 6; i++) {
            assertThat(other.save(delta(key, Map.of("a", set("" + i))))).hasValue(i);
          }
        });
    // A replacement is in a transaction, since it may find nothing to replace.
    AttributeChange change =
        lost.equals("commit") ? new AttributeChange.Replace(value("2"), 1) : set("2");
    assertThat(store.save(delta(key, Map.of("a", change)))).as("its own").hasValue(2);
    assertThat(meanwhile).hasValue(null);
    assertThat(attributes(store, key)).isEqualTo(Map.of("a", value("5")));
  }

  /** The same, but that the answer of one call of this method is lost, once something is to be. */
  private static <T> T losing(
      Class<T> type, T real, String lost, AtomicReference<@Nullable Runnable> meanwhile) {
    return type.cast(
        Proxy.newProxyInstance(
            H2DatabaseTest.class.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              Object answer = method.invoke(real, arguments);
              Runnable next = method.getName().equals(lost) ? meanwhile.getAndSet(null) : null;
              if (next != null) {
                next.run();
                throw new SQLException("The answer is lost", "08006");
              }
              return answer instanceof PreparedStatement statement
                  ? losing(PreparedStatement.class, statement, lost, meanwhile)
                  : answer;
            }));
  }
}
