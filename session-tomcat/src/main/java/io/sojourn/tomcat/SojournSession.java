package io.sojourn.tomcat;

import static java.util.Objects.requireNonNull;

import io.sojourn.LiveSession;
import io.sojourn.SessionRepository;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.time.Duration;
import java.util.Optional;
import org.apache.catalina.session.StandardSession;
import org.jspecify.annotations.Nullable;

/**
 * Tomcat's session over a {@link LiveSession}: the listeners and checks of {@link StandardSession},
 * the attributes of the live session. One for each live session, so that all requests of a node see
 * the same objects.
 *
 * <p>Thread-safe as {@link StandardSession} is.
 */
final class SojournSession extends StandardSession {

  private static final long serialVersionUID = 1L;

  private final transient SojournManager owner;

  /** Null until the session has an id. */
  private transient volatile @Nullable LiveSession live;

  /** A session that is about to get its id. */
  SojournSession(SojournManager manager) {
    super(manager);
    this.owner = manager;
  }

  /**
   * A session that the store has.
   *
   * @param id as the container knows it, with its route
   */
  SojournSession(SojournManager manager, LiveSession live, String id) {
    this(manager);
    this.id = id;
    adopt(live);
    isValid = true;
  }

  private void adopt(LiveSession session) {
    live = session;
    attributes = new AttributeMap(session, this::changed);
    creationTime = session.creationTime().toEpochMilli();
    lastAccessedTime = session.lastAccessTime().toEpochMilli();
    thisAccessedTime = lastAccessedTime;
    maxInactiveInterval = seconds(session.maxInactiveInterval());
  }

  /** The session without its container; only once it has an id. */
  LiveSession live() {
    return requireNonNull(live, "A session without an id");
  }

  /**
   * Saves what has changed.
   *
   * @throws io.sojourn.StoreUnavailableException if the store cannot be asked
   */
  void flush() {
    repository().flush(live());
  }

  private SessionRepository repository() {
    return owner.repository();
  }

  /**
   * A change outside of a request's dispatch cannot wait for the request's end: there may be none.
   */
  private void changed() {
    RequestScope scope = RequestScope.current();
    if (!expiring && isValid && (scope == null || !scope.uses(this))) {
      flush();
    }
  }

  @Override
  public void setId(String newId, boolean notify) {
    if (live == null) {
      LiveSession begun =
          repository()
              .create(SojournManager.withoutRoute(newId), Duration.ofSeconds(maxInactiveInterval));
      begun.attach(this);
      adopt(begun);
      RequestScope scope = RequestScope.current();
      if (scope != null) {
        // Before the listeners hear of it: what they set is saved with the rest.
        scope.use(this);
      }
    }
    super.setId(newId, notify);
  }

  @Override
  public void setMaxInactiveInterval(int interval) {
    super.setMaxInactiveInterval(interval);
    LiveSession session = live;
    if (session != null) {
      session.setMaxInactiveInterval(Duration.ofSeconds(interval));
      changed();
    }
  }

  @Override
  public int getMaxInactiveInterval() {
    LiveSession session = live;
    return session == null
        ? super.getMaxInactiveInterval()
        : seconds(session.maxInactiveInterval());
  }

  private static int seconds(Duration interval) {
    return (int) interval.toSeconds();
  }

  @Override
  public long getLastAccessedTimeInternal() {
    return live().lastAccessTime().toEpochMilli();
  }

  @Override
  public long getLastAccessedTime() {
    // Tomcat's own throws for a session that has ended.
    long own = super.getLastAccessedTime();
    LiveSession session = live;
    return session == null ? own : session.lastAccessTime().toEpochMilli();
  }

  /** Only the store says that a session has expired; this node's clock does not. */
  @Override
  public boolean isValid() {
    return isValid;
  }

  @Override
  public void access() {
    super.access();
    repository().beginUse(live());
    RequestScope scope = RequestScope.current();
    if (scope != null) {
      scope.use(this);
    }
  }

  /**
   * The request is over, its response sent; what an error page or a late listener changed is saved
   * now.
   */
  @Override
  public void endAccess() {
    super.endAccess();
    try {
      if (live().isUsedSinceFlush()) {
        owner.flushLate(this);
      }
    } finally {
      repository().endUse(live());
    }
  }

  /**
   * Ends the session on all nodes. Listeners are told here only if it is this call that ended it.
   */
  @Override
  public void expire(boolean notify) {
    synchronized (this) {
      if (!isValid || expiring) {
        return;
      }
      boolean mine = repository().invalidate(live());
      super.expire(notify && mine);
    }
  }

  /** Tells the listeners that the session has expired, which the store has told us. */
  void expireClaimed() {
    super.expire(true);
  }

  @Override
  public boolean isAttributeDistributable(String name, Object value) {
    return owner.refusal(value).isEmpty();
  }

  /**
   * Sets an attribute.
   *
   * @throws IllegalArgumentException if the value's class says that it cannot be stored (servlet
   *     specification 6.0, section 7.7.2)
   */
  @Override
  public void setAttribute(String name, @Nullable Object value, boolean notify) {
    if (value != null) {
      Optional<String> refusal = owner.refusal(value);
      if (refusal.isPresent()) {
        throw new IllegalArgumentException(
            "Session attribute '" + name + "' cannot be stored: " + refusal.get());
      }
    }
    super.setAttribute(name, value, notify);
  }

  /** The start of its key; never the id. */
  @Override
  public String toString() {
    LiveSession session = live;
    return "SojournSession[" + (session == null ? "new" : session.key()) + "]";
  }

  private void writeObject(ObjectOutputStream out) throws NotSerializableException {
    throw new NotSerializableException("Sessions are kept in the store: " + out.getClass());
  }
}
