package io.sojourn;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * What a node does by itself while the store cannot be asked: which sessions have changes that
 * nobody else has, within bounds, and a line in the log at the beginning and one at the end.
 *
 * <p>Thread-safe.
 */
final class Outage {

  private static final Logger LOG = System.getLogger(Outage.class.getName());

  /** A store that fails now and then is not worth two lines each time. */
  private static final Duration QUIET = Duration.ofSeconds(10);

  /** More than any node takes to tell the store what was in use meanwhile. */
  private static final Duration SETTLING = Duration.ofSeconds(30);

  private final int maxSessions;
  private final long maxBytes;
  private final LongSupplier clock;
  private final LongAdder served = new LongAdder();

  /** The sessions with changes that only this node has, and how many bytes each takes. */
  @GuardedBy("this")
  private final Map<LiveSession, Integer> kept = new HashMap<>();

  @GuardedBy("this")
  private long keptBytes;

  /** Whether one could not be kept since the last was let go. */
  @GuardedBy("this")
  private boolean refused;

  /** Whether {@link #kept} has any, to be asked often. */
  private volatile boolean anyKept;

  private volatile boolean on;

  @GuardedBy("this")
  private boolean hasBeen;

  @GuardedBy("this")
  private boolean logged;

  @GuardedBy("this")
  private long begin;

  @GuardedBy("this")
  private long end;

  @GuardedBy("this")
  private long servedBefore;

  /**
   * None so far.
   *
   * @param maxSessions how many sessions may have changes at a time that only this node has
   * @param maxBytes how many bytes those may take, encoded
   * @param clock tells nanoseconds
   */
  Outage(int maxSessions, long maxBytes, LongSupplier clock) {
    this.maxSessions = maxSessions;
    this.maxBytes = maxBytes;
    this.clock = clock;
  }

  /** The store could not be asked, and this node goes on without it. */
  void goesOn(StoreUnavailableException why) {
    if (on) {
      return;
    }
    synchronized (this) {
      if (on) {
        return;
      }
      long now = clock.getAsLong();
      logged = !hasBeen || now - end > QUIET.toNanos();
      begin = now;
      servedBefore = served.sum();
      hasBeen = true;
      on = true;
      if (logged) {
        LOG.log(
            Level.WARNING,
            "The session store cannot be asked. Until it can be, this node serves the sessions that"
                + " it has a copy of, and keeps what is changed in them: "
                + why.getMessage());
      }
    }
  }

  /** The store has answered. */
  void over() {
    if (!on) {
      return;
    }
    synchronized (this) {
      if (!on) {
        return;
      }
      on = false;
      refused = false;
      end = clock.getAsLong();
      if (logged) {
        LOG.log(
            Level.INFO,
            "The session store answers again after "
                + Duration.ofNanos(end - begin).toSeconds()
                + " s. Without it, "
                + (served.sum() - servedBefore)
                + " times a session was served; "
                + kept.size()
                + " have changes to be written now");
      }
    }
  }

  boolean isOn() {
    return on;
  }

  /**
   * Whether nodes may still have to tell the store which sessions were in use while it could not be
   * asked, which it may believe to have expired.
   */
  synchronized boolean isSettling() {
    return on || (hasBeen && clock.getAsLong() - end < SETTLING.toNanos());
  }

  /**
   * Keeps a session whose changes could not be saved.
   *
   * @param bytes how many it takes with them
   * @return false if there are too many of them
   */
  synchronized boolean keep(LiveSession session, int bytes) {
    Integer before = kept.get(session);
    long more = (long) bytes - (before == null ? 0 : before);
    if ((before == null && kept.size() >= maxSessions) || keptBytes + more > maxBytes) {
      refused = true;
      return false;
    }
    kept.put(session, bytes);
    keptBytes += more;
    anyKept = true;
    return true;
  }

  /**
   * It has no such changes any more.
   *
   * @return whether it had
   */
  boolean release(LiveSession session) {
    if (!anyKept) {
      return false;
    }
    synchronized (this) {
      Integer bytes = kept.remove(session);
      if (bytes != null) {
        keptBytes -= bytes;
        refused = false;
      }
      anyKept = !kept.isEmpty();
      return bytes != null;
    }
  }

  synchronized boolean isKept(LiveSession session) {
    return kept.containsKey(session);
  }

  boolean isAnyKept() {
    return anyKept;
  }

  /** Whether another session's changes could not be kept, so that it had better not be changed. */
  synchronized boolean isFullFor(LiveSession session) {
    return (refused || kept.size() >= maxSessions) && !kept.containsKey(session);
  }

  void served() {
    served.increment();
  }

  /** How many times a session was opened without the store since it could not be asked. */
  long timesServed() {
    return served.sum();
  }
}
