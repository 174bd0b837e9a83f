package io.sojourn;

import java.time.Instant;
import java.util.Map;

/** A store's answer to "what changed since this version?". */
public sealed interface LoadResult {

  /**
   * No session has this key: it never did, was removed, has expired, or goes by another key now.
   */
  record Missing() implements LoadResult {}

  /**
   * The known version is the current one.
   *
   * @param lastAccessTime the last access before this one that the store knows of, by its clock
   */
  record Unchanged(Instant lastAccessTime) implements LoadResult {}

  /**
   * What changed since the known version.
   *
   * @param version the current version
   * @param lastAccessTime the last access before this one that the store knows of, by its clock
   * @param timeout the current timeout
   * @param set attributes written since, by name
   * @param removed names of the attributes removed since, with the version that removed each
   */
  record Changed(
      long version,
      Instant lastAccessTime,
      IdleTimeout timeout,
      Map<String, StoredAttribute> set,
      Map<String, Long> removed)
      implements LoadResult {

    /** Copies the maps. */
    public Changed {
      set = Map.copyOf(set);
      removed = Map.copyOf(removed);
    }
  }

  /**
   * The whole session, since no version was known or what changed since can no longer be told.
   *
   * @param session the session; its last access is the one before this load
   */
  record Found(SessionRecord session) implements LoadResult {}
}
