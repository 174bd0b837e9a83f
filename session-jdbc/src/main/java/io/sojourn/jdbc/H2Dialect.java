package io.sojourn.jdbc;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.NewSession;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * H2 2.2 and later. Create, save and claim are transactions of a few statements: most of its
 * databases lie in the same JVM, where a statement more costs next to nothing.
 */
final class H2Dialect extends TwoTableDialect {

  /** A difference goes by the clocks on the wall, so both are in UTC. */
  private static final String CLOCK =
      """
      DATEDIFF(MILLISECOND, TIMESTAMP WITH TIME ZONE '1970-01-01 00:00:00Z', CURRENT_TIMESTAMP AT TIME ZONE 'UTC')""";

  private static final String CREATE =
      """
      INSERT INTO sojourn_session (application, origin, version, session_key, creation_time, last_access_time,
        max_inactive_interval, touch_interval, expiry%s)
      VALUES (?, ?, ?, ?, ?, {now}, ?, ?, {now} + CAST(? AS BIGINT)%s)""";

  private static final String WRITE =
      """
      MERGE INTO sojourn_session_attribute (application, origin, name, version, content)
      KEY (application, origin, name) VALUES (?, ?, ?, ?, ?)""";

  private static final String REPLACE =
      """
      UPDATE sojourn_session_attribute SET version = ?, content = ?
      WHERE application = ? AND origin = ? AND name = ? AND version = ? AND content IS NOT NULL""";

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
  private final OwnRow update;
  private final SqlText write;
  private final SqlText replace;
  private final SqlText sweep;
  private final ClaimTransaction claim;

  H2Dialect(Tables tables) {
    super(tables, CLOCK);
    this.create = text(CREATE.formatted("", ""));
    this.createLoggedIn = text(CREATE.formatted(", principal", ", ?"));
    this.update = ownRow(UPDATE, RecentSaves.NOTE);
    this.write = text(WRITE);
    this.replace = text(REPLACE);
    this.sweep = text(SWEEP);
    this.claim = new ClaimTransaction(this, "", SIZES, READ_CLAIMED);
  }

  @Override
  String schemaResource() {
    return "schema-h2.sql";
  }

  @Override
  boolean create(Work work, NewSession created) throws SQLException {
    return work.atomically(
        whole -> {
          try (Parameters parameters =
              whole.prepare(created.principal().isNobody() ? create : createLoggedIn)) {
            bindOwnRow(parameters, whole, created);
            parameters.statement.executeUpdate();
          }
          for (Map.Entry<String, EncodedValue> each : inOrder(created.attributes()).entrySet()) {
            try (Parameters parameters = whole.prepare(write)) {
              bindAttribute(parameters, whole, created.key(), each.getKey());
              parameters.number(created.version()).content(each.getValue());
              parameters.statement.executeUpdate();
            }
          }
          return true;
        });
  }

  @Override
  OptionalLong change(Work work, SessionDelta delta, RecentSaves.Save save) throws SQLException {
    return work.atomically(
        whole -> {
          OptionalLong saved = changeOwnRow(whole, delta, save);
          if (saved.isPresent()) {
            for (Map.Entry<String, AttributeChange> change : inOrder(delta.changes()).entrySet()) {
              change(whole, delta.origin(), saved.getAsLong(), change.getKey(), change.getValue());
            }
            sweepNowAndThen(whole, sweep, delta.origin(), saved);
          }
          return saved;
        });
  }

  private void change(Work work, SessionKey origin, long saved, String name, AttributeChange change)
      throws SQLException {
    if (change instanceof AttributeChange.Replace replacement) {
      try (Parameters parameters = work.prepare(replace)) {
        parameters.number(saved).content(replacement.value());
        bindAttribute(parameters, work, origin, name);
        parameters.number(replacement.expectedVersion()).statement.executeUpdate();
      }
      return;
    }
    try (Parameters parameters = work.prepare(write)) {
      bindAttribute(parameters, work, origin, name);
      parameters.number(saved).content(change.written().orElse(null));
      parameters.statement.executeUpdate();
    }
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
