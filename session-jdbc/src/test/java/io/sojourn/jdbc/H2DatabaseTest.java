package io.sojourn.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

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

  /** Here a save is a transaction, and what is lost is that it was committed. */
  @Test
  @Tag("G2")
  @Tag("G5")
  void aSaveWhoseAnswerWasLostIsDoneOnce() {
    AtomicReference<@Nullable Runnable> meanwhile = new AtomicReference<>();
    DriverDataSource losing =
        new DriverDataSource(url()) {
          @Override
          public Connection getConnection() throws SQLException {
            return losingCommits(super.getConnection(), meanwhile);
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
    assertThat(store.save(delta(key, Map.of("a", set("2"))))).as("its own").hasValue(2);
    assertThat(meanwhile).hasValue(null);
    assertThat(attributes(store, key)).isEqualTo(Map.of("a", value("5")));
  }

  private static Connection losingCommits(
      Connection connection, AtomicReference<@Nullable Runnable> meanwhile) {
    return (Connection)
        Proxy.newProxyInstance(
            H2DatabaseTest.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> {
              Object answer = method.invoke(connection, arguments);
              Runnable next = method.getName().equals("commit") ? meanwhile.getAndSet(null) : null;
              if (next != null) {
                next.run();
                throw new SQLException("The answer is lost", "08006");
              }
              return answer;
            });
  }
}
