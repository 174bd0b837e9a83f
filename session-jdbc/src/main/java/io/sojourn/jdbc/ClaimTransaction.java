package io.sojourn.jdbc;

import io.sojourn.SessionRecord;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Claims expired sessions where no statement can both write and answer with rows: finds some that
 * nobody else looks at, marks them, and reads them once the marks are committed. Immutable.
 */
final class ClaimTransaction {

  private static final String FIND = "SELECT origin FROM sojourn_session WHERE ";

  private static final String MARK =
      """
      UPDATE sojourn_session SET claimed_until = {now} + ?
      WHERE application = ? AND origin IN ({origins})""";

  private final SqlText find;
  private final SqlText mark;
  private final SqlText read;

  /**
   * Claims in the words of a dialect.
   *
   * @param isOwnRow what else is to be true of a row that is a session's own
   * @param read reads sessions; its parameters are the application and {@code {origins}}
   */
  ClaimTransaction(SqlDialect dialect, String isOwnRow, String read) {
    this.find = dialect.text(FIND + SqlDialect.IS_EXPIRED);
    this.mark = dialect.text(MARK + isOwnRow);
    this.read = dialect.text(read);
  }

  /** See {@link io.sojourn.SessionStore#claimExpired}. */
  List<SessionRecord> run(Work work, int limit, Duration claimTime) throws SQLException {
    List<byte[]> origins = work.atomically(whole -> mark(whole, limit, claimTime));
    if (origins.isEmpty()) {
      return List.of();
    }
    try (Parameters parameters = work.prepare(forOrigins(work.sql(read), origins))) {
      parameters.bytes(work.application()).allBytes(origins);
      try (ResultSet rows = parameters.statement.executeQuery()) {
        return StoredSessions.all(rows);
      }
    }
  }

  private List<byte[]> mark(Work work, int limit, Duration claimTime) throws SQLException {
    List<byte[]> origins = new ArrayList<>();
    try (Parameters parameters = work.prepare(find)) {
      parameters.bytes(work.application()).number(limit);
      try (ResultSet rows = parameters.statement.executeQuery()) {
        while (rows.next()) {
          origins.add(rows.getBytes(1));
        }
      }
    }
    if (!origins.isEmpty()) {
      try (Parameters parameters = work.prepare(forOrigins(work.sql(mark), origins))) {
        parameters.duration(claimTime).bytes(work.application()).allBytes(origins);
        parameters.statement.executeUpdate();
      }
    }
    return origins;
  }

  private static String forOrigins(String sql, List<byte[]> origins) {
    return sql.replace("{origins}", "?" + ", ?".repeat(origins.size() - 1));
  }
}
