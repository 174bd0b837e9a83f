package io.sojourn.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoredAttribute;
import io.sojourn.jdbc.JdbcSessionStore;
import io.sojourn.jdbc.JdbcSessionStoreProvider;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/**
 * What does an operation of the JDBC store take, measured by bare JDBC calls? A thousand sessions
 * of five attributes of 400 bytes. The bare calls are the store's own statements, with the same
 * bytes both ways, or what nobody who keeps a session could do with less: one statement on a plain
 * table with as many rows, found by its primary key. Each invocation makes both calls, now the one
 * first and now the other; {@link Pairs} reports them one by one. Both borrow their connection from
 * a HikariCP pool of the same settings.
 *
 * <pre>
 * mvn -q -DskipTests -pl benchmarks -am package
 * java -jar benchmarks/target/benchmarks.jar JdbcStore -prof io.sojourn.benchmarks.Pairs
 * </pre>
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@State(Scope.Benchmark)
public class JdbcStoreBenchmark {

  private static final int SESSIONS = 1000;
  private static final int ATTRIBUTES = 5;
  private static final int ATTRIBUTE_BYTES = 400;

  private static final int SMALL = 100;
  private static final int LARGE = 2000;

  private static final String SMALL_NAME = "small";
  private static final String LARGE_NAME = "large";

  /** The name that a session's own row has in the bare table. */
  private static final String OWN_ROW = "";

  private static final String SELECT =
      "SELECT name, version, content, created, accessed, idle, touch, expiry FROM bare"
          + " WHERE application = ? AND id = ? AND name ";
  private static final String UPDATE_CONTENT =
      "UPDATE bare SET content = ? WHERE application = ? AND id = ? AND name = ?";
  private static final String UPDATE_NUMBER =
      "UPDATE bare SET accessed = ? WHERE application = ? AND id = ? AND name = ?";

  private static final byte[] APPLICATION = name("benchmark");

  private final Random random = new Random(1);
  private final SessionKey[] keys = new SessionKey[SESSIONS];

  /** What serves the database. */
  @Param({"mariadb", "mysql", "postgresql", "h2"})
  public String database = "h2";

  /** What the bare calls are: the store's {@code statements}, or one on a plain {@code row}. */
  @Param({"statements", "row"})
  public String bare = "row";

  private BenchmarkDatabase served;
  private SessionStore store;
  private HikariDataSource pool;
  private StatementTrace.Recorder recorder;
  private SessionStore recorded;
  private @Nullable StatementTrace trace;
  private byte[] content = {};
  private int turn;

  /** For JMH. */
  @SuppressWarnings("NullAway.Init") // JMH calls the setup
  public JdbcStoreBenchmark() {}

  /** Starts the server and fills both tables. */
  @Setup
  public void start() throws SQLException {
    served = BenchmarkDatabase.start(database);
    store = new JdbcSessionStoreProvider().open(StoreConfiguration.of(served.url(), "benchmark"));
    pool = new HikariDataSource(likeTheStore());
    recorder = new StatementTrace.Recorder(pool);
    recorded =
        JdbcSessionStore.of(recorder.source(), StoreConfiguration.of(served.url(), "benchmark"));
    IdleTimeout timeout = new IdleTimeout(Duration.ofHours(8), Duration.ofHours(2));
    for (int i = 0; i < SESSIONS; i++) {
      keys[i] = SessionKey.of("session " + i);
      Map<String, EncodedValue> attributes = new HashMap<>();
      for (int j = 1; j <= ATTRIBUTES; j++) {
        attributes.put("attribute" + j, EncodedValue.of(bytes(ATTRIBUTE_BYTES)));
      }
      store.create(
          new NewSession(keys[i], SessionStore.FIRST_VERSION, Instant.now(), timeout, attributes));
    }
    fillBare();
  }

  /** Ends all. */
  @TearDown
  public void close() {
    store.close();
    recorded.close();
    pool.close();
    served.close();
  }

  /** Reads a whole session: six rows, 2 KB. */
  @Benchmark
  public void load(Blackhole hole) throws Exception {
    SessionKey key = next();
    pair(
        hole,
        key,
        0,
        by -> by.load(key, SessionStore.NO_VERSION),
        () -> select("<= ?", key, name("attribute" + ATTRIBUTES)));
  }

  /** Asks what is new in a session of which the current version is known: one row. */
  @Benchmark
  public void loadUnchanged(Blackhole hole) throws Exception {
    SessionKey key = next();
    pair(
        hole,
        key,
        0,
        by -> {
          LoadResult result = by.load(key, SessionStore.FIRST_VERSION);
          if (!(result instanceof LoadResult.Unchanged)) {
            throw new IllegalStateException("Somebody has saved: " + result);
          }
          return result;
        },
        () -> select("= ?", key, name(OWN_ROW)));
  }

  /** Writes one attribute of 100 bytes. */
  @Benchmark
  public void saveSmall(Blackhole hole) throws Exception {
    save(hole, SMALL_NAME, SMALL);
  }

  /** Writes one attribute of 2 KB. */
  @Benchmark
  public void saveLarge(Blackhole hole) throws Exception {
    save(hole, LARGE_NAME, LARGE);
  }

  /** Moves the time of last access. */
  @Benchmark
  public void touch(Blackhole hole) throws Exception {
    SessionKey key = next();
    long number = turn;
    pair(
        hole,
        key,
        0,
        by -> by.save(SessionDelta.touch(key, Duration.ZERO)).orElseThrow(),
        () -> {
          try (Connection connection = pool.getConnection();
              PreparedStatement statement = connection.prepareStatement(UPDATE_NUMBER)) {
            statement.setLong(1, number);
            statement.setBytes(2, APPLICATION);
            statement.setBytes(3, key.bytes());
            statement.setBytes(4, name(OWN_ROW));
            return updated(statement);
          }
        });
  }

  private void save(Blackhole hole, String name, int size) throws Exception {
    SessionKey key = next();
    pair(
        hole,
        key,
        size,
        by ->
            by.save(
                    new SessionDelta(
                        key,
                        Map.of(name, new AttributeChange.Set(EncodedValue.of(content))),
                        Optional.empty(),
                        Duration.ZERO))
                .orElseThrow(),
        () -> {
          try (Connection connection = pool.getConnection();
              PreparedStatement statement = connection.prepareStatement(UPDATE_CONTENT)) {
            statement.setBytes(1, content);
            statement.setBytes(2, APPLICATION);
            statement.setBytes(3, key.bytes());
            statement.setBytes(4, name(name));
            return updated(statement);
          }
        });
  }

  /** Reads rows of a session, as the store does: all that they say. */
  private Map<String, Object> select(String names, SessionKey key, byte[] name)
      throws SQLException {
    Map<String, Object> contents = new HashMap<>();
    try (Connection connection = pool.getConnection();
        PreparedStatement statement = connection.prepareStatement(SELECT + names)) {
      statement.setBytes(1, APPLICATION);
      statement.setBytes(2, key.bytes());
      statement.setBytes(3, name);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          byte[] content = rows.getBytes(3);
          contents.put(
              new String(rows.getBytes(1), UTF_8),
              content != null
                  ? new StoredAttribute(EncodedValue.of(content), rows.getLong(2))
                  : List.of(
                      rows.getLong(2),
                      rows.getLong(4),
                      rows.getLong(5),
                      rows.getLong(6),
                      rows.getLong(7),
                      rows.getLong(8)));
        }
      }
    }
    return contents;
  }

  private static int updated(PreparedStatement statement) throws SQLException {
    int rows = statement.executeUpdate();
    if (rows != 1) {
      throw new IllegalStateException(rows + " rows were updated, not one");
    }
    return rows;
  }

  /** A call of a store. */
  @FunctionalInterface
  private interface StoreCall {
    Object by(SessionStore store);
  }

  /**
   * Makes a pair of calls about a session.
   *
   * @param size how many bytes they write
   */
  private void pair(Blackhole hole, SessionKey key, int size, StoreCall ofStore, Callable<?> onRow)
      throws Exception {
    Callable<?> others = onRow;
    if (bare.equals("statements")) {
      StatementTrace same = trace(key, size, ofStore);
      others = () -> same.again(pool, key.bytes(), content, random);
    }
    content = bytes(size);
    Pairs.call(hole, turn % 2 == 0, () -> ofStore.by(store), others);
  }

  /** What the store does for such a call. */
  private StatementTrace trace(SessionKey key, int size, StoreCall ofStore) throws Exception {
    StatementTrace known = trace;
    if (known == null) {
      known =
          recorder.record(
              key.bytes(),
              () -> {
                content = bytes(size);
                return ofStore.by(recorded);
              });
      trace = known;
    }
    return known;
  }

  private SessionKey next() {
    turn++;
    return keys[random.nextInt(SESSIONS)];
  }

  private byte[] bytes(int size) {
    byte[] bytes = new byte[size];
    random.nextBytes(bytes);
    return bytes;
  }

  // ---------------------------------------------------------------- the bare side

  /** The settings of the store's own pool, as far as a call that succeeds can tell. */
  private HikariConfig likeTheStore() {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(served.url());
    config.setMaximumPoolSize(10);
    config.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
    switch (database) {
      case "mariadb", "mysql" -> {
        config.addDataSourceProperty("useServerPrepStmts", "true");
        config.addDataSourceProperty("cachePrepStmts", "true");
        config.addDataSourceProperty("prepStmtCacheSize", "64");
        config.addDataSourceProperty("prepStmtCacheSqlLimit", "8192");
        config.addDataSourceProperty("socketTimeout", "5000");
      }
      case "postgresql" -> {
        config.addDataSourceProperty("prepareThreshold", "1");
        config.setConnectionInitSql("SET enable_seqscan = off");
        config.addDataSourceProperty("socketTimeout", "5");
      }
      default -> {}
    }
    return config;
  }

  private void fillBare() throws SQLException {
    String end = database.equals("postgresql") ? " WITH (fillfactor = 90)" : "";
    String binary = database.equals("postgresql") ? "BYTEA" : "VARBINARY(2000)";
    try (Connection connection = pool.getConnection()) {
      try (Statement statement = connection.createStatement()) {
        statement.execute(
            """
            CREATE TABLE bare (application %2$s NOT NULL, id %1$s NOT NULL, name %2$s NOT NULL,
              version BIGINT, created BIGINT, accessed BIGINT, idle BIGINT, touch BIGINT, expiry BIGINT, content %3$s,
              PRIMARY KEY (application, id, name))"""
                    .formatted(binary.replace("2000", "32"), binary.replace("2000", "200"), binary)
                + end);
      }
      try (PreparedStatement statement =
          connection.prepareStatement("INSERT INTO bare VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?)")) {
        for (SessionKey key : keys) {
          insert(statement, key, OWN_ROW, null);
          for (int i = 1; i <= ATTRIBUTES; i++) {
            insert(statement, key, "attribute" + i, bytes(ATTRIBUTE_BYTES));
          }
          insert(statement, key, SMALL_NAME, bytes(SMALL));
          insert(statement, key, LARGE_NAME, bytes(LARGE));
        }
        statement.executeBatch();
      }
    }
  }

  private static void insert(
      PreparedStatement statement, SessionKey key, String name, byte @Nullable [] content)
      throws SQLException {
    statement.setBytes(1, APPLICATION);
    statement.setBytes(2, key.bytes());
    statement.setBytes(3, name(name));
    for (int number = 4; number <= 8; number++) {
      if (content == null) {
        statement.setLong(number, System.currentTimeMillis());
      } else {
        statement.setNull(number, Types.BIGINT);
      }
    }
    statement.setBytes(9, content);
    statement.addBatch();
  }

  private static byte[] name(String name) {
    return name.getBytes(UTF_8);
  }
}
