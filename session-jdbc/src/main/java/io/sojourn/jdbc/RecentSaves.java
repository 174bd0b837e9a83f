package io.sojourn.jdbc;

import io.sojourn.SessionKey;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What a session's own row tells of the last saves, so that one whose answer was lost is not done
 * again: by then another node may have saved. Immutable.
 */
final class RecentSaves {

  /*
   * The column is text, and holds for each of the last eight nodes that have saved the session, the latest first: six characters for the
   * node, six for its last save, and the last three digits of the version that it made. A node saves a session once at a time, so its last
   * save is enough. Each save writes it; only one that is repeated reads it, with a lock on the row, so that a first attempt which is still
   * at work comes to its end before.
   */

  private static final int NODES = 8;
  private static final int NAME = 6;
  private static final int DIGITS = 3;
  private static final int VERSIONS = 1000;
  private static final int ENTRY = NAME + NAME + DIGITS;

  /** How long the column may become. */
  private static final int LENGTH = NODES * ENTRY;

  /** As standard SQL has it, for the version that is there before. */
  static final Note NOTE =
      new Note(
          """
          saves = LEFT(CAST(? AS VARCHAR) || LPAD(CAST(MOD(version + 1, %1$d) AS VARCHAR), %2$d, '0')
                || LEFT(saves, COALESCE(NULLIF(POSITION(CAST(? AS VARCHAR) IN saves), 0) - 1, %4$d))
                || SUBSTRING(saves FROM COALESCE(NULLIF(POSITION(CAST(? AS VARCHAR) IN saves), 0) + %3$d, %4$d + 1)), %4$d),"""
              .formatted(VERSIONS, DIGITS, ENTRY, LENGTH),
          2);

  /** As MySQL and MariaDB have it. */
  static final Note NOTE_BY_POSITION =
      new Note("saves = " + byPosition("?", "version + 1", "?") + ", ", 1);

  /**
   * The same in an upsert, once the version has been raised.
   *
   * @param save what the row was to be inserted with
   */
  static String noteInserted(String save) {
    return "saves = " + byPosition(save, "version", "LEFT(" + save + ", " + NAME + ")");
  }

  private static String byPosition(String save, String version, String node) {
    return """
    LEFT(CONCAT(%s, LPAD(MOD(%s, %d), %d, '0'), INSERT(COALESCE(saves, ''),
          LOCATE(%s, COALESCE(saves, '')), %d, '')), %d)"""
        .formatted(save, version, VERSIONS, DIGITS, node, ENTRY, LENGTH);
  }

  private static final String READ =
      "SELECT version, saves FROM sojourn_session WHERE application = ? AND origin = ?";

  /**
   * What a save is known by.
   *
   * @param node which node saves
   * @param save which of its saves it is
   */
  record Save(String node, String save) {

    String text() {
      return node + save;
    }
  }

  /**
   * Assigns to the column what tells of one save more.
   *
   * @param sql with parameters for {@link Save#text()} and then for {@link Save#node()}
   * @param nodes how many there are for the latter
   */
  record Note(String sql, int nodes) {

    void bind(Parameters parameters, Save save) throws SQLException {
      parameters.text(save.text());
      for (int i = 0; i < nodes; i++) {
        parameters.text(save.node());
      }
    }
  }

  private final SqlText read;

  /**
   * In the words of a dialect.
   *
   * @param isOwnRow what else is to be true of a row that is a session's own
   */
  RecentSaves(SqlDialect dialect, String isOwnRow) {
    this.read = dialect.text(READ + isOwnRow + " FOR UPDATE");
  }

  /** A name for a node or a save. */
  static String randomName() {
    long six = 36L * 36 * 36 * 36 * 36 * 36;
    return Long.toString(six + ThreadLocalRandom.current().nextLong(six), 36).substring(1);
  }

  /**
   * The version that this save has made; empty if it is not done. Keeps the session's own row from
   * changing until the transaction ends.
   */
  OptionalLong versionOf(Work work, SessionKey origin, Save save) throws SQLException {
    try (Parameters parameters = work.prepare(read)) {
      parameters.bytes(work.application()).bytes(origin.bytes());
      try (ResultSet rows = parameters.statement.executeQuery()) {
        if (!rows.next()) {
          return OptionalLong.empty();
        }
        long version = rows.getLong(1);
        String saves = rows.getString(2);
        int at = saves == null ? -1 : saves.indexOf(save.text());
        if (at < 0) {
          return OptionalLong.empty();
        }
        int digits = at + NAME + NAME;
        long made = Long.parseLong(saves.substring(digits, digits + DIGITS));
        return OptionalLong.of(version - Math.floorMod(version - made, (long) VERSIONS));
      }
    }
  }
}
