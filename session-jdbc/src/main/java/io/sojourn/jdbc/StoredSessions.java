package io.sojourn.jdbc;

import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.StoredAttribute;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Sessions read from a result of which each row is a session's own, or one of an attribute. For one
 * thread.
 */
final class StoredSessions {

  /** The columns of a row of the session {@code h} itself. */
  static final String OWN_COLUMNS =
      """
      0, h.origin, h.version, NULL, NULL, h.session_key, h.creation_time, h.last_access_time,
        h.max_inactive_interval, h.touch_interval, h.expiry, {now}""";

  /** What follows {@code 1}, origin, version, name and content in the row of an attribute. */
  static final String NO_OWN_COLUMNS = "NULL, NULL, NULL, NULL, NULL, NULL, NULL";

  /** One session as it is read. */
  static final class Stored {
    private final SessionKey origin;
    private final SessionKey key;
    private final long version;
    private final Instant creationTime;
    private final long lastAccess;
    private final long maxInactive;
    private final long touchInterval;
    private final @Nullable Long expiry;
    private final long now;
    private final Map<String, StoredAttribute> set = new HashMap<>();
    private final Map<String, Long> removed = new HashMap<>();

    private Stored(ResultSet row) throws SQLException {
      this.origin = SessionKey.ofBytes(row.getBytes(2));
      this.version = row.getLong(3);
      this.key = SessionKey.ofBytes(row.getBytes(6));
      this.creationTime = Instant.ofEpochMilli(row.getLong(7));
      this.lastAccess = row.getLong(8);
      this.maxInactive = row.getLong(9);
      this.touchInterval = row.getLong(10);
      long end = row.getLong(11);
      this.expiry = row.wasNull() ? null : end;
      this.now = row.getLong(12);
    }

    SessionKey origin() {
      return origin;
    }

    /**
     * Whether an access now has to be written: the session would end too early for it, or it never
     * ends and its last access is older than its touch interval.
     */
    boolean isDueForTouch() {
      return expiry == null ? now - lastAccess > touchInterval : now + maxInactive > expiry;
    }

    /** Whether it is what this would have created, and nobody has saved it since. */
    boolean isAsCreated(NewSession session) {
      return version == SessionStore.FIRST_VERSION
          && origin.equals(session.key())
          && creationTime.toEpochMilli() == session.creationTime().toEpochMilli();
    }

    SessionRecord record() {
      return new SessionRecord(
          key, origin, version, creationTime, Instant.ofEpochMilli(lastAccess), timeout(), set);
    }

    LoadResult since(long known) {
      Instant lastAccessTime = Instant.ofEpochMilli(lastAccess);
      if (known == version) {
        return new LoadResult.Unchanged(lastAccessTime);
      }
      boolean tellable =
          known >= SessionStore.FIRST_VERSION
              && known < version
              && version - known <= SessionStore.REMOVAL_MARK_VERSIONS;
      return tellable
          ? new LoadResult.Changed(version, lastAccessTime, timeout(), set, removed)
          : new LoadResult.Found(record());
    }

    private IdleTimeout timeout() {
      return new IdleTimeout(Duration.ofMillis(maxInactive), Duration.ofMillis(touchInterval));
    }
  }

  private StoredSessions() {}

  /** The one session of a result whose attributes' rows name no origin; null if there is none. */
  static @Nullable Stored one(ResultSet rows) throws SQLException {
    Stored session = null;
    Map<String, StoredAttribute> set = new HashMap<>();
    Map<String, Long> removed = new HashMap<>();
    while (rows.next()) {
      if (rows.getInt(1) == 0) {
        session = new Stored(rows);
      } else {
        read(rows, set, removed);
      }
    }
    if (session != null) {
      session.set.putAll(set);
      session.removed.putAll(removed);
    }
    return session;
  }

  /** All sessions of a result in which the rows of sessions come before those of attributes. */
  static List<SessionRecord> all(ResultSet rows) throws SQLException {
    Map<SessionKey, Stored> sessions = new LinkedHashMap<>();
    while (rows.next()) {
      if (rows.getInt(1) == 0) {
        Stored session = new Stored(rows);
        sessions.put(session.origin, session);
      } else {
        Stored session = Objects.requireNonNull(sessions.get(SessionKey.ofBytes(rows.getBytes(2))));
        read(rows, session.set, session.removed);
      }
    }
    List<SessionRecord> records = new ArrayList<>();
    sessions.values().forEach(session -> records.add(session.record()));
    return records;
  }

  private static void read(
      ResultSet row, Map<String, StoredAttribute> set, Map<String, Long> removed)
      throws SQLException {
    long version = row.getLong(3);
    String name = AttributeName.decode(row.getBytes(4));
    byte[] content = row.getBytes(5);
    if (content == null) {
      removed.put(name, version);
    } else {
      set.put(name, new StoredAttribute(EncodedValue.of(content), version));
    }
  }
}
