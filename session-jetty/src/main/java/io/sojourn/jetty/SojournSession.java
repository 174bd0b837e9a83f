package io.sojourn.jetty;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.sojourn.LiveSession;
import io.sojourn.NewSessionTimeout;
import io.sojourn.PrincipalKey;
import io.sojourn.SessionBusyException;
import io.sojourn.SessionException;
import io.sojourn.SessionRepository;
import io.sojourn.StoreUnavailableException;
import io.sojourn.VersionCookies;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.eclipse.jetty.http.HttpCookie;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.session.DefaultSessionIdManager;
import org.eclipse.jetty.session.ManagedSession;
import org.eclipse.jetty.session.SessionData;
import org.eclipse.jetty.session.SessionIdManager;
import org.eclipse.jetty.session.SessionManager;
import org.jspecify.annotations.Nullable;

/**
 * One request's handle of a {@link LiveSession}, which all requests of this node share; or of an id
 * for which the store is asked when the application asks for its session.
 *
 * <p>Thread-safe.
 */
class SojournSession extends ManagedSession {

  /*
   * Jetty looks for the session of every request before the application is asked, and takes an exception for a missing session.
   * So it is handed this in any case, which claims to be valid until Jetty has made it the request's session; that Jetty says by
   * access(). From then on isValid() is asked when somebody wants the session, and that asks the store.
   */

  private static final Logger LOG = System.getLogger(SojournSession.class.getName());

  /** What the names begin with that belong to the adapter and not to the application. */
  private static final String RESERVED = "io.sojourn.";

  private enum State {
    /** Jetty is choosing among the ids that the request brings. */
    PROPOSED,
    /** The request's session, if there is one: nobody has asked for it yet. */
    CHOSEN,
    OPEN,
    /** There is no such session. */
    MISSING,
    /** Listeners hear of its end. */
    ENDING,
    ENDED
  }

  private final SojournSessionCache cache;
  private final SessionRepository repository;
  private volatile @Nullable RequestScope scope;
  private volatile String askedId;
  private final boolean begun;

  /**
   * Held by the one that asks the store, which may wait for the request's turn. The monitor is not:
   * the request's end needs it.
   */
  private final ReentrantLock resolving = new ReentrantLock();

  @GuardedBy("this")
  private State state;

  /** Further ids that the request brings, to be tried in this order. */
  @GuardedBy("this")
  private final List<String> otherIds = new ArrayList<>();

  @GuardedBy("this")
  private boolean inUse;

  /** Whether it is this request that has given the session its id. */
  private volatile boolean renamed;

  /** Whether it is this request that has ended it. */
  private volatile boolean endedHere;

  private volatile @Nullable LiveSession live;

  private SojournSession(
      SojournSessionCache cache,
      @Nullable RequestScope scope,
      String askedId,
      State state,
      boolean begun) {
    super(cache.manager(), new SessionData(askedId, null, null, 0, 0, 0, -1));
    this.cache = cache;
    this.repository = cache.repository();
    this.scope = scope;
    this.askedId = askedId;
    this.state = state;
    this.begun = begun;
    setResident(true);
  }

  /** Another handle of an open session, for nobody's use. */
  SojournSession(SojournSession other) {
    this(other.cache, null, other.open().id(), State.OPEN, false);
    adopt(other.open());
  }

  /** For an id that a request brings. */
  static SojournSession asked(SojournSessionCache cache, RequestScope scope, String id) {
    return new SojournSession(cache, scope, id, State.PROPOSED, false);
  }

  /** A session that is open, used by nobody. */
  static SojournSession of(SojournSessionCache cache, LiveSession live) {
    SojournSession session = new SojournSession(cache, null, live.id(), State.OPEN, false);
    session.adopt(live);
    return session;
  }

  /**
   * A session that a request uses.
   *
   * @param begun whether it is this request that has begun it
   */
  static SojournSession used(
      SojournSessionCache cache, @Nullable RequestScope scope, LiveSession live, boolean begun) {
    SojournSession session = new SojournSession(cache, scope, live.id(), State.OPEN, begun);
    session.adopt(live);
    session.beginUse();
    if (!begun) {
      returned(live);
    }
    return session;
  }

  private void adopt(LiveSession session) {
    live = session;
    getSessionData().setCreated(session.creationTime().toEpochMilli());
  }

  private synchronized void beginUse() {
    RequestScope user = scope;
    if (user != null) {
      inUse = true;
      repository.beginUse(Objects.requireNonNull(live));
      if (!user.use(this)) {
        endUse();
      }
    }
  }

  /**
   * A session that began on a thread on which Jetty runs nothing: its cookie may leave before
   * anything else is saved.
   */
  static SojournSession begunOutside(SojournSessionCache cache, LiveSession live) {
    SojournSession session = new SojournSession(cache, null, live.id(), State.OPEN, true);
    session.adopt(live);
    session.flush();
    live.expectChanges();
    return session;
  }

  /** Whether it began on such a thread, and no request is known to use it. */
  synchronized boolean isWithoutRequest() {
    return begun && scope == null && state == State.OPEN;
  }

  /** This request does. */
  synchronized void join(RequestScope request) {
    if (isWithoutRequest() && request.isOf(cache)) {
      scope = request;
      beginUse();
    }
  }

  /** The request is over. Repeatable. */
  synchronized void endUse() {
    LiveSession session = live;
    if (inUse && session != null) {
      inUse = false;
      repository.endUse(session);
    }
  }

  private synchronized State state() {
    return state;
  }

  private synchronized void become(State next) {
    state = next;
  }

  /**
   * Notes another id that the request brings.
   *
   * @return false if Jetty is not choosing among the ids any more
   */
  synchronized boolean orElse(String id) {
    if (state != State.PROPOSED) {
      return false;
    }
    if (!id.equals(askedId) && !otherIds.contains(id)) {
      otherIds.add(id);
    }
    return true;
  }

  /** Asks the store if that has not been done yet. */
  private void resolve() {
    if (!isUnresolved()) {
      return;
    }
    RequestScope asking = Objects.requireNonNull(scope);
    resolving.lock();
    try {
      if (isUnresolved()) {
        resolved(find(asking));
      }
    } catch (SessionException e) {
      throw asking.failed(e);
    } finally {
      resolving.unlock();
    }
  }

  private synchronized boolean isUnresolved() {
    return state == State.PROPOSED || state == State.CHOSEN;
  }

  private synchronized void resolved(@Nullable LiveSession found) {
    if (found == null) {
      state = State.MISSING;
    } else {
      state = State.OPEN;
      adopt(found);
      beginUse();
      returned(found);
    }
  }

  /** Its client has come back with it. */
  private static void returned(LiveSession found) {
    var unused = NewSessionTimeout.end(found);
  }

  private @Nullable LiveSession find(RequestScope asking) {
    LiveSession found = asking.open(askedId);
    if (found != null) {
      return found;
    }
    for (String id : furtherIds()) {
      found = asking.open(id);
      if (found != null) {
        askedId = id;
        super.setExtendedId(ids().getExtendedId(id, null));
        return found;
      }
    }
    return null;
  }

  private synchronized List<String> furtherIds() {
    return List.copyOf(otherIds);
  }

  /** The session without its container. */
  private LiveSession open() {
    resolve();
    LiveSession session = live;
    if (session != null && state() == State.OPEN) {
      awaitTurn(session);
    }
    if (session == null || state() == State.ENDED) {
      throw new IllegalStateException(
          session == null ? "There is no such session" : "Session " + session.key() + " has ended");
    }
    return session;
  }

  /** The request has begun it, or joined others that have. */
  void beginTurn() {
    RequestScope user = scope;
    LiveSession session = live;
    if (user != null && session != null) {
      user.begun(session);
    }
  }

  /** Its request may have let others have it since it was opened. */
  private void awaitTurn(LiveSession session) {
    RequestScope user = scope;
    if (user != null) {
      try {
        user.resume(session);
      } catch (SessionException e) {
        throw user.failed(e);
      }
    }
  }

  /** Whether it is this request that has begun it. */
  boolean hasBegun() {
    return begun;
  }

  /** Objects that were handed out may still be changed. */
  void expectChanges() {
    LiveSession session = live;
    if (session != null) {
      session.expectChanges();
    }
  }

  /**
   * Saves what has changed.
   *
   * @throws SessionException if that cannot be done now
   */
  void flush() {
    LiveSession session = live;
    if (session != null) {
      var unused = repository.flush(session);
    }
  }

  /**
   * A change outside of a request's dispatch cannot wait for the request's end: there may be none.
   */
  private void changed(LiveSession session) {
    RequestScope current = RequestScope.current();
    if (state() == State.OPEN && (current == null || !current.uses(this))) {
      if (!repository.flush(session)) {
        throw endedElsewhere(session);
      }
      // What was set may still be changed in place: the end of the request looks again.
      session.expectChanges();
    }
  }

  /** Whoever reads without a request (a WebSocket, a timer) sees what the store has now. */
  private LiveSession fresh() {
    LiveSession session = open();
    if (state() == State.OPEN && RequestScope.current() == null && !repository.refresh(session)) {
      throw endedElsewhere(session);
    }
    return session;
  }

  private IllegalStateException endedElsewhere(LiveSession session) {
    become(State.ENDED);
    return new IllegalStateException("Session " + session.key() + " has ended");
  }

  /** To the request's client it is 503; whoever has no request gets it as it is. */
  private RuntimeException failed(SessionException why) {
    RequestScope user = scope;
    return user == null ? why : user.failed(why);
  }

  private LocalPart local(LiveSession session) {
    return cache.local(session);
  }

  /** Runs something as the web application, with its class loader. */
  void inContext(Runnable work) {
    cache.run(work);
  }

  // ---------------------------------------------------------------- what Jetty asks

  @Override
  public boolean isValid() {
    State now = state();
    if (now == State.CHOSEN) {
      resolve();
      now = state();
    } else if (now == State.OPEN) {
      // Not open(), which would throw if another thread ended it meanwhile.
      awaitTurn(Objects.requireNonNull(live));
      now = state();
    }
    return now == State.PROPOSED || now == State.OPEN;
  }

  @Override
  public boolean isInvalidOrInvalidating() {
    return !isValid();
  }

  /** Only the store says that a session has expired; this node's clock does not. */
  @Override
  public boolean isExpiredAt(long time) {
    return false;
  }

  /**
   * Jetty has made it the request's session.
   *
   * @return false: no cookie is due that {@link #dueCookie} would not give
   */
  @Override
  public synchronized boolean access(long time) {
    if (state == State.PROPOSED) {
      state = State.CHOSEN;
    }
    return false;
  }

  /** Jetty says it of the id that it had in mind for a new session, too. */
  @Override
  public void setExtendedId(String extendedId) {
    String id = getId();
    super.setExtendedId(extendedId.startsWith(id) ? extendedId : ids().getExtendedId(id, null));
  }

  @Override
  public HttpCookie generateSetCookie(String name, Map<String, String> attributes) {
    HttpCookie cookie = super.generateSetCookie(name, attributes);
    LiveSession session = live;
    if (session != null) {
      local(session).cookieSent();
    }
    return cookie;
  }

  /** The cookie to send because its id has another route now, or its age is to begin anew. */
  @Nullable HttpCookie dueCookie(boolean secure) {
    LiveSession session = live;
    if (session == null || begun || session.isGone() || !cache.manager().isUsingCookies()) {
      return null;
    }
    if (!renamed && !session.id().equals(askedId)) {
      // Another request has changed the id and tells the client. This one knows the old id only,
      // and who sent that is not to be told the new one.
      return null;
    }
    int refresh = cache.manager().getRefreshCookieAge();
    boolean old =
        cache.manager().getMaxCookieAge() > 0
            && refresh > 0
            && local(session).sinceCookie().compareTo(Duration.ofSeconds(refresh)) > 0;
    return isSetCookieNeeded() || old ? cache.manager().getSessionCookie(this, secure) : null;
  }

  /** What the client is to be told of the version that it is shown. */
  List<VersionCookies.Change> tell(VersionCookies cookies) {
    LiveSession session = live;
    if (session == null) {
      return List.of();
    }
    if (session.isGone()) {
      return endedHere ? cookies.end(session, session.seenVersion()) : List.of();
    }
    return session.isStored() ? cookies.see(session, session.seenVersion()) : List.of();
  }

  @Override
  public String getId() {
    LiveSession session = live;
    return session == null ? askedId : session.id();
  }

  @Override
  public boolean isNew() {
    return begun && open() == live;
  }

  @Override
  public long getCreationTime() {
    return open().creationTime().toEpochMilli();
  }

  @Override
  public long getLastAccessedTime() {
    return open().lastAccessTime().toEpochMilli();
  }

  @Override
  public int getMaxInactiveInterval() {
    return NewSessionTimeout.get(open());
  }

  @Override
  public void setMaxInactiveInterval(int seconds) {
    LiveSession session = open();
    cache.newSessionTimeout().set(session, seconds);
    changed(session);
  }

  /** Jetty asks for it whenever it is about to tell listeners. */
  @Override
  @SuppressWarnings("TypeParameterUnusedInFormals")
  public <T extends API> T getApi() {
    cache.listeners().guard();
    return super.getApi();
  }

  // ---------------------------------------------------------------- attributes

  @Override
  public @Nullable Object getAttribute(String name) {
    LiveSession session = fresh();
    if (name.startsWith(RESERVED)) {
      return null;
    }
    Object here = local(session).get(name);
    if (here != null) {
      return here;
    }
    JettyAttribute jettys = JettyAttribute.named(name);
    return jettys == null ? session.attribute(name) : jettys(session, jettys);
  }

  private @Nullable Object jettys(LiveSession session, JettyAttribute attribute) {
    Object stored = session.peek(attribute.storedName());
    return stored == null ? null : local(session).known(attribute, stored);
  }

  @Override
  public Set<String> getAttributeNameSet() {
    LiveSession session = fresh();
    Set<String> names = session.attributeNames();
    names.removeIf(name -> name.startsWith(RESERVED));
    names.addAll(local(session).names());
    return Collections.unmodifiableSet(names);
  }

  /**
   * Sets or, with null, removes an attribute.
   *
   * @throws IllegalArgumentException if the value's class says that it cannot be stored, or the
   *     name is Sojourn's own
   */
  @Override
  public @Nullable Object setAttribute(String name, @Nullable Object value) {
    LiveSession session = open();
    if (name.startsWith(RESERVED)) {
      if (value == null) {
        return null;
      }
      throw new IllegalArgumentException(
          "Session attribute '"
              + name
              + "' cannot be set: names that begin with "
              + RESERVED
              + " are Sojourn's own");
    }
    noteUser(session, name, value);
    Object old = value == null ? remove(session, name) : put(session, name, value);
    changed(session);
    if (value != null || old != null) {
      onSessionAttributeUpdate(name, value, old);
    }
    return old;
  }

  /**
   * Has the store know whose session it is, if that changes: who the application says that it is,
   * or else who has logged in.
   */
  private void noteUser(LiveSession session, String name, @Nullable Object value) {
    boolean isName = name.equals(PrincipalKey.NAME_ATTRIBUTE);
    if (!isName && !name.equals(JettyAttribute.USER.jettysName())) {
      return;
    }
    Object named = isName ? value : session.peek(PrincipalKey.NAME_ATTRIBUTE);
    if (isName && Objects.equals(named, session.peek(name))) {
      return;
    }
    String user =
        named instanceof String text
            ? text
            : JettyAttribute.userName(isName ? login(session) : value);
    session.setPrincipal(user == null ? PrincipalKey.NOBODY : cache.principalKey(user));
  }

  /** Jetty's object that says who is logged in. */
  private @Nullable Object login(LiveSession session) {
    Object here = local(session).get(JettyAttribute.USER.jettysName());
    return here == null ? jettys(session, JettyAttribute.USER) : here;
  }

  @Override
  protected void onSessionAttributeUpdate(
      String name, @Nullable Object newValue, @Nullable Object oldValue) {
    if (!Objects.equals(newValue, oldValue)) {
      super.onSessionAttributeUpdate(
          name, SessionListeners.guarded(newValue), SessionListeners.guarded(oldValue));
    }
  }

  private @Nullable Object remove(LiveSession session, String name) {
    Object here = local(session).remove(name);
    JettyAttribute jettys = JettyAttribute.named(name);
    Object stored;
    if (jettys == null) {
      stored = session.removeAttribute(name);
    } else {
      stored = jettys(session, jettys);
      session.removeAttribute(jettys.storedName());
    }
    return here == null ? stored : here;
  }

  private @Nullable Object put(LiveSession session, String name, Object value) {
    JettyAttribute jettys = JettyAttribute.named(name);
    Object form = jettys == null ? null : jettys.toStored(value, cache);
    if (jettys != null && form != null) {
      Object before = remove(session, name);
      session.setAttribute(jettys.storedName(), form);
      local(session).know(jettys, form, value);
      return before;
    }
    if (LocalPart.staysHere(value)) {
      // Other nodes are not to go on with what it was.
      Object before = remove(session, name);
      local(session).put(name, value);
      return before;
    }
    Optional<String> refusal = cache.refusal(value);
    if (refusal.isPresent()) {
      throw new IllegalArgumentException(
          "Session attribute '" + name + "' cannot be stored: " + refusal.get());
    }
    Object here = local(session).remove(name);
    Object stored = session.setAttribute(name, value);
    return here == null ? stored : here;
  }

  // ---------------------------------------------------------------- another id

  /**
   * Gives the session another id, in the other contexts of this server that have one with the same
   * id too.
   */
  @Override
  public void renewId(Request request, Response response) {
    LiveSession session = open();
    if (response != null && response.isCommitted()) {
      throw new IllegalStateException(
          "The id of session " + session.key() + " cannot be changed: the response has begun");
    }
    String oldId = session.id();
    String oldExtendedId = getExtendedId();
    String newId;
    try {
      do {
        newId = ids().newSessionId(null, null, System.currentTimeMillis());
      } while (!repository.canRename(session, newId));
      if (!repository.rename(session, newId)) {
        throw new SessionBusyException(
            "The id of session "
                + session.key()
                + " cannot be changed: another request has ended the session or changed its id"
                + " since this one opened it; try again",
            null);
      }
    } catch (SessionException e) {
      throw failed(e);
    }
    renamed = true;
    setExtendedId(ids().getExtendedId(newId, request));
    onIdChanged();
    renewInOtherContexts(oldId, oldExtendedId, newId);
    try {
      getSessionManager().onSessionIdChanged(this, oldId);
    } catch (RuntimeException | LinkageError | AssertionError e) {
      // The store has the new id: the client must have it, too.
      LOG.log(Level.WARNING, "A listener failed at the new id of " + this, e);
    }
    if (response != null && isSetCookieNeeded()) {
      Response.putCookie(response, getSessionManager().getSessionCookie(this, request.isSecure()));
    }
  }

  private void renewInOtherContexts(String oldId, String oldExtendedId, String newId) {
    if (!(ids() instanceof DefaultSessionIdManager manager)) {
      return;
    }
    for (SessionManager other : manager.getSessionManagers()) {
      if (other != getSessionManager()) {
        try {
          other.renewSessionId(oldId, oldExtendedId, newId, getExtendedId());
        } catch (Exception e) {
          LOG.log(Level.WARNING, "The id of a session's namesake cannot be changed: " + this, e);
        }
      }
    }
  }

  private SessionIdManager ids() {
    return cache.manager().getSessionIdManager();
  }

  // ---------------------------------------------------------------- its end

  /**
   * Ends the session on all nodes, and those with its id in the other contexts of this server.
   * Listeners are told only if it is this call that ended it.
   *
   * @throws StoreUnavailableException if the store cannot be asked, outside of a request; the
   *     session lives on
   */
  @Override
  public void invalidate() {
    LiveSession session = open();
    if (!beginInvalidate()) {
      return;
    }
    boolean mine;
    try {
      mine = repository.invalidate(session);
    } catch (SessionException e) {
      become(State.OPEN);
      throw failed(e);
    }
    endedHere = true;
    RequestScope user = scope;
    if (user != null) {
      user.miss(session.id());
    }
    if (mine) {
      tellListeners();
    }
    become(State.ENDED);
    cache.endNamesakes(session.id());
  }

  /** The store has told this node that the session has expired. */
  void expireClaimed() {
    if (beginInvalidate()) {
      tellListeners();
    }
  }

  private void tellListeners() {
    try {
      getSessionManager().onSessionDestroyed(this);
    } catch (RuntimeException | LinkageError | AssertionError e) {
      LOG.log(Level.WARNING, "A listener failed at the end of " + this, e);
    } finally {
      finishInvalidate();
    }
  }

  @Override
  public synchronized boolean beginInvalidate() {
    if (state == State.OPEN) {
      state = State.ENDING;
      return true;
    }
    return false;
  }

  /** Takes its attributes away and tells their listeners, each whatever the one before did. */
  @Override
  public void finishInvalidate() {
    LiveSession session = live;
    if (session == null) {
      return;
    }
    inContext(
        () -> {
          for (String name : getAttributeNameSet()) {
            try {
              Object old = remove(session, name);
              if (old != null) {
                onSessionAttributeUpdate(name, null, old);
              }
            } catch (RuntimeException | LinkageError | AssertionError e) {
              LOG.log(Level.WARNING, "A listener failed at the end of " + this, e);
            }
          }
        });
    become(State.ENDED);
    getSessionManager().recordSessionTime(this);
  }

  /** The start of its key; never the id. */
  @Override
  public String toString() {
    LiveSession session = live;
    return "SojournSession[" + (session == null ? "not asked for" : session.key()) + "]";
  }
}
