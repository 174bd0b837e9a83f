package io.sojourn.metrics;

/**
 * The figures of one application's sessions on one node since it was started, for JMX. None of them
 * names a session.
 */
public interface SessionFiguresMXBean {

  /** Whose sessions these are. */
  String getApplication();

  /** How many sessions this node holds at the moment. */
  int getActiveSessions();

  /** How many sessions this node has begun. */
  long getSessionCounter();

  /** How many sessions this node has ended, by expiry or invalidation. */
  long getExpiredSessions();

  /** How many calls of the store this node has made. */
  long getStoreCalls();

  /** How many of them failed because the store could not be asked. */
  long getStoreFailures();

  /** How many milliseconds all of them took. */
  long getStoreTime();

  /** How many saves came after another node's that this one had not seen. */
  long getLostRaces();

  /** How many saves came too late and are lost: the session had ended, or its lease had gone. */
  long getRefusedSaves();

  /** How many times a session was used that the store could not be asked about. */
  long getServedLocally();

  /** How many sessions have changes at the moment that could not be saved yet. */
  int getUnsavedSessions();

  /** How many bytes of attributes have come from the store. */
  long getBytesLoaded();

  /** How many bytes of attributes have been sent to the store. */
  long getBytesSaved();

  /** How many sessions were opened without asking the store. */
  long getNearCacheHits();

  /** How many were opened with what this node had and what the store said had changed. */
  long getNearCacheRefreshes();

  /** How many had to be loaded as a whole, or were not there. */
  long getNearCacheMisses();

  /** How many this node has let go of to make room. */
  long getNearCacheEvictions();

  /** How many bytes the attributes take of the sessions that this node holds, encoded. */
  long getNearCacheBytesHeld();

  /** How often an attribute that was only read was encoded to see whether it has changed. */
  long getDirtyChecks();

  /** How many milliseconds all of that took. */
  long getDirtyCheckTime();

  /** How many attributes could not be encoded, each time that it was tried. */
  long getEncodeFailures();

  /** How many stored attributes could not be decrypted or decoded, each time that it was tried. */
  long getDecodeFailures();

  /** How many attributes were refused for a class that may not be in a session. */
  long getRefusedClasses();
}
