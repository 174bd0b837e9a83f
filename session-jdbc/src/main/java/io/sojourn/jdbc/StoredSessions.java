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
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Sessions read from a result, each of whose rows has to say something of a session, or of an
 * attribute, or of both. For one thread.
 */
final class StoredSessions {

  /*
   * The columns of a result. A row with nothing to say of the session itself has no time of last access, one with nothing to say of an
   * attribute no name. The last two are left out where nobody asks for them; without an origin the session has its first key still.
   */

  private static final int LAST_ACCESS_TIME = 1;
  private static final int VERSION = 2;
  private static final int MAX_INACTIVE_INTERVAL = 3;
  private static final int TOUCH_INTERVAL = 4;
  private static final int EXPIRY = 5;
  private static final int NOW = 6;
  private static final int ATTRIBUTE_NAME = 7;
  private static final int ATTRIBUTE_VERSION = 8;
  private static final int ATTRIBUTE_CONTENT = 9;
  private static final int ORIGIN = 10;
  private static final int CREATION_TIME = 11;
  private static final int KEY = 12;

  /** The first six columns. */
  static String ofSession(String table) {
    return """
    %1$s.last_access_time, %1$s.version, %1$s.max_inactive_interval, %1$s.touch_interval, %1$s.expiry, {now}"""
        .formatted(table);
  }

  /** One session as it is read. */
  static final class Stored {
    private final SessionKey key;
    private final SessionKey origin;
    private final long version;
    private final long creationTime;
    private final long lastAccess;
    private final long maxInactive;
    private final long touchInterval;
    private final @Nullable Long expiry;
    private final long now;
    private final Attributes attributes;

    /** Reads what a row says of the session. */
    private Stored(ResultSet row, SessionKey key, boolean whole, Attributes attributes)
        throws SQLException {
      this.key = key;
      this.lastAccess = row.getLong(LAST_ACCESS_TIME);
      this.version = row.getLong(VERSION);
      this.maxInactive = row.getLong(MAX_INACTIVE_INTERVAL);
      this.touchInterval = row.getLong(TOUCH_INTERVAL);
      long end = row.getLong(EXPIRY);
      this.expiry = row.wasNull() ? null : end;
      this.now = row.getLong(NOW);
      byte[] firstKey = row.getBytes(ORIGIN);
      this.origin = firstKey == null ? key : SessionKey.ofBytes(firstKey);
      this.creationTime = whole ? row.getLong(CREATION_TIME) : 0;
      this.attributes = attributes;
    }

    SessionKey origin() {
      return origin;
    }

    /**
     * Whether an access now has to be written: the session would end too early for it, or it never
     * ends and its last access is older than its touch interval.
     *
     * @param unasked how much longer it may be in use before it is loaded again
     */
    boolean isDueForTouch(Duration unasked) {
      long last = now + unasked.toMillis();
      return expiry == null ? last - lastAccess > touchInterval : last + maxInactive > expiry;
    }

    /** Whether it is what this would have created, and nobody has saved it since. */
    boolean isAsCreated(NewSession session) {
      return version == session.version()
          && origin.equals(session.key())
          && creationTime == session.creationTime().toEpochMilli();
    }

    private boolean isLive() {
      return expiry == null || expiry > now;
    }

    /** Whether what changed since a version can be told by the attributes that are newer. */
    boolean tellsWhatChangedSince(long known) {
      return known >= SessionStore.FIRST_VERSION
          && known <= version
          && version - known <= SessionStore.REMOVAL_MARK_VERSIONS;
    }

    private SessionRecord record() {
      return new SessionRecord(
          key,
          origin,
          version,
          Instant.ofEpochMilli(creationTime),
          Instant.ofEpochMilli(lastAccess),
          timeout(),
          attributes.set);
    }

    LoadResult since(long known) {
      Instant lastAccessTime = Instant.ofEpochMilli(lastAccess);
      if (known == version) {
        return new LoadResult.Unchanged(lastAccessTime);
      }
      return tellsWhatChangedSince(known)
          ? new LoadResult.Changed(
              version, lastAccessTime, timeout(), attributes.set, attributes.removed)
          : new LoadResult.Found(record());
    }

    private IdleTimeout timeout() {
      return new IdleTimeout(Duration.ofMillis(maxInactive), Duration.ofMillis(touchInterval));
    }
  }

  /** Of one session. */
  private static final class Attributes {
    private final Map<String, StoredAttribute> set = new HashMap<>();
    private final Map<String, Long> removed = new HashMap<>();

    /** Reads what a row says of one. */
    void read(ResultSet row) throws SQLException {
      byte[] name = row.getBytes(ATTRIBUTE_NAME);
      if (name == null) {
        return;
      }
      long version = row.getLong(ATTRIBUTE_VERSION);
      byte[] content = row.getBytes(ATTRIBUTE_CONTENT);
      if (content == null) {
        removed.put(AttributeName.decode(name), version);
      } else {
        set.put(AttributeName.decode(name), new StoredAttribute(EncodedValue.of(content), version));
      }
    }
  }

  private StoredSessions() {}

  /**
   * The session with this key; null if there is none, or it has expired.
   *
   * @param whole whether the result has the time of creation
   */
  static @Nullable Stored live(ResultSet rows, SessionKey key, boolean whole) throws SQLException {
    Stored session = null;
    Attributes attributes = new Attributes();
    while (rows.next()) {
      if (session == null && isOfSession(rows)) {
        session = new Stored(rows, key, whole, attributes);
      }
      attributes.read(rows);
    }
    return session != null && session.isLive() ? session : null;
  }

  /** All sessions of a result with all columns. */
  static List<SessionRecord> all(ResultSet rows) throws SQLException {
    Map<SessionKey, Attributes> attributes = new HashMap<>();
    Map<SessionKey, Stored> sessions = new LinkedHashMap<>();
    while (rows.next()) {
      SessionKey origin = SessionKey.ofBytes(rows.getBytes(ORIGIN));
      Attributes own = attributes.computeIfAbsent(origin, ignored -> new Attributes());
      if (!sessions.containsKey(origin) && isOfSession(rows)) {
        SessionKey key = SessionKey.ofBytes(rows.getBytes(KEY));
        sessions.put(origin, new Stored(rows, key, true, own));
      }
      own.read(rows);
    }
    return sessions.values().stream().map(Stored::record).toList();
  }

  private static boolean isOfSession(ResultSet row) throws SQLException {
    row.getLong(LAST_ACCESS_TIME);
    return !row.wasNull();
  }
}
