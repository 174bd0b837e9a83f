package io.sojourn.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.LoadResult;
import io.sojourn.PrincipalKey;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.testkit.CuttingProxy;
import io.sojourn.testkit.server.RealServers;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What must hold on each database that is a server, counted by the server itself. */
@ExtendWith(RealServers.class)
abstract class DatabaseServerContract extends JdbcSessionStoreContract {

  @Override
  final Connection countedConnection() throws SQLException {
    JdbcSettings settings = JdbcSettings.of(Map.of(), true);
    DriverDefaults defaults = DriverDefaults.of(url());
    Properties properties = new Properties();
    properties.putAll(defaults.properties(settings));
    properties.putAll(countingProperties());
    Connection connection = DriverManager.getConnection(url(), properties);
    try (Statement statement = connection.createStatement()) {
      statement.execute(defaults.initSql(settings));
    }
    return connection;
  }

  /** What the driver has to be told so that {@link #bytes} can count. */
  Map<String, String> countingProperties() {
    return Map.of();
  }

  /** The bytes that went over this connection, both ways, while something was done. */
  abstract long bytes(Connection connection, Runnable something) throws SQLException;

  /**
   * The statement that makes the database look at how many rows there are, as it does by itself.
   */
  abstract String analyze();

  /** How many rows and index entries the server read over this connection meanwhile. */
  abstract long rowsRead(Connection connection, Runnable something) throws SQLException;

  /**
   * Nor does a pool add any, but for the test of a connection that has not been used for half a
   * second, which is up to how busy the machine is.
   */
  @Test
  @Tag("G9")
  @Tag("R78")
  void thePoolAddsNoStatement() throws SQLException {
    StoreConfiguration configuration = configuration(Map.of("maximumPoolSize", "1"));
    JdbcSettings settings = JdbcSettings.of(configuration.options(), true);
    HikariDataSource pool = JdbcSessionStoreProvider.pool(configuration, settings);
    try (SessionStore store = JdbcSessionStore.owning(pool, configuration, settings)) {
      SessionKey key = created(store, Map.of("a", value("1")));
      Connection connection;
      try (Connection lent = pool.getConnection()) {
        connection = lent.unwrap(Connection.class);
      }
      int times = 20;
      List<String> statements =
          statements(
              connection,
              () -> {
                for (int i = 1; i <= times; i++) {
                  assertThat(store.save(delta(key, Map.of("a", set("2"))))).hasValue(i + 1);
                  assertThat(store.load(key, i + 1)).isInstanceOf(LoadResult.Unchanged.class);
                }
              });
      List<String> tests = statements.stream().filter(sql -> sql.contains("read_only")).toList();
      assertThat(tests).hasSizeLessThan(times);
      assertThat(statements).hasSize(2 * times + tests.size());
    }
  }

  /** One connection as long as that lasts, so that the next answer is that to the next call. */
  private static DriverDataSource keeping(String url) {
    AtomicReference<@Nullable Connection> kept = new AtomicReference<>();
    return new DriverDataSource(url) {
      @Override
      public Connection getConnection() throws SQLException {
        Connection connection = kept.get();
        if (connection == null || connection.isClosed()) {
          connection = super.getConnection();
          kept.set(connection);
        }
        return closing(connection, () -> {});
      }
    };
  }

  /** Whether a call is done again or not, nobody's later write is lost by it. */
  @Test
  @Tag("G2")
  @Tag("G5")
  void aCallWhoseAnswerWasLostIsDoneOnce() throws IOException {
    SessionStore other = open();
    try (CuttingProxy proxy = new CuttingProxy(url())) {
      SessionStore store = JdbcSessionStore.of(keeping(proxy.url()), configuration());
      store.ping();
      SessionKey key = newKey();
      IdleTimeout hour = IdleTimeout.of(Duration.ofHours(1), Duration.ofMinutes(1));
      IdleTimeout longer = IdleTimeout.of(Duration.ofHours(2), Duration.ofMinutes(1));
      lose(
          proxy,
          () -> assertThat(other.load(key, 1)).isInstanceOf(LoadResult.Unchanged.class),
          () -> assertThat(store.create(session(key, Map.of("a", value("1"))))).isTrue());
      lose(
          proxy,
          () -> assertThat(other.load(key, 2)).isInstanceOf(LoadResult.Unchanged.class),
          () -> assertThat(store.save(delta(key, Map.of("a", set("2"))))).hasValue(2));
      lose(
          proxy,
          () -> saveUpTo(other, key, 6),
          () ->
              assertThat(store.save(delta(key, Map.of("a", set("3")))))
                  .as("its own, not the latest")
                  .hasValue(3));
      assertThat(attributes(store, key)).isEqualTo(Map.of("a", value("6")));
      lose(
          proxy,
          () -> assertThat(other.save(timeout(key, longer))).hasValue(8),
          () -> assertThat(store.save(timeout(key, hour))).hasValue(7));
      LoadResult.Found found = (LoadResult.Found) other.load(key, SessionStore.NO_VERSION);
      assertThat(found.session().timeout()).isEqualTo(longer);

      SessionKey renamed = newKey();
      lose(
          proxy,
          () -> assertThat(other.load(renamed, 8)).isInstanceOf(LoadResult.Unchanged.class),
          () -> assertThat(store.rename(key, renamed)).isTrue());
      lose(
          proxy,
          () -> assertThat(other.load(renamed, 8)).isInstanceOf(LoadResult.Missing.class),
          () -> assertThat(store.remove(key)).isTrue());
    }
  }

  private static void saveUpTo(SessionStore store, SessionKey key, int version) {
    for (int i = 4; i <= version; i++) {
      assertThat(store.save(delta(key, Map.of("a", set("" + i))))).hasValue(i);
    }
  }

  private static void lose(CuttingProxy proxy, Runnable meanwhile, Runnable call) {
    Future<?> lost = proxy.loseAnswer(meanwhile);
    call.run();
    assertThat(lost).succeedsWithin(Duration.ofSeconds(10));
  }

  @Test
  @Tag("G9")
  @Tag("R77")
  void aSmallChangeOfALargeSessionMovesFewBytes() throws SQLException {
    for (int size : List.of(200_000, 1_000_000)) {
      byte[] large = new byte[size];
      new Random(1).nextBytes(large);
      Held one = hold(countedConnection());
      Held two = hold(countedConnection());
      SessionKey key =
          created(
              one.store(), Map.of("large", EncodedValue.of(large), "small", value("0".repeat(10))));
      byte[] hundred = new byte[100];
      new Random(2).nextBytes(hundred);
      SessionDelta change =
          delta(key, Map.of("small", new AttributeChange.Set(EncodedValue.of(hundred))));
      // What goes over the network once for each connection.
      assertThat(one.store().save(change)).hasValue(2);
      assertThat(two.store().load(key, 2)).isInstanceOf(LoadResult.Unchanged.class);

      assertThat(bytes(one.connection(), () -> assertThat(one.store().save(change)).hasValue(3)))
          .as("bytes of a save of 100 bytes in %d", size)
          .isBetween(100L, 1000L);
      assertThat(
              bytes(
                  two.connection(),
                  () ->
                      assertThat(((LoadResult.Changed) two.store().load(key, 2)).set())
                          .containsOnlyKeys("small")))
          .as("bytes of a refresh by 100 bytes of %d", size)
          .isBetween(100L, 2000L);
      assertThat(bytes(two.connection(), () -> two.store().load(key, 3)))
          .as("bytes of a load of nothing new")
          .isBetween(50L, 1900L);
    }
  }

  /** Their cost is that of what they find, however much there is beside it. */
  @Test
  @Tag("R73")
  @Tag("R85")
  void aClaimAndALookUpReadNoMoreThanTheyFind() throws SQLException {
    Held held = hold(countedConnection());
    for (int i = 0; i < 1500; i++) {
      created(held.store(), Map.of("a", value("1")));
    }
    PrincipalKey alice = PrincipalKey.of("shop", "alice");
    SessionKey hers = created(held.store(), Map.of());
    assertThat(
            held.store()
                .save(
                    new SessionDelta(
                        hers, Map.of(), Optional.empty(), Optional.of(alice), Duration.ZERO)))
        .isPresent();
    execute(analyze());
    assertThat(
            rowsRead(
                held.connection(),
                () -> assertThat(held.store().findByPrincipal(alice, 10)).containsExactly(hers)))
        .as("rows read by a look-up")
        .isPositive()
        .isLessThan(50);
    setClock(Duration.ofHours(1));
    execute(analyze());
    List<SessionRecord> claimed = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      assertThat(
              rowsRead(
                  held.connection(),
                  () -> claimed.addAll(held.store().claimExpired(20, Duration.ofMinutes(1)))))
          .as("rows read by claim %d", i)
          .isPositive()
          .isLessThan(500);
    }
    assertThat(claimed).hasSize(60);
  }

  /**
   * Somebody's lock keeps a claim from that row alone, and a claim's locks keep nobody from saving
   * what it does not claim: on MariaDB but for the session that is to expire next.
   */
  @Test
  @Tag("G6")
  @Tag("R84")
  void aClaimPassesOverWhatSomebodyHasLockedAndKeepsNobodyFromSaving() throws SQLException {
    SessionStore store = open();
    List<SessionKey> expired = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      expired.add(created(store, Map.of("a", value("1"))));
    }
    long latest = number("SELECT MAX(expiry) FROM sojourn_session");
    setClock(Duration.ofHours(1));
    SessionKey locked = created(store, Map.of("a", value("1")));
    setClock(Duration.ofMinutes(61));
    SessionKey live = created(store, Map.of("a", value("1")));
    try (Connection other = DriverManager.getConnection(url())) {
      other.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      other.setAutoCommit(false);
      DatabaseOutageContract.lockSession(other, expired.get(1));
      DatabaseOutageContract.lockSession(other, locked);
      assertClaims(store, expired.get(0), expired.get(2), expired.get(3));
      other.rollback();
    }
    try (Connection other = DriverManager.getConnection(url())) {
      other.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      other.setAutoCommit(false);
      try (Statement statement = other.createStatement()) {
        statement.executeQuery(
            "SELECT origin FROM sojourn_session WHERE application = 'app' AND expiry <= "
                + latest
                + " ORDER BY expiry LIMIT 10 FOR UPDATE SKIP LOCKED");
      }
      assertClaims(store);
      assertThat(store.save(delta(live, Map.of("a", set("2"), "b", set("2"))))).hasValue(2);
      other.rollback();
    }
    assertClaims(store, expired.get(1));
  }

  private static void assertClaims(SessionStore store, SessionKey... origins) {
    assertThat(store.claimExpired(10, Duration.ofMinutes(10)))
        .extracting(SessionRecord::origin)
        .containsExactlyInAnyOrder(origins);
  }

  @Test
  @Tag("G6")
  void nodesInDifferentTimeZonesAgreeOnTheTime() {
    SessionKey key = newKey();
    try (SessionStore west = zoned("America/New_York", "-05:00");
        SessionStore east = zoned("Asia/Kolkata", "+05:30")) {
      assertThat(west.create(session(key, Map.of()))).isTrue();
      LoadResult result = east.load(key, SessionStore.NO_VERSION);
      assertThat(result).isInstanceOf(LoadResult.Found.class);
      assertThat(((LoadResult.Found) result).session().lastAccessTime())
          .isBetween(Instant.now().minusSeconds(60), Instant.now().plusSeconds(60));
    }
  }

  private SessionStore zoned(String name, String offset) {
    DriverDataSource dataSource =
        new DriverDataSource(url()) {
          @Override
          public Connection getConnection() throws SQLException {
            Connection connection = super.getConnection();
            try (var statement = connection.createStatement()) {
              statement.execute(setTimeZone(name, offset));
            }
            return connection;
          }
        };
    return JdbcSessionStore.of(dataSource, configuration());
  }

  /** As one that a pool still has to a server that a failover has demoted. */
  @Test
  @Tag("G4")
  @Tag("R21")
  void theFirstSaveOverAConnectionThatTheServerTakesForReadOnlyIsDoneOverTheNextOne() {
    SessionKey key = created(open(), Map.of());
    AtomicInteger connections = new AtomicInteger();
    DataSource demoted =
        preparing(
            connection -> {
              if (connections.incrementAndGet() == 1) {
                try (Statement statement = connection.createStatement()) {
                  statement.execute(makeReadOnly());
                }
              }
            });
    SessionStore store = JdbcSessionStore.of(demoted, configuration());
    assertThat(store.save(delta(key, Map.of("a", set("1"))))).hasValue(2);
    assertThat(connections).hasValue(2);
  }

  /** The statement that makes a connection read-only. */
  abstract String makeReadOnly();

  /** The statement that sets the time zone of a connection. */
  abstract String setTimeZone(String name, String offset);

  // ---------------------------------------------------------------- accounts

  @Test
  @Tag("G4")
  @Tag("R16")
  void aRefusedAccountIsAnOutageAndItsPasswordStaysUntold() throws SQLException {
    String name = newAccount();
    try (SessionStore store = openAs(name, "not-the-password")) {
      assertThatThrownBy(store::ping)
          .isInstanceOf(StoreUnavailableException.class)
          .hasMessageContaining(name)
          .hasMessageNotContaining("not-the-password");
    }
  }
}
