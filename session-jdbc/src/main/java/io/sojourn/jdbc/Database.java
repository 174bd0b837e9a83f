package io.sojourn.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import io.sojourn.SessionException;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The way to the database: lends connections to tasks, sees to the tables at the first use, does a
 * task again where that may help, and turns what fails into the exceptions of a store.
 *
 * <p>Thread-safe.
 */
final class Database implements AutoCloseable {

  /*
   * A task is done again after a conflict, since the database has undone it, with no more isolation than its statements need; and after a
   * connection was lost or led to a server that takes no writes, as those in a pool do when their server has restarted or a failover has
   * demoted it. Then the idle connections of the pool are thrown away with it, so that the second attempt has a new one. Such a task may
   * have taken effect the first time; it is told so. Not so when much time has gone by: the database is down then rather than back again.
   */

  private static final int CONFLICTS = 50;
  private static final Duration PATIENCE_WITH_CONFLICTS = Duration.ofSeconds(5);

  private static final int LOST_CONNECTIONS = 3;
  private static final Duration PATIENCE_WITH_LOST_CONNECTIONS = Duration.ofSeconds(1);

  /** For what rightly takes longer than a request may wait for it. */
  static final Duration LONG = Duration.ofSeconds(5);

  /** A shorter time more is not worth telling a connection. */
  private static final Duration NOTHING_TO_SPEAK_OF = Duration.ofMillis(50);

  /** How long a task waits for a pool that is busy, or connecting for the first time. */
  private static final Duration PATIENCE_WITH_THE_POOL = Duration.ofSeconds(5);

  /** How long a store that is being opened waits for the server to say what it is. */
  private static final Duration PATIENCE_AT_THE_OPENING = Duration.ofSeconds(5);

  /** What a connection takes at once, so that nobody waits to send it. */
  private static final long ALWAYS_ROOM_FOR = 8 << 10;

  private final WriteWatch writeWatch = new WriteWatch();
  private final DataSource dataSource;
  private final boolean owned;
  private final StoreConfiguration configuration;
  private final JdbcSettings settings;
  private final byte[] application;
  private final Duration patienceWithLostConnections;
  private final ReentrantLock tablesLock = new ReentrantLock();
  private volatile boolean closed;

  /** Asks the server what it is, perhaps still; null if nobody wants to know. */
  private volatile @Nullable Thread opening;

  /** How often a connection was lost of which nobody says what server the next one leads to. */
  private final AtomicLong losses = new AtomicLong();

  /** When the database last answered anything. */
  private volatile long lastAnswer = System.nanoTime();

  /** Set once the tables are known to be there. */
  private volatile @Nullable SqlDialect dialect;

  /** Whether the server has to say of itself once more what the dialect goes by. */
  private volatile boolean askAgain;

  /**
   * The database behind a data source.
   *
   * @param owned whether the data source, a pool, is to be closed by {@link #close()}
   */
  Database(
      DataSource dataSource,
      boolean owned,
      StoreConfiguration configuration,
      JdbcSettings settings) {
    this.dataSource = dataSource;
    this.owned = owned;
    this.configuration = configuration;
    this.settings = settings;
    this.application = configuration.application().getBytes(StandardCharsets.UTF_8);
    // One that was lost because it did not answer has cost its request enough.
    Duration lessThanAnAnswer = settings.socketTimeout().multipliedBy(3).dividedBy(4);
    this.patienceWithLostConnections =
        lessThanAnAnswer.compareTo(PATIENCE_WITH_LOST_CONNECTIONS) < 0
            ? lessThanAnAnswer
            : PATIENCE_WITH_LOST_CONNECTIONS;
  }

  /** Something to do in the words of a dialect. */
  @FunctionalInterface
  interface Task<T> {
    T run(SqlDialect dialect, Work work) throws SQLException;
  }

  /**
   * Runs a task.
   *
   * @param attempt what it is about, to follow "Could not"
   * @throws StoreUnavailableException if the database cannot be asked
   * @throws SessionException if anything else goes wrong
   */
  <T> T run(String attempt, Task<T> task) {
    return run(attempt, Duration.ZERO, task);
  }

  /**
   * Runs a task that may take its time, as {@link #run(String, Task)} does.
   *
   * @param more for how long an answer is awaited beyond {@code socketTimeout}
   */
  <T> T run(String attempt, Duration more, Task<T> task) {
    return run(attempt, more, false, task);
  }

  /**
   * Runs a task that writes, as {@link #run(String, Task)} does. It has a second for each megabyte.
   *
   * @param bytes how many it writes
   */
  <T> T write(String attempt, long bytes, Task<T> task) {
    return run(attempt, Duration.ofMillis(bytes / 1000), bytes > ALWAYS_ROOM_FOR, task);
  }

  private <T> T run(String attempt, Duration more, boolean large, Task<T> task) {
    long start = System.nanoTime();
    int conflicts = 0;
    int lost = 0;
    boolean lookedAgain = false;
    long limit = SqlDialect.NO_LIMIT;
    while (true) {
      Connection connection = connect(attempt);
      Modes modes = new Modes();
      SQLException failure;
      try {
        modes.autoCommit(connection);
        Duration rightly = dialect == null && more.compareTo(LONG) < 0 ? LONG : more;
        int answerTime = owned && large ? connection.getNetworkTimeout() : Modes.FOR_EVER;
        if (owned && rightly.compareTo(NOTHING_TO_SPEAK_OF) > 0) {
          modes.patient(connection, rightly);
        }
        SqlDialect known = dialect(connection);
        limit = known.packetLimit();
        if (conflicts > 0 && known.isAtEaseWithReadCommitted()) {
          modes.readCommitted(connection);
        }
        long offset = configuration.clockOffset().get().toMillis();
        Work work = new Work(connection, application, offset, lost > 0);
        T answer =
            answerTime == Modes.FOR_EVER
                ? task.run(known, work)
                : watch(rightly.plusMillis(2L * answerTime), known, work, task);
        lastAnswer = System.nanoTime();
        giveBack(connection, modes);
        return answer;
      } catch (SQLException e) {
        failure = e;
      } catch (SessionException e) {
        giveBack(connection, modes);
        throw e;
      } catch (RuntimeException e) {
        discard(connection);
        throw failed(attempt, e);
      } catch (Error e) {
        discard(connection); // such as out of memory: nobody knows what it is in the middle of
        throw e;
      }
      SqlFailure kind = SqlFailure.of(connection, failure);
      boolean takesLess = false;
      if (kind == SqlFailure.OUTAGE) {
        Connector connector = connector();
        boolean told = connector != null && connector.isTold();
        if (!told && SqlFailure.isLost(connection, failure)) {
          losses.incrementAndGet();
        }
        discard(connection);
        askAgain |= large; // what it takes may be less than what the server before took
      } else {
        takesLess = kind == SqlFailure.OTHER && large && !lookedAgain && limit(connection) != limit;
        giveBack(connection, modes);
      }
      long passed = System.nanoTime() - start;
      if (kind == SqlFailure.CONFLICT
          && ++conflicts < CONFLICTS
          && passed < PATIENCE_WITH_CONFLICTS.toNanos()) {
        LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(2_000_000L * conflicts));
      } else if (kind == SqlFailure.OUTAGE
          && ++lost < LOST_CONNECTIONS
          && passed < patienceWithLostConnections.toNanos()) {
        discardIdle();
      } else if (kind == SqlFailure.NO_TABLE && !lookedAgain) {
        lookedAgain = true;
        dialect = null; // somebody dropped it: the next attempt sees to the tables
      } else if (takesLess) {
        lookedAgain = true; // a driver that knows what the server takes has said so itself
      } else if (kind == SqlFailure.OTHER || kind == SqlFailure.DUPLICATE_KEY) {
        throw failed(attempt, failure);
      } else {
        throw unavailable(attempt, failure);
      }
    }
  }

  /** What the server takes now at once. */
  private long limit(Connection connection) {
    SqlDialect known = dialect;
    if (known == null) {
      return SqlDialect.NO_LIMIT;
    }
    try {
      known.ask(connection);
    } catch (SQLException e) {
      askAgain = true;
    }
    return known.packetLimit();
  }

  /** Runs a task, and ends its connection if it does not get through. */
  private <T> T watch(Duration time, SqlDialect known, Work work, Task<T> task)
      throws SQLException {
    Future<?> end = writeWatch.endAfter(time, work.connection());
    try {
      return task.run(known, work);
    } finally {
      end.cancel(false);
    }
  }

  /** The dialect, once it is known. */
  @Nullable SqlDialect dialect() {
    return dialect;
  }

  /** Closes the pool if it is this database's own. Repeatable. */
  @Override
  public void close() {
    closed = true;
    Thread asking = opening;
    if (asking != null) {
      asking.interrupt();
    }
    if (owned && dataSource instanceof HikariDataSource pool) {
      Connector connector = connector();
      if (connector != null) {
        connector.close();
      }
      pool.close();
    }
    writeWatch.close();
  }

  // ---------------------------------------------------------------- connections

  /**
   * A pool whose connector has failed, or that says itself why it has no connection, is an outage
   * when its timeout is over, and so is one whose connections have had no answer all that time. One
   * that says nothing else is busy, or is connecting for the first time in a JVM that still has to
   * load the driver.
   */
  private Connection connect(String attempt) {
    long begin = System.nanoTime();
    while (true) {
      long start = System.nanoTime();
      if (closed) {
        throw new StoreUnavailableException(
            "Could not "
                + attempt
                + ": the store "
                + configuration.printableUrl()
                + " has been closed",
            null);
      }
      try {
        return dataSource.getConnection();
      } catch (SQLException e) {
        boolean mayComeYet =
            e instanceof SQLTransientConnectionException
                && e.getCause() == null
                && lastFailure() == null
                && dataSource instanceof HikariDataSource pool
                && (dialect == null
                    || (pool.getHikariPoolMXBean().getTotalConnections() > 0
                        && lastAnswer - start > 0));
        if (!mayComeYet || System.nanoTime() - begin > PATIENCE_WITH_THE_POOL.toNanos()) {
          if (lastFailure() != null) {
            discardIdle(); // they have failed their test, or would have if there had been time
          }
          throw unavailable(attempt, e);
        }
      } catch (RuntimeException e) {
        throw unavailable(attempt, e);
      }
    }
  }

  /** Why the pool has no new connection, if it is one of ours and cannot connect. */
  private @Nullable SQLException lastFailure() {
    Connector connector = connector();
    return connector == null ? null : connector.lastFailure();
  }

  /** What connects, if the pool is one of ours. */
  private @Nullable Connector connector() {
    return dataSource instanceof HikariDataSource pool
            && pool.getDataSource() instanceof Connector connector
        ? connector
        : null;
  }

  /** A number for {@link io.sojourn.SessionStore#history}. */
  long history() {
    Connector connector = connector();
    return losses.get() + (connector == null ? 0 : connector.changes());
  }

  private static void giveBack(Connection connection, Modes modes) {
    try (connection) {
      modes.restore(connection);
    } catch (SQLException e) {
      // The task is done; a pool finds out by itself what such a connection is worth.
    }
  }

  /** What a connection was set to when its owner lent it, where that is not what a task needs. */
  private static final class Modes {

    /** As an answer of a connection that may wait for ever. */
    private static final int FOR_EVER = 0;

    private int networkTimeout = FOR_EVER;
    private boolean manualCommit;
    private int isolation = Connection.TRANSACTION_NONE;

    void autoCommit(Connection connection) throws SQLException {
      if (!connection.getAutoCommit()) {
        connection.setAutoCommit(true);
        manualCommit = true;
      }
    }

    /** Has the connection wait for an answer for so much longer. */
    void patient(Connection connection, Duration more) throws SQLException {
      int before = connection.getNetworkTimeout();
      if (before != FOR_EVER) {
        connection.setNetworkTimeout(Runnable::run, before + (int) more.toMillis());
        networkTimeout = before;
      }
    }

    /**
     * Puts down a stricter isolation. Under one, a statement fails when another transaction has
     * changed its row since it began, where read committed waits for that and goes on from it.
     */
    void readCommitted(Connection connection) throws SQLException {
      int before = connection.getTransactionIsolation();
      if (before > Connection.TRANSACTION_READ_COMMITTED) {
        connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        isolation = before;
      }
    }

    void restore(Connection connection) throws SQLException {
      if (networkTimeout != FOR_EVER) {
        connection.setNetworkTimeout(Runnable::run, networkTimeout);
      }
      if (isolation != Connection.TRANSACTION_NONE) {
        connection.setTransactionIsolation(isolation);
      }
      if (manualCommit) {
        connection.setAutoCommit(false);
      }
    }
  }

  /** Keeps a connection from going back to its pool as if it were sound. */
  private void discard(Connection connection) {
    if (dataSource instanceof HikariDataSource pool) {
      // It closes it. To give it back as well would have its network timeout set to what it was.
      pool.evictConnection(connection);
      return;
    }
    try (connection) {
      connection.abort(Runnable::run);
    } catch (SQLException e) {
      // It is gone already, which is what was wanted.
    }
  }

  /** Where one connection is lost, those that wait in the pool are likely to be. */
  private void discardIdle() {
    if (owned && dataSource instanceof HikariDataSource pool) {
      pool.getHikariPoolMXBean().softEvictConnections();
    }
  }

  // ---------------------------------------------------------------- tables

  private SqlDialect dialect(Connection connection) throws SQLException {
    SqlDialect known = dialect;
    if (known != null) {
      if (askAgain) {
        known.ask(connection);
        askAgain = false;
      }
      return known;
    }
    tablesLock.lock();
    try {
      known = dialect;
      if (known == null) {
        known = dialectOf(connection);
        settings.schema().ensure(connection, known, configuration.printableUrl());
        known.ask(connection);
        dialect = known;
      }
      return known;
    } finally {
      tablesLock.unlock();
    }
  }

  /** A server that cannot be used is left alone. It is no outage, which would pass. */
  private SqlDialect dialectOf(Connection connection) throws SQLException {
    try {
      return SqlDialect.of(connection.getMetaData(), settings.table());
    } catch (IllegalArgumentException e) {
      throw new SessionException(
          "The database " + configuration.printableUrl() + " is of no use: " + e.getMessage(), e);
    }
  }

  /**
   * Refuses a server that cannot be used, if it can be asked by now. One that cannot be asked is
   * left to the first task. On a thread of its own: a data source that is somebody else's may wait
   * for a server for minutes.
   *
   * @throws IllegalArgumentException if the server is too old or of another kind
   */
  void requireSuitableServer() {
    CompletableFuture<Optional<String>> refusal =
        CompletableFuture.supplyAsync(this::refusal, this::startOpening);
    try {
      Optional<String> why = refusal.get(PATIENCE_AT_THE_OPENING.toMillis(), TimeUnit.MILLISECONDS);
      if (why.isPresent()) {
        throw new IllegalArgumentException(
            "store=\"" + configuration.printableUrl() + "\" is of no use: " + why.get());
      }
    } catch (ExecutionException | TimeoutException e) {
      // It is down, or slow: the first task finds out.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** With the class loader of who opens the store, by which a data source may find its driver. */
  private void startOpening(Runnable work) {
    Thread thread = new Thread(work, "sojourn-open");
    thread.setDaemon(true);
    opening = thread;
    thread.start();
  }

  /** Why the server cannot be used; empty if it can. */
  private Optional<String> refusal() {
    Connection connection = connect("open the store");
    Modes modes = new Modes();
    try {
      modes.autoCommit(connection);
      SqlDialect.of(connection.getMetaData(), settings.table());
      giveBack(connection, modes);
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      giveBack(connection, modes);
      return Optional.of(String.valueOf(e.getMessage()));
    } catch (SQLException | RuntimeException e) {
      discard(connection);
      throw new CompletionException(e);
    }
  }

  // ---------------------------------------------------------------- exceptions

  private StoreUnavailableException unavailable(String attempt, Exception e) {
    // The pool's own exception says that it waited; what the driver said is behind it.
    Throwable said = e;
    if (e instanceof SQLTransientConnectionException) {
      SQLException lastFailure = lastFailure();
      said = lastFailure == null ? e : lastFailure;
      while (said.getCause() != null) {
        said = said.getCause();
      }
    }
    return new StoreUnavailableException(
        "Could not "
            + attempt
            + " in "
            + configuration.printableUrl()
            + ". Is the database up, and does it take the account? It says: "
            + said.getMessage(),
        e);
  }

  /** What the database says of data may repeat the data, so it is left to the cause. */
  private SessionException failed(String attempt, Throwable e) {
    String said = " " + e.getMessage();
    if (e instanceof SQLException sql) {
      String state = String.valueOf(sql.getSQLState());
      boolean aboutData = state.startsWith("22") || state.startsWith("23");
      said =
          (aboutData ? " the data does not fit" : said)
              + " (SQLSTATE "
              + state
              + ", code "
              + sql.getErrorCode()
              + ")";
    }
    return new SessionException(
        "Could not " + attempt + " in " + configuration.printableUrl() + ":" + said, e);
  }
}
