package io.sojourn.jdbc;

import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Claims expired sessions where no statement can both write and answer with rows: finds some that
 * nobody else looks at, marks them, and reads them once the marks are committed. What would be more
 * than a node may hold at once it leaves to the next claim. Immutable.
 */
final class ClaimTransaction {

  private static final String FIND = "SELECT origin FROM sojourn_session WHERE ";

  private static final String MARK =
      """
      UPDATE sojourn_session SET claimed_until = {now} + ?
      WHERE application = ? AND origin IN ({origins})""";

  private static final String LEAVE =
      """
      UPDATE sojourn_session SET claimed_until = {now}
      WHERE application = ? AND origin IN ({origins})""";

  /** Of how many sessions one statement asks the sizes: as many may have to be read for nothing. */
  private static final int SIZES_AT_ONCE = 10;

  private final SqlText find;
  private final SqlText mark;
  private final SqlText sizes;
  private final SqlText leave;
  private final SqlText read;

  /**
   * Claims in the words of a dialect.
   *
   * @param isOwnRow what else is to be true of a row that is a session's own
   * @param sizes reads origins, and how many bytes their sessions hold; may leave out empty ones
   *     and has the parameters of {@code read}
   * @param read reads sessions; its parameters are the application and {@code {origins}}
   */
  ClaimTransaction(SqlDialect dialect, String isOwnRow, String sizes, String read) {
    this.find = dialect.text(FIND + SqlDialect.IS_EXPIRED);
    this.mark = dialect.text(MARK + isOwnRow);
    this.sizes = dialect.text(sizes);
    this.leave = dialect.text(LEAVE + isOwnRow);
    this.read = dialect.text(read);
  }

  /** See {@link io.sojourn.SessionStore#claimExpired}. */
  List<SessionRecord> run(Work work, int limit, Duration claimTime) throws SQLException {
    List<byte[]> origins = work.atomically(whole -> mark(whole, limit, claimTime));
    if (origins.isEmpty()) {
      return List.of();
    }
    int few = howMany(work, origins);
    if (few < origins.size()) {
      leave(work, origins.subList(few, origins.size()));
      origins = origins.subList(0, few);
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

  /**
   * How many of them, from the first, are not too large together; at least one. A few are looked at
   * at a time, since a database may have to read values to tell how long they are.
   */
  private int howMany(Work work, List<byte[]> origins) throws SQLException {
    long sum = 0;
    for (int from = 0; from < origins.size(); from += SIZES_AT_ONCE) {
      List<byte[]> some = origins.subList(from, Math.min(from + SIZES_AT_ONCE, origins.size()));
      Map<SessionKey, Long> sizes = sizes(work, some);
      for (int i = 0; i < some.size(); i++) {
        sum += sizes.getOrDefault(SessionKey.ofBytes(some.get(i)), 0L);
        if (from + i > 0 && sum > SqlDialect.BYTES_OF_A_CLAIM) {
          return from + i;
        }
      }
    }
    return origins.size();
  }

  private Map<SessionKey, Long> sizes(Work work, List<byte[]> origins) throws SQLException {
    Map<SessionKey, Long> sizes = new HashMap<>();
    try (Parameters parameters = work.prepare(forOrigins(work.sql(this.sizes), origins))) {
      parameters.bytes(work.application()).allBytes(origins);
      try (ResultSet rows = parameters.statement.executeQuery()) {
        while (rows.next()) {
          sizes.put(SessionKey.ofBytes(rows.getBytes(1)), rows.getLong(2));
        }
      }
    }
    return sizes;
  }

  /** Any node may claim these at once. */
  private void leave(Work work, List<byte[]> origins) throws SQLException {
    try (Parameters parameters = work.prepare(forOrigins(work.sql(leave), origins))) {
      parameters.bytes(work.application()).allBytes(origins);
      parameters.statement.executeUpdate();
    }
  }

  private static String forOrigins(String sql, List<byte[]> origins) {
    return sql.replace("{origins}", "?" + ", ?".repeat(origins.size() - 1));
  }
}
