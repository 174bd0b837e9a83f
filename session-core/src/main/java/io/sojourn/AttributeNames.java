package io.sojourn;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The names of attributes as applications write them: one object for all sessions that have one of
 * this name, and the same that a literal in the application's code is. So a look-up finds its slot
 * by identity, and need not fetch what the store's answer had.
 *
 * <p>Thread-safe.
 */
final class AttributeNames {

  private static final int SLOTS = 1 << 9;

  /** Nobody writes longer ones in code; what is made up each time is not kept. */
  private static final int LONGEST = 128;

  private static final AtomicReferenceArray<@Nullable String> KNOWN =
      new AtomicReferenceArray<>(SLOTS);

  private AttributeNames() {}

  /** An equal name. */
  static String shared(String name) {
    int hash = name.hashCode();
    int slot = (hash ^ hash >>> 9 ^ hash >>> 18) & SLOTS - 1;
    String there = KNOWN.getAcquire(slot);
    if (there != null && there.equals(name)) {
      return there;
    }
    if (name.length() > LONGEST) {
      return name;
    }
    String known = name.intern();
    KNOWN.setRelease(slot, known);
    return known;
  }
}
