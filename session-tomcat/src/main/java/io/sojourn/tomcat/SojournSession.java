package io.sojourn.tomcat;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.sojourn.LiveSession;
import io.sojourn.NewSessionTimeout;
import io.sojourn.PrincipalKey;
import io.sojourn.RequestLeases;
import io.sojourn.SessionKey;
import io.sojourn.SessionRepository;
import io.sojourn.tomcat.StoredLogin.Login;
import jakarta.servlet.http.HttpSessionAttributeListener;
import jakarta.servlet.http.HttpSessionBindingEvent;
import jakarta.servlet.http.HttpSessionBindingListener;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.security.Principal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.apache.catalina.Context;
import org.apache.catalina.authenticator.Constants;
import org.apache.catalina.authenticator.SavedRequest;
import org.apache.catalina.session.StandardSession;
import org.apache.juli.logging.Log;
import org.apache.juli.logging.LogFactory;
import org.apache.tomcat.util.ExceptionUtils;
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

  private static final Log LOG = LogFactory.getLog(SojournSession.class);

  /** The attribute that says which login over several applications the session belongs to. */
  private static final String SIGN_ON = AttributeMap.RESERVED + "signOn";

  private final transient SojournManager owner;

  /** {@link #attributes}; null until the session has an id. */
  private transient volatile @Nullable AttributeMap ownAttributes;

  /** Null until the session has an id. */
  private transient volatile @Nullable LiveSession live;

  private transient volatile boolean endedHere;

  /** The last thread to come by it, as long as that dispatches the request that it did so for. */
  private transient volatile @Nullable Thread dispatching;

  private final transient Object idLock = new Object();
  private final transient Object loginLock = new Object();

  @GuardedBy("loginLock")
  private transient Known known = new Known(null, Login.NOBODY);

  /** The session's {@linkplain LiveSession#arrivals arrivals} when nobody was logged in. */
  private transient volatile long nobodyAsOf = -1;

  /** What was said to be no saved request, so that it is said once. */
  private transient volatile @Nullable Object unreadableRequest;

  /**
   * Who is logged in, as far as this node knows.
   *
   * @param stored the attribute that says so; as long as it is the same object, nobody has logged
   *     in or out elsewhere
   * @param login what it says, or what this node knows better: a principal of Tomcat's can have
   *     parts that are not stored
   */
  private record Known(@Nullable Object stored, Login login) {}

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
    AttributeMap map = new AttributeMap(session, this::changed, owner::staysHere);
    attributes = map;
    ownAttributes = map;
    creationTime = session.creationTime().toEpochMilli();
    lastAccessedTime = session.lastAccessTime().toEpochMilli();
    thisAccessedTime = lastAccessedTime;
    maxInactiveInterval = (int) session.maxInactiveInterval().toSeconds();
  }

  /** The session without its container; only once it has an id. */
  LiveSession live() {
    return requireNonNull(live, "A session without an id");
  }

  /**
   * Saves what has changed.
   *
   * @return false if the session has ended
   * @throws io.sojourn.StoreUnavailableException if the store cannot be asked
   */
  boolean flush() {
    SessionRepository present = owner.repositoryIfRunning();
    if (present != null) {
      return present.flush(live());
    }
    // A request has outlived its application.
    if (live().isUsedSinceFlush()) {
      throw owner.notRunning();
    }
    return !live().isGone();
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
      if (!flush()) {
        throw ended();
      }
      // What was set may still be changed in place: the end of the access looks again.
      live().expectChanges();
    }
  }

  /** It has ended on another node, without a request of this one. */
  private IllegalStateException ended() {
    isValid = false;
    return new IllegalStateException("Session " + live().key() + " has ended");
  }

  /**
   * An attribute. Whoever reads it without a request (a WebSocket, a timer) sees what the store has
   * now.
   */
  @Override
  public @Nullable Object getAttribute(String name) {
    refreshOutside();
    return super.getAttribute(name);
  }

  @Override
  public Enumeration<String> getAttributeNames() {
    refreshOutside();
    return super.getAttributeNames();
  }

  /** An attribute as this node has it, for somebody who only looks. */
  @Nullable Object peek(String name) {
    AttributeMap map = ownAttributes;
    return map == null ? null : map.peek(name);
  }

  /** The names of the attributes that this node has. */
  Set<String> names() {
    return attributes.keySet();
  }

  /**
   * Whether it has been in use since this time, by this node's clock: on any node, if that was
   * longer after than the touch interval. Asks the store, which counts as an access.
   */
  boolean isUsedSince(long time) {
    return live().thisAccessTime().toEpochMilli() > time
        || !repository().refresh(live())
        || live().lastAccessTime().toEpochMilli() > time + owner.touchMillis();
  }

  private void refreshOutside() {
    if (dispatching == Thread.currentThread()
        || !isValid
        || expiring
        || RequestScope.current() != null) {
      return;
    }
    if (!repository().refresh(live())) {
      throw ended();
    }
    if (owner.isSignedOff(this)) {
      expireAlone(true);
      throw ended();
    }
  }

  @Override
  public void setId(String newId, boolean notify) {
    if (live == null) {
      LiveSession begun =
          owner.begin(SojournManager.withoutRoute(newId), Duration.ofSeconds(maxInactiveInterval));
      begun.attach(this, new Activation(this));
      if (!begun.isStored()) {
        owner.newSessionTimeout().begin(begun);
      }
      adopt(begun);
      RequestScope scope = RequestScope.current();
      if (scope != null) {
        // Before the listeners hear of it: what they set is saved with the rest.
        scope.use(this);
        RequestLeases leases = scope.leases(owner);
        if (leases != null && begun.isStored()) {
          leases.take(begun);
        } else if (leases != null) {
          leases.begun(begun);
        }
      }
      super.setId(owner.withLocalRoute(newId), notify);
      return;
    }
    synchronized (idLock) {
      super.setId(newId, notify);
    }
  }

  /**
   * Gives the id this node's route, and tells the listeners, if it has another one.
   *
   * @return false if the session has another id meanwhile
   */
  boolean reroute(String askedId, String localId) {
    synchronized (idLock) {
      // A new session is used before it has its id.
      if (id == null
          || !SojournManager.withoutRoute(id).equals(SojournManager.withoutRoute(localId))) {
        return false;
      }
      if (id.equals(localId)) {
        return true;
      }
      id = localId;
    }
    tellChangedSessionId(localId, askedId, true, true);
    return true;
  }

  @Override
  public void setMaxInactiveInterval(int interval) {
    super.setMaxInactiveInterval(interval);
    LiveSession session = live;
    if (session != null) {
      owner.newSessionTimeout().set(session, interval);
      changed();
      owner.extendSignOn(this, interval);
    }
  }

  @Override
  public int getMaxInactiveInterval() {
    LiveSession session = live;
    return session == null ? super.getMaxInactiveInterval() : NewSessionTimeout.get(session);
  }

  /** Not new: its client has come back with it. */
  @Override
  public void setNew(boolean isNew) {
    super.setNew(isNew);
    LiveSession session = live;
    if (!isNew && session != null && NewSessionTimeout.end(session)) {
      changed();
    }
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
      dispatching = Thread.currentThread();
      scope.use(this);
      return;
    }
    RequestScope.foundOutside();
    if (!live().isStored()) {
      // Its cookie may be on its way before anything else is saved.
      flush();
      live().expectChanges();
    }
  }

  /** This thread does not dispatch any more what it came by this session for. */
  void left() {
    if (dispatching == Thread.currentThread()) {
      dispatching = null;
    }
  }

  /**
   * The request is over, its response sent; what an error page or a late listener changed is saved
   * now.
   */
  @Override
  public void endAccess() {
    super.endAccess();
    RequestScope.forgetFoundOutside();
    SessionRepository present = owner.repositoryIfRunning();
    if (present == null) {
      // The application has been stopped since, and its sessions have been saved.
      return;
    }
    try {
      if (live().isUsedSinceFlush()) {
        owner.flushLate(this);
      }
    } finally {
      // Not asked for again: the application may be stopped meanwhile.
      present.endUse(live());
    }
  }

  /**
   * Ends the session on all nodes, and with it the login over several applications that it belongs
   * to, as Tomcat does. Listeners are told, and it is counted, here only if it is this call that
   * ended it.
   */
  @Override
  public void expire(boolean notify) {
    if (isValid && !expiring) {
      owner.signOff(this);
    }
    expireAlone(notify);
  }

  /** Ends the session on all nodes, and nothing else. */
  void expireAlone(boolean notify) {
    synchronized (this) {
      if (!isValid || expiring) {
        return;
      }
      endedHere = repository().invalidate(live());
      super.expire(notify && endedHere);
    }
  }

  /** Tells the listeners that the session has expired, which the store has told us. */
  void expireClaimed() {
    endedHere = true;
    super.expire(true);
  }

  /**
   * Takes an attribute away and tells its value and the listeners. What one of them throws is
   * logged, and keeps no other from being told: Tomcat's own does so with the listeners, but lets
   * through what the value throws. At the session's end no attribute that fails keeps others from
   * that.
   */
  @Override
  protected void removeAttributeInternal(String name, boolean notify) {
    if (PrincipalKey.NAME_ATTRIBUTE.equals(name) && isValid && !expiring && peek(name) != null) {
      noteUser(null, nameOf(getPrincipal()));
    }
    Object value;
    try {
      value = attributes.remove(name);
    } catch (RuntimeException | Error e) {
      if (isValid || e instanceof VirtualMachineError) {
        throw e;
      }
      LOG.warn("Attribute '" + name + "' failed at the end of session " + live().key(), e);
      return;
    }
    if (!notify || value == null) {
      return;
    }
    HttpSessionBindingEvent event = new HttpSessionBindingEvent(getSession(), name, value);
    if (value instanceof HttpSessionBindingListener bound) {
      tell(event, () -> bound.valueUnbound(event));
    }
    Context context = manager.getContext();
    for (Object each : context.getApplicationEventListeners()) {
      if (each instanceof HttpSessionAttributeListener listener) {
        tell(
            event,
            () -> {
              context.fireContainerEvent("beforeSessionAttributeRemoved", listener);
              try {
                listener.attributeRemoved(event);
              } finally {
                context.fireContainerEvent("afterSessionAttributeRemoved", listener);
              }
            });
      }
    }
  }

  private void tell(HttpSessionBindingEvent removal, Runnable listener) {
    try {
      listener.run();
    } catch (Throwable e) {
      ExceptionUtils.handleThrowable(e);
      LOG.warn(
          "A listener failed when attribute '"
              + removal.getName()
              + "' was removed from session "
              + live().key(),
          e);
    }
  }

  /** Whether it is this node that has ended it. */
  boolean isEndedHere() {
    return endedHere;
  }

  @Override
  public boolean isAttributeDistributable(String name, Object value) {
    return owner.refusal(value).isEmpty();
  }

  /**
   * Sets an attribute.
   *
   * @throws IllegalArgumentException if the value's class says that it cannot be stored (servlet
   *     specification 6.0, section 7.7.2), or the name is Sojourn's own
   */
  @Override
  public void setAttribute(String name, @Nullable Object value, boolean notify) {
    if (name != null && value != null) {
      // Before a listener hears that it is bound.
      AttributeMap.checkSettable(name);
      Optional<String> refusal = exclude(name, value) ? Optional.empty() : owner.refusal(value);
      if (refusal.isPresent()) {
        throw new IllegalArgumentException(
            "Session attribute '" + name + "' cannot be stored: " + refusal.get());
      }
      if (name.equals(PrincipalKey.NAME_ATTRIBUTE) && isValid && !value.equals(peek(name))) {
        noteUser(value, nameOf(getPrincipal()));
      }
    }
    super.setAttribute(name, value, notify);
  }

  // ---------------------------------------------------------------- authentication

  /*
   * What Tomcat's authenticators keep in a session beside its attributes is kept as attributes that only this adapter sees: so
   * it is saved, loaded and forgotten with the rest.
   */

  @Override
  public @Nullable Principal getPrincipal() {
    return login().principal();
  }

  @Override
  public void setPrincipal(@Nullable Principal newPrincipal) {
    // Tomcat's own field is what it logs out at the session's end.
    super.setPrincipal(newPrincipal);
    setLogin(before -> new Login(newPrincipal, before.authType()));
  }

  @Override
  public @Nullable String getAuthType() {
    return login().authType();
  }

  @Override
  public void setAuthType(@Nullable String newAuthType) {
    super.setAuthType(newAuthType);
    setLogin(before -> new Login(before.principal(), newAuthType));
  }

  private Login login() {
    LiveSession session = live;
    if (session == null) {
      return Login.NOBODY;
    }
    long arrivals = session.arrivals();
    if (arrivals == nobodyAsOf) {
      return Login.NOBODY;
    }
    synchronized (loginLock) {
      Object stored = session.peek(StoredLogin.NAME);
      if (stored != known.stored) {
        known = new Known(stored, stored == null ? Login.NOBODY : readLogin(stored));
      }
      if (known.login.equals(Login.NOBODY)) {
        nobodyAsOf = arrivals;
      }
      return known.login;
    }
  }

  private Login readLogin(Object stored) {
    try {
      return StoredLogin.read(stored);
    } catch (IllegalArgumentException e) {
      owner.unreadable(live(), StoredLogin.NAME, e);
      return Login.NOBODY;
    }
  }

  private void setLogin(UnaryOperator<Login> change) {
    synchronized (loginLock) {
      Login before = login();
      Login login = change.apply(before);
      if (login.principal() != before.principal()
          || (login.isNobody() && live().hasAttribute(StoredLogin.NAME))) {
        noteUser(peek(PrincipalKey.NAME_ATTRIBUTE), nameOf(login.principal()));
      }
      if (login.isNobody()) {
        // Also what this node could not read.
        live().removeAttribute(StoredLogin.NAME);
        known = new Known(null, login);
      } else if (login.principal() != before.principal()
          || !Objects.equals(login.authType(), before.authType())) {
        Object stored = owner.stored(login);
        live().setAttribute(StoredLogin.NAME, stored);
        known = new Known(stored, login);
      }
    }
    changed();
  }

  /**
   * Has the store know whose session it is: who the application says that it is, or else who has
   * logged in.
   */
  private void noteUser(@Nullable Object named, @Nullable String loggedIn) {
    String name = named instanceof String text ? text : loggedIn;
    live().setPrincipal(name == null ? PrincipalKey.NOBODY : owner.principalKey(name));
  }

  private static @Nullable String nameOf(@Nullable Principal principal) {
    return principal == null ? null : principal.getName();
  }

  /** The login over several applications that the session belongs to; null if to none. */
  @Nullable String signOn() {
    LiveSession session = live;
    return session != null && session.peek(SIGN_ON) instanceof String login ? login : null;
  }

  /**
   * Has the session belong to a login over several applications.
   *
   * @param user tells whose it is, if the login does; asked only if the session is new to it
   */
  void setSignOn(String login, Supplier<@Nullable String> user) {
    if (!login.equals(signOn())) {
      String name = user.get();
      noteUser(peek(PrincipalKey.NAME_ATTRIBUTE), name == null ? nameOf(getPrincipal()) : name);
      setReserved(SIGN_ON, login);
    }
  }

  @Override
  public @Nullable Object getNote(String name) {
    return switch (name) {
      case Constants.FORM_REQUEST_NOTE -> savedRequest();
      case Constants.SESSION_ID_NOTE -> expectedId();
      default -> super.getNote(name);
    };
  }

  @Override
  public void setNote(String name, Object value) {
    switch (name) {
      case Constants.FORM_REQUEST_NOTE ->
          setReserved(StoredRequest.NAME, StoredRequest.of((SavedRequest) value, live().id()));
      case Constants.SESSION_ID_NOTE ->
          setReserved(StoredRequest.EXPECTED_KEY, keyOf((String) value));
      default -> super.setNote(name, value);
    }
  }

  @Override
  public void removeNote(String name) {
    switch (name) {
      case Constants.FORM_REQUEST_NOTE -> removeReserved(StoredRequest.NAME);
      case Constants.SESSION_ID_NOTE -> removeReserved(StoredRequest.EXPECTED_KEY);
      default -> super.removeNote(name);
    }
  }

  @Override
  public Iterator<String> getNoteNames() {
    List<String> names = new ArrayList<>();
    super.getNoteNames().forEachRemaining(names::add);
    if (live().hasAttribute(StoredRequest.NAME)) {
      names.add(Constants.FORM_REQUEST_NOTE);
    }
    if (live().hasAttribute(StoredRequest.EXPECTED_KEY)) {
      names.add(Constants.SESSION_ID_NOTE);
    }
    return names.iterator();
  }

  private void setReserved(String name, Object value) {
    live().setAttribute(name, value);
    changed();
  }

  private void removeReserved(String name) {
    live().removeAttribute(name);
    changed();
  }

  private @Nullable SavedRequest savedRequest() {
    Object stored = live().peek(StoredRequest.NAME);
    if (stored == null || stored == unreadableRequest) {
      return null;
    }
    try {
      return StoredRequest.read(stored, live().id());
    } catch (IllegalArgumentException e) {
      unreadableRequest = stored;
      owner.unreadable(live(), StoredRequest.NAME, e);
      return null;
    }
  }

  /**
   * The id under which the client has to come back, if this request or this session has it; else
   * what no client can have as its id.
   */
  private @Nullable String expectedId() {
    if (!(live().peek(StoredRequest.EXPECTED_KEY) instanceof String key)) {
      return null;
    }
    RequestScope scope = RequestScope.current();
    String asked = scope == null ? null : scope.idOf(this);
    if (asked != null && keyOf(asked).equals(key)) {
      return asked;
    }
    return keyOf(id).equals(key) ? id : key;
  }

  private static String keyOf(String id) {
    return SessionKey.of(SojournManager.withoutRoute(id)).hex();
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
