package io.sojourn;

/**
 * One request's right to a session while all others that want one wait, on every node. See {@link
 * SessionRepository#lease(String, java.time.Duration)}.
 *
 * <p>Immutable.
 */
public final class SessionLease {

  private final LiveSession session;
  private final long holder;
  private final SessionKey queue;

  SessionLease(LiveSession session, long holder, SessionKey queue) {
    this.session = session;
    this.holder = holder;
    this.queue = queue;
  }

  /** The session, as of when the lease was taken. */
  public LiveSession session() {
    return session;
  }

  /** By what the store knows the holder. */
  long holder() {
    return holder;
  }

  /** Where requests of this node wait for it. */
  SessionKey queue() {
    return queue;
  }
}
