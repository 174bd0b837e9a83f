package io.sojourn;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

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

  /** A failed call or two make no session in use seem to have expired. */
  private static final Duration SHORT = Duration.ofSeconds(5);

  /** For how long in a row outages that come one after the other have what expires wait. */
  private static final Duration LONGEST_SETTLING = Duration.ofMinutes(5);

  /** How many sessions may have more than can be kept before no further one is opened. */
  private static final int MOST_REFUSED = 8;

  private final int maxSessions;
  private final long maxBytes;
  private final LongSupplier clock;
  private final LongAdder served = new LongAdder();

  /** The sessions with changes that only this node has, and how many bytes each takes. */
  @GuardedBy("this")
  private final Map<LiveSession, Integer> kept = new HashMap<>();

  @GuardedBy("this")
  private long keptBytes;

  /** The sessions with changes that are too many to be kept. */
  @GuardedBy("this")
  private final Set<LiveSession> refused = new HashSet<>();

  /** Whether {@link #kept} or {@link #refused} have any, to be asked often. */
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

  /** Whether there has been an outage that was not short, and when the last one ended. */
  @GuardedBy("this")
  private boolean hasBeenLong;

  @GuardedBy("this")
  private long longEnd;

  /** When the first of those ended that came one after the other. */
  @GuardedBy("this")
  private long settlingSince;

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
      end = clock.getAsLong();
      if (end - begin > SHORT.toNanos()) {
        if (!hasBeenLong
            || end - longEnd > SETTLING.toNanos()
            || end - begin > LONGEST_SETTLING.toNanos()) {
          settlingSince = end;
        }
        hasBeenLong = true;
        longEnd = end;
      }
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
   * asked, which it may believe to have expired. Not after a short outage, and not for ever if
   * there is one after the other.
   */
  synchronized boolean isSettling() {
    long now = clock.getAsLong();
    return on
        || (hasBeenLong
            && now - longEnd < SETTLING.toNanos()
            && now - settlingSince < LONGEST_SETTLING.toNanos());
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
      refused.add(session);
      anyKept = true;
      return false;
    }
    boolean unused = refused.remove(session);
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
      }
      boolean unused = refused.remove(session);
      anyKept = !kept.isEmpty() || !refused.isEmpty();
      return bytes != null;
    }
  }

  synchronized boolean isKept(LiveSession session) {
    return kept.containsKey(session);
  }

  /** Whether any session has changes that could not be saved. */
  boolean isAnyKept() {
    return anyKept;
  }

  /** Some of the sessions that are likely to be saved once the store can be asked. */
  synchronized List<LiveSession> someKept(int limit) {
    return Stream.concat(kept.keySet().stream(), refused.stream())
        .filter(session -> !session.isLateFailureTold())
        .distinct()
        .limit(limit)
        .toList();
  }

  /** Whether a session had better not be changed, since its changes could not be kept. */
  synchronized boolean isFullFor(LiveSession session) {
    return refused.contains(session)
        || (!kept.containsKey(session)
            && (kept.size() >= maxSessions
                || keptBytes >= maxBytes
                || refused.size() >= MOST_REFUSED));
  }

  void served() {
    served.increment();
  }

  /** How many times a session was opened without the store since it could not be asked. */
  long timesServed() {
    return served.sum();
  }
}
