package io.sojourn;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What a store has told of changes: whether a session may have changed since a moment.
 *
 * <p>Thread-safe.
 */
final class Tracking implements ChangeListener {

  /*
   * Moments are numbers that count what was told. Whoever asks the store notes the number before; what is told afterwards has a
   * higher one, so it does not matter whether a change is told before the answer is there, or while it is being taken over.
   *
   * What was told last is kept for each of a fixed number of slots, not for each session: two sessions that share a slot cost each other
   * a question to the store, and there is nothing to clean up.
   */

  private static final Logger LOG = System.getLogger(Tracking.class.getName());

  private static final int SLOTS = 1 << 15;

  private final AtomicLong told = new AtomicLong();
  private final AtomicLongArray changes = new AtomicLongArray(SLOTS);

  /** The moment before which nothing is known. */
  private volatile long lostAt;

  /** How often something may have happened that was not told. */
  private final AtomicLong gaps = new AtomicLong();

  private volatile boolean watching;
  private volatile boolean refused;
  private final AtomicBoolean reported = new AtomicBoolean();

  /** The number of this moment. */
  long moment() {
    return told.get();
  }

  /** Whether it never will. */
  boolean isRefused() {
    return refused;
  }

  /** Whether all is known that has happened to the session since then, and nothing has. */
  boolean isUnchangedSince(SessionKey origin, long moment) {
    return watching && changes.get(slot(origin)) <= moment && lostAt <= moment;
  }

  /** How often so far something may have happened that was not told. */
  long gaps() {
    return gaps.get();
  }

  private static int slot(SessionKey origin) {
    return origin.hashCode() & (SLOTS - 1);
  }

  @Override
  public void watching() {
    gap();
    watching = true;
  }

  @Override
  public void changed(SessionKey origin) {
    // Two servers may be telling at once: the mark must not go back.
    long now = told.incrementAndGet();
    long unused = changes.accumulateAndGet(slot(origin), now, Math::max);
  }

  @Override
  public void lost() {
    watching = false;
    gap();
  }

  private void gap() {
    lostAt = told.incrementAndGet();
    gaps.incrementAndGet();
  }

  @Override
  public void refused(String why) {
    refused = true;
    lost();
    if (reported.compareAndSet(false, true)) {
      LOG.log(
          Level.WARNING,
          "freshness=\"tracked\" works as \"causal\": the store does not tell of changes: " + why);
    }
  }
}
