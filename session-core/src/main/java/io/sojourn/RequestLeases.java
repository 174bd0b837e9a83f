package io.sojourn;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The session that one request has to itself, in the context that it came to, or several if it ends
 * one and begins another. Any other session that it reaches, such as one of a context that it
 * dispatches into, it shares: of two requests that had one each and waited for the other's, neither
 * would get on.
 *
 * <p>Thread-safe. Threads of one request wait together; whoever ends it does not wait for them.
 */
public final class RequestLeases {

  private static final Logger LOG = System.getLogger(RequestLeases.class.getName());

  private final SessionRepository repository;
  private final Duration patience;

  /** Held by the one thread that waits for all. The monitor is not: the request's end needs it. */
  private final ReentrantLock waiting = new ReentrantLock();

  @GuardedBy("this")
  private final List<SessionLease> held = new ArrayList<>(1);

  @GuardedBy("this")
  private boolean closed;

  /** What has been waited for, and turned out not to be there. */
  @GuardedBy("waiting")
  private @Nullable LiveSession missed;

  /**
   * None yet.
   *
   * @param repository of the context that the request came to
   * @param patience how long to wait for one
   */
  public RequestLeases(SessionRepository repository, Duration patience) {
    this.repository = repository;
    this.patience = patience;
  }

  /**
   * Opens a session, for which it waits unless this request has one.
   *
   * @param id without a route
   * @return null if there is none
   * @throws SessionBusyException if it takes too long
   * @throws StoreUnavailableException if the store cannot be asked
   */
  public @Nullable LiveSession open(String id) {
    if (wantsOne()) {
      waiting.lock();
      try {
        if (wantsOne()) {
          SessionLease lease = repository.lease(id, patience);
          if (lease == null) {
            return null;
          }
          if (keep(lease)) {
            return lease.session();
          }
          repository.release(lease);
        }
      } finally {
        waiting.unlock();
      }
    }
    return repository.open(id);
  }

  private synchronized boolean wantsOne() {
    return !closed && held.stream().allMatch(lease -> lease.session().isGone());
  }

  /**
   * Has it released with the rest.
   *
   * @return false if nobody would: the request is over
   */
  private synchronized boolean keep(SessionLease lease) {
    return !closed && held.add(lease);
  }

  /** Keeps a session to this request that it has begun. */
  public synchronized void begun(LiveSession session) {
    if (!closed) {
      held.add(repository.lease(session));
    }
  }

  /**
   * Waits for a session that this request has already opened, unless it has one.
   *
   * @throws SessionBusyException if it takes too long
   * @throws StoreUnavailableException if the store cannot be asked
   */
  public void take(LiveSession session) {
    if (!wantsOne()) {
      return;
    }
    waiting.lock();
    try {
      if (!session.isGone() && session != missed && wantsOne() && open(session.id()) == null) {
        missed = session;
      }
    } finally {
      waiting.unlock();
    }
  }

  /** Lets other requests have what this one had to itself. Repeatable. */
  public void release() {
    List<SessionLease> over;
    synchronized (this) {
      over = List.copyOf(held);
      held.clear();
    }
    for (SessionLease lease : over) {
      try {
        repository.release(lease);
      } catch (RuntimeException | Error e) {
        // The others are to be released, and the request is to end.
        LOG.log(
            Level.WARNING, "The lease of session " + lease.session().key() + " is not released", e);
      }
    }
  }

  /** The request is over: releases, and takes no more. Repeatable. */
  public void close() {
    synchronized (this) {
      closed = true;
    }
    release();
  }
}
