package io.sojourn.jdbc;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.NewSession;
import io.sojourn.PrincipalKey;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The statements of a store, as one kind of database takes them.
 *
 * <p>Immutable, but for what is asked of the server once; thread-safe.
 */
abstract class SqlDialect {

  private static final Logger LOG = System.getLogger(SqlDialect.class.getName());

  /*
   * In the statements the tables go by their default names, and {now} is the database's clock in milliseconds since 1970.
   *
   * Expiry, which has an index, is not written by every access: it is moved when less than the max inactive interval would be left
   * of it, and then by a touch interval more. So a session never ends too early, nor later than its time to live after its last
   * access, and most saves leave the index alone.
   *
   * MySQL and MariaDB assign a row's columns from left to right and use the new values; others use the old ones. The order of
   * the assignments below makes no difference to either.
   */

  /** Its parameters: {@link OwnRow#bind}. */
  private static final String KEEP_TIMEOUT =
      """
      expiry = CASE WHEN max_inactive_interval > 0 THEN
            CASE WHEN {now} - ? + max_inactive_interval <= expiry THEN expiry
            ELSE GREATEST(last_access_time, {now} - ?) + max_inactive_interval + touch_interval END END,
          last_access_time = GREATEST(last_access_time, {now} - ?)""";

  /** Its parameters: {@link OwnRow#bind}. */
  private static final String NEW_TIMEOUT =
      """
      expiry = GREATEST(last_access_time, {now} - ?) + ?,
          last_access_time = GREATEST(last_access_time, {now} - ?),
          max_inactive_interval = ?, touch_interval = ?""";

  /** Its parameter goes before those of the above. */
  private static final String NEW_PRINCIPAL = "principal = ?, ";

  /** Old marks of removals are swept once in so many versions of a session. */
  static final int SWEEP_EVERY_VERSIONS = SessionStore.REMOVAL_MARK_VERSIONS / 2;

  /** A claim takes no more sessions than hold this together, but one at least. */
  static final long BYTES_OF_A_CLAIM = 8 << 20;

  /** For a session that can be opened. */
  static final String IS_LIVE =
      "h.claimed_until IS NULL AND (h.expiry IS NULL OR h.expiry > {now})";

  /** For a session that takes saves. Application, origin. */
  static final String IS_UNCLAIMED = "application = ? AND origin = ? AND claimed_until IS NULL";

  static final String IS_EXPIRED =
      """
      application = ? AND expiry <= {now} AND (claimed_until IS NULL OR claimed_until <= {now})
      ORDER BY expiry LIMIT ? FOR UPDATE SKIP LOCKED""";

  private static final String BY_PRINCIPAL =
      "SELECT h.session_key FROM sojourn_session h WHERE h.application = ? AND h.principal = ? AND "
          + IS_LIVE
          + " LIMIT ?";

  static final long NO_LIMIT = Long.MAX_VALUE;

  private static final Pattern VERSION = Pattern.compile("(\\d{1,9})(?:\\.(\\d{1,9}))?");

  private final Tables tables;
  private final String clock;
  private final SqlText load;
  private final SqlText loadChanged;
  private final SqlText remove;
  private final SqlText any;
  private final SqlText byPrincipal;
  private final LeaseStatements leases;
  private final RecentSaves recentSaves;

  /**
   * A dialect.
   *
   * @param clock an expression for the database's clock, in milliseconds since 1970
   * @param load reads a session by application and key
   * @param loadChanged reads a session, and of its attributes those that are newer than a version
   *     if the session is; its parameters are that version, twice, application and key
   * @param isOwnRow what else is to be true of a row that is a session's own
   */
  SqlDialect(Tables tables, String clock, String load, String loadChanged, String isOwnRow) {
    this.tables = tables;
    this.clock = clock;
    this.load = text(load);
    this.loadChanged = text(loadChanged);
    this.remove = text("DELETE FROM sojourn_session WHERE application = ? AND origin = ?");
    this.any = text("SELECT 1 FROM sojourn_session WHERE application = ? LIMIT 1");
    this.byPrincipal = text(BY_PRINCIPAL);
    this.leases = new LeaseStatements(this, isOwnRow);
    this.recentSaves = new RecentSaves(this, isOwnRow);
  }

  /**
   * The dialect of a database.
   *
   * @param table the table of sessions, as the user calls it
   * @throws IllegalArgumentException if there is none, or the server is too old
   */
  static SqlDialect of(DatabaseMetaData database, TableName table) throws SQLException {
    String product = database.getDatabaseProductName();
    String version = database.getDatabaseProductVersion();
    return switch (product.toLowerCase(Locale.ROOT)) {
      case "mysql", "mariadb" -> {
        // A proxy may greet with a version of its own.
        String own = versionBehind(database.getConnection()).orElse(version);
        boolean mariaDb = isMariaDb(own);
        require(mariaDb ? "MariaDB" : "MySQL", mySqlNeeded(own), plain(own));
        Tables tables = table.in(database);
        yield mariaDb ? MySqlDialect.ofMariaDb(tables) : MySqlDialect.ofMySql(tables);
      }
      case "postgresql" -> {
        require("PostgreSQL", "11", version);
        yield new PostgreSqlDialect(table.in(database));
      }
      case "h2" -> {
        require("H2", "2.2", version);
        yield new H2Dialect(table.in(database));
      }
      default ->
          throw new IllegalArgumentException(
              "Sessions cannot be kept in "
                  + product
                  + ", only in MySQL, MariaDB, PostgreSQL and H2");
    };
  }

  /** By MySQL's driver a MariaDB is a MySQL. */
  private static boolean isMariaDb(String version) {
    return version.toLowerCase(Locale.ROOT).contains("mariadb");
  }

  private static String mySqlNeeded(String version) {
    return isMariaDb(version) ? "10.6" : "8.0";
  }

  /** Some MariaDBs call themselves 5.5.5 before they tell. */
  private static String plain(String version) {
    return isMariaDb(version) ? version.replaceFirst("^5\\.5\\.5-", "") : version;
  }

  private static Optional<String> versionBehind(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT VERSION()")) {
      return rows.next() ? Optional.ofNullable(rows.getString(1)) : Optional.empty();
    }
  }

  /** Refuses a server whose version can be read and is older than this. */
  private static void require(String product, String least, String version) {
    if (isOlder(version, least)) {
      throw new IllegalArgumentException(
          "Sessions cannot be kept in "
              + product
              + " "
              + version
              + ": it takes "
              + product
              + " "
              + least
              + " or later");
    }
  }

  private static boolean isOlder(String version, String least) {
    Matcher its = VERSION.matcher(version);
    Matcher needed = VERSION.matcher(least);
    if (!its.lookingAt() || !needed.lookingAt()) {
      return false;
    }
    int major = Integer.compare(number(its, 1), number(needed, 1));
    return major < 0 || (major == 0 && number(its, 2) < number(needed, 2));
  }

  private static int number(Matcher version, int group) {
    return version.group(group) == null ? 0 : Integer.parseInt(version.group(group));
  }

  /**
   * The statements that update a session's own row.
   *
   * @param template with {@code %s} for what is assigned beside the version, and {@code %d} for how
   *     far that moves
   * @param note assigns what tells of the last saves
   */
  final OwnRow ownRow(String template, RecentSaves.Note note) {
    String noteSave = note.sql();
    return new OwnRow(
        note,
        text(template.formatted(KEEP_TIMEOUT, 0)),
        text(template.formatted(noteSave + KEEP_TIMEOUT, 1)),
        text(template.formatted(noteSave + NEW_TIMEOUT, 1)),
        text(template.formatted(noteSave + NEW_PRINCIPAL + KEEP_TIMEOUT, 1)),
        text(template.formatted(noteSave + NEW_PRINCIPAL + NEW_TIMEOUT, 1)));
  }

  /**
   * What a delta does to a session's own row. Who is logged in has statements of its own, so that
   * all others are none the longer for it.
   *
   * @param note what all of them but a touch begin with
   * @param touch for a touch
   * @param save for a delta that keeps timeout and principal
   * @param timeout for one that sets the timeout
   * @param principal for one that sets the principal
   * @param both for one that sets both
   */
  record OwnRow(
      RecentSaves.Note note,
      SqlText touch,
      SqlText save,
      SqlText timeout,
      SqlText principal,
      SqlText both) {

    SqlText of(SessionDelta delta) {
      if (delta.isTouch()) {
        return touch;
      }
      if (delta.principal().isPresent()) {
        return delta.timeout().isPresent() ? both : principal;
      }
      return delta.timeout().isPresent() ? timeout : save;
    }

    /** Gives the parameters: what is assigned, and which session. */
    void bind(Parameters parameters, Work work, SessionDelta delta, RecentSaves.Save save)
        throws SQLException {
      Duration idle = delta.idle();
      if (!delta.isTouch()) {
        note.bind(parameters, save);
      }
      if (delta.principal().isPresent()) {
        parameters.principal(delta.principal().get());
      }
      if (delta.timeout().isPresent()) {
        IdleTimeout timeout = delta.timeout().get();
        parameters.duration(idle);
        bindTimeToLive(parameters, timeout);
        parameters.duration(idle);
        parameters.duration(timeout.maxInactiveInterval()).duration(timeout.touchInterval());
      } else {
        parameters.duration(idle).duration(idle).duration(idle);
      }
      parameters.bytes(work.application()).bytes(delta.origin().bytes());
    }
  }

  /** Statements with the names of the tables and the clock put in. */
  final SqlText text(String template) {
    return SqlText.of(named(template), clock);
  }

  /** Statements that call the tables by their default names, with the names that they have. */
  final String named(String sql) {
    return tables.putInto(sql);
  }

  /** The same on one line. */
  final String line(String sql) {
    return SqlText.squeeze(named(sql));
  }

  /** The resource with the statements that create the tables. */
  abstract String schemaResource();

  /** Reads what the server has to say of itself. Called before anything else, and now and then. */
  void ask(Connection connection) throws SQLException {}

  /** How many bytes the server takes at once, as far as it has been asked. */
  long packetLimit() {
    return NO_LIMIT;
  }

  /**
   * Whether transactions may be read committed, whatever the server's settings. The statements are
   * right with that and need nothing stricter.
   */
  boolean isAtEaseWithReadCommitted() {
    return true;
  }

  /** Why the server cannot take this value; empty if it can. */
  Optional<String> refusal(String name, EncodedValue value) {
    return Optional.empty();
  }

  // ---------------------------------------------------------------- operations

  /** See {@link SessionStore#create}. */
  abstract boolean create(Work work, NewSession created) throws SQLException;

  /**
   * See {@link SessionStore#save}. One that is repeated looks first whether it is done; a touch
   * does no harm.
   */
  final OptionalLong save(Work work, SessionDelta delta, RecentSaves.Save save)
      throws SQLException {
    if (!work.repeated() || delta.isTouch()) {
      return write(work, delta, save);
    }
    return work.atomically(
        whole -> {
          OptionalLong done = recentSaves.versionOf(whole, delta.origin(), save);
          return done.isPresent() ? done : write(whole, delta, save);
        });
  }

  private OptionalLong write(Work work, SessionDelta delta, RecentSaves.Save save)
      throws SQLException {
    return delta.changes().isEmpty() ? changeOwnRow(work, delta, save) : change(work, delta, save);
  }

  /**
   * Sweeps what nobody needs any more of a session's removals, once in so many versions of it: so
   * most saves look at no other row than those they change. What it fails to sweep the next one
   * does: the save is done. Not so inside a transaction, which may be what the failure has undone.
   *
   * @param sweep its parameters are application, origin, and the version before which a mark is old
   * @param saved the session's version after the save; empty if there was none
   */
  static void sweepNowAndThen(Work work, SqlText sweep, SessionKey origin, OptionalLong saved)
      throws SQLException {
    if (saved.isEmpty() || saved.getAsLong() % SWEEP_EVERY_VERSIONS != 0) {
      return;
    }
    try (Parameters parameters = work.prepare(sweep)) {
      parameters.bytes(work.application()).bytes(origin.bytes());
      parameters.number(saved.getAsLong() - SessionStore.REMOVAL_MARK_VERSIONS);
      parameters.statement.executeUpdate();
    } catch (SQLException e) {
      if (!work.connection().getAutoCommit()) {
        throw e;
      }
      LOG.log(Level.DEBUG, "Old marks of session " + origin + " are left for the next sweep", e);
    }
  }

  /** See {@link SessionStore#save}, for a delta that changes attributes. */
  abstract OptionalLong change(Work work, SessionDelta delta, RecentSaves.Save save)
      throws SQLException;

  /** See {@link SessionStore#save}, for a delta that changes none. */
  abstract OptionalLong changeOwnRow(Work work, SessionDelta delta, RecentSaves.Save save)
      throws SQLException;

  /**
   * The live session with this key, and of its attributes what changed since that version. Where
   * nobody can tell what did, they are read once more, all of them.
   */
  final StoredSessions.@Nullable Stored load(Work work, SessionKey key, long knownVersion)
      throws SQLException {
    if (knownVersion >= SessionStore.FIRST_VERSION) {
      try (Parameters parameters = work.prepare(loadChanged)) {
        parameters.number(knownVersion).number(knownVersion);
        StoredSessions.Stored session = load(parameters, work, key, false);
        if (session == null || session.tellsWhatChangedSince(knownVersion)) {
          return session;
        }
      }
    }
    try (Parameters parameters = work.prepare(load)) {
      return load(parameters, work, key, true);
    }
  }

  private static StoredSessions.@Nullable Stored load(
      Parameters parameters, Work work, SessionKey key, boolean whole) throws SQLException {
    parameters.bytes(work.application()).bytes(key.bytes());
    try (ResultSet rows = parameters.statement.executeQuery()) {
      return StoredSessions.live(rows, key, whole);
    }
  }

  /** What a session tells of the last saves. */
  final RecentSaves recentSaves() {
    return recentSaves;
  }

  /** What is to be known of leases. */
  final LeaseStatements leases() {
    return leases;
  }

  /** See {@link SessionStore#rename}. */
  abstract boolean rename(Work work, SessionKey key, SessionKey newKey) throws SQLException;

  /** See {@link SessionStore#remove}. */
  final boolean remove(Work work, SessionKey origin) throws SQLException {
    try (Parameters parameters = work.prepare(remove)) {
      parameters.bytes(work.application()).bytes(origin.bytes());
      return parameters.statement.executeUpdate() > 0;
    }
  }

  /** See {@link SessionStore#findByPrincipal}. */
  final List<SessionKey> findByPrincipal(Work work, PrincipalKey principal, int limit)
      throws SQLException {
    try (Parameters parameters = work.prepare(byPrincipal)) {
      parameters.bytes(work.application()).principal(principal).number(limit);
      try (ResultSet rows = parameters.statement.executeQuery()) {
        List<SessionKey> keys = new ArrayList<>();
        while (rows.next()) {
          keys.add(SessionKey.ofBytes(rows.getBytes(1)));
        }
        return keys;
      }
    }
  }

  /** See {@link SessionStore#isEmpty}. */
  final boolean isEmpty(Work work) throws SQLException {
    try (Parameters parameters = work.prepare(any)) {
      parameters.bytes(work.application());
      return firstNumber(parameters.statement.executeQuery()).isEmpty();
    }
  }

  /** See {@link SessionStore#claimExpired}. */
  abstract List<SessionRecord> claim(Work work, int limit, Duration claimTime) throws SQLException;

  // ---------------------------------------------------------------- parts of them

  /**
   * A new session's own row: all its columns in the order of {@code CREATE}, and in the end who is
   * logged in, if somebody is.
   */
  static void bindOwnRow(Parameters parameters, Work work, NewSession created) throws SQLException {
    byte[] key = created.key().bytes();
    IdleTimeout timeout = created.timeout();
    parameters.bytes(work.application()).bytes(key).number(created.version()).bytes(key);
    parameters.number(created.creationTime().toEpochMilli());
    parameters.duration(timeout.maxInactiveInterval()).duration(timeout.touchInterval());
    bindTimeToLive(parameters, timeout);
    if (!created.principal().isNobody()) {
      parameters.principal(created.principal());
    }
  }

  /** What to write, and the version of the attribute that it is to replace. */
  static void bindChange(Parameters parameters, AttributeChange change) throws SQLException {
    parameters.content(change.written().orElse(null));
    if (change instanceof AttributeChange.Replace replacement) {
      parameters.number(replacement.expectedVersion());
    } else {
      parameters.noNumber();
    }
  }

  /** Empty is written as NULL. */
  static void bindTimeToLive(Parameters parameters, IdleTimeout timeout) throws SQLException {
    if (timeout.isNever()) {
      parameters.noNumber();
    } else {
      parameters.number(
          Parameters.millis(timeout.maxInactiveInterval())
              + Parameters.millis(timeout.touchInterval()));
    }
  }

  /** By name, so that all writers meet rows in one order. */
  static <T> Map<String, T> inOrder(Map<String, T> byName) {
    return new TreeMap<>(byName);
  }

  /** Updates a session's own row by a statement whose result is the version that it has then. */
  static OptionalLong update(Work work, OwnRow row, SessionDelta delta, RecentSaves.Save save)
      throws SQLException {
    try (Parameters parameters = work.prepare(row.of(delta))) {
      row.bind(parameters, work, delta, save);
      return firstNumber(parameters.statement.executeQuery());
    }
  }

  /** The first number of the first row; empty if there is none. */
  static OptionalLong firstNumber(ResultSet rows) throws SQLException {
    try (rows) {
      return rows.next() ? OptionalLong.of(rows.getLong(1)) : OptionalLong.empty();
    }
  }
}
