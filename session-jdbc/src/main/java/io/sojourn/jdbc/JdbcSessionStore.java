package io.sojourn.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import io.sojourn.EncodedValue;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.PrincipalKey;
import io.sojourn.SessionBusyException;
import io.sojourn.SessionDelta;
import io.sojourn.SessionException;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import javax.sql.DataSource;

/**
 * Keeps the sessions of one application in a relational database: MySQL, MariaDB, PostgreSQL or H2.
 *
 * <p>Each operation is one statement, which the database carries out as a whole; a load that is due
 * to renew the last access is two. Exceptions are in docs/operations.md: values of many megabytes,
 * and H2.
 *
 * <p>Thread-safe. The tables are created at the first use, unless {@code schema="check"} says that
 * somebody else does that.
 */
public final class JdbcSessionStore implements SessionStore {

  private static final int MAX_APPLICATION_BYTES = 200;

  /** No version of a session. */
  private static final long LEASE_LOST = -1;

  private final Database database;

  /** What this node's saves are known by. */
  private final String node = RecentSaves.randomName();

  private final int maxAttributeBytes;

  private JdbcSessionStore(
      DataSource dataSource,
      boolean owned,
      StoreConfiguration configuration,
      JdbcSettings settings) {
    String application = configuration.application();
    if (application.getBytes(StandardCharsets.UTF_8).length > MAX_APPLICATION_BYTES) {
      throw new IllegalArgumentException(
          "application=\"" + application + "\" is longer than 200 bytes");
    }
    this.maxAttributeBytes = settings.maxAttributeBytes();
    this.database = new Database(dataSource, owned, configuration, settings);
  }

  /**
   * A store over this data source, which stays the caller's to close. Its connections are to be
   * READ COMMITTED and to take part in no transaction of anybody else; those that are not in
   * auto-commit mode are switched to it while they are used.
   *
   * @param dataSource gives connections to a MySQL, MariaDB, PostgreSQL or H2
   * @param configuration whose sessions; the URL serves messages only. Options: {@code table},
   *     {@code schema}, {@code maxAttributeBytes}
   * @throws IllegalArgumentException if an option is wrong, or the application's name is longer
   *     than 200 bytes
   */
  public static JdbcSessionStore of(DataSource dataSource, StoreConfiguration configuration) {
    JdbcSettings settings = JdbcSettings.of(configuration.options(), false);
    return new JdbcSessionStore(dataSource, false, configuration, settings);
  }

  /** A store that closes its pool. */
  static JdbcSessionStore owning(
      HikariDataSource pool, StoreConfiguration configuration, JdbcSettings settings) {
    return new JdbcSessionStore(pool, true, configuration, settings);
  }

  /** See {@link Database#requireSuitableServer}. */
  void requireSuitableServer() {
    database.requireSuitableServer();
  }

  @Override
  public boolean create(NewSession session) {
    return database.write(
        "create session " + session.key(),
        bytes(session.attributes().values().stream()),
        (dialect, work) -> {
          session.attributes().forEach(this::require);
          boolean created = falseIfTaken(() -> dialect.create(work, session));
          return created || (work.repeated() && isThere(dialect, work, session));
        });
  }

  /** Whether a create whose answer was lost has taken effect. */
  private static boolean isThere(SqlDialect dialect, Work work, NewSession session)
      throws SQLException {
    StoredSessions.Stored stored = dialect.load(work, session.key(), NO_VERSION);
    return stored != null && stored.isAsCreated(session);
  }

  @Override
  public LoadResult load(SessionKey key, long knownVersion, Duration unasked) {
    return database.run(
        "load session " + key,
        (dialect, work) -> {
          StoredSessions.Stored stored = dialect.load(work, key, knownVersion);
          if (stored == null) {
            return new LoadResult.Missing();
          }
          if (stored.isDueForTouch(unasked)) {
            OptionalLong touched =
                dialect.save(work, SessionDelta.touch(stored.origin(), Duration.ZERO), nextSave());
            if (touched.isEmpty()) {
              return new LoadResult.Missing();
            }
          }
          return stored.since(knownVersion);
        });
  }

  @Override
  public OptionalLong save(SessionDelta delta) {
    RecentSaves.Save save = nextSave();
    return database.write(
        "save session " + delta.origin(),
        bytes(delta),
        (dialect, work) -> {
          requireAll(delta);
          return dialect.save(work, delta, save);
        });
  }

  private RecentSaves.Save nextSave() {
    return new RecentSaves.Save(node, RecentSaves.randomName());
  }

  /** A transaction of two statements. */
  @Override
  public OptionalLong save(SessionDelta delta, long holder) {
    RecentSaves.Save save = nextSave();
    OptionalLong saved =
        database.write(
            "save session " + delta.origin(),
            bytes(delta),
            (dialect, work) -> {
              requireAll(delta);
              return work.atomically(
                  whole ->
                      dialect.leases().isLost(whole, delta.origin(), holder)
                          ? OptionalLong.of(LEASE_LOST)
                          : dialect.save(whole, delta, save));
            });
    if (saved.isPresent() && saved.getAsLong() == LEASE_LOST) {
      throw new SessionBusyException(
          "Session " + delta.origin() + " is not saved: its lease has gone to another request",
          null);
    }
    return saved;
  }

  private static long bytes(SessionDelta delta) {
    return bytes(delta.changes().values().stream().flatMap(change -> change.written().stream()));
  }

  private static long bytes(Stream<EncodedValue> values) {
    return values.mapToLong(EncodedValue::size).sum();
  }

  /** By what the server is known to take by the time that it is sent. */
  private void requireAll(SessionDelta delta) {
    delta
        .changes()
        .forEach((name, change) -> change.written().ifPresent(value -> require(name, value)));
  }

  @Override
  public Lease lease(SessionKey key, long holder, Duration leaseTime) {
    return database.run(
        "lease session " + key,
        (dialect, work) -> dialect.leases().take(work, key, holder, leaseTime));
  }

  @Override
  public void release(SessionKey origin, long holder) {
    var unused =
        database.run(
            "release session " + origin,
            (dialect, work) -> dialect.leases().release(work, origin, holder));
  }

  @Override
  public boolean rename(SessionKey key, SessionKey newKey) {
    if (key.equals(newKey)) {
      return false;
    }
    return database.run(
        "rename session " + key,
        (dialect, work) -> {
          boolean renamed = falseIfTaken(() -> dialect.rename(work, key, newKey));
          // The new key is nobody else's, so if it opens a session now, the first attempt did it.
          return renamed || (work.repeated() && dialect.load(work, newKey, NO_VERSION) != null);
        });
  }

  /**
   * One caller more than one may get true if the connection is lost in the middle: none would be
   * worse, since nobody would tell the listeners.
   */
  @Override
  public boolean remove(SessionKey origin) {
    return database.run(
        "remove session " + origin,
        (dialect, work) -> dialect.remove(work, origin) || work.repeated());
  }

  @Override
  public List<SessionRecord> claimExpired(int limit, Duration claimTime) {
    return database.run(
        "claim expired sessions",
        Database.LONG,
        (dialect, work) -> dialect.claim(work, limit, claimTime));
  }

  @Override
  public List<SessionKey> findByPrincipal(PrincipalKey principal, int limit) {
    principal.requireSomebody();
    return database.run(
        "look up the sessions of user " + principal,
        (dialect, work) -> dialect.findByPrincipal(work, principal, limit));
  }

  @Override
  public boolean isEmpty() {
    return database.run("look for sessions", (dialect, work) -> dialect.isEmpty(work));
  }

  @Override
  public Optional<String> refusal(String name, EncodedValue value) {
    if (value.size() > maxAttributeBytes) {
      return Optional.of(
          "it takes "
              + value.size()
              + " bytes, more than maxAttributeBytes=\""
              + maxAttributeBytes
              + "\" allows");
    }
    int nameBytes = AttributeName.encode(name).length;
    if (nameBytes > AttributeName.MAX_BYTES) {
      return Optional.of(
          "its name takes "
              + nameBytes
              + " bytes, more than the "
              + AttributeName.MAX_BYTES
              + " that the database takes");
    }
    SqlDialect dialect = database.dialect();
    return dialect == null ? Optional.empty() : dialect.refusal(name, value);
  }

  private void require(String name, EncodedValue value) {
    refusal(name, value)
        .ifPresent(
            why -> {
              throw new SessionException("Attribute '" + name + "' cannot be kept: " + why, null);
            });
  }

  @Override
  public long history(SessionKey key) {
    return database.history();
  }

  @Override
  public void ping() {
    database.run(
        "ask the database",
        (dialect, work) -> {
          try (Statement statement = work.connection().createStatement()) {
            return statement.execute("SELECT 1");
          }
        });
  }

  @Override
  public void close() {
    database.close();
  }

  /** Something that may meet a key that is taken. */
  @FunctionalInterface
  private interface Attempt {
    boolean run() throws SQLException;
  }

  private static boolean falseIfTaken(Attempt attempt) throws SQLException {
    try {
      return attempt.run();
    } catch (SQLException e) {
      if (SqlFailure.of(e) == SqlFailure.DUPLICATE_KEY) {
        return false;
      }
      throw e;
    }
  }
}
