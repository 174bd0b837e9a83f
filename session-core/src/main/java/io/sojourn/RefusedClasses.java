package io.sojourn;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The classes that have been reported as refused, for all sessions of one application: a site has
 * thousands of them, and attributes of many names. Thread-safe.
 */
final class RefusedClasses {

  private static final int MAX = 1_000;

  private final Set<String> reported = ConcurrentHashMap.newKeySet();

  /**
   * Whether this is news.
   *
   * @param refusal names the class, and no attribute
   */
  boolean isFirst(String refusal) {
    return reported.size() < MAX && reported.add(refusal);
  }
}
