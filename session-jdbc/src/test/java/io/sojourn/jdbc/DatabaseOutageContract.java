package io.sojourn.jdbc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.zaxxer.hikari.HikariDataSource;
import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.LiveSession;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionPolicy;
import io.sojourn.SessionRepository;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.codec.ClassFilter;
import io.sojourn.codec.KryoCodec;
import io.sojourn.testkit.Threads;
import io.sojourn.testkit.server.DatabaseServer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * A database that is killed, demoted, frozen, full or locked, and comes back, under stores that
 * nobody opens anew.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class DatabaseOutageContract {

  static final Duration BOUND = Duration.ofSeconds(60);
  private static final int POOL = 10;

  private DatabaseServer server;
  Administrator administrator;
  String database;
  private final List<SessionStore> opened = new ArrayList<>();

  /** A server that this class may do everything to. */
  abstract DatabaseServer startServer();

  @BeforeAll
  final void startTheServer() {
    server = startServer();
    administrator = new Administrator(server);
  }

  @AfterAll
  final void closeTheServer() {
    if (server != null) {
      server.close();
    }
  }

  @BeforeEach
  final void createDatabase() {
    database = administrator.newDatabase();
  }

  @AfterEach
  final void closeStores() {
    opened.forEach(SessionStore::close);
    opened.clear();
  }

  final SessionStore open(String... options) {
    SessionStore store = new JdbcSessionStoreProvider().open(configuration(options));
    opened.add(store);
    return store;
  }

  /** One for what a slow machine, too, must get done at once. */
  final SessionStore openPatient() {
    return open("connectionTimeout=10s", "socketTimeout=10s");
  }

  private StoreConfiguration configuration(String... options) {
    Map<String, String> byName = new HashMap<>();
    for (String option : options) {
      byName.put(
          option.substring(0, option.indexOf('=')), option.substring(option.indexOf('=') + 1));
    }
    return new StoreConfiguration(administrator.url(database), "app", byName, () -> Duration.ZERO);
  }

  // ---------------------------------------------------------------- killed

  @Test
  @Tag("G4")
  @Tag("G5")
  @Tag("R17")
  void aKilledDatabaseIsAnOutageAndWhatItAcknowledgedIsThereAfterwards() {
    server.kill();
    SessionStore store = open();
    assertUnavailable(() -> store.load(newKey(), SessionStore.NO_VERSION));
    server.start();
    SessionKey key = created(store);
    server.kill();
    assertUnavailable(() -> store.load(key, SessionStore.NO_VERSION));
    assertUnavailable(() -> save(store, key, "a", "1"));
    assertUnavailable(store::ping);
    server.start();
    assertThat(served(() -> store.load(key, SessionStore.NO_VERSION)))
        .isInstanceOf(LoadResult.Found.class);
  }

  @Test
  @Tag("G4")
  @Tag("G5")
  @Tag("R17")
  void killsInTheMiddleOfLoadLoseNothingThatWasAcknowledged() {
    int threads = 8;
    List<SessionStore> stores = List.of(open(), open());
    List<SessionKey> keys = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      keys.add(created(stores.get(0)));
    }
    Progress progress = new Progress();
    List<long[]> acknowledged =
        Threads.call(
            threads + 1,
            thread -> {
              if (thread == threads) {
                progress.watch(
                    () -> {
                      for (int i = 0; i < 2; i++) {
                        progress.awaitMore(progress.saves, 100);
                        server.kill();
                        progress.awaitMore(progress.failures, threads);
                        progress.firstSave.set(0);
                        server.start();
                        long back = System.nanoTime();
                        progress.awaitMore(progress.saves, 1);
                        System.out.printf(
                            "%s: first save %d ms after the server was seen to be back%n",
                            getClass().getSimpleName(),
                            Duration.ofNanos(progress.firstSave.get() - back).toMillis());
                      }
                      progress.awaitMore(progress.saves, 100);
                    });
                return new long[0];
              }
              return load(stores.get(thread % 2), keys, "t" + thread, progress);
            });
    Threads.run(
        threads,
        thread -> {
          SessionStore store = stores.get(thread % 2);
          for (int i = 0; i < keys.size(); i++) {
            SessionKey key = keys.get(i);
            assertThat(served(() -> number(store, key, "t" + thread)))
                .isGreaterThanOrEqualTo(acknowledged.get(thread)[i]);
            assertThat(served(() -> save(store, key, "t" + thread, "1"))).isPresent();
          }
        });
  }

  /** How far the threads of a test have come, for the one that kills. */
  private static final class Progress {
    private final AtomicInteger saves = new AtomicInteger();
    private final AtomicInteger failures = new AtomicInteger();

    /** When the first one was acknowledged since this was set to 0. */
    private final AtomicLong firstSave = new AtomicLong();

    private final AtomicBoolean ended = new AtomicBoolean();

    void watch(Runnable action) {
      try {
        action.run();
      } finally {
        ended.set(true);
      }
    }

    void awaitMore(AtomicInteger count, int more) {
      int goal = count.get() + more;
      await().atMost(BOUND).until(() -> count.get() >= goal);
    }
  }

  /** Saves and loads until the end, and answers the last acknowledged number for each session. */
  private static long[] load(
      SessionStore store, List<SessionKey> keys, String name, Progress progress) {
    long[] acknowledged = new long[keys.size()];
    long[] versions = new long[keys.size()];
    for (int number = 1; !progress.ended.get(); number++) {
      int i = number % keys.size();
      try {
        OptionalLong saved = save(store, keys.get(i), name, Integer.toString(number));
        assertThat(saved).as("a session that nobody removed").isPresent();
        assertThat(saved.getAsLong()).isGreaterThan(versions[i]);
        versions[i] = saved.getAsLong();
        acknowledged[i] = number;
        progress.firstSave.compareAndSet(0, System.nanoTime());
        progress.saves.incrementAndGet();
        assertThat(number(store, keys.get(i), name)).isEqualTo(number);
      } catch (StoreUnavailableException e) {
        progress.failures.incrementAndGet();
      }
    }
    return acknowledged;
  }

  // ---------------------------------------------------------------- the first call afterwards

  /** And no node shows what the restart has taken back, as one to an older state does. */
  @Test
  @Tag("G1")
  @Tag("G4")
  @Tag("R8")
  @Tag("R17")
  void theFirstCallAfterARestartSucceedsOverAPoolOfLostConnections() throws SQLException {
    FirstCalls calls = new FirstCalls();
    SessionRepository node = node();
    String id = "taken back";
    LiveSession begun = node.create(id, Duration.ofHours(1));
    begun.setAttribute("text", "kept");
    assertThat(node.flush(begun)).isTrue();
    awaitFullPools(FirstCalls.COUNT + 1);
    execute(tables(), "CREATE TABLE kept_%1$s AS SELECT * FROM %1$s");
    long lost = save(node, id, "lost");
    server.kill();
    server.start();
    calls.assertEachSucceeds(() -> {});
    calls.assertMayHaveLostSaves(true);
    // What depends on the first table goes with it.
    execute(tables().subList(0, 1), "DELETE FROM %s");
    execute(tables(), "INSERT INTO %1$s SELECT * FROM kept_%1$s");
    assertThat(save(node(), id, "new")).isEqualTo(lost);
    assertThat(Objects.requireNonNull(node.open(id)).attribute("text")).isEqualTo("new");
  }

  private SessionRepository node() {
    ClassLoader loader = getClass().getClassLoader();
    return new SessionRepository(
        openPatient(),
        new KryoCodec(loader, ClassFilter.ofApplication(loader, "")),
        SessionPolicy.DEFAULT);
  }

  /** Answers the session's version after it. */
  private static long save(SessionRepository node, String id, String text) {
    LiveSession session = Objects.requireNonNull(node.open(id));
    session.setAttribute("text", text);
    assertThat(node.flush(session)).isTrue();
    return session.seenVersion();
  }

  /** What sessions are kept in: first what the others refer to. */
  abstract List<String> tables();

  private void execute(List<String> tables, String format) throws SQLException {
    try (Connection connection = administrator.connect(database);
        Statement statement = connection.createStatement()) {
      for (String table : tables) {
        statement.execute(format.formatted(table));
      }
    }
  }

  /** A pool trusts connections that it has only just had back, so these are met by the call. */
  @Test
  @Tag("G4")
  @Tag("R17")
  void theFirstCallSucceedsAfterAllConnectionsWereKilled() {
    FirstCalls calls = new FirstCalls();
    awaitFullPools(FirstCalls.COUNT);
    calls.assertEachSucceeds(
        () -> {
          Set<Long> connections = administrator.connections();
          Threads.run(POOL, thread -> calls.next().ping());
          administrator.disconnect(connections);
        });
    calls.assertMayHaveLostSaves(false);
  }

  /** A call of each kind, each over a pool of its own. */
  private final class FirstCalls {
    static final int COUNT = 5;

    private final List<SessionStore> stores = new ArrayList<>();
    private final SessionKey key;
    private final SessionKey newKey = newKey();
    private final SessionKey renamed = newKey();
    private int done;

    FirstCalls() {
      for (int i = 0; i < COUNT; i++) {
        stores.add(openPatient());
        stores.get(i).ping();
      }
      key = created(stores.get(0));
    }

    SessionStore next() {
      return stores.get(done);
    }

    private SessionStore take(Runnable loss) {
      loss.run();
      return stores.get(done++);
    }

    /** Not when the same server has been connected to anew. */
    void assertMayHaveLostSaves(boolean may) {
      for (SessionStore store : stores) {
        assertThat(store.history(key) > 0).isEqualTo(may);
      }
    }

    void assertEachSucceeds(Runnable loss) {
      assertThat(take(loss).load(key, SessionStore.FIRST_VERSION))
          .isInstanceOf(LoadResult.Unchanged.class);
      assertThat(save(take(loss), key, "a", "1")).hasValue(2);
      assertThat(take(loss).create(session(newKey))).isTrue();
      assertThat(take(loss).rename(key, renamed)).isTrue();
      SessionStore last = take(loss);
      assertThat(last.remove(key)).isTrue();
      assertThat(last.load(renamed, SessionStore.NO_VERSION))
          .isInstanceOf(LoadResult.Missing.class);
      assertThat(last.load(newKey, SessionStore.NO_VERSION)).isInstanceOf(LoadResult.Found.class);
    }
  }

  private void awaitFullPool() {
    awaitFullPools(1);
  }

  private void awaitFullPools(int pools) {
    await().atMost(BOUND).until(() -> administrator.connections().size() == pools * POOL);
  }

  // ---------------------------------------------------------------- demoted

  @Test
  @Tag("G4")
  @Tag("R21")
  void connectionsToADemotedPrimaryAreThrownAway() {
    SessionStore store = open();
    SessionKey key = created(store);
    awaitFullPool();
    Set<Long> before = administrator.connections();
    administrator.refuseWrites();
    try {
      await().atMost(BOUND).until(administrator::refusesWrites);
      await()
          .atMost(BOUND)
          .untilAsserted(() -> assertUnavailable(() -> save(store, key, "a", "1")));
      assertUnavailable(() -> save(store, key, "a", "2"));
      assertUnavailable(() -> store.save(SessionDelta.touch(key, Duration.ZERO)));
      assertUnavailable(() -> store.create(session(newKey())));
      assertUnavailable(() -> store.rename(key, newKey()));
      assertUnavailable(() -> store.remove(key));
      assertUnavailable(() -> store.claimExpired(1, Duration.ofMinutes(1)));
      assertThatThrownBy(() -> store.load(key, SessionStore.NO_VERSION))
          .hasMessageContaining("takes no writes");
    } finally {
      administrator.takeWrites();
    }
    await().atMost(BOUND).until(() -> !administrator.refusesWrites());
    assertThat(served(() -> save(store, key, "a", "3"))).isPresent();
    await()
        .atMost(BOUND)
        .untilAsserted(
            () -> assertThat(administrator.connections()).doesNotContainAnyElementsOf(before));
    assertThat(served(() -> number(store, key, "a"))).isEqualTo(3);
  }

  // ---------------------------------------------------------------- refused

  @Test
  @Tag("G4")
  @Tag("R17")
  void tooManyConnectionsAreAnOutage() throws SQLException {
    SessionStore store = open();
    SessionKey key = created(store);
    awaitFullPool();
    List<Connection> others = new ArrayList<>();
    administrator.limitConnections(20);
    try {
      takeAll(others);
      administrator.disconnect(administrator.connections());
      takeAll(others);
      assertUnavailable(() -> save(store, key, "a", "1"));
      assertUnavailable(() -> store.load(key, SessionStore.NO_VERSION));
    } finally {
      administrator.limitConnections(100);
      for (Connection other : others) {
        other.close();
      }
    }
    assertBack(store, key);
  }

  /** Opens connections until no more are to be had. */
  private void takeAll(List<Connection> taken) {
    assertThat(
            catchThrowable(
                () -> {
                  while (true) {
                    taken.add(DriverManager.getConnection(administrator.url(database)));
                  }
                }))
        .isInstanceOf(SQLException.class);
  }

  @Test
  @Tag("G4")
  @Tag("R17")
  void aLockedAccountIsAnOutage() {
    assertOutage(
        administration -> {
          administration.lockAccount();
          administration.disconnect(administration.connections());
        },
        Administrator::unlockAccount);
  }

  @Test
  @Tag("G4")
  @Tag("R17")
  void aChangedPasswordIsAnOutage() {
    assertOutage(
        administration -> {
          administration.changePassword();
          administration.disconnect(administration.connections());
        },
        Administrator::restorePassword);
  }

  private void assertOutage(Consumer<Administrator> begin, Consumer<Administrator> end) {
    SessionStore store = open();
    SessionKey key = created(store);
    awaitFullPool();
    begin.accept(administrator);
    try {
      assertUnavailable(() -> save(store, key, "a", "1"));
      assertUnavailable(() -> store.load(key, SessionStore.NO_VERSION));
      assertUnavailable(() -> store.create(session(newKey())));
    } finally {
      end.accept(administrator);
    }
    assertBack(store, key);
  }

  private static void assertBack(SessionStore store, SessionKey key) {
    assertThat(served(() -> save(store, key, "a", "2"))).isPresent();
    assertThat(served(() -> number(store, key, "a"))).isEqualTo(2);
  }

  @Test
  @Tag("G4")
  @Tag("R17")
  void aDroppedDatabaseIsAnOutageUntilThereIsOneAgain() {
    SessionStore store = open();
    SessionKey key = created(store);
    administrator.dropDatabase(database);
    assertUnavailable(() -> store.load(key, SessionStore.NO_VERSION));
    assertUnavailable(() -> save(store, key, "a", "1"));
    assertUnavailable(() -> store.create(session(newKey())));
    administrator.createDatabase(database);
    SessionKey next = created(store);
    assertThat(served(() -> store.load(key, SessionStore.NO_VERSION)))
        .isInstanceOf(LoadResult.Missing.class);
    assertThat(served(() -> save(store, next, "a", "1"))).isPresent();
    assertThat(served(() -> number(store, next, "a"))).isEqualTo(1);
  }

  // ---------------------------------------------------------------- disconnected, locked out

  @Test
  @Tag("G4")
  @Tag("R17")
  void aSaveWhoseConnectionIsKilledIsDoneAgainOnce() throws SQLException {
    SessionStore store = open("connectionTimeout=10s", "socketTimeout=30s");
    SessionKey key = created(store);
    awaitFullPool();
    CompletableFuture<OptionalLong> save;
    try (Connection other = administrator.connect(database)) {
      lockSession(other, key);
      save = CompletableFuture.supplyAsync(() -> save(store, key, "a", "1"));
      Set<Long> waiting = awaitBusy();
      administrator.disconnect(waiting);
      await()
          .atMost(BOUND)
          .untilAsserted(
              () ->
                  assertThat(administrator.busyConnections())
                      .isNotEmpty()
                      .doesNotContainAnyElementsOf(waiting));
      other.rollback();
    }
    assertThat(save).succeedsWithin(BOUND).isEqualTo(OptionalLong.of(2));
    assertThat(number(store, key, "a")).isEqualTo(1);
    assertThat(save(store, key, "a", "2")).hasValue(3);
  }

  @Test
  @Tag("R18")
  void aSessionThatSomebodyKeepsLockedCostsABoundedTimeAndNothingIsWrittenLater()
      throws SQLException {
    SessionStore store = open("connectionTimeout=10s", "socketTimeout=5s");
    SessionKey key = created(store);
    try (Connection other = administrator.connect(database)) {
      lockSession(other, key);
      assertTimeoutPreemptively(
          BOUND, () -> assertUnavailable(() -> save(store, key, "late", "1")));
      other.rollback();
    }
    await().atMost(BOUND).until(() -> administrator.busyConnections().isEmpty());
    assertThat(save(store, key, "a", "1")).hasValue(2);
    assertThat(((LoadResult.Found) store.load(key, 0)).session().attributes())
        .containsOnlyKeys("a");
  }

  @Test
  @Tag("G2")
  @Tag("R49")
  void aSaveThatGivesWayInADeadlockIsDoneAgain() throws SQLException {
    SessionStore store = open("connectionTimeout=10s", "socketTimeout=30s");
    SessionKey key = created(store);
    assertThat(save(store, key, "a", "1")).hasValue(2);
    CompletableFuture<OptionalLong> save;
    try (Connection other = administrator.connect(database)) {
      outweighSaves(other);
      lockAttribute(other, key);
      save = CompletableFuture.supplyAsync(() -> save(store, key, "a", "2"));
      awaitBusy();
      lockSession(other, key);
      other.rollback();
    }
    assertThat(save).succeedsWithin(BOUND).isEqualTo(OptionalLong.of(3));
    assertThat(number(store, key, "a")).isEqualTo(2);
  }

  /** Begins a transaction that is not the one to give way when it is in a deadlock with a save. */
  abstract void outweighSaves(Connection connection) throws SQLException;

  /** Locks the row of the attribute "a". */
  abstract void lockAttribute(Connection connection, SessionKey key) throws SQLException;

  static void lockSession(Connection connection, SessionKey key) throws SQLException {
    lockRow(
        connection,
        "SELECT version FROM sojourn_session WHERE application = 'app' AND origin = ? FOR UPDATE",
        key);
  }

  static void lockRow(Connection connection, String query, SessionKey key) throws SQLException {
    connection.setAutoCommit(false);
    try (PreparedStatement statement = connection.prepareStatement(query)) {
      statement.setBytes(1, key.bytes());
      try (ResultSet rows = statement.executeQuery()) {
        assertThat(rows.next()).isTrue();
      }
    }
  }

  final Set<Long> awaitBusy() {
    return await().atMost(BOUND).until(administrator::busyConnections, busy -> !busy.isEmpty());
  }

  // ---------------------------------------------------------------- frozen

  @Test
  @Tag("G4")
  @Tag("R18")
  void aFrozenDatabaseCostsABoundedTimeAndThePoolIsWholeAfterwards() {
    StoreConfiguration configuration =
        configuration("socketTimeout=1000", "connectionTimeout=1000", "maximumPoolSize=4");
    JdbcSettings settings = JdbcSettings.of(configuration.options(), true);
    HikariDataSource pool = JdbcSessionStoreProvider.pool(configuration, settings);
    SessionStore store = JdbcSessionStore.owning(pool, configuration, settings);
    opened.add(store);
    SessionKey key = created(store);
    server.suspend();
    try {
      assertTimeoutPreemptively(
          BOUND,
          () ->
              Threads.run(
                  8,
                  thread -> {
                    assertUnavailable(() -> save(store, key, "t" + thread, "1"));
                    assertUnavailable(() -> store.load(key, SessionStore.NO_VERSION));
                  }));
    } finally {
      server.resume();
    }
    Threads.run(
        8, thread -> assertThat(served(() -> save(store, key, "t" + thread, "2"))).isPresent());
    assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
    assertThat(pool.getHikariPoolMXBean().getThreadsAwaitingConnection()).isZero();
    SessionStore patient = openPatient();
    for (int thread = 0; thread < 8; thread++) {
      assertThat(number(patient, key, "t" + thread)).isEqualTo(2);
    }
  }

  // ---------------------------------------------------------------- parts of them

  private static SessionKey newKey() {
    return SessionKey.of(UUID.randomUUID().toString());
  }

  private static NewSession session(SessionKey key) {
    return new NewSession(
        key,
        SessionStore.FIRST_VERSION,
        Instant.now(),
        IdleTimeout.of(Duration.ofMinutes(30), Duration.ofMinutes(1)),
        Map.of());
  }

  static SessionKey created(SessionStore store) {
    return served(
        () -> {
          SessionKey key = newKey();
          assertThat(store.create(session(key))).isTrue();
          return key;
        });
  }

  /** The first answer to a question that is asked until there is one; it may be done twice. */
  private static <T> T served(Callable<T> question) {
    return await()
        .atMost(BOUND)
        .pollDelay(Duration.ZERO)
        .ignoreExceptionsInstanceOf(StoreUnavailableException.class)
        .until(question, any -> true);
  }

  static OptionalLong save(SessionStore store, SessionKey key, String name, String value) {
    return store.save(
        change(key, name, new AttributeChange.Set(EncodedValue.of(value.getBytes(UTF_8)))));
  }

  static SessionDelta change(SessionKey key, String name, AttributeChange change) {
    return new SessionDelta(key, Map.of(name, change), Optional.empty(), Duration.ZERO);
  }

  static long number(SessionStore store, SessionKey key, String name) {
    LoadResult result = store.load(key, SessionStore.NO_VERSION);
    assertThat(result).isInstanceOf(LoadResult.Found.class);
    var attributes = ((LoadResult.Found) result).session().attributes();
    assertThat(attributes).containsKey(name);
    return Long.parseLong(
        new String(Objects.requireNonNull(attributes.get(name)).value().bytes(), UTF_8));
  }

  private static void assertUnavailable(ThrowingRunnable call) {
    assertThatThrownBy(call::run).isInstanceOf(StoreUnavailableException.class);
  }
}
