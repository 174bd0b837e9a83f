package io.sojourn.tomcat;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.sojourn.RequestLeases;
import io.sojourn.SessionBusyException;
import io.sojourn.SessionException;
import io.sojourn.StoreUnavailableException;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.ServletResponseWrapper;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.catalina.connector.Request;
import org.jspecify.annotations.Nullable;

/**
 * What one request has to do with sessions: those it looked up and those it uses, in every context
 * that it passes through.
 *
 * <p>It is bound to the thread that dispatches the request. A request has it for itself; look-ups
 * belong to the thread that dispatches it, others (asynchronous work that writes the response) may
 * add sessions and flush it.
 */
final class RequestScope {

  /*
   * What is known of a thread stays there in an array, emptied when a request ends: to take it away and put it back costs each
   * request more than all that is done with it. Of no class of ours, so that it holds on to no application.
   */
  private static final ThreadLocal<@Nullable Object[]> THREAD =
      ThreadLocal.withInitial(() -> new @Nullable Object[3]);

  /** The scope of the request that the thread dispatches. */
  private static final int CURRENT = 0;

  /**
   * Whether this thread came by a session while it dispatched no request: a request listener comes
   * before the valve. Only a hint, since such a thread may be anybody's.
   */
  private static final int FOUND_OUTSIDE = 1;

  /** What Tomcat was told when it looked for the version of the application to go to. */
  private static final int MAPPED = 2;

  private List<Lookup> lookups = List.of();
  private volatile List<SojournSession> sessions = List.of();

  /** Why this request's dispatch could not be served, whatever comes. */
  private volatile @Nullable SessionException failure;

  /** Why what was changed in which sessions has not been saved so far. */
  private volatile Map<SojournSession, SessionException> unsaved = Map.of();

  /** The manager of the context that the request came to; null if that is not one of ours. */
  private final @Nullable SojournManager owner;

  private final @Nullable Request request;

  /** What this request has to itself; null if it is to have no session to itself. */
  private final @Nullable RequestLeases leases;

  private final @Nullable Rerouting rerouting;

  private final @Nullable SeenVersions seen;

  /** What this request has given another id. */
  private volatile @Nullable Renamed renamed;

  /**
   * A scope.
   *
   * @param owner the manager of the context that the request has come to, if it is one of ours
   * @param request that request
   * @param leases for a request that is to have its sessions to itself
   * @param rerouting for a request that came with another node's route
   * @param seen for a request that is not always served from the store
   */
  RequestScope(
      @Nullable SojournManager owner,
      @Nullable Request request,
      @Nullable RequestLeases leases,
      @Nullable Rerouting rerouting,
      @Nullable SeenVersions seen) {
    this.owner = owner;
    this.request = request;
    this.leases = leases;
    this.rerouting = rerouting;
    this.seen = seen;
  }

  /** The scope of the request that this thread dispatches; null if it dispatches none. */
  static @Nullable RequestScope current() {
    return (RequestScope) THREAD.get()[CURRENT];
  }

  /** Makes this the thread's scope, and answers the one before, to be handed to {@link #leave}. */
  @Nullable RequestScope enter() {
    @Nullable Object[] thread = THREAD.get();
    RequestScope outer = (RequestScope) thread[CURRENT];
    thread[CURRENT] = this;
    return outer;
  }

  static void leave(@Nullable RequestScope outer) {
    @Nullable Object[] thread = THREAD.get();
    RequestScope left = (RequestScope) thread[CURRENT];
    thread[CURRENT] = outer;
    if (left != null) {
      List<SojournSession> used = left.sessions;
      for (int i = 0; i < used.size(); i++) {
        used.get(i).left();
      }
    }
  }

  /** The scope of the request whose response this is; null if it has none. */
  static @Nullable RequestScope of(ServletResponse response) {
    ServletResponse layer = response;
    while (layer instanceof ServletResponseWrapper wrapper) {
      if (wrapper instanceof SessionResponse ours) {
        return ours.scope();
      }
      layer = wrapper.getResponse();
    }
    return null;
  }

  /** This thread has come by a session and dispatches no request. */
  static void foundOutside() {
    THREAD.get()[FOUND_OUTSIDE] = true;
  }

  /** Whether this thread came by a session while it dispatched no request. */
  static boolean hasFoundOutside() {
    return THREAD.get()[FOUND_OUTSIDE] != null;
  }

  static void forgetFoundOutside() {
    THREAD.get()[FOUND_OUTSIDE] = null;
  }

  /** The request begins to be dispatched: a listener may have come by its session before. */
  void takeOver(SojournManager manager, Request dispatched) {
    if (hasFoundOutside()) {
      forgetFoundOutside();
      adopt(manager, dispatched);
    }
  }

  /**
   * The response is about to leave: a thread that dispatches nothing may have come by a session.
   */
  void takeOver() {
    if (current() != this && owner != null && request != null) {
      adopt(owner, request);
    }
  }

  /**
   * Makes the session that this request came by while it was not dispatched its own: on another
   * thread, in a listener of its own. If there is none, nobody is asked for one.
   */
  void adopt(SojournManager manager, Request undispatched) {
    String id = undispatched.getRequestedSessionId();
    RequestScope asksNobody = new RequestScope(null, null, null, null, null);
    if (id != null) {
      asksNobody.remember(manager, id, null);
    }
    RequestScope outer = asksNobody.enter();
    try {
      if (undispatched.getSessionInternal(false) instanceof SojournSession session) {
        use(session);
      }
    } finally {
      leave(outer);
    }
  }

  /** A version of the application has been found to have the session with this id. */
  static void mapped(String id, SojournSession session) {
    THREAD.get()[MAPPED] = new Mapped(id, new WeakReference<>(session), null, System.nanoTime());
  }

  /** It could not be found out whether the application, or a version of it, has this session. */
  static void unmapped(String id, StoreUnavailableException why) {
    THREAD.get()[MAPPED] = new Mapped(id, new WeakReference<>(null), why, System.nanoTime());
  }

  /**
   * Takes over what Tomcat was told before it gave the request to this manager's context.
   *
   * @param id the session id that came with the request
   * @param begin when the request began, since what was said of an earlier one may have been left
   * @throws StoreUnavailableException if it is not known whether this is the context to go to, or
   *     the right one of several ids
   */
  void takeOverMapped(SojournManager manager, @Nullable String id, long begin) {
    @Nullable Object[] thread = THREAD.get();
    Mapped mapped = (Mapped) thread[MAPPED];
    if (mapped == null) {
      return;
    }
    thread[MAPPED] = null;
    if (mapped.nanos - begin < 0) {
      return;
    }
    if (mapped.failure != null) {
      // Whatever id it was: of two cookies Tomcat takes the other one then.
      throw mapped.failure;
    }
    if (id == null || !mapped.id.equals(id)) {
      return;
    }
    SojournSession session = mapped.session.get();
    if (session != null
        && session.getManager() == manager
        && leases == null
        && session.signOn() == null) {
      remember(manager, id, session);
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

  /** This is the answer to any further question for this id. */
  void remember(SojournManager manager, String id, @Nullable SojournSession session) {
    Lookup answer = new Lookup(manager, id, session);
    if (lookups.isEmpty()) {
      lookups = List.of(answer);
      return;
    }
    List<Lookup> others = new ArrayList<>(lookups);
    others.removeIf(lookup -> lookup.manager == manager && lookup.id.equals(id));
    others.add(answer);
    lookups = others;
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
    boolean first = false;
    synchronized (this) {
      if (!sessions.contains(session)) {
        sessions = sessions.isEmpty() ? List.of(session) : with(session);
        first = true;
      }
    }
    if (first && rerouting != null) {
      rerouting.use(session);
    }
  }

  @GuardedBy("this")
  private List<SojournSession> with(SojournSession one) {
    List<SojournSession> more = new ArrayList<>(sessions);
    more.add(one);
    return more;
  }

  boolean uses(SojournSession session) {
    return sessions.contains(session);
  }

  /** The sessions that it uses so far. */
  List<SojournSession> sessions() {
    return sessions;
  }

  /** The request; null if it came to another context. */
  @Nullable Request request() {
    return request;
  }

  boolean usesAny() {
    return !sessions.isEmpty();
  }

  /** This request has given a session another id. */
  void renamed(SojournSession session, String newId) {
    renamed = new Renamed(session, newId);
  }

  /**
   * The response has been reset: the client hears of the new id of its session all the same, since
   * the old one opens nothing any more.
   */
  void tellNewId() {
    Renamed told = renamed;
    if (told != null
        && request != null
        && told.session.isValid()
        && told.session.live().isStored()
        && !told.session.live().isGone()
        && told.id.equals(told.session.getIdInternal())) {
      request.changeSessionId(told.id);
    }
  }

  /** Notes why this request cannot be served. */
  void failed(SessionException why) {
    failure = why;
  }

  /** Why this request could not be served as it should; null if all went well. */
  @Nullable SessionException failure() {
    return failure;
  }

  /** Whether it is a request of this manager's context. */
  boolean isOf(SojournManager manager) {
    return manager == owner;
  }

  /** What this request has to itself of this manager's sessions; null if it shares them. */
  @Nullable RequestLeases leases(SojournManager manager) {
    return manager == owner ? leases : null;
  }

  /** What the client has seen of this manager's sessions; null if that is not asked. */
  @Nullable SeenVersions seen(SojournManager manager) {
    return manager == owner ? seen : null;
  }

  /** The response has been reset: nothing that it was to tell the client reaches it. */
  void forgetTold() {
    if (seen != null) {
      synchronized (this) {
        seen.forgetTold();
      }
    }
  }

  /**
   * Saves what has changed in the sessions that this request uses, before the response leaves. What
   * another thread than the dispatching one cannot save may still be saved at the request's end.
   *
   * @throws StoreUnavailableException if the store cannot be asked
   * @throws SessionBusyException if a session has been given to another request meanwhile
   * @throws SessionException if a session cannot be stored as it is
   */
  void flush() {
    SessionException first = null;
    for (SojournSession session : sessions) {
      try {
        save(session);
      } catch (SessionException e) {
        note(session, e);
        first = first == null ? e : first;
      }
    }
    if (first != null) {
      if (current() == this && isOutage(first)) {
        failed(first);
      }
      throw first;
    }
    if (rerouting != null) {
      rerouting.tellClient();
    }
    if (seen != null) {
      // Of a session that has ended and the one that was begun in its place the latter is told
      // last.
      synchronized (this) {
        sessions.forEach(seen::tell);
      }
    }
  }

  private void save(SojournSession session) {
    boolean isThere = session.flush();
    SessionException before = unsaved.get(session);
    boolean hasHadTurn = leases != null && session.getManager() == owner;
    if (before != null && !isThere && hasHadTurn && !session.isEndedHere()) {
      // It went with the request's turn, and nothing will save it any more.
      throw before;
    }
    if (before != null) {
      unsaved.remove(session);
    }
  }

  private synchronized void note(SojournSession session, SessionException why) {
    if (unsaved.isEmpty()) {
      unsaved = new ConcurrentHashMap<>();
    }
    unsaved.put(session, why);
  }

  /** Whether it may go well another time, which is what 503 says. */
  static boolean isOutage(SessionException why) {
    return why instanceof StoreUnavailableException || why instanceof SessionBusyException;
  }

  /**
   * Saves what has not been saved yet, unless the request has failed anyway.
   *
   * @return why it cannot be answered as it should; null if all went well
   */
  @Nullable SessionException finish() {
    if (failure == null) {
      try {
        flush();
      } catch (SessionException e) {
        return e;
      }
    }
    return failure;
  }

  /** An asynchronous request is dispatched again: it waits for the sessions that it has used. */
  void resume() {
    if (leases != null) {
      for (SojournSession session : sessions) {
        if (session.getManager() == owner) {
          leases.take(session.live());
        }
      }
    }
  }

  /** Lets other requests have what this one had to itself. */
  void release() {
    if (leases != null) {
      leases.release();
    }
  }

  /**
   * Other threads go on with the request: what it was handed may be changed after this. They, or
   * its end, may still save what cannot be saved now.
   */
  void handOver() {
    if (failure == null) {
      var unused = finish();
      failure = null;
    }
    sessions.forEach(session -> session.live().expectChanges());
    if (seen != null) {
      synchronized (this) {
        seen.expectMore(sessions);
      }
    }
  }

  /** A session, and the id that it has been given. */
  private record Renamed(SojournSession session, String id) {}

  /** An answer of {@link SojournManager#findSession}. */
  record Lookup(SojournManager manager, String id, @Nullable SojournSession session) {}

  /**
   * What Tomcat's mapper was told.
   *
   * @param session weak, since the thread may be anybody's; this node's copies are held elsewhere
   * @param failure why it could not be told
   * @param nanos when it was
   */
  private record Mapped(
      String id,
      WeakReference<SojournSession> session,
      @Nullable StoreUnavailableException failure,
      long nanos) {}
}
