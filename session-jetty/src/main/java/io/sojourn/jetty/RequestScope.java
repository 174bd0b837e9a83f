package io.sojourn.jetty;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.sojourn.LiveSession;
import io.sojourn.RequestLeases;
import io.sojourn.SessionException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.http.HttpCookie;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.HttpCookieUtils;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/**
 * What one request has to do with the sessions of one context: those it asked for and those it
 * uses. It is bound to each thread on which Jetty runs something of the request in that context.
 *
 * <p>Thread-safe.
 */
final class RequestScope {

  private static final Logger LOG = System.getLogger(RequestScope.class.getName());

  private static final ThreadLocal<@Nullable Entered> CURRENT = new ThreadLocal<>();

  /**
   * The session that Jetty has said to be that of the request whose stream it calls next. The
   * thread may be one that completes an asynchronous request, which has entered the context for no
   * request.
   */
  private static final ThreadLocal<@Nullable SojournSession> ANNOUNCED = new ThreadLocal<>();

  private final SojournSessionCache cache;
  private final Request request;
  private final Set<String> asked = ConcurrentHashMap.newKeySet();
  private final Set<String> missing = ConcurrentHashMap.newKeySet();
  private final List<SojournSession> sessions = new CopyOnWriteArrayList<>();
  private final AtomicBoolean ended = new AtomicBoolean();

  /** What its client has seen; null if the store is asked in any case. */
  private final @Nullable SeenVersions seen;

  private volatile boolean endedBeside;

  /** Whether the response has begun, so that no failure can be told any more. */
  private volatile boolean responded;

  /** What it has to itself; null if it is to have no session to itself. */
  private final @Nullable RequestLeases leases;

  /** Held while the last thread lets others have the session, so that none takes it meanwhile. */
  private final Object turn = new Object();

  /** Those that run something of the request in the context and have come by its session. */
  @GuardedBy("turn")
  private final Set<Thread> threads = new HashSet<>();

  private volatile @Nullable SessionException failure;

  @GuardedBy("this")
  private @Nullable SojournSession proposed;

  /**
   * What a thread has entered, a context within another one included. Weak, since a thread is not
   * told to leave a context that is stopped meanwhile.
   */
  private record Entered(WeakReference<@Nullable RequestScope> scope, @Nullable Entered outer) {}

  /**
   * A scope.
   *
   * @param leases for a request that is to have its sessions to itself
   */
  RequestScope(SojournSessionCache cache, Request request, @Nullable RequestLeases leases) {
    this.leases = leases;
    this.cache = cache;
    this.request = request;
    this.seen = cache.seenBy(request, () -> !asked.isEmpty());
  }

  /** Jetty says whose response is about to go on. */
  static void announce(SojournSession session) {
    ANNOUNCED.set(session);
  }

  private void takeAnnounced() {
    SojournSession session = ANNOUNCED.get();
    if (session != null) {
      ANNOUNCED.remove();
      session.join(this);
    }
  }

  /** The request comes into the context. */
  void begin() {
    cache.requests().incrementAndGet();
  }

  /**
   * The scope of what this thread runs for a request; null if it runs nothing for one, or has not
   * been told to leave a context that has stopped.
   */
  static @Nullable RequestScope current() {
    Entered entered = CURRENT.get();
    RequestScope scope = entered == null ? null : entered.scope.get();
    return scope == null || scope.cache.hasStopped() ? null : scope;
  }

  boolean isOver() {
    return ended.get();
  }

  /** This thread enters a context. */
  static void enter(@Nullable RequestScope scope) {
    CURRENT.set(new Entered(new WeakReference<>(scope), CURRENT.get()));
  }

  /** This thread leaves a context. */
  static void leave() {
    Entered entered = CURRENT.get();
    if (entered == null || entered.outer == null) {
      CURRENT.remove();
    } else {
      CURRENT.set(entered.outer);
    }
    RequestScope scope = entered == null ? null : entered.scope.get();
    if (scope != null && !scope.isEntered()) {
      scope.left();
    }
  }

  /** Whether this thread runs something of the request in the context, further out perhaps. */
  private boolean isEntered() {
    for (Entered each = CURRENT.get(); each != null; each = each.outer) {
      if (each.scope.get() == this) {
        return true;
      }
    }
    return false;
  }

  /** A request that goes on without a thread, such as an asynchronous one, lets others have it. */
  private void left() {
    RequestLeases own = leases;
    if (own == null) {
      return;
    }
    synchronized (turn) {
      if (!threads.remove(Thread.currentThread()) || !threads.isEmpty() || ended.get()) {
        return;
      }
      for (SojournSession session : sessions) {
        SessionException why = save(session);
        if (why != null && responded) {
          cache.logOf(why).failed("Changes made after the response are lost with the turn", why);
        }
      }
      own.release();
      // Threads of the application's may go on with what it was handed.
      sessions.forEach(SojournSession::expectChanges);
    }
  }

  /** Whether this thread may wait until the session is the request's own. */
  private boolean takesTurns() {
    if (leases == null || ended.get() || current() != this) {
      return false;
    }
    synchronized (turn) {
      threads.add(Thread.currentThread());
    }
    return true;
  }

  /** Keeps a session to this request that it has begun. */
  void begun(LiveSession session) {
    RequestLeases own = leases;
    if (own != null && takesTurns()) {
      if (session.isStored()) {
        own.take(session);
      } else {
        own.begun(session);
      }
    }
  }

  /** Waits until a session that this request has opened is its own, unless it is. */
  void resume(LiveSession session) {
    RequestLeases own = leases;
    if (own != null && takesTurns()) {
      own.take(session);
    }
  }

  boolean isOf(SojournSessionCache other) {
    return cache == other;
  }

  /**
   * The session to propose for an id that the request brings. Of several ids Jetty takes the first
   * that is valid; this answers for all of them, so that none has to be asked for before the
   * application wants its session.
   *
   * @return null if another id stands for this one
   */
  synchronized @Nullable SojournSession propose(String id) {
    asked.add(id);
    SojournSession present = proposed;
    if (present != null && present.orElse(id)) {
      return null;
    }
    SojournSession session = SojournSession.asked(cache, this, id);
    proposed = session;
    return session;
  }

  /**
   * The session with this id, as new as this request needs it.
   *
   * @return null if there is none
   */
  @Nullable LiveSession open(String id) {
    LiveSession found = find(id);
    if (found == null) {
      missing.add(id);
    }
    return found;
  }

  private @Nullable LiveSession find(String id) {
    RequestLeases own = leases;
    if (own != null && takesTurns()) {
      return own.open(id);
    }
    SeenVersions client = seen;
    return client == null ? cache.repository().open(id) : cache.repository().open(id, client::seen);
  }

  /** The request has ended a session in another context of this server. */
  void endedBeside() {
    endedBeside = true;
  }

  boolean hasAskedFor(String id) {
    return asked.contains(id);
  }

  /** The session with this id is not there any more. */
  void miss(String id) {
    missing.add(id);
  }

  boolean misses(String id) {
    return missing.contains(id);
  }

  /**
   * The request uses this session.
   *
   * @return false if the request is over, such as when a log of requests asks for the session
   */
  boolean use(SojournSession session) {
    sessions.add(session);
    return !ended.get();
  }

  boolean uses(SojournSession session) {
    return sessions.contains(session);
  }

  /**
   * Notes why this request cannot be served; what the application answers is of no account then.
   */
  SessionUnavailableException failed(SessionException why) {
    failure = why;
    return new SessionUnavailableException(why);
  }

  /**
   * Saves what has changed in the sessions that this request uses.
   *
   * @return why the request cannot be served; null if all is well
   */
  @Nullable SessionException flush() {
    takeAnnounced();
    if (failure != null) {
      return failure;
    }
    for (SojournSession session : sessions) {
      SessionException why = save(session);
      if (why != null) {
        return why;
      }
    }
    return null;
  }

  private @Nullable SessionException save(SojournSession session) {
    try {
      session.flush();
      return null;
    } catch (SessionException e) {
      failure = e;
      return e;
    } catch (RuntimeException | Error e) {
      // Jetty would wait for ever for what this one answers.
      LOG.log(Level.WARNING, session + " cannot be saved", e);
      SessionException unexpected =
          new SessionException(session + " cannot be saved: " + e.getClass(), e);
      failure = unexpected;
      return unexpected;
    }
  }

  /** The response begins: its header fields, with the cookies that are due beside them. */
  HttpFields withCookies(HttpFields fields) {
    responded = true;
    List<HttpCookie> cookies = new ArrayList<>();
    for (SojournSession session : sessions) {
      HttpCookie cookie = session.dueCookie(request.isSecure());
      if (cookie != null) {
        cookies.add(cookie);
      }
    }
    if (seen != null) {
      cookies.addAll(seen.tell(sessions, endedBeside));
    }
    if (cookies.isEmpty()) {
      return fields;
    }
    HttpFields.Mutable more = HttpFields.build(fields);
    for (HttpCookie cookie : cookies) {
      more.add(HttpHeader.SET_COOKIE, HttpCookieUtils.getRFC6265SetCookie(cookie));
    }
    return more;
  }

  /** The response's header fields without the session's cookie. */
  HttpFields.Mutable withoutCookies(HttpFields fields) {
    HttpFields.Mutable fewer = HttpFields.build();
    String prefix = cache.manager().getSessionCookie().toLowerCase(Locale.ROOT) + "=";
    for (HttpField field : fields) {
      if (field.getHeader() != HttpHeader.SET_COOKIE
          || !field.getValue().toLowerCase(Locale.ROOT).startsWith(prefix)) {
        fewer.add(field);
      }
    }
    return fewer;
  }

  /** The request is over. Repeatable. */
  void end() {
    takeAnnounced();
    if (!ended.compareAndSet(false, true)) {
      return;
    }
    try {
      sessions.forEach(this::end);
    } finally {
      if (leases != null) {
        leases.close();
      }
      cache.requests().decrementAndGet();
    }
  }

  private void end(SojournSession session) {
    try {
      // Also what was changed in place, in objects handed out before the last byte left.
      session.flush();
    } catch (SessionException e) {
      cache.logOf(e).failed("Changes made after the response are not saved yet", e);
    } catch (RuntimeException | Error e) {
      LOG.log(Level.WARNING, "Changes made after the response cannot be saved", e);
    } finally {
      session.endUse();
    }
  }
}
