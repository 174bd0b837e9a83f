package io.sojourn.jdbc;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.NewSession;
import io.sojourn.SessionDelta;
import io.sojourn.SessionRecord;
import java.sql.SQLException;
import java.sql.SQLTransactionRollbackException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** H2 2.2 and later. A claim is a transaction of a few statements. */
final class H2Dialect extends TwoTableDialect {

  /*
   * Two tables, whose rows one statement changes together: what writes attributes reads what the part that writes the session's own row
   * answers. That part stands at the left of an outer join, so it is carried out first, and once. Savers of a session wait for each other
   * there, before they touch its attributes, and none writes to a session that is gone.
   *
   * H2 reads the inner part once more by itself, where a parameter has to say by a number which one it is. It takes back what a statement
   * has done that ends in a conflict, and that it then does again by itself, but only if the statement is no query: so the version comes as
   * generated keys do.
   */

  /** A difference goes by the clocks on the wall, so both are in UTC. */
  private static final String CLOCK =
      """
      DATEDIFF(MILLISECOND, TIMESTAMP WITH TIME ZONE '1970-01-01 00:00:00Z', CURRENT_TIMESTAMP AT TIME ZONE 'UTC')""";

  private static final String CREATE =
      """
      INSERT INTO sojourn_session (application, origin, version, session_key, creation_time, last_access_time,
        max_inactive_interval, touch_interval, expiry%s)
      VALUES (?, ?, ?, ?, ?, {now}, ?, ?, {now} + CAST(? AS BIGINT)%s)""";

  private static final String CREATE_ATTRIBUTES =
      """
      INSERT INTO sojourn_session_attribute (application, origin, name, version, content)
      SELECT h.application, h.origin, d.name, h.version, d.content
      FROM FINAL TABLE (%s) h LEFT JOIN (VALUES"""
          .replace("%s", CREATE);

  private static final Row CREATED_ATTRIBUTE = Row.of("(CAST(? AS VARBINARY), CAST(? AS %s))");

  private static final String CREATED = ") d (name, content) ON TRUE";

  private static final String SAVE =
      """
      MERGE INTO sojourn_session_attribute a USING (
        SELECT h.application, h.origin, h.version, d.name, d.content, d.expected
        FROM FINAL TABLE (UPDATE sojourn_session SET %%s, version = version + %%d WHERE %s) h LEFT JOIN (VALUES"""
          .formatted(IS_UNCLAIMED);

  private static final Row SAVED_ATTRIBUTE =
      Row.of("(CAST(? AS VARBINARY), CAST(? AS %s), CAST(? AS BIGINT))");

  private static final String SAVED =
      """
      ) d (name, content, expected) ON TRUE) n
      ON a.application = n.application AND a.origin = n.origin AND a.name = n.name
      WHEN MATCHED AND (n.expected IS NULL OR (a.version = n.expected AND a.content IS NOT NULL))
        THEN UPDATE SET version = n.version, content = n.content
      WHEN NOT MATCHED AND n.expected IS NULL
        THEN INSERT (application, origin, name, version, content)
          VALUES (n.application, n.origin, n.name, n.version, n.content)""";

  /** What a VARBINARY of H2 takes at most. */
  private static final int BYTES_OF_A_VARBINARY = 1 << 20;

  private static final String SWEEP =
      """
      DELETE FROM sojourn_session_attribute
      WHERE application = ? AND origin = ? AND content IS NULL AND version < ?""";

  private static final String UPDATE =
      """
      SELECT version FROM FINAL TABLE (
        UPDATE sojourn_session SET %%s, version = version + %%d WHERE %s)"""
          .formatted(IS_UNCLAIMED);

  private static final String SIZES =
      """
      SELECT origin, SUM(OCTET_LENGTH(content)) FROM sojourn_session_attribute
      WHERE application = ? AND origin IN ({origins}) GROUP BY origin""";

  private static final String READ_CLAIMED =
      CLAIMED.formatted("sojourn_session") + " WHERE h.application = ? AND h.origin IN ({origins})";

  private final SqlText create;
  private final SqlText createLoggedIn;
  private final SqlText createAttributes;
  private final SqlText createAttributesLoggedIn;
  private final OwnRow update;
  private final OwnRow save;
  private final String saved;
  private final SqlText sweep;
  private final ClaimTransaction claim;

  /** One of an attribute: with a content that a VARBINARY takes, and with any. */
  private record Row(String usual, String large) {

    static Row of(String template) {
      return new Row(template.formatted("VARBINARY"), template.formatted("BLOB"));
    }
  }

  H2Dialect(Tables tables) {
    super(tables, CLOCK);
    this.create = text(CREATE.formatted("", ""));
    this.createLoggedIn = text(CREATE.formatted(", principal", ", ?"));
    this.createAttributes = text(CREATE_ATTRIBUTES.formatted("", ""));
    this.createAttributesLoggedIn = text(CREATE_ATTRIBUTES.formatted(", principal", ", ?"));
    this.update = ownRow(UPDATE, RecentSaves.NOTE);
    this.save = ownRow(SAVE, RecentSaves.NOTE);
    this.saved = line(SAVED);
    this.sweep = text(SWEEP);
    this.claim = new ClaimTransaction(this, "", SIZES, READ_CLAIMED);
  }

  @Override
  String schemaResource() {
    return "schema-h2.sql";
  }

  @Override
  boolean create(Work work, NewSession created) throws SQLException {
    Map<String, EncodedValue> attributes = inOrder(created.attributes());
    boolean isNobody = created.principal().isNobody();
    StringBuilder sql = new StringBuilder();
    if (attributes.isEmpty()) {
      sql.append(work.sql(isNobody ? create : createLoggedIn));
    } else {
      sql.append(work.sql(isNobody ? createAttributes : createAttributesLoggedIn));
      appendRows(sql, CREATED_ATTRIBUTE, attributes.values().stream().map(Optional::of));
      sql.append(CREATED);
    }
    try (Parameters parameters = work.prepare(numbered(sql.toString()))) {
      bindOwnRow(parameters, work, created);
      bindAttributes(parameters, attributes);
      parameters.statement.executeUpdate();
      return true;
    }
  }

  @Override
  OptionalLong change(Work work, SessionDelta delta, RecentSaves.Save save) throws SQLException {
    Map<String, AttributeChange> changes = inOrder(delta.changes());
    boolean mayChangeNone =
        changes.values().stream().allMatch(AttributeChange.Replace.class::isInstance);
    OptionalLong version =
        mayChangeNone
            ? work.atomically(
                whole -> {
                  OptionalLong changed = change(whole, delta, changes, save);
                  return changed.isPresent()
                      ? changed
                      : recentSaves().versionOf(whole, delta.origin(), save);
                })
            : change(work, delta, changes, save);
    sweepNowAndThen(work, sweep, delta.origin(), version);
    return version;
  }

  /** Answers the session's version; empty if it is gone, or none of its attributes was changed. */
  private OptionalLong change(
      Work work, SessionDelta delta, Map<String, AttributeChange> changes, RecentSaves.Save save)
      throws SQLException {
    StringBuilder sql = new StringBuilder(work.sql(this.save.of(delta)));
    appendRows(sql, SAVED_ATTRIBUTE, changes.values().stream().map(AttributeChange::written));
    sql.append(saved);
    try (Parameters parameters = work.prepareAnswering(numbered(sql.toString()), "version")) {
      this.save.bind(parameters, work, delta, save);
      bindChanges(parameters, changes);
      parameters.statement.executeUpdate();
      return firstNumber(parameters.statement.getGeneratedKeys());
    } catch (SQLException e) {
      if (SqlFailure.of(e) == SqlFailure.DUPLICATE_KEY) {
        throw new SQLTransactionRollbackException("An attribute was new to another save, too", e);
      }
      throw e;
    }
  }

  /** A row for each content; one with none is the mark of a removal. */
  private static void appendRows(
      StringBuilder sql, Row row, Stream<Optional<EncodedValue>> contents) {
    sql.append(
        contents
            .map(content -> content.map(EncodedValue::size).orElse(0) > BYTES_OF_A_VARBINARY)
            .map(isLarge -> isLarge ? row.large : row.usual)
            .collect(Collectors.joining(", ")));
  }

  /** The same with parameters that tell which one they are. */
  private static String numbered(String sql) {
    StringBuilder numbered = new StringBuilder(sql.length() + 64);
    int parameters = 0;
    int from = 0;
    for (int at = sql.indexOf('?'); at >= 0; at = sql.indexOf('?', from)) {
      numbered.append(sql, from, at + 1).append(++parameters);
      from = at + 1;
    }
    return numbered.append(sql, from, sql.length()).toString();
  }

  @Override
  OptionalLong changeOwnRow(Work work, SessionDelta delta, RecentSaves.Save save)
      throws SQLException {
    return update(work, update, delta, save);
  }

  @Override
  List<SessionRecord> claim(Work work, int limit, Duration claimTime) throws SQLException {
    return claim.run(work, limit, claimTime);
  }
}
