package io.sojourn.benchmarks;

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
import io.sojourn.jdbc.JdbcSessionStoreProvider;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
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
 * What does an operation of the JDBC store take, measured by a bare JDBC call that moves the same
 * bytes? A thousand sessions of five attributes of 400 bytes, and a table with rows of the same
 * sizes. Each invocation makes both calls, now the one first and now the other; {@link Pairs}
 * reports them one by one. Both borrow their connection from a HikariCP pool of the same settings.
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

  /** Two keys, eight numbers. */
  private static final int OWN_ROW_BYTES = 128;

  private static final int SMALL = 100;
  private static final int LARGE = 2000;

  /** The rows beside those of a session's attributes that take values of their own. */
  private static final int SMALL_ROW = ATTRIBUTES + 1;

  private static final int LARGE_ROW = ATTRIBUTES + 2;

  private static final String SELECT_ALL =
      "SELECT part, content FROM bare WHERE id = ? AND part <= " + ATTRIBUTES;
  private static final String SELECT_ONE = "SELECT content FROM bare WHERE id = ? AND part = 0";
  private static final String UPDATE_CONTENT =
      "UPDATE bare SET content = ? WHERE id = ? AND part = ?";
  private static final String UPDATE_NUMBER =
      "UPDATE bare SET touched = ? WHERE id = ? AND part = 0";

  private final Random random = new Random(1);
  private final SessionKey[] keys = new SessionKey[SESSIONS];

  /** What serves the database. */
  @Param({"mariadb", "mysql", "postgresql", "h2"})
  public String database = "h2";

  private BenchmarkDatabase served;
  private SessionStore store;
  private HikariDataSource pool;
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
    IdleTimeout timeout = new IdleTimeout(Duration.ofHours(8), Duration.ofHours(2));
    for (int i = 0; i < SESSIONS; i++) {
      keys[i] = SessionKey.of("session " + i);
      Map<String, EncodedValue> attributes = new HashMap<>();
      for (int j = 1; j <= ATTRIBUTES; j++) {
        attributes.put("attribute" + j, EncodedValue.of(bytes(ATTRIBUTE_BYTES)));
      }
      store.create(new NewSession(keys[i], Instant.now(), timeout, attributes));
    }
    fillBare();
  }

  /** Ends all. */
  @TearDown
  public void close() {
    store.close();
    pool.close();
    served.close();
  }

  /** Reads a whole session: six rows, 2 KB. */
  @Benchmark
  public void load(Blackhole hole) throws Exception {
    SessionKey key = next();
    pair(
        hole,
        () -> store.load(key, SessionStore.NO_VERSION),
        () -> {
          try (Connection connection = pool.getConnection();
              PreparedStatement statement = connection.prepareStatement(SELECT_ALL)) {
            statement.setBytes(1, key.bytes());
            Map<Integer, byte[]> parts = new HashMap<>();
            try (ResultSet rows = statement.executeQuery()) {
              while (rows.next()) {
                parts.put(rows.getInt(1), rows.getBytes(2));
              }
            }
            return parts;
          }
        });
  }

  /** Asks what is new in a session of which the current version is known: one row. */
  @Benchmark
  public void loadUnchanged(Blackhole hole) throws Exception {
    SessionKey key = next();
    pair(
        hole,
        () -> {
          LoadResult result = store.load(key, SessionStore.FIRST_VERSION);
          if (!(result instanceof LoadResult.Unchanged)) {
            throw new IllegalStateException("Somebody has saved: " + result);
          }
          return result;
        },
        () -> {
          try (Connection connection = pool.getConnection();
              PreparedStatement statement = connection.prepareStatement(SELECT_ONE)) {
            statement.setBytes(1, key.bytes());
            try (ResultSet rows = statement.executeQuery()) {
              return rows.next() ? rows.getBytes(1) : new byte[0];
            }
          }
        });
  }

  /** Writes one attribute of 100 bytes. */
  @Benchmark
  public void saveSmall(Blackhole hole) throws Exception {
    save(hole, "small", SMALL_ROW, SMALL);
  }

  /** Writes one attribute of 2 KB. */
  @Benchmark
  public void saveLarge(Blackhole hole) throws Exception {
    save(hole, "large", LARGE_ROW, LARGE);
  }

  /** Moves the time of last access. */
  @Benchmark
  public void touch(Blackhole hole) throws Exception {
    SessionKey key = next();
    long number = turn;
    pair(
        hole,
        () -> saved(SessionDelta.touch(key, Duration.ZERO)),
        () -> {
          try (Connection connection = pool.getConnection();
              PreparedStatement statement = connection.prepareStatement(UPDATE_NUMBER)) {
            statement.setLong(1, number);
            statement.setBytes(2, key.bytes());
            return updated(statement);
          }
        });
  }

  private void save(Blackhole hole, String name, int row, int size) throws Exception {
    SessionKey key = next();
    byte[] content = bytes(size);
    pair(
        hole,
        () ->
            saved(
                new SessionDelta(
                    key,
                    Map.of(name, new AttributeChange.Set(EncodedValue.of(content))),
                    Optional.empty(),
                    Duration.ZERO)),
        () -> {
          try (Connection connection = pool.getConnection();
              PreparedStatement statement = connection.prepareStatement(UPDATE_CONTENT)) {
            statement.setBytes(1, content);
            statement.setBytes(2, key.bytes());
            statement.setInt(3, row);
            return updated(statement);
          }
        });
  }

  private long saved(SessionDelta delta) {
    return store.save(delta).orElseThrow();
  }

  private static int updated(PreparedStatement statement) throws SQLException {
    int rows = statement.executeUpdate();
    if (rows != 1) {
      throw new IllegalStateException(rows + " rows were updated, not one");
    }
    return rows;
  }

  private void pair(Blackhole hole, Callable<?> ofStore, Callable<?> bare) throws Exception {
    boolean storeFirst = turn % 2 == 0;
    long start = System.nanoTime();
    hole.consume((storeFirst ? ofStore : bare).call());
    long middle = System.nanoTime();
    hole.consume((storeFirst ? bare : ofStore).call());
    long end = System.nanoTime();
    if (storeFirst) {
      Pairs.add(middle - start, end - middle);
    } else {
      Pairs.add(end - middle, middle - start);
    }
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

  /** The settings of the store's own pool. */
  private HikariConfig likeTheStore() {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(served.url());
    config.setMaximumPoolSize(10);
    config.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
    if (database.equals("mariadb") || database.equals("mysql")) {
      config.addDataSourceProperty("useServerPrepStmts", "true");
      config.addDataSourceProperty("cachePrepStmts", "true");
    }
    return config;
  }

  private void fillBare() throws SQLException {
    String end = database.equals("postgresql") ? " WITH (fillfactor = 90)" : "";
    String binary = database.equals("postgresql") ? "BYTEA" : "VARBINARY(2000)";
    try (Connection connection = pool.getConnection()) {
      try (Statement statement = connection.createStatement()) {
        statement.execute(
            "CREATE TABLE bare (id %s NOT NULL, part INT NOT NULL, touched BIGINT, content %s,"
                    .formatted(binary.replace("2000", "32"), binary)
                + " PRIMARY KEY (id, part))"
                + end);
      }
      try (PreparedStatement statement =
          connection.prepareStatement("INSERT INTO bare VALUES (?, ?, 0, ?)")) {
        for (SessionKey key : keys) {
          for (int part = 0; part <= LARGE_ROW; part++) {
            statement.setBytes(1, key.bytes());
            statement.setInt(2, part);
            statement.setBytes(3, bytes(size(part)));
            statement.addBatch();
          }
        }
        statement.executeBatch();
      }
    }
  }

  private static int size(int part) {
    return switch (part) {
      case 0 -> OWN_ROW_BYTES;
      case SMALL_ROW -> SMALL;
      case LARGE_ROW -> LARGE;
      default -> ATTRIBUTE_BYTES;
    };
  }
}
