package io.sojourn.jdbc;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.NewSession;
import io.sojourn.SessionDelta;
import io.sojourn.SessionRecord;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** PostgreSQL 11 and later, and what speaks like it, such as Aurora. */
final class PostgreSqlDialect extends TwoTableDialect {

  /*
   * Two tables, whose rows one statement changes together: a statement may have several parts that write, and those that write
   * attributes use what the one that updates the session's own row returns. That one runs first, so savers of a session wait for
   * each other before they touch its attributes, and none writes to a session that is gone.
   *
   * The parts share one snapshot, taken before the wait. What another saver has committed meanwhile is still met: an upsert and an
   * update go by the latest row and check their conditions on it again. A row that is not in the snapshot at all can only be
   * one that an upsert meets. A delete would miss it, so a removed session's attributes go by the foreign key, whose check looks anew.
   */

  private static final String CLOCK =
      "CAST(DATE_PART('epoch', statement_timestamp()) * 1000 AS BIGINT)";

  private static final String CREATE =
      """
      WITH h AS (
        INSERT INTO sojourn_session (application, origin, version, session_key, creation_time, last_access_time,
          max_inactive_interval, touch_interval, expiry%s)
        VALUES (?, ?, ?, ?, ?, {now}, ?, ?, {now} + ?%s) ON CONFLICT DO NOTHING RETURNING application, origin, version)""";

  private static final String FIRST_ATTRIBUTE =
      ", d (name, content) AS (VALUES (CAST(? AS BYTEA), CAST(? AS BYTEA))";

  private static final String CREATE_ATTRIBUTES =
      """
      ), w AS (
        INSERT INTO sojourn_session_attribute (application, origin, name, version, content)
        SELECT h.application, h.origin, d.name, h.version, d.content FROM h CROSS JOIN d)""";

  private static final String FIRST_CHANGE =
      """
      WITH d (name, content, expected) AS (
        VALUES (CAST(? AS BYTEA), CAST(? AS BYTEA), CAST(? AS BIGINT))""";

  private static final String OWN_ROW =
      """
      ), h AS (
        UPDATE sojourn_session SET %%s, version = version + %%d
        WHERE %s RETURNING application, origin, version)"""
          .formatted(IS_UNCLAIMED);

  private static final String WRITE =
      """
      , w AS (
        INSERT INTO sojourn_session_attribute (application, origin, name, version, content)
        SELECT h.application, h.origin, d.name, h.version, d.content FROM h CROSS JOIN d
        WHERE d.expected IS NULL
        ON CONFLICT (application, origin, name) DO UPDATE SET version = EXCLUDED.version, content = EXCLUDED.content)""";

  private static final String REPLACE =
      """
      , r AS (
        UPDATE sojourn_session_attribute a SET version = h.version, content = d.content FROM h CROSS JOIN d
        WHERE a.application = h.application AND a.origin = h.origin AND a.name = d.name
          AND a.version = d.expected AND a.content IS NOT NULL)""";

  /**
   * It takes the session's own row first, as a save does, so neither waits for what the other has.
   */
  private static final String SWEEP =
      """
      WITH h AS (SELECT application, origin FROM sojourn_session WHERE application = ? AND origin = ? FOR NO KEY UPDATE)
      DELETE FROM sojourn_session_attribute a USING h
      WHERE a.application = h.application AND a.origin = h.origin AND a.content IS NULL AND a.version < ?""";

  private static final String ANSWER = " SELECT version FROM h";

  private static final String TOUCH =
      "UPDATE sojourn_session SET %s, version = version + %d WHERE "
          + IS_UNCLAIMED
          + " RETURNING version";

  private static final String CLAIM =
      """
      WITH e AS (SELECT application, origin, expiry FROM sojourn_session WHERE %s),
      z AS (
        SELECT e.origin, e.expiry, (
          SELECT COALESCE(SUM(OCTET_LENGTH(a.content)), 0) FROM sojourn_session_attribute a
          WHERE a.application = e.application AND a.origin = e.origin) AS bytes FROM e),
      f AS (
        SELECT origin, SUM(bytes) OVER w AS bytes, ROW_NUMBER() OVER w AS number FROM z
        WINDOW w AS (ORDER BY expiry, origin ROWS UNBOUNDED PRECEDING)),
      c AS (
        UPDATE sojourn_session SET claimed_until = {now} + ?
        WHERE application = ? AND origin IN (SELECT origin FROM f WHERE number = 1 OR bytes <= %d)
        RETURNING *)
      %s"""
          .formatted(IS_EXPIRED, BYTES_OF_A_CLAIM, CLAIMED.formatted("c"));

  private final SqlText create;
  private final SqlText createLoggedIn;
  private final String createAttributes;
  private final String firstChange;
  private final OwnRow ownRow;
  private final OwnRow touch;
  private final String write;
  private final String replace;
  private final SqlText sweep;
  private final SqlText claim;

  PostgreSqlDialect(Tables tables) {
    super(tables, CLOCK);
    this.create = text(CREATE.formatted("", ""));
    this.createLoggedIn = text(CREATE.formatted(", principal", ", ?"));
    this.createAttributes = line(CREATE_ATTRIBUTES);
    this.firstChange = line(FIRST_CHANGE);
    this.ownRow = ownRow(OWN_ROW, RecentSaves.NOTE);
    this.touch = ownRow(TOUCH, RecentSaves.NOTE);
    this.write = line(WRITE);
    this.replace = line(REPLACE);
    this.sweep = text(SWEEP);
    this.claim = text(CLAIM);
  }

  @Override
  String schemaResource() {
    return "schema-postgresql.sql";
  }

  @Override
  boolean create(Work work, NewSession created) throws SQLException {
    Map<String, EncodedValue> attributes = inOrder(created.attributes());
    StringBuilder sql =
        new StringBuilder(work.sql(created.principal().isNobody() ? create : createLoggedIn));
    if (!attributes.isEmpty()) {
      sql.append(FIRST_ATTRIBUTE).append(", (?, ?)".repeat(attributes.size() - 1));
      sql.append(createAttributes);
    }
    sql.append(ANSWER);
    try (Parameters parameters = work.prepare(sql.toString())) {
      bindOwnRow(parameters, work, created);
      bindAttributes(parameters, attributes);
      return firstNumber(parameters.statement.executeQuery()).isPresent();
    }
  }

  @Override
  OptionalLong change(Work work, SessionDelta delta, RecentSaves.Save save) throws SQLException {
    Map<String, AttributeChange> changes = inOrder(delta.changes());
    long replacements =
        changes.values().stream().filter(AttributeChange.Replace.class::isInstance).count();
    StringBuilder sql = new StringBuilder(firstChange);
    sql.append(", (?, ?, ?)".repeat(changes.size() - 1));
    sql.append(work.sql(ownRow.of(delta)));
    if (replacements < changes.size()) {
      sql.append(write);
    }
    if (replacements > 0) {
      sql.append(replace);
    }
    sql.append(ANSWER);
    OptionalLong saved;
    try (Parameters parameters = work.prepare(sql.toString())) {
      bindChanges(parameters, changes);
      ownRow.bind(parameters, work, delta, save);
      saved = firstNumber(parameters.statement.executeQuery());
    }
    sweepNowAndThen(work, sweep, delta.origin(), saved);
    return saved;
  }

  @Override
  OptionalLong changeOwnRow(Work work, SessionDelta delta, RecentSaves.Save save)
      throws SQLException {
    return update(work, touch, delta, save);
  }

  @Override
  List<SessionRecord> claim(Work work, int limit, Duration claimTime) throws SQLException {
    try (Parameters parameters = work.prepare(claim)) {
      parameters.bytes(work.application()).number(limit);
      parameters.duration(claimTime).bytes(work.application());
      try (ResultSet rows = parameters.statement.executeQuery()) {
        return StoredSessions.all(rows);
      }
    }
  }
}
