package io.sojourn.jdbc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.PrincipalKey;
import io.sojourn.SessionDelta;
import io.sojourn.SessionException;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.Threads;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What must hold on each database, and what the contract of stores does not reach. */
abstract class JdbcSessionStoreContract {

  private static final IdleTimeout HALF_AN_HOUR =
      IdleTimeout.of(Duration.ofMinutes(30), Duration.ofMinutes(1));
  private static final Duration CLAIM_TIME = Duration.ofMinutes(1);

  private final AtomicReference<Duration> clockOffset = new AtomicReference<>(Duration.ZERO);
  private final List<SessionStore> opened = new ArrayList<>();
  private final List<Connection> held = new ArrayList<>();

  /** The URL of a database that holds no tables when the test begins. */
  abstract String url();

  /** For a row of {@code sojourn_session} to be a session's own. */
  abstract String isOwnRow();

  /** The table with the rows of attributes, and what tells them from others. */
  abstract String attributeRows();

  /** A connection like those of the store's own pool, whose statements can be counted. */
  abstract Connection countedConnection() throws SQLException;

  /** The statements that reached the server over this connection while something was done. */
  abstract List<String> statements(Connection connection, Runnable something) throws SQLException;

  @AfterEach
  final void closeStores() {
    opened.forEach(SessionStore::close);
  }

  final SessionStore open() {
    return open(Map.of());
  }

  final SessionStore open(Map<String, String> options) {
    Map<String, String> all = new HashMap<>(PatientStores.options(url()));
    all.putAll(options);
    SessionStore store = new JdbcSessionStoreProvider().open(configuration(all));
    opened.add(store);
    return store;
  }

  final StoreConfiguration configuration() {
    return configuration(Map.of());
  }

  final StoreConfiguration configuration(Map<String, String> options) {
    return new StoreConfiguration(url(), "app", options, clockOffset::get);
  }

  /** Shifts the clock of the stores to come and of those that are open. */
  final void setClock(Duration offset) {
    clockOffset.set(offset);
  }

  final void execute(String... statements) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url());
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  final long number(String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url());
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      assertThat(rows.next()).isTrue();
      return rows.getLong(1);
    }
  }

  /** Something to do to each new connection. */
  @FunctionalInterface
  interface Preparation {
    void prepare(Connection connection) throws SQLException;
  }

  final DataSource preparing(Preparation preparation) {
    return new DriverDataSource(url()) {
      @Override
      public Connection getConnection() throws SQLException {
        Connection connection = super.getConnection();
        preparation.prepare(connection);
        return connection;
      }
    };
  }

  @AfterEach
  final void closeConnections() throws SQLException {
    for (Connection connection : held) {
      connection.close();
    }
  }

  /** A store that has one connection and keeps it, and the connection. */
  record Held(SessionStore store, Connection connection) {}

  final Held hold(Connection connection) {
    held.add(connection);
    Connection unclosed = closing(connection, () -> {});
    DriverDataSource dataSource =
        new DriverDataSource(url()) {
          @Override
          public Connection getConnection() {
            return unclosed;
          }
        };
    SessionStore store = JdbcSessionStore.of(dataSource, configuration());
    store.ping();
    return new Held(store, connection);
  }

  static EncodedValue value(String text) {
    return EncodedValue.of(text.getBytes(UTF_8));
  }

  static AttributeChange set(String text) {
    return new AttributeChange.Set(value(text));
  }

  static NewSession session(SessionKey key, Map<String, EncodedValue> attributes) {
    return new NewSession(key, SessionStore.FIRST_VERSION, Instant.now(), HALF_AN_HOUR, attributes);
  }

  static SessionKey newKey() {
    return SessionKey.of(UUID.randomUUID().toString());
  }

  static SessionKey created(SessionStore store, Map<String, EncodedValue> attributes) {
    SessionKey key = newKey();
    assertThat(store.create(session(key, attributes))).isTrue();
    return key;
  }

  static SessionDelta delta(SessionKey origin, Map<String, AttributeChange> changes) {
    return new SessionDelta(origin, changes, Optional.empty(), Duration.ZERO);
  }

  static Map<String, EncodedValue> attributes(SessionStore store, SessionKey key) {
    LoadResult result = store.load(key, SessionStore.NO_VERSION);
    assertThat(result).isInstanceOf(LoadResult.Found.class);
    Map<String, EncodedValue> values = new HashMap<>();
    ((LoadResult.Found) result)
        .session()
        .attributes()
        .forEach((name, stored) -> values.put(name, stored.value()));
    return values;
  }

  @Test
  @Tag("G9")
  @Tag("R78")
  void eachOperationIsOneStatement() throws SQLException {
    Held held = hold(countedConnection());
    SessionStore store = held.store();
    Connection connection = held.connection();
    SessionKey key = created(store, Map.of("a", value("1"), "b", value("2")));

    assertOneStatement(
        connection,
        "a load that is current",
        () -> assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Unchanged.class));
    assertOneStatement(
        connection, "a load of everything", () -> assertThat(attributes(store, key)).hasSize(2));
    assertOneStatement(
        connection, "a touch", () -> store.save(SessionDelta.touch(key, Duration.ZERO)));
    assertOneStatement(
        connection,
        "a new timeout",
        () ->
            store.save(
                new SessionDelta(
                    key,
                    Map.of(),
                    Optional.of(new IdleTimeout(Duration.ofHours(1), Duration.ofMinutes(1))),
                    Duration.ZERO)));
    assertOneStatement(
        connection,
        "a save that sets",
        () -> store.save(delta(key, Map.of("a", set("3"), "c", set("4"), "d", set("5")))));
    assertOneStatement(
        connection,
        "a save of all kinds",
        () ->
            store.save(
                delta(
                    key,
                    Map.of(
                        "a", new AttributeChange.Replace(value("6"), 3),
                        "b", new AttributeChange.Remove(),
                        "c", new AttributeChange.Remove(),
                        "d", set("7")))));
    PrincipalKey alice = PrincipalKey.of("shop", "alice");
    assertOneStatement(
        connection,
        "a login",
        () ->
            store.save(
                new SessionDelta(
                    key,
                    Map.of("d", set("7")),
                    Optional.empty(),
                    Optional.of(alice),
                    Duration.ZERO)));
    assertOneStatement(
        connection,
        "a look-up of a user's sessions",
        () -> assertThat(store.findByPrincipal(alice, 10)).containsExactly(key));
    SessionKey renamed = newKey();
    assertOneStatement(
        connection, "a rename", () -> assertThat(store.rename(key, renamed)).isTrue());
    assertThat(attributes(store, renamed)).isEqualTo(Map.of("a", value("6"), "d", value("7")));
    assertOneStatement(connection, "a remove", () -> assertThat(store.remove(key)).isTrue());
    assertOneStatement(
        connection,
        "a save of what is gone",
        () -> assertThat(store.save(delta(key, Map.of("a", set("3"))))).isEmpty());
    assertOneStatement(
        connection, "a create", () -> created(store, Map.of("a", value("1"), "b", value("2"))));
    SessionKey due = created(store, Map.of());
    setClock(Duration.ofMinutes(2));
    assertThat(statements(connection, () -> store.load(due, 1)))
        .as("a load that is due to touch")
        .hasSize(2);
  }

  private void assertOneStatement(Connection connection, String what, Runnable something)
      throws SQLException {
    assertThat(statements(connection, something)).as(what).hasSize(1);
  }

  @Test
  void manyNodesCreateTheTablesAtOnce() {
    List<SessionStore> stores = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      stores.add(open());
    }
    List<Boolean> answers =
        Threads.call(6, thread -> stores.get(thread).create(session(newKey(), Map.of())));
    assertThat(answers).containsOnly(true);
  }

  @Test
  void aRenameToTheOriginOfAnotherSessionIsRefused() {
    SessionStore store = open();
    SessionKey origin = created(store, Map.of());
    SessionKey present = newKey();
    assertThat(store.rename(origin, present)).isTrue();
    SessionKey other = created(store, Map.of());
    assertThat(store.rename(other, origin)).isFalse();
    assertThat(store.rename(present, origin)).isFalse();
    assertThat(store.rename(present, present)).isFalse();
    assertThat(store.load(present, 1)).isInstanceOf(LoadResult.Unchanged.class);
    assertThat(store.load(other, 1)).isInstanceOf(LoadResult.Unchanged.class);
  }

  @Test
  @Tag("R86")
  void namesThatAreNoUnicodeStayApart() {
    SessionStore store = open();
    Map<String, EncodedValue> all = new HashMap<>();
    for (String name :
        List.of("?", "\uD800", "\uDC00", "\uD800\uD800", "a\uDFFF", "\uFFFD", "\u00ff", "a?")) {
      all.put(name, value("of " + name.length() + name.hashCode()));
    }
    SessionKey key = created(store, all);
    assertThat(attributes(store, key)).isEqualTo(all);
    store.save(delta(key, Map.of("\uD800", new AttributeChange.Remove())));
    all.remove("\uD800");
    assertThat(attributes(store, key)).isEqualTo(all);
  }

  @Test
  @Tag("R87")
  void aSessionOfFortyMegabytesIsStoredWhole() {
    SessionStore store = open();
    byte[] megabyte = new byte[1 << 20];
    new Random(1).nextBytes(megabyte);
    Map<String, EncodedValue> all = new HashMap<>();
    Map<String, AttributeChange> changes = new HashMap<>();
    for (int i = 0; i < 40; i++) {
      EncodedValue large = EncodedValue.of(megabyte);
      all.put("large-" + i, large);
      changes.put("large-" + i, new AttributeChange.Set(large));
    }
    SessionKey key = created(store, all);
    assertThat(attributes(store, key)).isEqualTo(all);
    assertThat(store.save(delta(key, changes))).hasValue(2);
    assertThat(attributes(store, key)).isEqualTo(all);
  }

  @Test
  @Tag("G2")
  void loadsBesideSavesOfLargeValuesSeeEachValueWhole() {
    SessionStore one = open();
    SessionStore two = open();
    SessionKey key = created(one, Map.of("large", filled(0), "twin", filled(0)));
    AtomicInteger saving = new AtomicInteger(2);
    Threads.run(
        5,
        thread -> {
          if (thread < 2) {
            for (int i = 1; i <= 60; i++) {
              EncodedValue next = filled(thread * 60 + i);
              one.save(
                  delta(
                      key,
                      Map.of(
                          "large", new AttributeChange.Set(next),
                          "twin", new AttributeChange.Set(next))));
            }
            saving.decrementAndGet();
          } else {
            while (saving.get() > 0) {
              Map<String, EncodedValue> seen = attributes(two, key);
              assertThat(seen.get("large")).isEqualTo(seen.get("twin"));
            }
          }
        });
  }

  private static EncodedValue filled(int number) {
    byte[] bytes = new byte[100_000];
    Arrays.fill(bytes, (byte) number);
    return EncodedValue.of(bytes);
  }

  @Test
  @Tag("G6")
  @Tag("R84")
  void cleaningUpNeverFailsTheRequestsBesideIt() {
    SessionStore one = open();
    SessionStore two = open();
    List<SessionKey> live = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      live.add(created(one, Map.of("a", value("1"))));
    }
    for (SessionKey key : live) {
      one.save(new SessionDelta(key, Map.of(), Optional.of(IdleTimeout.NEVER), Duration.ZERO));
    }
    int expired = 120;
    for (int i = 0; i < expired; i++) {
      created(one, Map.of("a", value("1"), "b", value("2")));
    }
    clockOffset.set(Duration.ofHours(1));
    ConcurrentLinkedQueue<SessionKey> claimed = new ConcurrentLinkedQueue<>();
    AtomicInteger writing = new AtomicInteger(32);
    Threads.run(
        36,
        thread -> {
          SessionStore store = thread % 2 == 0 ? one : two;
          if (thread < 32) {
            for (int i = 0; i < 8; i++) {
              SessionKey key = live.get((thread + i) % live.size());
              assertThat(store.save(delta(key, Map.of("t" + thread, set("" + i))))).isPresent();
              SessionKey own = created(store, Map.of("a", value("1")));
              assertThat(store.save(delta(own, Map.of("b", set("1"))))).hasValue(2);
              assertThat(store.load(own, 2)).isInstanceOf(LoadResult.Unchanged.class);
            }
            writing.decrementAndGet();
          } else {
            while (writing.get() > 0 || claimed.size() < expired) {
              for (SessionRecord record : store.claimExpired(10, CLAIM_TIME)) {
                claimed.add(record.origin());
                assertThat(store.remove(record.origin())).isTrue();
              }
            }
          }
        });
    assertThat(claimed).doesNotHaveDuplicates().hasSize(expired);
    for (SessionKey key : live) {
      assertThat(attributes(one, key)).hasSize(33);
    }
  }

  @Test
  @Tag("G6")
  @Tag("R85")
  @Tag("R87")
  void aClaimHoldsNoMoreThanSomeMegabytesAtOnceAndLeavesTheRestToTheNext() {
    SessionStore store = open();
    EncodedValue large = EncodedValue.of(new byte[(int) (SqlDialect.BYTES_OF_A_CLAIM / 3)]);
    Map<String, EncodedValue> twoThirds = Map.of("a", large, "b", large);
    List<SessionKey> first = new ArrayList<>();
    for (int i = 0; i < 14; i++) {
      first.add(created(store, Map.of("a", value("1"))));
    }
    first.add(created(store, twoThirds));
    SessionKey second = created(store, twoThirds);
    SessionKey last = created(store, Map.of());
    clockOffset.set(Duration.ofHours(1));
    assertClaims(store, first.toArray(SessionKey[]::new));
    assertClaims(store, second, last);
    assertThat(store.claimExpired(50, CLAIM_TIME)).isEmpty();
    clockOffset.set(Duration.ofHours(2));
    assertThat(store.claimExpired(50, CLAIM_TIME)).as("claims that have lapsed").hasSize(15);
  }

  private static void assertClaims(SessionStore store, SessionKey... origins) {
    assertThat(store.claimExpired(50, CLAIM_TIME))
        .extracting(SessionRecord::origin)
        .containsExactlyInAnyOrder(origins);
  }

  @Test
  @Tag("R88")
  void aDataSourceWithoutAutoCommitKeepsWhatIsWritten() {
    DataSource manual = preparing(connection -> connection.setAutoCommit(false));
    SessionStore store = JdbcSessionStore.of(manual, configuration());
    SessionKey key = created(store, Map.of("a", value("1")));
    assertThat(store.save(delta(key, Map.of("a", set("2"))))).hasValue(2);
    SessionKey renamed = newKey();
    assertThat(store.rename(key, renamed)).isTrue();
    assertThat(attributes(open(), renamed)).isEqualTo(Map.of("a", value("2")));
    clockOffset.set(Duration.ofMinutes(2));
    store.load(renamed, 2);
    LoadResult after = open().load(renamed, 2);
    assertThat(((LoadResult.Unchanged) after).lastAccessTime())
        .isAfter(Instant.now().plus(Duration.ofMinutes(1)));
  }

  /** Some databases take that for advice. */
  @Test
  @Tag("R88")
  void aDataSourceOfReadOnlyConnectionsWorksOrFailsAndSaysWhy() {
    SessionStore other = open();
    SessionKey key = created(other, Map.of());
    DataSource readOnly = preparing(connection -> connection.setReadOnly(true));
    SessionStore store = JdbcSessionStore.of(readOnly, configuration());
    Throwable failure = catchThrowable(() -> store.save(delta(key, Map.of("a", set("1")))));
    if (failure == null) {
      assertThat(attributes(other, key)).isEqualTo(Map.of("a", value("1")));
    } else {
      assertThat(failure)
          .isInstanceOf(SessionException.class)
          .message()
          .containsPattern("(?i)read.only");
      assertThat(attributes(other, key)).isEmpty();
    }
    assertThat(attributes(store, key)).isEqualTo(attributes(other, key));
  }

  /** As one of a driver that goes on with a replica. Some databases take that for advice. */
  @Test
  @Tag("G4")
  @Tag("R21")
  void theFirstSaveOverAReadOnlyConnectionIsDoneOverTheNextOne() {
    SessionStore other = open();
    SessionKey key = created(other, Map.of());
    AtomicInteger connections = new AtomicInteger();
    DataSource demoted =
        preparing(connection -> connection.setReadOnly(connections.incrementAndGet() == 1));
    SessionStore store = JdbcSessionStore.of(demoted, configuration());
    assertThat(store.save(delta(key, Map.of("a", set("1"))))).hasValue(2);
    assertThat(attributes(other, key)).isEqualTo(Map.of("a", value("1")));
  }

  /** As one of an application server that takes part in the caller's transaction. */
  @Test
  @Tag("R88")
  void aDataSourceThatTakesPartInAnothersTransactionIsRefused() {
    SessionStore other = open();
    SessionKey key = created(other, Map.of());
    DataSource managed =
        new DriverDataSource(url()) {
          @Override
          public Connection getConnection() throws SQLException {
            Connection connection = super.getConnection();
            connection.setAutoCommit(false);
            return refusing(connection, "setAutoCommit", "commit", "rollback");
          }
        };
    SessionStore store = JdbcSessionStore.of(managed, configuration());
    assertThatThrownBy(() -> store.save(delta(key, Map.of("a", set("1")))))
        .isInstanceOf(SessionException.class)
        .hasMessageContaining("in a managed transaction");
    assertThat(attributes(other, key)).isEmpty();
  }

  private static Connection refusing(Connection connection, String... methods) {
    return (Connection)
        Proxy.newProxyInstance(
            JdbcSessionStoreContract.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> {
              if (List.of(methods).contains(method.getName())) {
                throw new SQLException(method.getName() + " in a managed transaction", "25000");
              }
              return method.invoke(connection, arguments);
            });
  }

  @Test
  @Tag("G2")
  @Tag("R49")
  void aStricterIsolationOnlyMeansMoreConflictsToRepeat() {
    ConcurrentLinkedQueue<Integer> isolations = new ConcurrentLinkedQueue<>();
    DataSource strict =
        new DriverDataSource(url()) {
          @Override
          public Connection getConnection() throws SQLException {
            Connection connection = super.getConnection();
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            return closing(
                connection,
                () -> {
                  isolations.add(connection.getTransactionIsolation());
                  connection.close();
                });
          }
        };
    SessionStore store = JdbcSessionStore.of(strict, configuration());
    SessionKey key = created(store, Map.of());
    Threads.run(
        16,
        thread -> {
          for (int i = 0; i < 10; i++) {
            assertThat(store.save(delta(key, Map.of("same", set("x"), "t" + thread, set("y")))))
                .isPresent();
            created(store, Map.of("a", value("1")));
          }
        });
    assertThat(attributes(store, key)).hasSize(17);
    assertThat(store.load(key, 161)).isInstanceOf(LoadResult.Unchanged.class);
    assertThat(isolations).containsOnly(Connection.TRANSACTION_REPEATABLE_READ);
  }

  /** What closing a connection does in place of what it would. */
  @FunctionalInterface
  interface Closing {
    void close() throws SQLException;
  }

  /** The same connection, but for what closing it does. */
  static Connection closing(Connection connection, Closing closing) {
    return (Connection)
        Proxy.newProxyInstance(
            JdbcSessionStoreContract.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("close")) {
                closing.close();
                return null;
              }
              try {
                return method.invoke(connection, arguments);
              } catch (InvocationTargetException e) {
                throw requireNonNull(e.getCause());
              }
            });
  }

  @Test
  @Tag("R29")
  void timesBeyondAllCountingAreForEver() {
    SessionStore store = open();
    Duration huge = Duration.ofSeconds(Long.MAX_VALUE);
    SessionKey key = newKey();
    assertThat(
            store.create(
                new NewSession(
                    key,
                    SessionStore.FIRST_VERSION,
                    Instant.now(),
                    new IdleTimeout(huge, huge),
                    Map.of())))
        .isTrue();
    assertThat(store.save(SessionDelta.touch(key, huge))).hasValue(1);
    assertThat(store.save(delta(key, Map.of("a", set("1"))))).hasValue(2);
    assertThat(store.claimExpired(10, huge)).isEmpty();
    IdleTimeout never = new IdleTimeout(huge.negated(), Duration.ZERO);
    assertThat(store.save(new SessionDelta(key, Map.of(), Optional.of(never), huge))).hasValue(3);
    assertThat(store.load(key, 3)).isInstanceOf(LoadResult.Unchanged.class);
  }

  @Test
  @Tag("R80")
  void marksOfRemovalsAreSweptWhenNobodyNeedsThem() throws SQLException {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    for (int i = 0; i < 400; i++) {
      AttributeChange change = i % 2 == 0 ? set("1") : new AttributeChange.Remove();
      assertThat(store.save(delta(key, Map.of("n" + i / 2, change)))).isPresent();
    }
    assertThat(number("SELECT COUNT(*) FROM " + attributeRows())).isBetween(64L, 100L);
    LoadResult.Changed changed = (LoadResult.Changed) store.load(key, 401 - 128);
    assertThat(changed.removed()).hasSize(64);
    assertThat(requireNonNull(changed.removed().get("n199"))).isEqualTo(401);
  }

  @Test
  @Tag("R5")
  @Tag("R28")
  @Tag("R80")
  void whateverHappensEachRowBelongsToASessionThatEndsInTime() throws SQLException {
    SessionStore one = open();
    SessionStore two = open();
    Threads.run(
        6,
        thread -> {
          Random random = new Random(thread);
          SessionStore store = thread % 2 == 0 ? one : two;
          for (int i = 0; i < 25; i++) {
            SessionKey key = SessionKey.of("s" + random.nextInt(4));
            switch (random.nextInt(6)) {
              case 0 -> store.create(session(key, Map.of("a", value("1"))));
              case 1 -> store.remove(key);
              case 2 -> store.save(SessionDelta.touch(key, Duration.ZERO));
              case 3 -> store.load(key, SessionStore.NO_VERSION);
              default ->
                  store.save(
                      delta(
                          key,
                          Map.of(
                              "a",
                              new AttributeChange.Replace(value("2"), 1),
                              "n" + random.nextInt(9),
                              set("x"),
                              "n" + (9 + random.nextInt(9)),
                              new AttributeChange.Remove())));
            }
          }
        });
    assertThat(
            number(
                "SELECT COUNT(*) FROM "
                    + attributeRows()
                    + (attributeRows().contains("WHERE") ? " AND " : " WHERE ")
                    + "origin NOT IN (SELECT origin FROM sojourn_session WHERE "
                    + isOwnRow()
                    + ")"))
        .isZero();
    assertThat(
            number(
                "SELECT COUNT(*) FROM sojourn_session WHERE "
                    + isOwnRow()
                    + " AND (expiry IS NULL"
                    + " OR expiry > last_access_time + max_inactive_interval + touch_interval"
                    + " OR expiry < last_access_time + max_inactive_interval)"))
        .isZero();
    setClock(Duration.ofHours(1));
    for (SessionRecord record : one.claimExpired(10, CLAIM_TIME)) {
      one.remove(record.origin());
    }
    assertThat(number("SELECT COUNT(*) FROM sojourn_session")).isZero();
    assertThat(number("SELECT COUNT(*) FROM " + attributeRows())).isZero();
  }

  @Test
  @Tag("R87")
  void aValueOfExactlyTheLimitIsKept() {
    SessionStore store = open();
    byte[] bytes = new byte[8 << 20];
    new Random(1).nextBytes(bytes);
    EncodedValue largest = EncodedValue.of(bytes);
    assertThat(store.refusal("a", largest)).isEmpty();
    assertThat(store.refusal("a", EncodedValue.of(new byte[bytes.length + 1]))).isPresent();
    SessionKey key = created(store, Map.of("a", largest));
    assertThat(attributes(store, key)).isEqualTo(Map.of("a", largest));
    assertThat(store.save(delta(key, Map.of("b", new AttributeChange.Set(largest))))).hasValue(2);
    assertThat(attributes(store, key)).isEqualTo(Map.of("a", largest, "b", largest));
  }

  @Test
  @Tag("R86")
  @Tag("R87")
  void whatCannotBeKeptIsRefusedByItsName() {
    SessionStore store = open(Map.of("maxAttributeBytes", "1000"));
    SessionKey key = created(store, Map.of("a", EncodedValue.of(new byte[1000])));
    assertThat(store.refusal("a", EncodedValue.of(new byte[1000]))).isEmpty();
    assertThat(store.refusal("a", EncodedValue.of(new byte[1001])))
        .hasValueSatisfying(
            why -> assertThat(why).contains("1001").contains("maxAttributeBytes=\"1000\""));
    assertThatThrownBy(
            () ->
                store.save(
                    delta(
                        key,
                        Map.of(
                            "b",
                            set("1"),
                            "video",
                            new AttributeChange.Replace(EncodedValue.of(new byte[1001]), 1)))))
        .isExactlyInstanceOf(SessionException.class)
        .hasMessageContaining("video");

    String longest = "\u00e9".repeat(550);
    assertThat(store.refusal(longest, value("1"))).isEmpty();
    assertThat(store.save(delta(key, Map.of(longest, set("1"))))).hasValue(2);
    assertThat(attributes(store, key)).containsOnlyKeys("a", longest);
    assertThat(store.refusal(longest + "x", value("1"))).isPresent();
    assertThatThrownBy(() -> store.save(delta(key, Map.of("b", set("1"), longest + "x", set("1")))))
        .isExactlyInstanceOf(SessionException.class)
        .hasMessageContaining("1101");
    assertThat(store.load(key, 2)).isInstanceOf(LoadResult.Unchanged.class);
  }

  @Test
  @Tag("R86")
  void namesThatACollationWouldMergeStayApart() {
    SessionStore store = open();
    Map<String, EncodedValue> all = new HashMap<>();
    for (String name :
        List.of("a", "A", "a ", "", " ", "\u00e4", "a\u0308", "ss", "\u00df", "x".repeat(300))) {
      all.put(name, value("of " + name));
    }
    SessionKey key = created(store, all);
    assertThat(attributes(store, key)).isEqualTo(all);
  }

  @Test
  void missingTablesAreNotCreatedIfSomebodyElseDoesThat() throws SQLException {
    SessionStore store = open(Map.of("schema", "check"));
    Throwable missing = catchThrowable(store::ping);
    assertThat(missing)
        .isInstanceOf(StoreUnavailableException.class)
        .hasMessageContaining("schema=\"check\"");
    String message = requireNonNull(missing.getMessage());
    String ddl = message.substring(message.indexOf("CREATE TABLE"));
    execute(Pattern.compile(";(\\n|$)").splitAsStream(ddl).toArray(String[]::new));
    SessionKey key = created(store, Map.of("a", value("1")));
    assertThat(attributes(open(), key)).hasSize(1);
  }

  @Test
  void tablesOfAnotherVersionAreLeftAlone() throws SQLException {
    created(open(), Map.of());
    execute("UPDATE sojourn_session_version SET version = 3");
    SessionStore store = open();
    assertThatThrownBy(store::ping)
        .isInstanceOf(StoreUnavailableException.class)
        .hasMessageContaining("version 3");
    execute("UPDATE sojourn_session_version SET version = 2");
    created(store, Map.of());
  }

  /** The script is that of docs/operations.md, step by step, as a rolling deploy takes them. */
  @Test
  @Tag("G8")
  void tablesOfVersionOneAreRaisedByTheScriptWhileNodesOfBothReleasesServe() throws SQLException {
    SessionKey key = created(open(), Map.of("a", value("1")));
    execute(
        "ALTER TABLE sojourn_session DROP COLUMN saves",
        "UPDATE sojourn_session_version SET version = 1");
    SessionStore store = open();
    assertThatThrownBy(store::ping)
        .isInstanceOf(StoreUnavailableException.class)
        .hasMessageContaining("version 1")
        .hasMessageContaining("docs/operations.md");
    execute("ALTER TABLE sojourn_session ADD COLUMN saves " + typeOfSaves());
    assertThat(store.save(delta(key, Map.of("a", set("2")))))
        .as("a new node, while old ones need version 1")
        .hasValue(2);
    assertThat(number("SELECT version FROM sojourn_session_version")).isEqualTo(1);
    execute("UPDATE sojourn_session_version SET version = 2");
    for (SessionStore node : List.of(store, open())) {
      assertThat(attributes(node, key)).isEqualTo(Map.of("a", value("2")));
    }
  }

  /** As the script has it. */
  abstract String typeOfSaves();

  /** Eight nodes, so that one that is repeated soon is known. */
  @Test
  @Tag("R80")
  void theLastSavesOfEightNodesAreKnown() throws SQLException {
    SessionKey key = created(open(), Map.of());
    DataSource one = preparing(connection -> {});
    SessionStore first = JdbcSessionStore.of(one, configuration());
    SessionStore before = first;
    for (int node = 1; node <= 10; node++) {
      SessionStore store = node == 1 ? first : JdbcSessionStore.of(one, configuration());
      // By then they are the last, the first and the one between of those that are known.
      for (SessionStore saver : List.of(first, store, store, before, store)) {
        assertThat(saver.save(delta(key, Map.of("a", set("1"))))).isPresent();
      }
      before = store;
      assertThat(number("SELECT LENGTH(saves) FROM sojourn_session WHERE " + isOwnRow()))
          .isEqualTo(15L * Math.min(node, 8));
    }
  }

  @Test
  void theTableIsCalledWhatTheUserSays() throws SQLException {
    execute("CREATE SCHEMA " + otherSchema());
    SessionStore plain = open();
    SessionStore reserved = open(Map.of("table", "Order"));
    SessionStore elsewhere = open(Map.of("table", otherSchema() + ".sessions"));
    SessionKey key = newKey();
    for (SessionStore store : List.of(plain, reserved, elsewhere)) {
      assertThat(store.create(session(key, Map.of("a", value("1"))))).isTrue();
      assertThat(store.save(delta(key, Map.of("a", set("2"), "b", set("1"))))).hasValue(2);
      assertThat(store.rename(key, newKey())).isTrue();
    }
    setClock(Duration.ofHours(1));
    for (SessionStore store : List.of(plain, reserved, elsewhere)) {
      assertThat(store.claimExpired(10, CLAIM_TIME)).hasSize(1);
      assertThat(store.remove(key)).isTrue();
    }
    for (String bad : List.of("", "a b", "x;y", "a.b.c", "1a", "\"a\"", "x".repeat(47))) {
      assertThatThrownBy(() -> open(Map.of("table", bad)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("table=");
    }
  }

  /** The name of a schema that is not there yet, for this test alone. */
  String otherSchema() {
    return "elsewhere";
  }

  @Test
  void tablesThatSomebodyDropsAreCreatedAgain() throws SQLException {
    SessionStore store = open();
    created(store, Map.of());
    for (String table : List.of("_attribute", "_version", "")) {
      execute("DROP TABLE IF EXISTS sojourn_session" + table);
    }
    assertThat(store.load(newKey(), 1)).isInstanceOf(LoadResult.Missing.class);
    created(store, Map.of());
  }

  // ---------------------------------------------------------------- accounts

  /** Creates an account of the test's own that may log in. */
  abstract void createAccount(String name, String password) throws SQLException;

  /** Lets an account read and write rows, as docs/operations.md has it. */
  abstract void grantRows(String name) throws SQLException;

  /** Lets an account create the tables and use them, as docs/operations.md has it. */
  abstract void grantCreation(String name) throws SQLException;

  /** The store's URL without user and password. */
  abstract String urlWithoutAccount();

  private static final String PASSWORD = "Geheim-1";

  /** Creates an account that may log in, and answers its name. */
  final String newAccount() throws SQLException {
    String name = "w" + newKey().hex().substring(0, 12);
    createAccount(name, PASSWORD);
    return name;
  }

  final SessionStore openAs(String name, String password) {
    return new JdbcSessionStoreProvider()
        .open(
            new StoreConfiguration(
                urlWithoutAccount(),
                "app",
                Map.of("username", name, "password", password, "socketTimeout", "10s"),
                () -> Duration.ZERO));
  }

  @Test
  void anAccountThatMayOnlyReadAndWriteRowsServesWhereTheTablesAre() throws SQLException {
    String name = newAccount();
    try (SessionStore store = openAs(name, PASSWORD)) {
      assertThatThrownBy(store::ping)
          .isInstanceOf(StoreUnavailableException.class)
          .hasMessageNotContaining(PASSWORD);
      created(open(), Map.of());
      grantRows(name);
      SessionKey key = created(store, Map.of("a", value("1")));
      assertThat(store.save(delta(key, Map.of("a", set("2"), "b", set("3"))))).hasValue(2);
      assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Changed.class);
      SessionKey renamed = newKey();
      assertThat(store.rename(key, renamed)).isTrue();
      assertThat(attributes(store, renamed)).hasSize(2);
      assertThat(store.lease(key, 1, Duration.ofMinutes(1))).isEqualTo(SessionStore.Lease.MISSING);
      assertThat(store.lease(renamed, 1, Duration.ofMinutes(1)))
          .isEqualTo(SessionStore.Lease.TAKEN);
      assertThat(store.lease(renamed, 2, Duration.ofMinutes(1))).isEqualTo(SessionStore.Lease.BUSY);
      AttributeChange large = new AttributeChange.Set(EncodedValue.of(new byte[3 << 20]));
      assertThat(store.save(delta(key, Map.of("large", large, "larger", large)), 1)).hasValue(3);
      store.release(key, 1);
      assertThat(store.save(timeout(key, new IdleTimeout(Duration.ofMillis(1), Duration.ZERO))))
          .hasValue(4);
      assertThat(claimed(store)).extracting(SessionRecord::origin).containsExactly(key);
      assertThat(store.remove(key)).isTrue();
    }
  }

  @Test
  void anAccountThatMayCreateTablesNeedsNobodyElse() throws SQLException {
    String name = newAccount();
    grantCreation(name);
    try (SessionStore store = openAs(name, PASSWORD)) {
      SessionKey key = created(store, Map.of("a", value("1")));
      assertThat(store.save(delta(key, Map.of("a", set("2"), "b", set("3"))))).hasValue(2);
      assertThat(attributes(store, key)).hasSize(2);
      assertThat(store.remove(key)).isTrue();
    }
  }

  /** As soon as it has expired by the database's clock. */
  private static List<SessionRecord> claimed(SessionStore store) {
    return await()
        .until(() -> store.claimExpired(10, Duration.ofMinutes(1)), claimed -> !claimed.isEmpty());
  }

  static SessionDelta timeout(SessionKey key, IdleTimeout timeout) {
    return new SessionDelta(key, Map.of(), Optional.of(timeout), Duration.ZERO);
  }
}
