package io.sojourn.jetty;

import io.sojourn.AttributeCodec;
import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import io.sojourn.LiveSession;
import io.sojourn.NewSessionTimeout;
import io.sojourn.PrincipalKey;
import io.sojourn.RequestLeases;
import io.sojourn.SessionBusyException;
import io.sojourn.SessionException;
import io.sojourn.SessionKey;
import io.sojourn.SessionPolicy;
import io.sojourn.SessionRepository;
import io.sojourn.SessionStore;
import io.sojourn.StoreUnavailableException;
import io.sojourn.codec.MeasuredCodec;
import io.sojourn.metrics.SessionFigures;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.handler.ContextHandler;
import org.eclipse.jetty.session.AbstractSessionManager;
import org.eclipse.jetty.session.ManagedSession;
import org.eclipse.jetty.session.NullSessionDataStore;
import org.eclipse.jetty.session.SessionCache;
import org.eclipse.jetty.session.SessionContext;
import org.eclipse.jetty.session.SessionData;
import org.eclipse.jetty.session.SessionDataStore;
import org.eclipse.jetty.util.URIUtil;
import org.eclipse.jetty.util.component.AbstractLifeCycle;
import org.jspecify.annotations.Nullable;

/**
 * One context's sessions, as Jetty's session manager asks for them. It takes the place of Jetty's
 * cache and of its data store: both are the {@link SessionRepository}.
 *
 * <p>Thread-safe.
 */
final class SojournSessionCache extends AbstractLifeCycle implements SessionCache {

  private static final Logger LOG = System.getLogger(SojournSessionCache.class.getName());

  private static final Duration MAINTENANCE = Duration.ofSeconds(10);

  /** How long a stop waits for requests. */
  private static final Duration LAST_REQUESTS_TIME = Duration.ofSeconds(2);

  /** More kinds of messages than these are the same one with something in it that varies. */
  private static final int MAX_REPORTED = 100;

  private final AbstractSessionManager manager;
  private final SojournSessionCacheFactory factory;
  private final CacheSettings settings;
  private final FailureLog outages = new FailureLog();
  private final FailureLog busy = new FailureLog();
  private final ScopeListener listener = new ScopeListener(this);
  private final SessionListeners listeners;

  /** Sessions that are being ended here, by id. */
  private final Set<String> ending = ConcurrentHashMap.newKeySet();

  /** What {@link #reportOnce} has logged. */
  private final Set<String> reported = ConcurrentHashMap.newKeySet();

  private final Object joining = new Object();

  /** How many requests are in the context. */
  private final AtomicInteger requests = new AtomicInteger();

  private volatile @Nullable SessionContext context;
  private volatile @Nullable Running running;

  /** Whether threads are not told any more to leave the context. */
  private volatile boolean stopped;

  /**
   * What a started cache works with.
   *
   * @param ownStore the store to close; null if it is somebody else's
   */
  private record Running(
      SessionRepository repository,
      AttributeCodec codec,
      SessionFigures figures,
      UserSessions userSessions,
      SessionPolicy policy,
      Optional<Predicate<String>> serialized,
      Duration patience,
      NewSessionTimeout newSessionTimeout,
      String application,
      @Nullable SessionStore ownStore,
      ContextHandler handler,
      ScheduledExecutorService maintenance) {}

  SojournSessionCache(
      AbstractSessionManager manager, SojournSessionCacheFactory factory, CacheSettings settings) {
    this.manager = manager;
    this.factory = factory;
    this.settings = settings;
    this.listeners = new SessionListeners(manager);
  }

  AbstractSessionManager manager() {
    return manager;
  }

  AtomicInteger requests() {
    return requests;
  }

  SessionListeners listeners() {
    return listeners;
  }

  /** Where failures of this kind are logged, so that none hides the other. */
  FailureLog logOf(SessionException failure) {
    return failure instanceof SessionBusyException ? busy : outages;
  }

  SessionRepository repository() {
    return running().repository;
  }

  NewSessionTimeout newSessionTimeout() {
    return running().newSessionTimeout;
  }

  PrincipalKey principalKey(String user) {
    return PrincipalKey.of(running().application, user);
  }

  Optional<String> refusal(Object value) {
    return running().codec.refusal(value);
  }

  /** Why a value cannot be encoded; empty if it can. */
  Optional<String> encodingFailure(Object value) {
    try {
      EncodedValue unused = running().codec.encode(value);
      return Optional.empty();
    } catch (EncodeException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  /** One line for each message, such as that of a kind of principal, not for each login. */
  void reportOnce(String message) {
    if (reported.size() < MAX_REPORTED && reported.add(message)) {
      LOG.log(Level.WARNING, message);
    }
  }

  /**
   * What is to be asked and told of what this request's client has seen; null if nothing.
   *
   * @param bringsId whether the request has brought a session id
   */
  @Nullable SeenVersions seenBy(Request request, BooleanSupplier bringsId) {
    Running current = running;
    return current == null || current.policy.freshness() == SessionPolicy.Freshness.STRICT
        ? null
        : new SeenVersions(request, manager, current.application, bringsId);
  }

  /** What this request is to have to itself; null if it shares its sessions. */
  @Nullable RequestLeases leasesFor(Request request) {
    Running current = running;
    return current != null
            && current.serialized.isPresent()
            && current.serialized.get().test(URIUtil.decodePath(Request.getPathInContext(request)))
        ? new RequestLeases(current.repository, current.patience)
        : null;
  }

  private Running running() {
    Running current = running;
    if (current == null) {
      throw new StoreUnavailableException("The web application is being stopped", null);
    }
    return current;
  }

  /** Runs something as the web application, with its class loader. */
  void run(Runnable work) {
    SessionContext present = context;
    if (present == null) {
      work.run();
    } else {
      present.run(work);
    }
  }

  // ---------------------------------------------------------------- lifecycle

  /** The context is starting, whose class loader is the thread's. */
  @Override
  public void initialize(SessionContext starting) {
    shutdown();
    if (!(starting.getContext() instanceof ContextHandler.ScopedContext scoped)) {
      throw new IllegalArgumentException(
          "Sojourn cannot keep the sessions of a session handler that is in no ContextHandler");
    }
    ContextHandler handler = scoped.getContextHandler();
    String application = factory.application(handler);
    MeasuredCodec codec =
        new MeasuredCodec(factory.codec(Thread.currentThread().getContextClassLoader()));
    SessionPolicy policy = settings.applied(factory.policy());
    Optional<Predicate<String>> serialized = factory.serialized();
    Duration patience = factory.serializeTimeout();
    NewSessionTimeout newSessionTimeout = factory.newSessionTimeout();
    SessionStore given = factory.givenStore();
    // Last: what is refused before leaves no store open.
    SessionStore store = given == null ? factory.openStore(application) : given;
    SessionRepository repository =
        new SessionRepository(store, codec, policy, factory.clockOffset());
    ScheduledExecutorService maintenance =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "sojourn " + application);
              thread.setDaemon(true);
              // Not the web application's.
              thread.setContextClassLoader(SojournSessionCache.class.getClassLoader());
              return thread;
            });
    SessionFigures figures = new SessionFigures(application, repository, codec);
    UserSessions userSessions = new UserSessions(application, this);
    context = starting;
    running =
        new Running(
            repository,
            codec,
            figures,
            userSessions,
            policy,
            serialized,
            patience,
            newSessionTimeout,
            application,
            given == null ? store : null,
            handler,
            maintenance);
    handler.addEventListener(listener);
    stopped = false;
    // Where Jetty has its beans in JMX, these are two of them.
    manager.addBean(figures, false);
    manager.addBean(userSessions, false);
    var unused =
        maintenance.scheduleWithFixedDelay(
            () -> maintain(repository, application),
            MAINTENANCE.toMillis(),
            MAINTENANCE.toMillis(),
            TimeUnit.MILLISECONDS);
  }

  private void maintain(SessionRepository repository, String application) {
    try {
      run(repository::maintain);
    } catch (SessionException e) {
      logOf(e).failed("Sessions of " + application + " could not be looked after", e);
    } catch (RuntimeException e) {
      LOG.log(Level.WARNING, "Sessions of " + application + " could not be looked after", e);
    }
  }

  /** The context is stopping. What has been answered for is in the store. */
  @Override
  public void shutdown() {
    Running stopping = running;
    if (stopping == null) {
      return;
    }
    awaitRequests();
    stopping.maintenance.shutdown();
    manager.removeBean(stopping.figures);
    manager.removeBean(stopping.userSessions);
    // While a listener can still read the rest of its session.
    stopping.repository.sessions().forEach(LiveSession::passivate);
    running = null;
    stopping.repository.close();
    if (stopping.ownStore != null) {
      stopping.ownStore.close();
    }
    // Not before: a request that comes meanwhile is to be answered 503.
    stopping.handler.removeEventListener(listener);
    listeners.unguard();
    stopped = true;
  }

  boolean hasStopped() {
    return stopped;
  }

  /** Jetty lets no more in. What those change that it has let in is saved before they leave. */
  private void awaitRequests() {
    // It may be one of them that stops the context.
    int own = scope() == null ? 0 : 1;
    long deadline = System.nanoTime() + LAST_REQUESTS_TIME.toNanos();
    while (requests.get() > own && System.nanoTime() - deadline < 0) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Override
  public AbstractSessionManager getSessionManager() {
    return manager;
  }

  // ---------------------------------------------------------------- sessions

  /**
   * The session with this id; in a request, one that stands for all the ids that this brings and
   * that may turn out not to be there when it is asked for.
   *
   * @throws StoreUnavailableException if the store cannot be asked, outside of a request
   */
  @Override
  public @Nullable ManagedSession get(String id) {
    RequestScope scope = scope();
    if (scope == null) {
      LiveSession live = repository().open(id);
      return live == null ? null : SojournSession.of(this, live);
    }
    try {
      return scope.propose(id);
    } catch (SessionException e) {
      var unused = scope.failed(e);
      return null;
    }
  }

  /** This thread's request, as far as it is in this context. */
  private @Nullable RequestScope scope() {
    RequestScope current = RequestScope.current();
    return current != null && current.isOf(this) ? current : null;
  }

  /** Whether any context has a session with this id, so that it may be used for another one. */
  @Override
  public boolean exists(String id) {
    RequestScope current = RequestScope.current();
    RequestScope own = scope();
    if (own != null && own.misses(id)) {
      return false;
    }
    if (own == null && running == null) {
      // Another context's request, which is not to fail because this one is starting or stopping.
      return false;
    }
    try {
      LiveSession live = repository().look(SessionKey.of(id));
      return live != null && !live.isGone();
    } catch (SessionException e) {
      if (current != null) {
        // Jetty would go on with another id.
        throw current.failed(e);
      }
      throw e;
    }
  }

  @Override
  public boolean contains(String id) {
    return exists(id);
  }

  @Override
  public ManagedSession newSession(String id, long time, long maxInactiveMs) {
    Duration interval = Duration.ofMillis(maxInactiveMs <= 0 ? -1000 : maxInactiveMs);
    RequestScope scope = scope();
    try {
      if (scope == null) {
        return SojournSession.begunOutside(this, begin(id, interval));
      }
      SojournSession session =
          scope.hasAskedFor(id)
              ? createOrJoin(scope, id, interval)
              : SojournSession.used(this, scope, begin(id, interval), true);
      session.beginTurn();
      if (settings.isSaveOnCreate()) {
        session.flush();
      }
      return session;
    } catch (SessionException e) {
      throw scope == null ? e : scope.failed(e);
    }
  }

  private LiveSession begin(String id, Duration interval) {
    LiveSession begun = repository().create(id, interval);
    newSessionTimeout().begin(begun);
    return begun;
  }

  /**
   * Begins a session under the id that one in another context has: other requests may be doing the
   * same, here and on other nodes.
   */
  private SojournSession createOrJoin(RequestScope scope, String id, Duration interval) {
    SessionRepository repository = repository();
    // Two of one node in one millisecond would be one creation to the store.
    synchronized (joining) {
      LiveSession present = repository.open(id);
      if (present != null) {
        return SojournSession.used(this, scope, present, false);
      }
      LiveSession begun = repository.createNow(id, interval);
      if (begun == null) {
        present = repository.open(id);
        if (present != null) {
          return SojournSession.used(this, scope, present, false);
        }
        // One that has expired and that nobody has ended yet; or one that began under this id and
        // has another one since.
        scavenge();
        begun = repository.createNow(id, interval);
      }
      if (begun == null) {
        String another =
            manager.getSessionIdManager().newSessionId(null, null, System.currentTimeMillis());
        begun = begin(another, interval);
      }
      return SojournSession.used(this, scope, begun, true);
    }
  }

  @Override
  public ManagedSession newSession(SessionData data) {
    throw new UnsupportedOperationException("Sojourn's sessions have no SessionData to be made of");
  }

  /** Done already: {@link #newSession(String, long, long)}. */
  @Override
  public void add(String id, ManagedSession session) {}

  /**
   * The response begins: the request's session is saved by {@link SessionStream}, just after. Jetty
   * says here which one it is, also if it began on a thread of the application's.
   */
  @Override
  public void commit(ManagedSession session) {
    announce(session);
  }

  /**
   * The request is over, or was when it asked for the session: {@link RequestScope#end} is next.
   */
  @Override
  public void release(ManagedSession session) {
    announce(session);
  }

  private static void announce(ManagedSession session) {
    if (session instanceof SojournSession ours && ours.isWithoutRequest()) {
      RequestScope.announce(ours);
    }
  }

  /** Another context of this server has given its session with this id a new one. */
  @Override
  public @Nullable ManagedSession renewSessionId(
      String oldId, String newId, String oldExtendedId, String newExtendedId) {
    SessionRepository repository = repository();
    LiveSession live = repository.open(oldId);
    if (live == null || !repository.canRename(live, newId) || !repository.rename(live, newId)) {
      return null;
    }
    SojournSession session = SojournSession.of(this, live);
    session.setExtendedId(newExtendedId);
    return session;
  }

  /**
   * Another context of this server has ended its session with this id.
   *
   * @return the session whose listeners are to be told; null if there is none, or another one ends
   *     it
   */
  @Override
  public @Nullable ManagedSession delete(String id) {
    if (ending.contains(id)) {
      return null;
    }
    LiveSession live = repository().open(id);
    if (live == null || !repository().invalidate(live)) {
      return null;
    }
    RequestScope current = RequestScope.current();
    if (current != null) {
      current.endedBeside();
    }
    return SojournSession.of(this, live);
  }

  /** Ends what other contexts of this server have under the id of a session that has ended. */
  void endNamesakes(String id) {
    if (ending.add(id)) {
      try {
        manager.getSessionIdManager().invalidateAll(id);
      } finally {
        ending.remove(id);
      }
    }
  }

  /** The part of a session that stays on this node. */
  LocalPart local(LiveSession live) {
    Object attached = live.attachment();
    if (attached instanceof LocalPart part) {
      return part;
    }
    synchronized (live) {
      if (live.attachment() instanceof LocalPart part) {
        return part;
      }
      LocalPart part = new LocalPart();
      live.attach(part, new Activation(SojournSession.of(this, live)));
      return part;
    }
  }

  // ---------------------------------------------------------------- expiry

  /**
   * Jetty's housekeeper asks from time to time which of the sessions whose timers have run out have
   * expired. None of ours has a timer; what has expired, on any node, the store knows.
   *
   * @return none, since they have been ended here
   */
  @Override
  public Set<String> checkExpiration(Set<String> candidates) {
    scavenge();
    return Set.of();
  }

  private void scavenge() {
    Running current = running;
    if (current == null) {
      return;
    }
    try {
      current.repository.scavenge(
          live -> {
            var unused = local(live);
            SojournSession.of(this, live).expireClaimed();
          });
    } catch (SessionException e) {
      logOf(e).failed("Expired sessions could not be ended", e);
    }
  }

  @Override
  public void checkInactiveSession(ManagedSession session) {}

  // ---------------------------------------------------------------- a user's sessions

  /** The keys of a user's sessions on all nodes. */
  List<SessionKey> sessionsOf(String user) {
    return repository().findByPrincipal(principalKey(user));
  }

  /** Ends a user's sessions on all nodes, and tells how many. */
  int endSessionsOf(String user) {
    return repository()
        .endSessionsOf(
            principalKey(user),
            live -> {
              var unused = local(live);
              SojournSession.of(this, live).invalidate();
            });
  }

  // ---------------------------------------------------------------- settings of Jetty's caches

  /** There is no data store beside the cache. Jetty hands over one that keeps nothing. */
  @Override
  public void setSessionDataStore(@Nullable SessionDataStore store) {
    if (store != null && !(store instanceof NullSessionDataStore)) {
      throw SojournSessionCacheFactory.unwanted(store);
    }
  }

  @Override
  public @Nullable SessionDataStore getSessionDataStore() {
    return null;
  }

  @Override
  public void setEvictionPolicy(int policy) {
    if (running != null) {
      throw new IllegalStateException(
          "evictionPolicy=\"" + policy + "\" comes too late: the web application has started");
    }
    settings.setEvictionPolicy(policy);
  }

  @Override
  public int getEvictionPolicy() {
    return settings.evictionPolicy();
  }

  @Override
  public void setSaveOnInactiveEviction(boolean save) {
    settings.setSaveOnInactiveEviction(save);
  }

  @Override
  public boolean isSaveOnInactiveEviction() {
    return settings.isSaveOnInactiveEviction();
  }

  @Override
  public void setSaveOnCreate(boolean save) {
    settings.setSaveOnCreate(save);
  }

  @Override
  public boolean isSaveOnCreate() {
    return settings.isSaveOnCreate();
  }

  @Override
  public void setRemoveUnloadableSessions(boolean remove) {
    CacheSettings.require("removeUnloadableSessions", remove, false);
  }

  @Override
  public boolean isRemoveUnloadableSessions() {
    return false;
  }

  @Override
  public void setFlushOnResponseCommit(boolean flush) {
    CacheSettings.require("flushOnResponseCommit", flush, true);
  }

  @Override
  public boolean isFlushOnResponseCommit() {
    return true;
  }

  @Override
  public void setInvalidateOnShutdown(boolean invalidate) {
    CacheSettings.require("invalidateOnShutdown", invalidate, false);
  }

  @Override
  public boolean isInvalidateOnShutdown() {
    return false;
  }
}
