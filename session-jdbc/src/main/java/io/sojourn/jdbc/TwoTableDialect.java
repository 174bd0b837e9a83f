package io.sojourn.jdbc;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.SessionKey;
import java.sql.SQLException;
import java.util.Map;

/** A dialect for a table of sessions and one of attributes. */
abstract class TwoTableDialect extends SqlDialect {

  /** What a row of a session and one of its attributes have to say, but for the key. */
  private static final String COLUMNS =
      StoredSessions.ofSession("h") + ", a.name, a.version, a.content, %s, h.creation_time";

  private static final String LOAD =
      """
      SELECT %s
      FROM sojourn_session h LEFT JOIN sojourn_session_attribute a
        ON a.application = h.application AND a.origin = h.origin
      WHERE h.application = ? AND h.session_key = ? AND h.claimed_until IS NULL"""
          .formatted(COLUMNS.formatted("NULLIF(h.origin, h.session_key)"));

  private static final String LOAD_CHANGED =
      """
      SELECT %s, a.name, a.version, a.content, NULLIF(h.origin, h.session_key)
      FROM sojourn_session h LEFT JOIN sojourn_session_attribute a
        ON a.application = h.application AND a.origin = CASE WHEN h.version <> ? THEN h.origin END AND a.version > ?
      WHERE h.application = ? AND h.session_key = ? AND h.claimed_until IS NULL"""
          .formatted(StoredSessions.ofSession("h"));

  private static final String RENAME =
      """
      UPDATE sojourn_session h SET session_key = ? WHERE h.application = ? AND h.session_key = ? AND %s
        AND NOT EXISTS (SELECT 1 FROM sojourn_session o WHERE o.application = ? AND o.origin = ?)"""
          .formatted(IS_LIVE);

  /** For the sessions {@code h} that have been claimed. */
  static final String CLAIMED =
      """
      SELECT %s, h.session_key
      FROM %%s h LEFT JOIN sojourn_session_attribute a ON a.application = h.application AND a.origin = h.origin"""
          .formatted(COLUMNS.formatted("h.origin"));

  private final SqlText rename;

  TwoTableDialect(Tables tables, String clock) {
    super(tables, clock, LOAD, LOAD_CHANGED, "");
    this.rename = text(RENAME);
  }

  @Override
  final boolean rename(Work work, SessionKey key, SessionKey newKey) throws SQLException {
    try (Parameters parameters = work.prepare(rename)) {
      parameters.bytes(newKey.bytes()).bytes(work.application()).bytes(key.bytes());
      parameters.bytes(work.application()).bytes(newKey.bytes());
      return parameters.statement.executeUpdate() > 0;
    }
  }

  /** Names and contents of a new session's attributes. */
  static void bindAttributes(Parameters parameters, Map<String, EncodedValue> attributes)
      throws SQLException {
    for (Map.Entry<String, EncodedValue> attribute : attributes.entrySet()) {
      parameters.bytes(AttributeName.encode(attribute.getKey())).content(attribute.getValue());
    }
  }

  /** Of each change the name, what to write, and the version that it is to replace. */
  static void bindChanges(Parameters parameters, Map<String, AttributeChange> changes)
      throws SQLException {
    for (Map.Entry<String, AttributeChange> change : changes.entrySet()) {
      parameters.bytes(AttributeName.encode(change.getKey()));
      bindChange(parameters, change.getValue());
    }
  }
}
