package io.sojourn;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The session that one request has to itself, in the context that it came to, or several if it ends
 * one and begins another. Any other session that it reaches, such as one of a context that it
 * dispatches into, it shares: of two requests that had one each and waited for the other's, neither
 * would get on.
 *
 * <p>Thread-safe. Threads of one request wait together.
 */
public final class RequestLeases {

  private final SessionRepository repository;
  private final Duration patience;

  @GuardedBy("this")
  private final List<SessionLease> held = new ArrayList<>(1);

  /** What has been waited for, and turned out not to be there. */
  @GuardedBy("this")
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
  public synchronized @Nullable LiveSession open(String id) {
    if (holdsOne()) {
      return repository.open(id);
    }
    SessionLease lease = repository.lease(id, patience);
    if (lease == null) {
      return null;
    }
    held.add(lease);
    return lease.session();
  }

  private synchronized boolean holdsOne() {
    return held.stream().anyMatch(lease -> !lease.session().isGone());
  }

  /** Keeps a session to this request that it has begun. */
  public synchronized void begun(LiveSession session) {
    held.add(repository.lease(session));
  }

  /**
   * Waits for a session that this request has already opened, unless it has one.
   *
   * @throws SessionBusyException if it takes too long
   * @throws StoreUnavailableException if the store cannot be asked
   */
  public synchronized void take(LiveSession session) {
    if (!session.isGone() && session != missed && !holdsOne() && open(session.id()) == null) {
      missed = session;
    }
  }

  /** Lets other requests have what this one had to itself. Repeatable. */
  public synchronized void release() {
    held.forEach(repository::release);
    held.clear();
  }
}
