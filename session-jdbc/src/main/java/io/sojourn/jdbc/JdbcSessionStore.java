package io.sojourn.jdbc;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.zaxxer.hikari.HikariDataSource;
import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.SessionDelta;
import io.sojourn.SessionException;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.StoredAttribute;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the sessions of one application in a relational database.
 *
 * <p>A load is one statement, and one more when the last access is due to be renewed; a touch, a
 * rename and a ping are one. Create, save, remove and claim are transactions of a few statements.
 *
 * <p>Thread-safe. The tables are created at the first use, where the account may.
 */
public final class JdbcSessionStore implements SessionStore {

  /*
   * Two tables: a row for each session, and a row for each attribute of it, whose content is NULL as the mark of a removal. Rows
   * are found by the session's origin, which never changes, so that a rename is the change of one column of one row.
   *
   * Everybody who writes a session locks its own row first, by updating or deleting it. So two writers of a session follow
   * each other and cannot deadlock, a version is given out once, and nobody writes attributes of a session that is gone. Under READ
   * COMMITTED a load is one statement and sees one state.
   *
   * MySQL and MariaDB assign a row's columns from left to right and use the new values; others use the old ones. The order of
   * the assignments below makes no difference to either.
   */

  private static final int MAX_APPLICATION_BYTES = 200;
  private static final int MAX_NAME_BYTES = 1100;
  private static final int ATTEMPTS = 10;

  private static final String INSERT =
      """
      INSERT INTO sojourn_session (application, origin, session_key, version, creation_time, last_access_time,
        max_inactive_interval, touch_interval, expiry, claimed_until)
      VALUES (?, ?, ?, ?, ?, {now}, ?, ?, {now} + CAST(? AS DECIMAL(19)), NULL)""";

  private static final String LOAD =
      """
      SELECT s.origin, s.session_key, s.version, s.creation_time, s.last_access_time, s.max_inactive_interval,
        s.touch_interval, {now} - s.last_access_time, a.name, a.version, a.content
      FROM sojourn_session s
      LEFT JOIN sojourn_attribute a ON a.application = s.application AND a.origin = s.origin
        AND a.version > CASE WHEN ? <= s.version AND s.version - ? <= ? THEN ? ELSE 0 END
      WHERE s.application = ? AND s.session_key = ? AND s.claimed_until IS NULL
        AND (s.expiry IS NULL OR s.expiry > {now})""";

  /** A null max inactive interval keeps the one there is. */
  private static final String UPDATE =
      """
      UPDATE sojourn_session SET
        expiry = CASE WHEN COALESCE(?, max_inactive_interval) > 0 THEN
          GREATEST(last_access_time, {now} - ?) + COALESCE(?, max_inactive_interval) + COALESCE(?, touch_interval) END,
        last_access_time = GREATEST(last_access_time, {now} - ?),
        max_inactive_interval = COALESCE(?, max_inactive_interval),
        touch_interval = COALESCE(?, touch_interval),
        version = {version}
      WHERE application = ? AND origin = ? AND claimed_until IS NULL""";

  private static final String REPLACE_ATTRIBUTE =
      """
      UPDATE sojourn_attribute SET version = ?, content = ?
      WHERE application = ? AND origin = ? AND name = ? AND version = ? AND content IS NOT NULL""";

  private static final String REMOVE_ATTRIBUTE =
      """
      UPDATE sojourn_attribute SET version = ?, content = NULL
      WHERE application = ? AND origin = ? AND name = ? AND content IS NOT NULL""";

  private static final String DROP_OLD_MARKS =
      """
      DELETE FROM sojourn_attribute
      WHERE application = ? AND origin = ? AND content IS NULL AND version < ?""";

  private static final String RENAME =
      """
      UPDATE sojourn_session SET session_key = ?
      WHERE application = ? AND session_key = ? AND claimed_until IS NULL AND (expiry IS NULL OR expiry > {now})""";

  private static final String DELETE =
      "DELETE FROM sojourn_session WHERE application = ? AND origin = ?";

  private static final String DELETE_ATTRIBUTES =
      "DELETE FROM sojourn_attribute WHERE application = ? AND origin = ?";

  private static final String FIND_EXPIRED =
      """
      SELECT origin FROM sojourn_session
      WHERE application = ? AND expiry <= {now} AND (claimed_until IS NULL OR claimed_until <= {now})
      ORDER BY expiry LIMIT ? FOR UPDATE SKIP LOCKED""";

  private static final String CLAIM =
      "UPDATE sojourn_session SET claimed_until = {now} + ? WHERE application = ? AND origin = ?";

  private static final String LOAD_CLAIMED =
      """
      SELECT s.origin, s.session_key, s.version, s.creation_time, s.last_access_time, s.max_inactive_interval,
        s.touch_interval, 0, a.name, a.version, a.content
      FROM sojourn_session s
      LEFT JOIN sojourn_attribute a ON a.application = s.application AND a.origin = s.origin
      WHERE s.application = ? AND s.origin = ?""";

  private final DataSource dataSource;
  private final @Nullable Runnable closing;
  private final StoreConfiguration configuration;
  private final byte[] application;
  private volatile boolean closed;

  /** Set once the tables are known to be there. */
  @GuardedBy("this")
  private @Nullable SqlDialect knownDialect;

  private JdbcSessionStore(
      DataSource dataSource, @Nullable Runnable closing, StoreConfiguration configuration) {
    this.dataSource = dataSource;
    this.closing = closing;
    this.configuration = configuration;
    this.application = configuration.application().getBytes(StandardCharsets.UTF_8);
    if (application.length > MAX_APPLICATION_BYTES) {
      throw new IllegalArgumentException(
          "application=\"" + configuration.application() + "\" is longer than 200 bytes");
    }
  }

  /**
   * A store over this data source, which stays the caller's to close. Its connections are to be in
   * auto-commit mode and READ COMMITTED.
   *
   * @param dataSource gives connections to H2 or MariaDB
   * @param configuration whose sessions; the URL serves messages only
   * @throws IllegalArgumentException if the application's name is longer than 200 bytes
   */
  public static JdbcSessionStore of(DataSource dataSource, StoreConfiguration configuration) {
    return new JdbcSessionStore(dataSource, null, configuration);
  }

  /** A store that closes its pool. */
  static JdbcSessionStore owning(HikariDataSource pool, StoreConfiguration configuration) {
    return new JdbcSessionStore(pool, pool::close, configuration);
  }

  // ---------------------------------------------------------------- operations

  @Override
  public boolean create(NewSession session) {
    IdleTimeout timeout = session.timeout();
    Map<String, EncodedValue> attributes = new TreeMap<>(session.attributes());
    return inTransaction(
        "create a session",
        work -> {
          try (Parameters insert = work.prepare(INSERT)) {
            insert.bytes(application).bytes(session.key().bytes()).bytes(session.key().bytes());
            insert.number(FIRST_VERSION).number(session.creationTime().toEpochMilli());
            insert.number(work.offset).number(timeout.maxInactiveInterval().toMillis());
            insert.number(timeout.touchInterval().toMillis()).number(work.offset);
            insert.number(timeout.timeToLive().map(Duration::toMillis).orElse(null));
            insert.statement.executeUpdate();
          } catch (SQLException e) {
            if (isDuplicate(e)) {
              return false;
            }
            throw e;
          }
          upsert(work, session.key(), FIRST_VERSION, attributes);
          return true;
        });
  }

  @Override
  public LoadResult load(SessionKey key, long knownVersion) {
    return withConnection(
        "load session " + key,
        work -> {
          Loaded loaded;
          try (Parameters load = work.prepare(LOAD)) {
            long usable = knownVersion >= FIRST_VERSION ? knownVersion : Long.MAX_VALUE;
            load.number(work.offset).number(usable).number(usable).number(REMOVAL_MARK_VERSIONS);
            load.number(usable).bytes(application).bytes(key.bytes()).number(work.offset);
            try (ResultSet rows = load.statement.executeQuery()) {
              if (!rows.next()) {
                return new LoadResult.Missing();
              }
              loaded = new Loaded(rows);
            }
          }
          if (loaded.idle > loaded.timeout.touchInterval().toMillis()) {
            update(work, SessionDelta.touch(loaded.origin, Duration.ZERO));
          }
          return loaded.since(knownVersion);
        });
  }

  @Override
  public OptionalLong save(SessionDelta delta) {
    if (delta.changes().isEmpty()) {
      return withConnection("save session " + delta.origin(), work -> update(work, delta));
    }
    return inTransaction(
        "save session " + delta.origin(),
        work -> {
          OptionalLong version = update(work, delta);
          if (version.isPresent()) {
            saveAttributes(work, delta, version.getAsLong());
          }
          return version;
        });
  }

  private OptionalLong update(Work work, SessionDelta delta) throws SQLException {
    String next = delta.isTouch() ? "version" : "version + 1";
    String sql = work.dialect.answeringVersion(work.dialect.sql(UPDATE), next);
    Long maxInactive = delta.timeout().map(t -> t.maxInactiveInterval().toMillis()).orElse(null);
    Long touch = delta.timeout().map(t -> t.touchInterval().toMillis()).orElse(null);
    long idle = delta.idle().toMillis();
    try (Parameters update =
        new Parameters(
            work.dialect.answersVersionAsGeneratedKey()
                ? work.connection.prepareStatement(sql, Statement.RETURN_GENERATED_KEYS)
                : work.connection.prepareStatement(sql))) {
      update.number(maxInactive).number(work.offset).number(idle).number(maxInactive).number(touch);
      update.number(work.offset).number(idle).number(maxInactive).number(touch);
      update.bytes(application).bytes(delta.origin().bytes());
      if (work.dialect.answersVersionAsGeneratedKey()) {
        if (update.statement.executeUpdate() == 0) {
          return OptionalLong.empty();
        }
        try (ResultSet keys = update.statement.getGeneratedKeys()) {
          keys.next();
          return OptionalLong.of(keys.getLong(1));
        }
      }
      try (ResultSet rows = update.statement.executeQuery()) {
        return rows.next() ? OptionalLong.of(rows.getLong(1)) : OptionalLong.empty();
      }
    }
  }

  private void saveAttributes(Work work, SessionDelta delta, long version) throws SQLException {
    Map<String, EncodedValue> sets = new TreeMap<>();
    boolean removals = false;
    for (Map.Entry<String, AttributeChange> entry : new TreeMap<>(delta.changes()).entrySet()) {
      byte[] name = name(entry.getKey());
      if (entry.getValue() instanceof AttributeChange.Set set) {
        sets.put(entry.getKey(), set.value());
      } else if (entry.getValue() instanceof AttributeChange.Replace replace) {
        try (Parameters update = work.prepare(REPLACE_ATTRIBUTE)) {
          update.number(version).bytes(replace.value().bytes());
          update.bytes(application).bytes(delta.origin().bytes()).bytes(name);
          update.number(replace.expectedVersion());
          update.statement.executeUpdate();
        }
      } else {
        removals = true;
        try (Parameters update = work.prepare(REMOVE_ATTRIBUTE)) {
          update.number(version);
          update.bytes(application).bytes(delta.origin().bytes()).bytes(name);
          update.statement.executeUpdate();
        }
      }
    }
    upsert(work, delta.origin(), version, sets);
    if (removals && version > REMOVAL_MARK_VERSIONS) {
      try (Parameters drop = work.prepare(DROP_OLD_MARKS)) {
        drop.bytes(application).bytes(delta.origin().bytes());
        drop.number(version - REMOVAL_MARK_VERSIONS);
        drop.statement.executeUpdate();
      }
    }
  }

  private void upsert(
      Work work, SessionKey origin, long version, Map<String, EncodedValue> attributes)
      throws SQLException {
    if (attributes.isEmpty()) {
      return;
    }
    try (Parameters upsert = work.prepare(work.dialect.upsert(attributes.size()))) {
      for (Map.Entry<String, EncodedValue> attribute : attributes.entrySet()) {
        upsert.bytes(application).bytes(origin.bytes()).bytes(name(attribute.getKey()));
        upsert.number(version).bytes(attribute.getValue().bytes());
      }
      upsert.statement.executeUpdate();
    }
  }

  @Override
  public boolean rename(SessionKey key, SessionKey newKey) {
    return withConnection(
        "rename session " + key,
        work -> {
          try (Parameters rename = work.prepare(RENAME)) {
            rename.bytes(newKey.bytes()).bytes(application).bytes(key.bytes());
            rename.number(work.offset);
            return rename.statement.executeUpdate() == 1;
          } catch (SQLException e) {
            if (isDuplicate(e)) {
              return false;
            }
            throw e;
          }
        });
  }

  @Override
  public boolean remove(SessionKey origin) {
    return inTransaction(
        "remove session " + origin,
        work -> {
          try (Parameters delete = work.prepare(DELETE)) {
            delete.bytes(application).bytes(origin.bytes());
            if (delete.statement.executeUpdate() == 0) {
              return false;
            }
          }
          try (Parameters delete = work.prepare(DELETE_ATTRIBUTES)) {
            delete.bytes(application).bytes(origin.bytes());
            delete.statement.executeUpdate();
          }
          return true;
        });
  }

  @Override
  public List<SessionRecord> claimExpired(int limit, Duration claimTime) {
    return inTransaction(
        "claim expired sessions",
        work -> {
          List<byte[]> origins = new ArrayList<>();
          try (Parameters find = work.prepare(FIND_EXPIRED)) {
            find.bytes(application).number(work.offset).number(work.offset).number(limit);
            try (ResultSet rows = find.statement.executeQuery()) {
              while (rows.next()) {
                origins.add(rows.getBytes(1));
              }
            }
          }
          List<SessionRecord> claimed = new ArrayList<>();
          for (byte[] origin : origins) {
            try (Parameters claim = work.prepare(CLAIM)) {
              claim.number(work.offset).number(claimTime.toMillis());
              claim.bytes(application).bytes(origin);
              claim.statement.executeUpdate();
            }
            try (Parameters load = work.prepare(LOAD_CLAIMED)) {
              load.bytes(application).bytes(origin);
              try (ResultSet rows = load.statement.executeQuery()) {
                rows.next();
                claimed.add(new Loaded(rows).record());
              }
            }
          }
          return claimed;
        });
  }

  @Override
  public void ping() {
    boolean valid = withConnection("reach the database", work -> work.connection.isValid(1));
    if (!valid) {
      throw unavailable("reach the database", null);
    }
  }

  @Override
  public void close() {
    closed = true;
    if (closing != null) {
      closing.run();
    }
  }

  private static byte[] name(String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > MAX_NAME_BYTES) {
      throw new SessionException(
          "An attribute's name of "
              + bytes.length
              + " bytes is too long for a database: at most "
              + MAX_NAME_BYTES,
          null);
    }
    return bytes;
  }

  // ---------------------------------------------------------------- rows

  /** A session and those of its attributes that were asked for. */
  private static final class Loaded {
    final SessionKey origin;
    final SessionKey key;
    final long version;
    final Instant creationTime;
    final Instant lastAccessTime;
    final IdleTimeout timeout;
    final long idle;
    final Map<String, StoredAttribute> set = new HashMap<>();
    final Map<String, Long> removed = new LinkedHashMap<>();

    /** Reads all rows, standing on the first. */
    Loaded(ResultSet rows) throws SQLException {
      origin = SessionKey.ofBytes(rows.getBytes(1));
      key = SessionKey.ofBytes(rows.getBytes(2));
      version = rows.getLong(3);
      creationTime = Instant.ofEpochMilli(rows.getLong(4));
      lastAccessTime = Instant.ofEpochMilli(rows.getLong(5));
      timeout =
          new IdleTimeout(Duration.ofMillis(rows.getLong(6)), Duration.ofMillis(rows.getLong(7)));
      idle = rows.getLong(8);
      do {
        byte[] name = rows.getBytes(9);
        if (name != null) {
          byte[] content = rows.getBytes(11);
          String text = new String(name, StandardCharsets.UTF_8);
          if (content == null) {
            removed.put(text, rows.getLong(10));
          } else {
            set.put(text, new StoredAttribute(EncodedValue.of(content), rows.getLong(10)));
          }
        }
      } while (rows.next());
    }

    SessionRecord record() {
      return new SessionRecord(key, origin, version, creationTime, lastAccessTime, timeout, set);
    }

    LoadResult since(long known) {
      if (known == version) {
        return new LoadResult.Unchanged(lastAccessTime);
      }
      boolean tellable =
          known >= FIRST_VERSION && known < version && version - known <= REMOVAL_MARK_VERSIONS;
      return tellable
          ? new LoadResult.Changed(version, lastAccessTime, timeout, set, removed)
          : new LoadResult.Found(record());
    }
  }

  // ---------------------------------------------------------------- connections

  /** Something to do on a connection. */
  @FunctionalInterface
  private interface Task<T> {
    T run(Work work) throws SQLException;
  }

  /** A connection, its dialect, and how far to shift the database's clock, in milliseconds. */
  private record Work(Connection connection, SqlDialect dialect, long offset) {

    Parameters prepare(String template) throws SQLException {
      return new Parameters(connection.prepareStatement(dialect.sql(template)));
    }
  }

  /** A statement whose parameters are given one after the other. */
  private static final class Parameters implements AutoCloseable {
    final PreparedStatement statement;
    private int index;

    Parameters(PreparedStatement statement) {
      this.statement = statement;
    }

    Parameters bytes(byte[] value) throws SQLException {
      statement.setBytes(++index, value);
      return this;
    }

    Parameters number(@Nullable Long value) throws SQLException {
      if (value == null) {
        statement.setNull(++index, Types.BIGINT);
      } else {
        statement.setLong(++index, value);
      }
      return this;
    }

    Parameters number(int value) throws SQLException {
      return number((long) value);
    }

    @Override
    public void close() throws SQLException {
      statement.close();
    }
  }

  private <T> T inTransaction(String attempt, Task<T> task) {
    return withConnection(
        attempt,
        work -> {
          Connection connection = work.connection;
          connection.setAutoCommit(false);
          try {
            T result = task.run(work);
            connection.commit();
            return result;
          } catch (SQLException | RuntimeException e) {
            try {
              connection.rollback();
            } catch (SQLException second) {
              e.addSuppressed(second);
            }
            throw e;
          } finally {
            connection.setAutoCommit(true);
          }
        });
  }

  /** Runs the task, again where the database asks for it: every operation may be repeated. */
  private <T> T withConnection(String attempt, Task<T> task) {
    for (int i = 1; ; i++) {
      if (closed) {
        throw new StoreUnavailableException(
            "Could not "
                + attempt
                + ": the store "
                + configuration.printableUrl()
                + " has been closed",
            null);
      }
      try (Connection connection = dataSource.getConnection()) {
        return task.run(
            new Work(
                connection, dialect(connection), configuration.clockOffset().get().toMillis()));
      } catch (SQLException e) {
        if (!isPassing(e) || i == ATTEMPTS) {
          throw failure(attempt, e);
        }
        LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(1_000_000L * i));
      }
    }
  }

  /** The database's dialect; at the first use the tables are created. */
  private SqlDialect dialect(Connection connection) throws SQLException {
    synchronized (this) {
      SqlDialect dialect = knownDialect;
      if (dialect == null) {
        dialect = SqlDialect.of(connection.getMetaData().getDatabaseProductName());
        createTables(connection, dialect);
        knownDialect = dialect;
      }
      return dialect;
    }
  }

  /**
   * Other nodes may be at it too, so that a statement fails whose work they are doing: then it is
   * tried again.
   */
  private static void createTables(Connection connection, SqlDialect dialect) throws SQLException {
    for (int i = 1; !tablesAreThere(connection); i++) {
      try (Statement statement = connection.createStatement()) {
        for (String sql : dialect.schema()) {
          statement.execute(sql);
        }
      } catch (SQLException e) {
        if (i == ATTEMPTS) {
          throw e;
        }
        LockSupport.parkNanos(10_000_000L * i);
      }
    }
  }

  private static boolean tablesAreThere(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeQuery("SELECT version FROM sojourn_attribute WHERE 1 = 0").close();
      statement.executeQuery("SELECT version FROM sojourn_session WHERE 1 = 0").close();
      return true;
    } catch (SQLException e) {
      if (connection.isValid(1)) {
        return false;
      }
      throw e;
    }
  }

  private static boolean isDuplicate(SQLException e) {
    return Optional.ofNullable(e.getSQLState()).filter(s -> s.startsWith("23")).isPresent();
  }

  /** Deadlocks, lock timeouts and serialisation failures: the same once more is likely to work. */
  private static boolean isPassing(SQLException e) {
    String state = e.getSQLState();
    return (state != null && state.startsWith("40"))
        || e.getErrorCode() == 1205 // MySQL, MariaDB: lock wait timeout
        || e.getErrorCode() == 1020 // MariaDB: record has changed since last read
        || e.getErrorCode() == 50200 // H2: lock timeout
        || e.getErrorCode() == 90131; // H2: row changed by another transaction
  }

  private SessionException failure(String attempt, SQLException e) {
    String state = e.getSQLState();
    if (state != null && state.startsWith("22")) {
      return new SessionException(
          "Could not "
              + attempt
              + " in "
              + configuration.printableUrl()
              + ": the data does not fit",
          e);
    }
    return unavailable(attempt, e);
  }

  private StoreUnavailableException unavailable(String attempt, @Nullable SQLException e) {
    // The pool's own exception says that it waited; what the driver said is behind it.
    Throwable said = e;
    while (said != null && said.getCause() != null) {
      said = said.getCause();
    }
    return new StoreUnavailableException(
        "Could not "
            + attempt
            + " in "
            + configuration.printableUrl()
            + ". Is the database up, and does it take the account?"
            + (said == null ? "" : " It says: " + said.getMessage()),
        e);
  }
}
