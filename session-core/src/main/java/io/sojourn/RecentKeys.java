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
    int hash = id.hashCode();
    int slot = (hash ^ hash >>> 10 ^ hash >>> 20) & SLOTS - 1;
    Known there = known.getAcquire(slot);
    if (there != null && there.id.equals(id)) {
      return there.key;
    }
    SessionKey key = SessionKey.of(id);
    if (id.length() <= LONGEST) {
      known.setRelease(slot, new Known(id, key));
    }
    return key;
  }
}
