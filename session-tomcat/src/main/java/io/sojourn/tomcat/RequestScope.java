package io.sojourn.tomcat;

import io.sojourn.StoreUnavailableException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one request has to do with sessions: those it looked up and those it uses, in every context
 * that it passes through.
 *
 * <p>It is bound to the thread that dispatches the request. A request has it for itself; only the
 * thread that dispatches it adds to it, others (asynchronous work that writes the response) may
 * flush it.
 */
final class RequestScope {

  private static final ThreadLocal<RequestScope> CURRENT = new ThreadLocal<>();

  private final List<Lookup> lookups = new ArrayList<>(1);
  private volatile List<SojournSession> sessions = List.of();
  private volatile @Nullable StoreUnavailableException outage;

  /** The scope of the request that this thread dispatches; null if it dispatches none. */
  static @Nullable RequestScope current() {
    return CURRENT.get();
  }

  /** Makes this the thread's scope, and answers the one before, to be handed to {@link #leave}. */
  @Nullable RequestScope enter() {
    RequestScope outer = CURRENT.get();
    CURRENT.set(this);
    return outer;
  }

  static void leave(@Nullable RequestScope outer) {
    if (outer == null) {
      CURRENT.remove();
    } else {
      CURRENT.set(outer);
    }
  }

  /** What this request was answered for this id before; null if it has not asked yet. */
  @Nullable Lookup lookup(SojournManager manager, String id) {
    for (Lookup lookup : lookups) {
      if (lookup.manager == manager && lookup.id.equals(id)) {
        return lookup;
      }
    }
    return null;
  }

  void remember(SojournManager manager, String id, @Nullable SojournSession session) {
    lookups.add(new Lookup(manager, id, session));
  }

  /** The id by which this request first found this session; null if it did not look it up. */
  @Nullable String idOf(SojournSession session) {
    for (Lookup lookup : lookups) {
      if (lookup.session == session) {
        return lookup.id;
      }
    }
    return null;
  }

  void use(SojournSession session) {
    if (!sessions.contains(session)) {
      List<SojournSession> more = new ArrayList<>(sessions);
      more.add(session);
      sessions = more;
    }
  }

  boolean uses(SojournSession session) {
    return sessions.contains(session);
  }

  boolean usesAny() {
    return !sessions.isEmpty();
  }

  void storeFailed(StoreUnavailableException failure) {
    outage = failure;
  }

  /** Why this request could not be served as it should; null if all went well. */
  @Nullable StoreUnavailableException outage() {
    return outage;
  }

  /**
   * Saves what has changed in the sessions that this request uses.
   *
   * @throws StoreUnavailableException if the store cannot be asked
   */
  void flush() {
    for (SojournSession session : sessions) {
      try {
        session.flush();
      } catch (StoreUnavailableException e) {
        storeFailed(e);
        throw e;
      }
    }
  }

  /** Other threads go on with the request: what it was handed may be changed after this. */
  void expectChanges() {
    sessions.forEach(session -> session.live().expectChanges());
  }

  /** An answer of {@link SojournManager#findSession}. */
  record Lookup(SojournManager manager, String id, @Nullable SojournSession session) {}
}
