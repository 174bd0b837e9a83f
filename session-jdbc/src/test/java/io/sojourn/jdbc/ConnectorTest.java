package io.sojourn.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatObject;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.DriverPropertyInfo;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Logger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConnectorTest {

  private static final String URL = "jdbc:h2:mem:connector";

  /** H2's, for a database that can be down. */
  private static final class Failing implements Driver {
    private final Driver driver;
    final AtomicBoolean down = new AtomicBoolean();
    final AtomicInteger failures = new AtomicInteger();

    Failing() throws SQLException {
      driver = DriverManager.getDriver(URL);
    }

    @Override
    public Connection connect(String url, Properties info) throws SQLException {
      if (down.get()) {
        failures.incrementAndGet();
        throw new SQLException("down", "08001");
      }
      return driver.connect(url, info);
    }

    @Override
    public boolean acceptsURL(String url) throws SQLException {
      return driver.acceptsURL(url);
    }

    @Override
    public DriverPropertyInfo[] getPropertyInfo(String url, Properties info) throws SQLException {
      return driver.getPropertyInfo(url, info);
    }

    @Override
    public int getMajorVersion() {
      return driver.getMajorVersion();
    }

    @Override
    public int getMinorVersion() {
      return driver.getMinorVersion();
    }

    @Override
    public boolean jdbcCompliant() {
      return driver.jdbcCompliant();
    }

    @Override
    public Logger getParentLogger() {
      return Logger.getGlobal();
    }
  }

  private static Connection connect(Connector connector) {
    try {
      return connector.getConnection();
    } catch (SQLException e) {
      throw new CompletionException(e);
    }
  }

  @Test
  @Tag("G4")
  @Tag("R17")
  void itConnectsAsSoonAsTheDatabaseIsThereAndSaysMeanwhileWhyItCannot() throws SQLException {
    Failing driver = new Failing();
    try (Connector connector =
        new Connector(driver, URL, new Properties(), "", "", List.of(), Duration.ZERO)) {
      driver.down.set(true);
      CompletableFuture<Connection> waiting =
          CompletableFuture.supplyAsync(() -> connect(connector));
      await().until(() -> driver.failures.get() >= 3);
      assertThat(waiting).isNotDone();
      assertThatObject(connector.lastFailure()).hasToString("java.sql.SQLException: down");
      driver.down.set(false);
      try (Connection connection = waiting.join()) {
        assertThat(connection.isValid(1)).isTrue();
      }
      assertThatObject(connector.lastFailure()).isNull();
    }
  }

  @Test
  void closingEndsTheAttempts() throws SQLException {
    Failing driver = new Failing();
    Connector connector =
        new Connector(driver, URL, new Properties(), "", "", List.of(), Duration.ZERO);
    driver.down.set(true);
    CompletableFuture<Connection> waiting = CompletableFuture.supplyAsync(() -> connect(connector));
    await().until(() -> driver.failures.get() >= 1);
    connector.close();
    assertThatThrownBy(waiting::join).hasRootCauseMessage("down");
    int failures = driver.failures.get();
    assertThatThrownBy(connector::getConnection).hasMessage("down");
    assertThat(driver.failures).hasValue(failures + 1);
  }

  @Test
  @Tag("R21")
  void aServerThatTakesNoWritesIsNoneToConnectTo() throws SQLException {
    try (Connection database = DriverManager.getConnection(URL);
        Statement statement = database.createStatement()) {
      statement.execute("CREATE TABLE test (writes INT)");
      statement.execute("INSERT INTO test VALUES (0)");
      String test = "SELECT 1 / writes FROM test";
      try (Connector connector =
          new Connector(
              new Failing(),
              URL,
              new Properties(),
              "SET LOCK_TIMEOUT 7",
              test,
              List.of(),
              Duration.ZERO)) {
        CompletableFuture<Connection> waiting =
            CompletableFuture.supplyAsync(() -> connect(connector));
        await().until(() -> connector.lastFailure() != null);
        assertThatObject(connector.lastFailure()).asString().contains("takes no writes");
        assertThat(waiting).isNotDone();
        statement.execute("UPDATE test SET writes = 1");
        try (Connection connection = waiting.join();
            ResultSet timeout =
                connection.createStatement().executeQuery("SELECT LOCK_TIMEOUT()")) {
          assertThat(timeout.next()).isTrue();
          assertThat(timeout.getInt(1)).isEqualTo(7);
        }
      }
    }
  }

  // ---------------------------------------------------------------- which server it is

  private static Connector asking(String... serverSql) throws SQLException {
    return new Connector(
        new Failing(),
        URL,
        new Properties(),
        "SET LOCK_TIMEOUT 7",
        "SELECT 1",
        List.of(serverSql),
        Duration.ZERO);
  }

  @Test
  @Tag("R8")
  void anotherServerIsToldOfOnceNobodyCanBeLentAConnectionToTheFormer() throws SQLException {
    try (Connection database = DriverManager.getConnection(URL);
        Statement statement = database.createStatement();
        Connector connector = asking("SELECT name FROM server", "SELECT 0, uptime FROM server")) {
      statement.execute("CREATE TABLE server (name VARCHAR(9), uptime BIGINT)");
      statement.execute("INSERT INTO server VALUES ('a', 1000)");
      List<Long> discarded = new ArrayList<>();
      connector.onChange(() -> discarded.add(connector.changes()));
      connect(connector).close();
      connect(connector).close();
      assertThat(connector.changes()).isZero();
      statement.execute("UPDATE server SET name = 'b'");
      connect(connector).close();
      assertThat(connector.changes()).isEqualTo(1);
      assertThat(discarded).containsExactly(0L);
      // Started again: nobody has a connection to what it was.
      statement.execute("UPDATE server SET uptime = 1");
      connect(connector).close();
      assertThat(connector.changes()).isEqualTo(2);
      // Several take turns.
      statement.execute("UPDATE server SET name = 'a'");
      connect(connector).close();
      assertThat(connector.changes()).isEqualTo(3);
      assertThat(discarded).hasSize(1);
    }
  }

  @ParameterizedTest
  @Tag("R8")
  @ValueSource(
      strings = {"SELECT nothing", "SELECT 'a' WHERE FALSE", "SELECT 0;SELECT 0, 'a while'"})
  void aServerThatDoesNotSayWhichItIsIsConnectedToAndCountsAsAnother(String serverSql)
      throws SQLException {
    List<Long> discarded = new ArrayList<>();
    try (Connector connector = asking(serverSql.split(";", -1))) {
      connector.onChange(() -> discarded.add(connector.changes()));
      for (int i = 0; i < 3; i++) {
        try (Connection connection = connector.getConnection()) {
          assertThat(connection.isValid(1)).isTrue();
        }
      }
      assertThat(connector.changes()).isEqualTo(2);
    }
    assertThat(discarded).isEmpty();
  }
}
