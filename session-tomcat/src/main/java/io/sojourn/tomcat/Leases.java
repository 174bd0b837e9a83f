package io.sojourn.tomcat;

import io.sojourn.LiveSession;
import io.sojourn.SessionLease;
import io.sojourn.SessionRepository;
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
 * <p>Used by one thread at a time, as requests are dispatched.
 */
final class Leases {

  private final SojournManager manager;
  private final SessionRepository repository;
  private final Duration patience;
  private final List<SessionLease> held = new ArrayList<>(1);

  /**
   * None yet.
   *
   * @param patience how long to wait for one
   */
  Leases(SojournManager manager, SessionRepository repository, Duration patience) {
    this.manager = manager;
    this.repository = repository;
    this.patience = patience;
  }

  SojournManager manager() {
    return manager;
  }

  /**
   * Waits for the session with this id, unless this request has one.
   *
   * @param id without a route
   * @return null if there is none
   */
  @Nullable LiveSession open(String id) {
    if (held.stream().anyMatch(lease -> !lease.session().isGone())) {
      return repository.open(id);
    }
    SessionLease lease = repository.lease(id, patience);
    if (lease == null) {
      return null;
    }
    held.add(lease);
    return lease.session();
  }

  /** Keeps a session to this request that it has begun. */
  void begun(LiveSession session) {
    held.add(repository.lease(session));
  }

  /** Waits for a session that this request had to itself before. */
  void take(SojournSession session) {
    if (session.getManager() == manager && !session.live().isGone()) {
      var unused = open(session.live().id());
    }
  }

  void release() {
    held.forEach(repository::release);
    held.clear();
  }
}
