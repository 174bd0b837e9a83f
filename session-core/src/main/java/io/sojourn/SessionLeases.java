package io.sojourn;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Has requests of one session wait for each other. Those of this node stand in a queue, so that one
 * at a time asks the store, again and again at short intervals until it has the lease. A thread of
 * its own renews what is held for long.
 *
 * <p>Thread-safe.
 */
final class SessionLeases implements AutoCloseable {

  private static final Logger LOG = System.getLogger(SessionLeases.class.getName());

  /** For so long a session stays locked when its node has died. */
  static final Duration LEASE_TIME = Duration.ofSeconds(5);

  private static final long RENEW_MILLIS = LEASE_TIME.toMillis() / 4;

  private static final long FIRST_PAUSE_NANOS = 1_000_000;
  private static final long LONGEST_PAUSE_NANOS = 8_000_000;

  private final SessionStore store;
  private final ConcurrentMap<SessionKey, Queue> queues = new ConcurrentHashMap<>();
  private final Set<SessionLease> held = ConcurrentHashMap.newKeySet();

  /** Those that the store could not be asked to release. */
  private final Set<SessionLease> over = ConcurrentHashMap.newKeySet();

  @GuardedBy("this")
  private @Nullable ScheduledExecutorService renewal;

  @GuardedBy("this")
  private boolean closed;

  SessionLeases(SessionStore store) {
    this.store = store;
  }

  /** The requests of this node that want a session, the one that has it among them. */
  private static final class Queue {
    final Semaphore turn = new Semaphore(1, true);

    /** Changed only where the map has locked the entry. */
    int members;
  }

  /** A number that is nobody else's. */
  static long newHolder() {
    long holder;
    do {
      holder = ThreadLocalRandom.current().nextLong();
    } while (holder == SessionStore.NO_HOLDER);
    return holder;
  }

  /**
   * Waits for a session's lease. To be followed by {@link #hold} or {@link #giveUp}.
   *
   * @return false, and nothing is to be given up, if the store has no such session
   * @throws SessionBusyException if it takes too long
   * @throws StoreUnavailableException if the store cannot be asked
   */
  boolean acquire(SessionKey key, long holder, Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    boolean taken = false;
    enter(key, deadline, patience);
    try {
      taken = acquireInStore(key, holder, deadline, patience);
    } finally {
      if (!taken) {
        leave(key);
      }
    }
    return taken;
  }

  /** Waits for this node's turn only: for a session that the store does not have yet. */
  void enter(SessionKey key, Duration patience) {
    enter(key, System.nanoTime() + patience.toNanos(), patience);
  }

  private void enter(SessionKey key, long deadline, Duration patience) {
    Queue queue = join(key);
    boolean mine = false;
    try {
      mine = queue.turn.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      throw interrupted(key, e);
    } finally {
      if (!mine) {
        quit(key);
      }
    }
    if (!mine) {
      throw busy(key, patience);
    }
  }

  private boolean acquireInStore(SessionKey key, long holder, long deadline, Duration patience) {
    long pause = FIRST_PAUSE_NANOS;
    while (true) {
      switch (store.lease(key, holder, LEASE_TIME)) {
        case TAKEN -> {
          return true;
        }
        case MISSING -> {
          return false;
        }
        case BUSY -> {
          if (System.nanoTime() - deadline > 0) {
            throw busy(key, patience);
          }
        }
      }
      try {
        TimeUnit.NANOSECONDS.sleep(pause);
      } catch (InterruptedException e) {
        throw interrupted(key, e);
      }
      pause = Math.min(pause * 2, LONGEST_PAUSE_NANOS);
    }
  }

  private static SessionBusyException busy(SessionKey key, Duration patience) {
    return new SessionBusyException(
        "Session "
            + key
            + " was in use by other requests for all of the "
            + patience.toSeconds()
            + " s that this one was to wait",
        null);
  }

  private static SessionBusyException interrupted(SessionKey key, InterruptedException e) {
    Thread.currentThread().interrupt();
    return new SessionBusyException("Interrupted while waiting for session " + key, e);
  }

  /** Has what was acquired renewed until it is released. */
  void hold(SessionLease lease) {
    held.add(lease);
    synchronized (this) {
      if (renewal == null && !closed) {
        ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                task -> {
                  Thread renewer = new Thread(task, "sojourn-leases");
                  renewer.setDaemon(true);
                  renewer.setContextClassLoader(SessionLeases.class.getClassLoader());
                  return renewer;
                });
        var unused =
            thread.scheduleWithFixedDelay(
                this::renew, RENEW_MILLIS, RENEW_MILLIS, TimeUnit.MILLISECONDS);
        renewal = thread;
      }
    }
  }

  /** One that is lost is left to its holder's next save to notice, which the store refuses. */
  private void renew() {
    for (SessionLease lease : List.copyOf(over)) {
      try {
        store.release(lease.session().origin(), lease.holder());
        over.remove(lease);
      } catch (RuntimeException e) {
        LOG.log(Level.DEBUG, "Leases cannot be released yet", e);
        return;
      }
    }
    for (SessionLease lease : held) {
      LiveSession session = lease.session();
      // A request that saves or releases just now is not waited for: the next round comes in time.
      if (!session.flushLock.tryLock()) {
        continue;
      }
      try {
        if (held.contains(lease) && session.isStored() && !session.isGone()) {
          var unused = store.lease(session.key(), lease.holder(), LEASE_TIME);
        }
      } catch (RuntimeException e) {
        LOG.log(Level.DEBUG, "The lease of session " + session.key() + " is not renewed", e);
      } finally {
        session.flushLock.unlock();
      }
    }
  }

  /**
   * Lets the next request have the session. A store that cannot be asked is asked again later, or
   * the lease ends by itself. The caller holds the flush lock.
   */
  void release(SessionLease lease) {
    if (!held.remove(lease)) {
      return;
    }
    LiveSession session = lease.session();
    try {
      if (session.isStored() && !session.isGone()) {
        store.release(session.origin(), lease.holder());
      }
    } catch (SessionException e) {
      LOG.log(Level.DEBUG, "The lease of session " + session.key() + " is not released yet", e);
      over.add(lease);
    } finally {
      leave(lease.queue());
    }
  }

  /** Gives back what was acquired and is not held yet. The store's lease ends by itself. */
  void giveUp(SessionKey key) {
    leave(key);
  }

  private Queue join(SessionKey key) {
    Queue joined =
        queues.compute(
            key,
            (same, present) -> {
              Queue queue = present == null ? new Queue() : present;
              queue.members++;
              return queue;
            });
    return Objects.requireNonNull(joined);
  }

  private void leave(SessionKey key) {
    Queue queue = queues.get(key);
    if (queue != null) {
      queue.turn.release();
      quit(key);
    }
  }

  private void quit(SessionKey key) {
    queues.computeIfPresent(key, (same, queue) -> --queue.members == 0 ? null : queue);
  }

  @Override
  public synchronized void close() {
    closed = true;
    ScheduledExecutorService thread = renewal;
    renewal = null;
    if (thread != null) {
      thread.shutdownNow();
    }
  }
}
