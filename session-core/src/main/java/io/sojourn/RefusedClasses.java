package io.sojourn;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The classes that have been reported as refused, for all sessions of one application: a site has
 * thousands of them with the same attribute. Thread-safe.
 */
final class RefusedClasses {

  private static final int MAX = 1_000;

  private final Set<String> reported = ConcurrentHashMap.newKeySet();

  /** Whether this is news. */
  boolean isFirst(String attribute, @Nullable String refusal) {
    return reported.size() < MAX && reported.add(attribute + '\n' + refusal);
  }
}
