package io.sojourn.jdbc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.SessionDelta;
import io.sojourn.SessionException;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.Threads;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the contract of stores does not reach. */
class JdbcSessionStoreTest {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
  private final JdbcSessionStoreProvider provider = new JdbcSessionStoreProvider();

  private static NewSession session(SessionKey key) {
    return new NewSession(
        key,
        SessionStore.FIRST_VERSION,
        Instant.now(),
        IdleTimeout.of(Duration.ofMinutes(30), Duration.ofMinutes(1)),
        Map.of("a", EncodedValue.of("1".getBytes(UTF_8))));
  }

  private SessionStore open() {
    return provider.open(StoreConfiguration.of(url, "app"));
  }

  private int count(String sql, byte[] origin) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setBytes(1, origin);
      try (ResultSet rows = statement.executeQuery()) {
        assertThat(rows.next()).isTrue();
        return rows.getInt(1);
      }
    }
  }

  @Test
  @Tag("R6")
  void attributesWithoutTheirSessionAreNoSession() throws SQLException {
    SessionKey key = SessionKey.of("half");
    try (SessionStore store = open()) {
      store.create(session(key));
      try (Connection connection = DriverManager.getConnection(url);
          PreparedStatement half =
              connection.prepareStatement("DELETE FROM sojourn_session WHERE origin = ?")) {
        half.setBytes(1, key.bytes());
        assertThat(half.executeUpdate()).isEqualTo(1);
      }
      assertThat(store.load(key, SessionStore.NO_VERSION)).isInstanceOf(LoadResult.Missing.class);
      assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Missing.class);
      assertThat(store.save(SessionDelta.touch(key, Duration.ZERO))).isEmpty();
      assertThat(store.remove(key)).isFalse();
      assertThat(store.create(session(key))).as("the rest is in nobody's way").isTrue();
      assertThat(store.load(key, SessionStore.NO_VERSION)).isInstanceOf(LoadResult.Found.class);
    }
  }

  @Test
  @Tag("R5")
  void aRemovedSessionLeavesNoRow() throws SQLException {
    SessionKey key = SessionKey.of("gone");
    try (SessionStore store = open()) {
      store.create(session(key));
      assertThat(store.remove(key)).isTrue();
      store.save(
          new SessionDelta(
              key,
              Map.of("b", new AttributeChange.Set(EncodedValue.of(new byte[1]))),
              Optional.empty(),
              Duration.ZERO));
    }
    assertThat(count("SELECT COUNT(*) FROM sojourn_session WHERE origin = ?", key.bytes()))
        .isZero();
    assertThat(
            count("SELECT COUNT(*) FROM sojourn_session_attribute WHERE origin = ?", key.bytes()))
        .isZero();
  }

  @Test
  @Tag("G10")
  @Tag("R58")
  void noColumnHoldsTheId() throws SQLException {
    SessionKey key = SessionKey.of("the-id-in-clear");
    try (SessionStore store = open()) {
      store.create(session(key));
    }
    try (Connection connection = DriverManager.getConnection(url);
        ResultSet script = connection.createStatement().executeQuery("SCRIPT")) {
      while (script.next()) {
        assertThat(script.getString(1)).doesNotContainIgnoringCase("the-id-in-clear");
      }
    }
  }

  @Test
  void manyNodesCreateTheTablesAtOnce() {
    List<SessionStore> stores = Threads.call(8, thread -> open());
    List<Boolean> answers =
        Threads.call(8, thread -> stores.get(thread).create(session(SessionKey.of("s" + thread))));
    assertThat(answers).containsOnly(true);
    stores.forEach(SessionStore::close);
  }

  @Test
  @Tag("G6")
  void nodesInDifferentTimeZonesAgreeOnTheTime() {
    SessionKey key = SessionKey.of("s");
    Instant before = Instant.now();
    try (SessionStore west =
            provider.open(StoreConfiguration.of(url + ";TIME ZONE=America/New_York", "app"));
        SessionStore east =
            provider.open(StoreConfiguration.of(url + ";TIME ZONE=Asia/Kolkata", "app"))) {
      assertThat(west.create(session(key))).isTrue();
      LoadResult result = east.load(key, SessionStore.NO_VERSION);
      assertThat(result).isInstanceOf(LoadResult.Found.class);
      assertThat(((LoadResult.Found) result).session().lastAccessTime())
          .isCloseTo(before, within(1, ChronoUnit.MINUTES));
    }
  }

  @Test
  void aDataSourceHandedOverIsUsedAndLeftOpen() throws SQLException {
    JdbcDataSource dataSource = new JdbcDataSource();
    dataSource.setUrl(url);
    SessionKey key = SessionKey.of("s");
    JdbcSessionStore store = JdbcSessionStore.of(dataSource, StoreConfiguration.of(url, "app"));
    assertThat(store.create(session(key))).isTrue();
    store.close();
    assertThat(count("SELECT COUNT(*) FROM sojourn_session WHERE origin = ?", key.bytes()))
        .isEqualTo(1);
  }

  @Test
  void aNameThatIsTooLongIsRefusedAndNothingIsWritten() {
    SessionKey key = SessionKey.of("s");
    try (SessionStore store = open()) {
      store.create(session(key));
      SessionDelta delta =
          new SessionDelta(
              key,
              Map.of(
                  "b",
                  new AttributeChange.Set(EncodedValue.of(new byte[1])),
                  "x".repeat(2000),
                  new AttributeChange.Set(EncodedValue.of(new byte[1]))),
              Optional.empty(),
              Duration.ZERO);
      assertThatThrownBy(() -> store.save(delta))
          .isInstanceOf(SessionException.class)
          .hasMessageContaining("2000");
      assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Unchanged.class);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "jdbc:mysql://anna@127.0.0.1:1/x",
        "jdbc:mysql://(host=127.0.0.1,port=1,user=anna)/x",
        "jdbc:mariadb://127.0.0.1:1/x?user=anna&sessionVariables=a='x,password=@'"
      })
  @Tag("R71")
  void oneHalfOfTheAccountMayBeInTheUrlAndTheOtherBesideIt(String halfUrl) {
    Map<String, String> password = Map.of("password", "b");
    provider.open(new StoreConfiguration(halfUrl, "app", password, () -> Duration.ZERO)).close();
    Map<String, String> username = Map.of("username", "b");
    assertThatThrownBy(
            () ->
                provider.open(
                    new StoreConfiguration(halfUrl, "app", username, () -> Duration.ZERO)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("username=");
  }

  @Test
  @Tag("R71")
  void whatIsWrongInTheConfigurationIsNamed() {
    assertThatThrownBy(
            () ->
                provider.open(
                    new StoreConfiguration(
                        url, "app", Map.of("maxPoolSize", "3"), () -> Duration.ZERO)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("maxPoolSize")
        .hasMessageContaining("maximumPoolSize");
    assertThatThrownBy(
            () ->
                provider.open(
                    new StoreConfiguration(
                        url, "app", Map.of("maximumPoolSize", "many"), () -> Duration.ZERO)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("maximumPoolSize");
    assertThatThrownBy(() -> provider.open(StoreConfiguration.of("jdbc:nothing://x/y", "app")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("jdbc:nothing://x/y");
    assertThatThrownBy(() -> provider.open(StoreConfiguration.of(url, "x".repeat(201))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("application");
  }

  /** That it is large is not why. */
  @Test
  void aLargeSaveThatTheDatabaseRefusesIsSentOnce() throws SQLException {
    AtomicInteger connections = new AtomicInteger();
    DriverDataSource counting =
        new DriverDataSource(url) {
          @Override
          public Connection getConnection() throws SQLException {
            connections.incrementAndGet();
            return super.getConnection();
          }
        };
    SessionKey key = SessionKey.of("s");
    JdbcSessionStore store = JdbcSessionStore.of(counting, StoreConfiguration.of(url, "app"));
    store.create(session(key));
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "ALTER TABLE sojourn_session_attribute ADD CHECK (OCTET_LENGTH(content) < 100)");
    }
    SessionDelta large =
        new SessionDelta(
            key,
            Map.of("b", new AttributeChange.Set(EncodedValue.of(new byte[10_000]))),
            Optional.empty(),
            Duration.ZERO);
    connections.set(0);
    assertThatThrownBy(() -> store.save(large)).isExactlyInstanceOf(SessionException.class);
    assertThat(connections).hasValue(1);
  }

  /** Of RDS and the like: a failover is noticed soon, and no server closes what the pool keeps. */
  @Test
  @Tag("R18")
  @Tag("R21")
  void aPoolOfItsOwnSuitsAServerThatFailsOver() {
    for (String server : List.of("mysql", "mariadb", "postgresql")) {
      StoreConfiguration configuration =
          StoreConfiguration.of("jdbc:" + server + "://127.0.0.1:1/nobody", "app");
      JdbcSettings settings = JdbcSettings.of(Map.of(), true);
      try (HikariDataSource pool = JdbcSessionStoreProvider.pool(configuration, settings)) {
        assertThat(pool.getMaxLifetime()).isEqualTo(Duration.ofMinutes(10).toMillis());
        assertThat(pool.getKeepaliveTime()).isEqualTo(Duration.ofMinutes(2).toMillis());
        assertThat(pool.getConnectionTimeout()).isEqualTo(800);
        assertThat(pool.getValidationTimeout()).isEqualTo(266);
        assertThat(pool.getMaximumPoolSize()).isEqualTo(10);
        assertThat(pool.getMinimumIdle()).isEqualTo(10);
        assertThat(pool.getTransactionIsolation()).isEqualTo("TRANSACTION_READ_COMMITTED");
        assertThat(pool.getConnectionTestQuery()).contains("read_only");
      }
    }
  }

  @Test
  @Tag("R18")
  void whoWaitsForALockGivesUpBeforeWhoWaitsForTheAnswerWhereTheDatabaseCan() {
    JdbcSettings settings = JdbcSettings.of(Map.of(), true);
    assertThat(DriverDefaults.MYSQL.initSql(settings)).endsWith("innodb_lock_wait_timeout = 1");
    assertThat(DriverDefaults.POSTGRESQL.initSql(settings)).contains("lock_timeout = '400ms'");
    JdbcSettings patient = JdbcSettings.of(Map.of("socketTimeout", "10s"), true);
    assertThat(DriverDefaults.MYSQL.initSql(patient)).endsWith("innodb_lock_wait_timeout = 5");
  }

  /** It does not pass by itself, so nobody is served from a node's memory meanwhile. */
  @Test
  @Tag("R71")
  void aServerThatTurnsOutToBeTooOldFailsEachCallAndIsNoOutage() {
    SessionStore store =
        JdbcSessionStore.of(
            OldServerDriver.dataSource(OldServerDriver.url(url)),
            StoreConfiguration.of(url, "app"));
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(store::ping)
          .isExactlyInstanceOf(SessionException.class)
          .hasMessageContaining(url)
          .hasMessageContaining("H2 1.4.200")
          .hasMessageContaining("H2 2.2 or later");
    }
  }

  @Test
  @Tag("R71")
  void aServerThatIsTooOldStopsTheOpeningAndItsPoolIsClosed() {
    String old = OldServerDriver.url(url);
    assertThatThrownBy(() -> provider.open(StoreConfiguration.of(old, "app")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("store=\"" + old)
        .hasMessageContaining("H2 1.4.200")
        .hasMessageContaining("H2 2.2 or later");
    await().atMost(Duration.ofSeconds(30)).until(() -> OldServerDriver.connections(old) == 0);
  }

  @Test
  @Tag("R71")
  void aDataSourceOfTheContainersThatLeadsToAServerThatIsTooOldStopsTheOpening() {
    String old = OldServerDriver.url(url);
    assertThatThrownBy(() -> BoundDataSource.open(OldServerDriver.dataSource(old)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("store=\"" + BoundDataSource.STORE)
        .hasMessageContaining("H2 2.2 or later");
    assertThat(OldServerDriver.connections(old)).isZero();
  }

  @Test
  @Tag("R17")
  void aServerThatCannotBeAskedYetDoesNotKeepAStoreFromOpening() {
    CountDownLatch up = new CountDownLatch(1);
    DataSource silent =
        new DriverDataSource(url) {
          @Override
          public Connection getConnection() throws SQLException {
            try {
              up.await();
            } catch (InterruptedException e) {
              throw new SQLException(e);
            }
            return super.getConnection();
          }
        };
    CompletableFuture<SessionStore> opening =
        CompletableFuture.supplyAsync(() -> BoundDataSource.open(silent));
    assertThat(opening).succeedsWithin(Duration.ofSeconds(30));
    up.countDown();
    opening.join().ping();
  }
}
