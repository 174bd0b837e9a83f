package io.sojourn.jdbc;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.sojourn.StoreConfiguration;
import java.io.PrintWriter;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Connects for a pool, to a server that takes writes. While the database is down it tries again and
 * again, at short intervals, until it is closed: a pool that is told of a failure waits for up to
 * five seconds before it tries again, and so would everybody else after the database is back.
 *
 * <p>Thread-safe.
 */
final class Connector implements DataSource, AutoCloseable {

  private static final System.Logger LOGGER = System.getLogger(Connector.class.getName());

  /** SQLSTATE of a transaction that may only read. */
  private static final String READ_ONLY = "25006";

  private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
  private static final Duration LONGEST_PAUSE = Duration.ofMillis(200);

  /** By then a pool has replaced each of its connections. */
  private static final Duration LATELY = Duration.ofMinutes(10);

  private final Driver driver;
  private final String url;
  private final Properties properties;
  private final String initSql;
  private final String testSql;
  private final List<String> serverSql;
  private final Duration answerTime;
  private final AtomicLong changes = new AtomicLong();

  /** The server that was connected to last; null if there was none yet. */
  @GuardedBy("changes")
  private @Nullable Server server;

  /** When each server was connected to last, by name. */
  @GuardedBy("changes")
  private final Map<String, Long> seen = new HashMap<>();

  @GuardedBy("changes")
  private Runnable discardOthers = () -> {};

  private final AtomicBoolean warned = new AtomicBoolean();

  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile @Nullable SQLException lastFailure;

  /**
   * A connector.
   *
   * @param properties what the driver is told beside the URL, the account among it
   * @param initSql what each new connection is told; empty if nothing
   * @param testSql fails on a server that takes no writes
   * @param serverSql tells one server from another, as {@link DriverDefaults#serverSql} says
   * @param answerTime how long a connection waits for an answer once it is there; zero for what the
   *     driver says
   */
  Connector(
      Driver driver,
      String url,
      Properties properties,
      String initSql,
      String testSql,
      List<String> serverSql,
      Duration answerTime) {
    this.driver = driver;
    this.url = url;
    this.properties = properties;
    this.initSql = initSql;
    this.testSql = testSql;
    this.serverSql = serverSql;
    this.answerTime = answerTime;
  }

  /** What the driver said when it last failed to connect; null if it has succeeded since. */
  @Nullable SQLException lastFailure() {
    return lastFailure;
  }

  /**
   * A server, from when it was started to when it ends.
   *
   * @param name none if it does not say
   * @param earliest when it was started at the earliest, by this node's clock for durations, in
   *     seconds; 0 if the name says it
   * @param latest the same at the latest: an answer may have come late
   */
  private record Server(Optional<String> name, long earliest, long latest) {

    static final Server UNKNOWN = new Server(Optional.empty(), 0, 0);

    /** The answer and the clock are in whole seconds, and the server's clock may be set. */
    private static final long INEXACT = 2;

    boolean isSame(Server other) {
      return name.isPresent()
          && name.equals(other.name)
          && earliest <= other.latest + INEXACT
          && other.earliest <= latest + INEXACT;
    }
  }

  /**
   * Says how to throw away the pool's other connections, before {@link #changes()} tells of another
   * server: who was lent one of them has asked under the number before.
   */
  void onChange(Runnable discard) {
    synchronized (changes) {
      discardOthers = discard;
      if (changes.get() > 0) {
        discard.run(); // nobody was lent one yet
      }
    }
  }

  /** Whether it is told which server a connection leads to. */
  boolean isTold() {
    return !serverSql.isEmpty();
  }

  /** How often so far a connection has led to another server than the one before. */
  long changes() {
    return changes.get();
  }

  @Override
  public Connection getConnection() throws SQLException {
    Duration pause = FIRST_PAUSE;
    while (true) {
      try {
        Connection connection = connect();
        if (closed.getCount() == 0) {
          connection.close(); // nobody would
          throw new SQLException("The pool has been closed");
        }
        lastFailure = null;
        return connection;
      } catch (SQLException e) {
        lastFailure = e;
        if (!pause(pause)) {
          throw e;
        }
      }
      pause =
          pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0
              ? pause.multipliedBy(2)
              : LONGEST_PAUSE;
    }
  }

  private Connection connect() throws SQLException {
    Connection connection = driver.connect(url, properties);
    if (connection == null) {
      throw new SQLException("The driver does not take the URL");
    }
    try {
      prepare(connection);
      return connection;
    } catch (SQLException | RuntimeException e) {
      try (connection) {
        throw e;
      }
    }
  }

  private void prepare(Connection connection) throws SQLException {
    if (initSql.isEmpty()) {
      return;
    }
    try (Statement statement = connection.createStatement()) {
      statement.execute(initSql);
      try {
        statement.execute(testSql);
      } catch (SQLException e) {
        if (SqlFailure.of(e) != SqlFailure.OTHER) {
          throw e;
        }
        // The query was made to fail: what the server says of it tells nobody anything.
        SQLException replica =
            new SQLException("The server takes no writes: it is a replica", READ_ONLY);
        replica.addSuppressed(e);
        throw replica;
      }
      if (isTold()) {
        recognize(server(statement));
      }
    }
    if (!answerTime.isZero()) {
      connection.setNetworkTimeout(Runnable::run, (int) answerTime.toMillis());
    }
  }

  /*
   * The pool opens one connection at a time, and has the one before by now. Where several servers take turns behind one address, to throw
   * away what leads to the others would never end: so one that was connected to lately is only counted.
   */
  private void recognize(Server connected) {
    synchronized (changes) {
      boolean isNew = connected.name().isPresent() && !wasSeenLately(connected.name().get());
      Server before = server;
      server = connected;
      if (before != null && !before.isSame(connected)) {
        if (isNew) {
          discardOthers.run();
        }
        changes.incrementAndGet();
      }
    }
  }

  @GuardedBy("changes")
  private boolean wasSeenLately(String name) {
    long now = System.nanoTime();
    Long last = seen.put(name, now);
    return last != null && now - last < LATELY.toNanos();
  }

  private Server server(Statement statement) throws SQLException {
    try {
      String name = value(statement, serverSql.get(0), 1);
      if (serverSql.size() == 1) {
        return new Server(Optional.of(name), 0, 0);
      }
      long asked = seconds();
      long uptime = Long.parseLong(value(statement, serverSql.get(1), 2));
      return new Server(Optional.of(name), asked - uptime, seconds() - uptime);
    } catch (SQLException e) {
      if (SqlFailure.isLost(statement.getConnection(), e)) {
        throw e;
      }
      warn(e);
      return Server.UNKNOWN;
    } catch (NumberFormatException e) {
      warn(e);
      return Server.UNKNOWN;
    }
  }

  private static long seconds() {
    return TimeUnit.NANOSECONDS.toSeconds(System.nanoTime());
  }

  private void warn(Exception said) {
    if (warned.compareAndSet(false, true)) {
      LOGGER.log(
          Level.WARNING,
          "The database {0} does not say which server it is ({1}). So each new connection counts as one"
              + " to a server that may have lost saves, and each session in the near cache is loaded anew"
              + " as a whole after it. Let the account run: {2}",
          StoreConfiguration.of(url, "").printableUrl(),
          said.getMessage(),
          String.join("; ", serverSql));
    }
  }

  private static String value(Statement statement, String sql, int column) throws SQLException {
    try (ResultSet row = statement.executeQuery(sql)) {
      String value = row.next() ? row.getString(column) : null;
      if (value == null) {
        throw new SQLException("The server does not say which one it is");
      }
      return value;
    }
  }

  /** False if there is to be no other attempt. */
  private boolean pause(Duration time) {
    try {
      return !closed.await(time.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Ends attempts that are going on. */
  @Override
  public void close() {
    closed.countDown();
  }

  @Override
  public Connection getConnection(String username, String password) throws SQLException {
    throw new SQLFeatureNotSupportedException("There is one account");
  }

  @Override
  public @Nullable PrintWriter getLogWriter() {
    return null;
  }

  @Override
  public void setLogWriter(PrintWriter out) {
    // Nothing is written to it.
  }

  /** The driver has its own, among its properties. */
  @Override
  public void setLoginTimeout(int seconds) {}

  /** For so long a pool that closes waits for an attempt to end. */
  @Override
  public int getLoginTimeout() {
    return 5;
  }

  @Override
  public Logger getParentLogger() throws SQLFeatureNotSupportedException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    throw new SQLFeatureNotSupportedException("This wraps nothing");
  }

  @Override
  public boolean isWrapperFor(Class<?> type) {
    return false;
  }
}
