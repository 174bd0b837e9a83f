package io.sojourn.benchmarks;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.jdbc.JdbcSessionStoreProvider;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Does a database with a million sessions answer as one with a few does? Fills it, looks sessions
 * up, and then lets all of them expire at once while two nodes scavenge and a third one goes on
 * saving sessions that live.
 *
 * <pre>
 * mvn -q -DskipTests -pl benchmarks -am package
 * java -cp benchmarks/target/benchmarks.jar io.sojourn.benchmarks.MillionSessions mariadb 1000000
 * </pre>
 */
public final class MillionSessions {

  private static final String APPLICATION = "shop";
  private static final IdleTimeout TIMEOUT =
      new IdleTimeout(Duration.ofHours(8), Duration.ofHours(2));
  private static final IdleTimeout LONG_TIMEOUT =
      new IdleTimeout(Duration.ofDays(8), Duration.ofDays(2));

  /** When all but the sessions with the long timeout have expired. */
  private static final Duration AFTER_THE_TIMEOUT = Duration.ofHours(11);

  private static final int ATTRIBUTES = 2;
  private static final int ATTRIBUTE_BYTES = 200;
  private static final int SESSIONS_OF_A_STATEMENT = 50;
  private static final int STATEMENTS_OF_A_TRANSACTION = 20;
  private static final int LOOKUPS = 20_000;
  private static final int LIVE = 500;
  private static final int CLAIM_LIMIT = 50;
  private static final Duration CLAIM_TIME = Duration.ofMinutes(1);

  private final String kind;
  private final int sessions;
  private final String url;
  private final byte[] application = APPLICATION.getBytes(StandardCharsets.UTF_8);

  private MillionSessions(String kind, int sessions, String url) {
    this.kind = kind;
    this.sessions = sessions;
    this.url = url;
  }

  /**
   * Measures and prints.
   *
   * @param arguments {@code mariadb}, {@code mysql} or {@code postgresql}, and how many sessions; a
   *     million of MariaDB unless given
   */
  public static void main(String[] arguments) throws Exception {
    String kind = arguments.length > 0 ? arguments[0] : "mariadb";
    int sessions = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 1_000_000;
    try (BenchmarkDatabase database = start(kind)) {
      new MillionSessions(kind, sessions, database.url()).run();
    }
  }

  private void run() throws Exception {
    say(
        "%s, %,d sessions of %d attributes of %d bytes",
        kind, sessions, ATTRIBUTES, ATTRIBUTE_BYTES);
    prepareServer();
    try (SessionStore store = open(Duration.ZERO)) {
      store.ping(); // creates the tables
      long start = System.nanoTime();
      fill();
      say("filled in %.0f s", secondsSince(start));
      printSize();
      lookUp(store);
    }
    scavenge();
  }

  private SessionStore open(Duration ahead) {
    StoreConfiguration configuration =
        new StoreConfiguration(url, APPLICATION, Map.of(), () -> ahead);
    return new JdbcSessionStoreProvider().open(configuration);
  }

  /**
   * With more memory and log than the tests' servers have: MySQL's is written to two files, and it
   * has a binary log unless it is told not to.
   */
  private static BenchmarkDatabase start(String kind) {
    return kind.equals("mysql")
        ? BenchmarkDatabase.mySql(
            "--innodb-buffer-pool-size=1G", "--innodb-log-file-size=128M", "--skip-log-bin")
        : BenchmarkDatabase.start(kind);
  }

  /** The same for MariaDB, which takes it while it runs. */
  private void prepareServer() throws SQLException {
    if (kind.equals("mariadb")) {
      try (Connection connection = DriverManager.getConnection(url);
          Statement statement = connection.createStatement()) {
        statement.execute("SET GLOBAL innodb_buffer_pool_size = 1073741824");
        statement.execute("SET GLOBAL innodb_log_file_size = 268435456");
      }
    }
  }

  private static SessionKey key(int session) {
    return SessionKey.of("session " + session);
  }

  // ---------------------------------------------------------------- fill

  /** The rows that the store would write. */
  private void fill() throws SQLException {
    Random random = new Random(1);
    try (Connection connection = DriverManager.getConnection(url)) {
      connection.setAutoCommit(false);
      int statements = 0;
      for (int first = 0; first < sessions; first += SESSIONS_OF_A_STATEMENT) {
        int count = Math.min(SESSIONS_OF_A_STATEMENT, sessions - first);
        if (kind.equals("postgresql")) {
          fillTwoTables(connection, random, first, count);
        } else {
          fillOneTable(connection, random, first, count);
        }
        if (++statements % STATEMENTS_OF_A_TRANSACTION == 0) {
          connection.commit();
        }
      }
      connection.commit();
      connection.setAutoCommit(true);
      try (Statement statement = connection.createStatement()) {
        for (String table : tables()) {
          statement.execute((kind.equals("postgresql") ? "ANALYZE " : "ANALYZE TABLE ") + table);
        }
      }
    }
  }

  private List<String> tables() {
    return kind.equals("postgresql")
        ? List.of("sojourn_session", "sojourn_session_attribute")
        : List.of("sojourn_session");
  }

  private void fillOneTable(Connection connection, Random random, int first, int count)
      throws SQLException {
    String rows =
        "(?, ?, 0, '', 1, ?, ?, ?, ?, ?, ?, NULL)"
            + ", (?, ?, 1, ?, 1, NULL, NULL, NULL, NULL, NULL, NULL, ?)".repeat(ATTRIBUTES);
    String sql =
        "INSERT INTO sojourn_session (application, origin, kind, name, version, session_key,"
            + " creation_time, last_access_time, max_inactive_interval, touch_interval, expiry,"
            + " content) VALUES "
            + rows
            + (", " + rows).repeat(count - 1);
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      int index = 0;
      for (int i = first; i < first + count; i++) {
        index = bindOwnRow(statement, index, i);
        for (int j = 0; j < ATTRIBUTES; j++) {
          index = bindAttribute(statement, index, random, i, j);
        }
      }
      statement.executeUpdate();
    }
  }

  private void fillTwoTables(Connection connection, Random random, int first, int count)
      throws SQLException {
    String row = "(?, ?, 1, ?, ?, ?, ?, ?, ?)";
    String sql =
        "INSERT INTO sojourn_session (application, origin, version, session_key, creation_time,"
            + " last_access_time, max_inactive_interval, touch_interval, expiry) VALUES "
            + row
            + (", " + row).repeat(count - 1);
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      int index = 0;
      for (int i = first; i < first + count; i++) {
        index = bindOwnRow(statement, index, i);
      }
      statement.executeUpdate();
    }
    String attributes =
        "INSERT INTO sojourn_session_attribute (application, origin, name, version, content)"
            + " VALUES (?, ?, ?, 1, ?)"
            + ", (?, ?, ?, 1, ?)".repeat(count * ATTRIBUTES - 1);
    try (PreparedStatement statement = connection.prepareStatement(attributes)) {
      int index = 0;
      for (int i = first; i < first + count; i++) {
        for (int j = 0; j < ATTRIBUTES; j++) {
          index = bindAttribute(statement, index, random, i, j);
        }
      }
      statement.executeUpdate();
    }
  }

  private int bindOwnRow(PreparedStatement statement, int before, int session) throws SQLException {
    int index = before;
    byte[] key = key(session).bytes();
    long now = System.currentTimeMillis();
    statement.setBytes(++index, application);
    statement.setBytes(++index, key);
    statement.setBytes(++index, key);
    statement.setLong(++index, now);
    statement.setLong(++index, now);
    statement.setLong(++index, TIMEOUT.maxInactiveInterval().toMillis());
    statement.setLong(++index, TIMEOUT.touchInterval().toMillis());
    statement.setLong(++index, now + TIMEOUT.timeToLive().orElseThrow().toMillis());
    return index;
  }

  private int bindAttribute(
      PreparedStatement statement, int before, Random random, int session, int attribute)
      throws SQLException {
    int index = before;
    byte[] content = new byte[ATTRIBUTE_BYTES];
    random.nextBytes(content);
    statement.setBytes(++index, application);
    statement.setBytes(++index, key(session).bytes());
    statement.setBytes(++index, ("attribute" + attribute).getBytes(StandardCharsets.UTF_8));
    statement.setBytes(++index, content);
    return index;
  }

  // ---------------------------------------------------------------- measure

  private void printSize() throws SQLException {
    String sql =
        kind.equals("postgresql")
            ? "SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class"
                + " WHERE relname IN ('sojourn_session', 'sojourn_session_attribute') ORDER BY 1"
            : "SELECT table_name, data_length, index_length FROM information_schema.tables"
                + " WHERE table_schema = DATABASE() AND table_name = 'sojourn_session'";
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        say(
            "%s: %,d MB of rows, %,d MB of indexes",
            rows.getString(1), rows.getLong(2) >> 20, rows.getLong(3) >> 20);
      }
    }
  }

  private void lookUp(SessionStore store) {
    Random random = new Random(2);
    Times times = new Times();
    for (int i = 0; i < LOOKUPS; i++) {
      SessionKey key = key(random.nextInt(sessions));
      LoadResult result = times.add(() -> store.load(key, SessionStore.NO_VERSION));
      if (!(result instanceof LoadResult.Found)) {
        throw new IllegalStateException("Session " + key + " is not there: " + result);
      }
    }
    say("load of a random session: %s", times);
  }

  private void scavenge() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    ExecutorService threads = Executors.newFixedThreadPool(3);
    try (SessionStore live = open(AFTER_THE_TIMEOUT);
        SessionStore one = open(AFTER_THE_TIMEOUT);
        SessionStore other = open(AFTER_THE_TIMEOUT)) {
      for (int i = 0; i < LIVE; i++) {
        live.create(
            new NewSession(
                key(-1 - i),
                Instant.now(),
                LONG_TIMEOUT,
                Map.of("count", EncodedValue.of(new byte[ATTRIBUTE_BYTES]))));
      }
      Future<?> saver = threads.submit(() -> save(live, done));
      long start = System.nanoTime();
      Future<Long> first = threads.submit(() -> scavenge(one, "one", done));
      Future<Long> second = threads.submit(() -> scavenge(other, "other", done));
      long removed = first.get() + second.get();
      double seconds = secondsSince(start);
      done.set(true);
      saver.get();
      say("%,d sessions scavenged in %.0f s: %.0f a second", removed, seconds, removed / seconds);
      if (removed != sessions) {
        throw new IllegalStateException(removed + " sessions were scavenged of " + sessions);
      }
    } finally {
      done.set(true);
      threads.shutdown();
      if (!threads.awaitTermination(1, TimeUnit.MINUTES)) {
        say("a thread does not end");
      }
    }
  }

  private long scavenge(SessionStore store, String name, AtomicBoolean done) {
    Times claims = new Times();
    Times removals = new Times();
    long removed = 0;
    long told = System.nanoTime();
    while (!done.get()) {
      List<SessionRecord> claimed = claims.add(() -> store.claimExpired(CLAIM_LIMIT, CLAIM_TIME));
      if (claimed.isEmpty()) {
        break;
      }
      for (SessionRecord session : claimed) {
        if (removals.add(() -> store.remove(session.origin()))) {
          removed++;
        }
      }
      if (secondsSince(told) > 60) {
        told = System.nanoTime();
        say("  %s so far: claims: %s", name, claims);
      }
    }
    say("claims of %s: %s", name, claims);
    say("removals of %s: %s", name, removals);
    return removed;
  }

  private void save(SessionStore store, AtomicBoolean done) {
    Random random = new Random(3);
    Times times = new Times();
    while (!done.get()) {
      SessionKey key = key(-1 - random.nextInt(LIVE));
      byte[] content = new byte[ATTRIBUTE_BYTES];
      random.nextBytes(content);
      SessionDelta delta =
          new SessionDelta(
              key,
              Map.of("count", new AttributeChange.Set(EncodedValue.of(content))),
              Optional.empty(),
              Duration.ZERO);
      times.add(() -> store.save(delta)).orElseThrow();
    }
    say("saves of live sessions meanwhile: %s", times);
  }

  private static double secondsSince(long nanoTime) {
    return (System.nanoTime() - nanoTime) / 1e9;
  }

  private static void say(String format, Object... arguments) {
    System.out.printf(format + "%n", arguments);
  }

  /** How long calls of one kind took. For one thread. */
  private static final class Times {

    private final List<Long> nanos = new ArrayList<>();

    <T> T add(Callable<T> call) {
      long start = System.nanoTime();
      try {
        return call.call();
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException(e);
      } finally {
        nanos.add(System.nanoTime() - start);
      }
    }

    @Override
    public String toString() {
      long[] sorted = nanos.stream().mapToLong(Long::longValue).sorted().toArray();
      return "%,d calls, median %.2f ms, 99%% %.2f ms, longest %.1f ms"
          .formatted(
              sorted.length,
              sorted[sorted.length / 2] / 1e6,
              sorted[(int) (sorted.length * 0.99)] / 1e6,
              sorted[sorted.length - 1] / 1e6);
    }
  }
}
