package io.sojourn.jdbc;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.NewSession;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.ToIntFunction;

/** MySQL 8 and later, MariaDB 10.6 and later, and what speaks like them, such as Aurora. */
final class MySqlDialect extends SqlDialect {

  /*
   * One table, since a statement that inserts cannot write to two. The row of kind 0 is the session itself, those of kind 1 are its
   * attributes.
   *
   * A save is one INSERT of several rows, ... ON DUPLICATE KEY UPDATE. Rows are carried out one after the other, the session's own
   * first: it sets LAST_INSERT_ID() to 0 when its values are worked out, and to the new version if it then turns out to be an update
   * of a row that is not claimed. The rows of attributes take their version from there, and if it is still 0, the session is gone
   * (its own row was inserted just now) or claimed: the sum that they contain overflows, which is an error whatever the SQL mode, and
   * the statement takes back all that it has done. So savers of a session wait for each other at its own row, none writes to a
   * session that is gone, and the version is answered with the statement, as the key that it has generated.
   *
   * What a load costs is mostly to plan it: where the second look at the table has to begin is said in the statement. That the session is
   * found by a unique key makes its columns constants to the plan, so that of a session whose version is known already no other row is
   * looked at.
   *
   * MariaDB's readers ask one by one which transactions are under way, and a transaction is numbered before it waits for a row. So a reader
   * could come by a saver that was under way, and later find that the next one, which had been waiting, was not any more: it saw the later
   * save without the earlier one, and its copy was never told. (Seen with 11.4, where ten threads saved and ten loaded one session. MySQL's
   * readers ask for all at once.) So there a load takes shared locks, the session's own row first, as all savers do, and waits for the
   * saver that is under way.
   *
   * A replacement of an attribute that is not there at all, as after the sweep of its mark, cannot help inserting a row. That row keeps the
   * version which it was to replace, and as long as it does it counts as a mark.
   */

  private static final String CLOCK =
      "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000)";

  private static final String CREATE =
      """
      INSERT INTO sojourn_session (application, origin, kind, name, version, session_key, creation_time, last_access_time,
        max_inactive_interval, touch_interval, expiry, content%s)
      VALUES (?, ?, 0, '', ?, ?, ?, {now}, ?, ?, {now} + ?, NULL%s)""";

  private static final String CREATED_ATTRIBUTE =
      ", (?, ?, 1, ?, ?, NULL, NULL, NULL, NULL, NULL, NULL, ?%s)";

  private static final String MORE_ATTRIBUTES =
      "INSERT INTO sojourn_session (application, origin, kind, name, version, content) VALUES ";

  private static final String SAVE =
      """
      INSERT INTO sojourn_session (application, origin, kind, name, version, last_access_time, max_inactive_interval,
        touch_interval, expiry, content, replaces, saves%s)
      VALUES (?, ?, 0, '', LAST_INSERT_ID(0), {now} - ?, ?, ?, {now} - ? + ?, NULL, NULL, ?%s)""";

  private static final String SAVED_ATTRIBUTE =
      ", (?, ?, 1, ?, LAST_INSERT_ID() + 0 * (~0 + (LAST_INSERT_ID() = 0)), NULL, NULL, NULL, NULL, ?, ?, NULL%s)";

  private static final String MORE_CHANGES =
      "INSERT INTO sojourn_session (application, origin, kind, name, version, content, replaces) VALUES ";

  private static final String APPLIES =
      """
      VALUES(replaces) IS NULL
            OR (version = VALUES(replaces) AND replaces IS NULL AND content IS NOT NULL)""";

  private static final String MERGE_ATTRIBUTE =
      """

      ON DUPLICATE KEY UPDATE
        content = IF(%1$s, VALUES(content), content),
        version = CASE WHEN kind = 0 THEN IF(claimed_until IS NULL, LAST_INSERT_ID(version + 1), version)
          WHEN %1$s THEN VALUES(version) ELSE version END,
        replaces = IF(VALUES(replaces) IS NULL, NULL, replaces)"""
          .formatted(APPLIES);

  private static final String MERGE_OWN_ROW =
      """
      ,
        expiry = CASE WHEN VALUES(max_inactive_interval) IS NOT NULL
            THEN VALUES(expiry) + GREATEST(last_access_time - VALUES(last_access_time), 0)
          WHEN max_inactive_interval > 0
            THEN IF(VALUES(last_access_time) + max_inactive_interval <= expiry, expiry,
              GREATEST(last_access_time, VALUES(last_access_time)) + max_inactive_interval + touch_interval) END,
        last_access_time = GREATEST(last_access_time, VALUES(last_access_time)),
        max_inactive_interval = COALESCE(VALUES(max_inactive_interval), max_inactive_interval),
        touch_interval = COALESCE(VALUES(touch_interval), touch_interval),
        %s"""
          .formatted(RecentSaves.noteInserted("VALUES(saves)"));

  private static final String MERGE_PRINCIPAL = ", principal = VALUES(principal)";

  private static final int NUMBER_OUT_OF_RANGE = 1690;

  /** A removed attribute has none, whatever made the mark. */
  private static final String CONTENT = "CASE WHEN a.replaces IS NULL THEN a.content END";

  /** All rows of the session, its own among them. */
  private static final String LOAD =
      """
      SELECT STRAIGHT_JOIN %s, CASE WHEN a.kind = 1 THEN a.name END, a.version, %s, CASE WHEN a.kind = 0 THEN a.origin END,
        a.creation_time
      FROM sojourn_session h JOIN sojourn_session a FORCE INDEX (PRIMARY)
        ON a.application = h.application AND a.origin = h.origin
      WHERE h.application = ? AND h.session_key = ? AND h.claimed_until IS NULL"""
          .formatted(StoredSessions.ofSession("a"), CONTENT);

  private static final String LOAD_CHANGED =
      """
      SELECT STRAIGHT_JOIN %s, a.name, a.version, %s, NULLIF(h.origin, h.session_key)
      FROM sojourn_session h LEFT JOIN sojourn_session a FORCE INDEX (PRIMARY)
        ON a.application = h.application AND a.origin = CASE WHEN h.version <> ? THEN h.origin END AND a.kind = 1
        AND a.version > ?
      WHERE h.application = ? AND h.session_key = ? AND h.claimed_until IS NULL"""
          .formatted(StoredSessions.ofSession("h"), CONTENT);

  /** Follows what is read. */
  private static final String SHARED_LOCKS = " LOCK IN SHARE MODE";

  private static final String READ_CLAIMED =
      """
      SELECT %s, CASE WHEN a.kind = 1 THEN a.name END, a.version, %s, a.origin, a.creation_time, a.session_key
      FROM sojourn_session a WHERE a.application = ? AND a.origin IN ({origins})"""
          .formatted(StoredSessions.ofSession("a"), CONTENT);

  private static final String SIZES =
      """
      SELECT origin, SUM(LENGTH(content)) FROM sojourn_session
      WHERE application = ? AND origin IN ({origins}) GROUP BY origin""";

  private static final String IS_OWN_ROW = " AND kind = 0 AND name = ''";

  private static final String TOUCH =
      "UPDATE sojourn_session SET %s, version = LAST_INSERT_ID(version + %d) WHERE "
          + IS_UNCLAIMED
          + IS_OWN_ROW;

  private static final String VERSION =
      "SELECT version FROM sojourn_session WHERE " + IS_UNCLAIMED + IS_OWN_ROW;

  private static final String SWEEP =
      """
      DELETE FROM sojourn_session
      WHERE application = ? AND origin = ? AND kind = 1 AND (content IS NULL OR replaces IS NOT NULL) AND version < ?""";

  private static final String RENAME =
      """
      UPDATE sojourn_session h LEFT JOIN sojourn_session o
        ON o.application = ? AND o.origin = ? AND o.kind = 0 AND o.name = ''
      SET h.session_key = ? WHERE h.application = ? AND h.session_key = ? AND o.origin IS NULL AND %s"""
          .formatted(IS_LIVE);

  /** What one statement holds at most: more makes a transaction of several. */
  private static final int ROWS_OF_A_STATEMENT = 500;

  private static final int BYTES_OF_A_STATEMENT = 4 << 20;

  /** What a statement holds besides a value. */
  static final int BYTES_AROUND_A_VALUE = 16 << 10;

  private final Rows create;
  private final Rows createLoggedIn;
  private final Rows merge;
  private final Rows mergeLogin;
  private final OwnRow touch;
  private final String mergeAttribute;
  private final String moreAttributes;
  private final String moreChanges;
  private final String version;
  private final SqlText sweep;
  private final SqlText rename;
  private final ClaimTransaction claim;
  private volatile long packetLimit = NO_LIMIT;

  private MySqlDialect(Tables tables, String locks) {
    super(tables, CLOCK, LOAD + locks, LOAD_CHANGED + locks, IS_OWN_ROW);
    this.create = rows(CREATE, CREATED_ATTRIBUTE, "");
    this.createLoggedIn = rowsWithPrincipal(CREATE, CREATED_ATTRIBUTE, "");
    this.merge = rows(SAVE, SAVED_ATTRIBUTE, MERGE_ATTRIBUTE + MERGE_OWN_ROW);
    this.mergeLogin =
        rowsWithPrincipal(SAVE, SAVED_ATTRIBUTE, MERGE_ATTRIBUTE + MERGE_OWN_ROW + MERGE_PRINCIPAL);
    this.touch = ownRow(TOUCH, RecentSaves.NOTE_BY_POSITION);
    this.mergeAttribute = line(MERGE_ATTRIBUTE);
    this.moreAttributes = line(MORE_ATTRIBUTES);
    this.moreChanges = line(MORE_CHANGES);
    this.version = line(VERSION);
    this.sweep = text(SWEEP);
    this.rename = text(RENAME);
    this.claim = new ClaimTransaction(this, IS_OWN_ROW, SIZES, READ_CLAIMED);
  }

  static MySqlDialect ofMySql(Tables tables) {
    return new MySqlDialect(tables, "");
  }

  static MySqlDialect ofMariaDb(Tables tables) {
    return new MySqlDialect(tables, SHARED_LOCKS);
  }

  /**
   * A statement for a session's own row and some of attributes.
   *
   * @param own its beginning, with the session's own row
   * @param attribute a row of an attribute
   * @param end what follows the rows
   */
  private record Rows(SqlText own, String attribute, String end) {

    String of(Work work, int attributes) {
      return work.sql(own) + attribute.repeat(attributes) + end;
    }
  }

  private Rows rows(String own, String attribute, String end) {
    return new Rows(text(own.formatted("", "")), attribute.formatted(""), line(end));
  }

  /** The same where somebody logs in or out. */
  private Rows rowsWithPrincipal(String own, String attribute, String end) {
    return new Rows(
        text(own.formatted(", principal", ", ?")), attribute.formatted(", NULL"), line(end));
  }

  @Override
  String schemaResource() {
    return "schema-mysql.sql";
  }

  @Override
  void ask(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      ResultSet rows = statement.executeQuery("SELECT @@max_allowed_packet");
      packetLimit = firstNumber(rows).orElseThrow();
    }
  }

  @Override
  long packetLimit() {
    return packetLimit;
  }

  /** With a binary log of statements they may not (error 1665). */
  @Override
  boolean isAtEaseWithReadCommitted() {
    return false;
  }

  @Override
  Optional<String> refusal(String name, EncodedValue value) {
    long limit = packetLimit - BYTES_AROUND_A_VALUE;
    if (2L * value.size() <= limit || escaped(value.bytes()) <= limit) {
      return Optional.empty();
    }
    return Optional.of(
        "its "
            + value.size()
            + " bytes do not fit into one packet to the database, whose max_allowed_packet is "
            + packetLimit);
  }

  /** How long the bytes become in the text of a statement. */
  private static long escaped(byte[] bytes) {
    long length = bytes.length;
    for (byte b : bytes) {
      if (b == 0 || b == '\'' || b == '"' || b == '\\' || b == '\n' || b == '\r' || b == 26) {
        length++;
      }
    }
    return length;
  }

  // ---------------------------------------------------------------- create

  @Override
  boolean create(Work work, NewSession created) throws SQLException {
    List<Map<String, EncodedValue>> parts =
        inParts(inOrder(created.attributes()), EncodedValue::size);
    if (parts.size() == 1) {
      insert(work, created, parts.get(0));
      return true;
    }
    return work.atomically(
        whole -> {
          insert(whole, created, parts.get(0));
          for (Map<String, EncodedValue> part : parts.subList(1, parts.size())) {
            insertMore(whole, created, part);
          }
          return true;
        });
  }

  private void insert(Work work, NewSession created, Map<String, EncodedValue> attributes)
      throws SQLException {
    Rows rows = created.principal().isNobody() ? create : createLoggedIn;
    String sql = rows.of(work, attributes.size());
    try (Parameters parameters = work.prepare(sql)) {
      bindOwnRow(parameters, work, created);
      for (Map.Entry<String, EncodedValue> attribute : attributes.entrySet()) {
        bindAttribute(parameters, work, created.key(), attribute.getKey());
        parameters.number(created.version()).content(attribute.getValue());
      }
      parameters.statement.executeUpdate();
    }
  }

  private void insertMore(Work work, NewSession created, Map<String, EncodedValue> attributes)
      throws SQLException {
    String row = "(?, ?, 1, ?, ?, ?)";
    String sql = moreAttributes + row + (", " + row).repeat(attributes.size() - 1);
    try (Parameters parameters = work.prepare(sql)) {
      for (Map.Entry<String, EncodedValue> attribute : attributes.entrySet()) {
        bindAttribute(parameters, work, created.key(), attribute.getKey());
        parameters.number(created.version()).content(attribute.getValue());
      }
      parameters.statement.executeUpdate();
    }
  }

  // ---------------------------------------------------------------- save

  @Override
  OptionalLong change(Work work, SessionDelta delta, RecentSaves.Save save) throws SQLException {
    List<Map<String, AttributeChange>> parts =
        inParts(
            inOrder(delta.changes()), change -> change.written().map(EncodedValue::size).orElse(0));
    OptionalLong saved =
        parts.size() == 1
            ? merge(work, delta, save, parts.get(0))
            : work.atomically(whole -> merge(whole, delta, save, parts));
    sweepNowAndThen(work, sweep, delta.origin(), saved);
    return saved;
  }

  private OptionalLong merge(
      Work work,
      SessionDelta delta,
      RecentSaves.Save save,
      List<Map<String, AttributeChange>> parts)
      throws SQLException {
    OptionalLong saved = merge(work, delta, save, parts.get(0));
    if (saved.isPresent()) {
      for (Map<String, AttributeChange> part : parts.subList(1, parts.size())) {
        mergeMore(work, delta.origin(), saved.getAsLong(), part);
      }
    }
    return saved;
  }

  private OptionalLong merge(
      Work work, SessionDelta delta, RecentSaves.Save save, Map<String, AttributeChange> changes)
      throws SQLException {
    String sql = (delta.principal().isEmpty() ? merge : mergeLogin).of(work, changes.size());
    try (Parameters parameters = work.prepareAnsweringKey(sql)) {
      parameters.bytes(work.application()).bytes(delta.origin().bytes());
      parameters.duration(delta.idle());
      if (delta.timeout().isPresent()) {
        IdleTimeout timeout = delta.timeout().get();
        parameters.duration(timeout.maxInactiveInterval()).duration(timeout.touchInterval());
        parameters.duration(delta.idle());
        bindTimeToLive(parameters, timeout);
      } else {
        parameters.noNumber().noNumber().noNumber().noNumber();
      }
      parameters.text(save.text());
      if (delta.principal().isPresent()) {
        parameters.principal(delta.principal().get());
      }
      for (Map.Entry<String, AttributeChange> change : changes.entrySet()) {
        bindAttribute(parameters, work, delta.origin(), change.getKey());
        bindChange(parameters, change.getValue());
      }
      parameters.statement.executeUpdate();
      return firstNumber(parameters.statement.getGeneratedKeys());
    } catch (SQLException e) {
      if (e.getErrorCode() == NUMBER_OUT_OF_RANGE) {
        return OptionalLong.empty();
      }
      throw e;
    }
  }

  private void mergeMore(
      Work work, SessionKey origin, long saved, Map<String, AttributeChange> changes)
      throws SQLException {
    String row = "(?, ?, 1, ?, " + saved + ", ?, ?)";
    String sql = moreChanges + row + (", " + row).repeat(changes.size() - 1) + mergeAttribute;
    try (Parameters parameters = work.prepare(sql)) {
      for (Map.Entry<String, AttributeChange> change : changes.entrySet()) {
        bindAttribute(parameters, work, origin, change.getKey());
        bindChange(parameters, change.getValue());
      }
      parameters.statement.executeUpdate();
    }
  }

  /**
   * A driver that was told to count only rows that change ({@code useAffectedRows}) may have none
   * to answer for: whether the session is there is asked then.
   */
  @Override
  OptionalLong changeOwnRow(Work work, SessionDelta delta, RecentSaves.Save save)
      throws SQLException {
    try (Parameters parameters = work.prepareAnsweringKey(work.sql(touch.of(delta)))) {
      touch.bind(parameters, work, delta, save);
      if (parameters.statement.executeUpdate() > 0) {
        return firstNumber(parameters.statement.getGeneratedKeys());
      }
    }
    try (Parameters parameters = work.prepare(version)) {
      parameters.bytes(work.application()).bytes(delta.origin().bytes());
      return firstNumber(parameters.statement.executeQuery());
    }
  }

  // ---------------------------------------------------------------- rename and claim

  @Override
  boolean rename(Work work, SessionKey key, SessionKey newKey) throws SQLException {
    try (Parameters parameters = work.prepare(rename)) {
      parameters.bytes(work.application()).bytes(newKey.bytes()).bytes(newKey.bytes());
      parameters.bytes(work.application()).bytes(key.bytes());
      return parameters.statement.executeUpdate() > 0;
    }
  }

  @Override
  List<SessionRecord> claim(Work work, int limit, Duration claimTime) throws SQLException {
    return claim.run(work, limit, claimTime);
  }

  // ---------------------------------------------------------------- parts of them

  /** One part for each statement, at least one. */
  private <T> List<Map<String, T>> inParts(Map<String, T> whole, ToIntFunction<T> size) {
    long limit = Math.min(BYTES_OF_A_STATEMENT, packetLimit / 4);
    List<Map<String, T>> parts = new ArrayList<>();
    Map<String, T> part = new LinkedHashMap<>();
    long bytes = 0;
    for (Map.Entry<String, T> entry : whole.entrySet()) {
      int next = size.applyAsInt(entry.getValue());
      if (!part.isEmpty() && (part.size() == ROWS_OF_A_STATEMENT || bytes + next > limit)) {
        parts.add(part);
        part = new LinkedHashMap<>();
        bytes = 0;
      }
      part.put(entry.getKey(), entry.getValue());
      bytes += next;
    }
    parts.add(part);
    return parts;
  }

  /** Which attribute. */
  private static void bindAttribute(
      Parameters parameters, Work work, SessionKey origin, String name) throws SQLException {
    parameters.bytes(work.application()).bytes(origin.bytes()).bytes(AttributeName.encode(name));
  }
}
