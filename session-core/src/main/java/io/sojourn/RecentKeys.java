package io.sojourn;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The keys of ids that came lately: a digest takes longer than all else that a request needs to
 * find its session in the near cache.
 *
 * <p>Thread-safe.
 */
final class RecentKeys {

  private static final int SLOTS = 1 << 10;

  /** No container's ids are as long; what else comes is not kept. */
  private static final int LONGEST = 128;

  private final AtomicReferenceArray<@Nullable Known> known = new AtomicReferenceArray<>(SLOTS);

  private record Known(String id, SessionKey key) {}

  /** As {@link SessionKey#of}. */
  SessionKey of(String id) {
    Known there = known.getAcquire(slot(id));
    if (there != null && there.id.equals(id)) {
      return there.key;
    }
    SessionKey key = SessionKey.of(id);
    keep(id, key);
    return key;
  }

  /** This is the key of this id: the object that others have, which is compared by identity. */
  void keep(String id, SessionKey key) {
    if (id.length() <= LONGEST) {
      known.setRelease(slot(id), new Known(id, key));
    }
  }

  private static int slot(String id) {
    int hash = id.hashCode();
    return (hash ^ hash >>> 10 ^ hash >>> 20) & SLOTS - 1;
  }
}
