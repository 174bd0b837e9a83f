package io.sojourn.jdbc;

import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.OptionalLong;

/** What a session's own row tells of its lease: who has it and who is next. Immutable. */
final class LeaseStatements {

  private static final String MAY_BE_NEXT =
      "(h.next_holder IS NULL OR h.next_holder = ? OR h.next_until <= {now})";

  /** A renewal leaves alone who is next. */
  private static final String TAKE =
      """
      UPDATE sojourn_session h SET next_holder = CASE WHEN lease_holder = ? THEN next_holder END,
        lease_holder = ?, leased_until = {now} + ?
      WHERE h.application = ? AND h.session_key = ? AND %s
        AND (h.lease_holder = ? OR ((h.lease_holder IS NULL OR h.leased_until <= {now}) AND %s))"""
          .formatted(SqlDialect.IS_LIVE, MAY_BE_NEXT);

  /** Whether to write who is next: not at each question. */
  private static final String LOOK =
      """
      SELECT CASE WHEN h.next_holder IS NULL OR h.next_until <= {now} THEN 1
        WHEN h.next_holder = ? AND h.next_until <= {now} + ? THEN 1 ELSE 0 END
      FROM sojourn_session h WHERE h.application = ? AND h.session_key = ? AND %s"""
          .formatted(SqlDialect.IS_LIVE);

  private static final String QUEUE =
      """
      UPDATE sojourn_session h SET next_holder = ?, next_until = {now} + ?
      WHERE h.application = ? AND h.session_key = ? AND %s"""
          .formatted(MAY_BE_NEXT);

  private static final String RELEASE =
      """
      UPDATE sojourn_session SET lease_holder = NULL, leased_until = NULL
      WHERE application = ? AND origin = ? AND lease_holder = ?""";

  private static final String HOLDER =
      "SELECT lease_holder FROM sojourn_session WHERE application = ? AND origin = ?";

  private final SqlText take;
  private final SqlText look;
  private final SqlText queue;
  private final SqlText release;
  private final SqlText holder;

  /**
   * In the words of a dialect.
   *
   * @param isOwnRow what else is to be true of a row that is a session's own
   */
  LeaseStatements(SqlDialect dialect, String isOwnRow) {
    this.take = dialect.text(TAKE);
    this.look = dialect.text(LOOK);
    this.queue = dialect.text(QUEUE);
    this.release = dialect.text(RELEASE + isOwnRow);
    this.holder = dialect.text(HOLDER + isOwnRow + " FOR UPDATE");
  }

  /** See {@link SessionStore#lease}. */
  SessionStore.Lease take(Work work, SessionKey key, long caller, Duration leaseTime)
      throws SQLException {
    try (Parameters parameters = work.prepare(take)) {
      parameters.number(caller).number(caller).duration(leaseTime);
      parameters.bytes(work.application()).bytes(key.bytes()).number(caller).number(caller);
      if (parameters.statement.executeUpdate() > 0) {
        return SessionStore.Lease.TAKEN;
      }
    }
    OptionalLong writes;
    try (Parameters parameters = work.prepare(look)) {
      parameters.number(caller).duration(SessionStore.TURN_TIME.dividedBy(2));
      parameters.bytes(work.application()).bytes(key.bytes());
      writes = SqlDialect.firstNumber(parameters.statement.executeQuery());
    }
    if (writes.isEmpty()) {
      return SessionStore.Lease.MISSING;
    }
    if (writes.getAsLong() == 1) {
      try (Parameters parameters = work.prepare(queue)) {
        parameters.number(caller).duration(SessionStore.TURN_TIME);
        parameters.bytes(work.application()).bytes(key.bytes()).number(caller);
        parameters.statement.executeUpdate();
      }
    }
    return SessionStore.Lease.BUSY;
  }

  /** See {@link SessionStore#release}. */
  boolean release(Work work, SessionKey origin, long caller) throws SQLException {
    try (Parameters parameters = work.prepare(release)) {
      parameters.bytes(work.application()).bytes(origin.bytes()).number(caller);
      return parameters.statement.executeUpdate() > 0;
    }
  }

  /**
   * Whether somebody else has been given this holder's lease. Keeps it from changing until the
   * transaction ends. False if there is no such session.
   */
  boolean isLost(Work work, SessionKey origin, long caller) throws SQLException {
    try (Parameters parameters = work.prepare(holder)) {
      parameters.bytes(work.application()).bytes(origin.bytes());
      try (ResultSet rows = parameters.statement.executeQuery()) {
        return rows.next() && rows.getLong(1) != caller;
      }
    }
  }
}
