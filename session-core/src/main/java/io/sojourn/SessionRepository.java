package io.sojourn;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The sessions of one application on one node: opens, refreshes, saves, renames and ends them in
 * the store, and keeps those it has served in a bounded near cache.
 *
 * <p>An adapter opens a session when a request first asks for it, tells {@link #beginUse} and
 * {@link #endUse} so that all of the request's time counts as use, calls {@link #flush} before the
 * response leaves and once more at the end, and calls {@link #maintain} and {@link #scavenge} from
 * a background thread.
 *
 * <p>Thread-safe. No store call happens under a lock but a session's own flush lock.
 */
public final class SessionRepository implements AutoCloseable {

  private static final Logger LOG = System.getLogger(SessionRepository.class.getName());

  /** How long a claim on expired sessions holds. */
  private static final Duration CLAIM_TIME = Duration.ofMinutes(1);

  private static final int CLAIM_LIMIT = 50;

  /** How many sessions of others a request saves at its end. */
  private static final int CATCH_UP_LIMIT = 20;

  /** How many of a user's sessions are looked up at once. */
  private static final int LOOK_UP_LIMIT = 1000;

  /**
   * How often a user's sessions are looked up that have another id, or end, before they are found.
   */
  private static final int ROUNDS_IN_VAIN = 3;

  /** For how long requests are served without asking a store that has kept one waiting in vain. */
  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final GuardedStore store;
  private final AttributeCodec codec;
  private final RefusedClasses refusedClasses = new RefusedClasses();
  private final SessionPolicy policy;
  private final Clock clock = Clock.systemUTC();
  private final NearCache nearCache;
  private final RecentKeys recentKeys = new RecentKeys();

  /** Without an end or a beginning unless the policy is to go on without the store. */
  private final Outage outage;

  /** Whether somebody writes what could not be saved, so that others need not. */
  private final AtomicBoolean catchingUp = new AtomicBoolean();

  /** Once it is, nothing is kept or served that the store does not have: nobody would save it. */
  private volatile boolean closed;

  /** Null if the store is not to tell of changes. */
  private final @Nullable Tracking tracking;

  private final @Nullable Runnable watch;
  private final Supplier<Duration> clockOffset;

  /**
   * What the store could not be asked to remove: expired sessions whose listeners have been told,
   * and what it may have of new ones under an id that they do not have any more.
   */
  private final Set<SessionKey> unremoved = ConcurrentHashMap.newKeySet();

  private final SessionLeases leases;
  private final LongAdder lostRaces = new LongAdder();
  private final LongAdder refusedSaves = new LongAdder();

  private final LongAdder begun = new LongAdder();
  private final LongAdder ended = new LongAdder();

  /**
   * A repository over this store, which stays its owner's to close.
   *
   * @param store where the sessions are kept
   * @param codec turns this application's attributes into bytes
   * @param policy the user's choices
   */
  public SessionRepository(SessionStore store, AttributeCodec codec, SessionPolicy policy) {
    this(store, codec, policy, () -> Duration.ZERO);
  }

  /**
   * A repository whose clock can be moved on, for tests of what it takes for fresh.
   *
   * @param store where the sessions are kept
   * @param codec turns this application's attributes into bytes
   * @param policy the user's choices
   * @param clockOffset how much further the clock is by which it is judged how long ago the store
   *     was asked
   */
  public SessionRepository(
      SessionStore store,
      AttributeCodec codec,
      SessionPolicy policy,
      Supplier<Duration> clockOffset) {
    this.clockOffset = clockOffset;
    this.nearCache = new NearCache(policy.nearCacheSize(), policy.nearCacheBytes());
    this.codec = codec;
    this.policy = policy;
    this.outage = new Outage(policy.nearCacheSize(), policy.nearCacheBytes(), this::nanos);
    this.store =
        servesLocally() ? new GuardedStore(store, PAUSE, outage::over) : new GuardedStore(store);
    this.leases = new SessionLeases(this.store);
    if (policy.freshness() == SessionPolicy.Freshness.TRACKED) {
      Tracking told = new Tracking();
      this.tracking = told;
      this.watch = this.store.watch(told);
      if (watch == null) {
        told.refused("it is none that can");
      }
    } else {
      this.tracking = null;
      this.watch = null;
    }
  }

  /**
   * Begins a session. The store hears of it at the first flush.
   *
   * @param id a session id that nobody could guess, without a route suffix
   * @param maxInactiveInterval idle time allowed; zero or less means never
   */
  public LiveSession create(String id, Duration maxInactiveInterval) {
    LiveSession session = begin(id, maxInactiveInterval);
    nearCache.put(session);
    begun.increment();
    return session;
  }

  /**
   * Begins a session under an id that others may be beginning one under at this moment: the store
   * has it when this returns.
   *
   * @param id an id that somebody else has made up, without a route suffix
   * @param maxInactiveInterval idle time allowed; zero or less means never
   * @return null if the id is taken
   * @throws StoreUnavailableException if the store cannot be asked
   */
  public @Nullable LiveSession createNow(String id, Duration maxInactiveInterval) {
    LiveSession session = begin(id, maxInactiveInterval);
    if (!createInStore(session, session.capture(store, !session.isOpenedUnasked()))) {
      return null;
    }
    nearCache.put(session);
    begun.increment();
    return session;
  }

  private boolean servesLocally() {
    return policy.storeFailure() == SessionPolicy.StoreFailure.SERVE_LOCAL;
  }

  private LiveSession begin(String id, Duration maxInactiveInterval) {
    IdleTimeout timeout = IdleTimeout.of(maxInactiveInterval, policy.touchInterval());
    LiveSession session =
        new LiveSession(id, timeout, clock.instant(), codec, policy, refusedClasses);
    session.usedAt(nanos());
    return session;
  }

  /**
   * The session with this id as of now: one store call, which moves only what this node does not
   * have yet.
   *
   * @param id as a client sent it, without a route suffix; untrusted
   * @return null if there is no such session
   * @throws StoreUnavailableException if the store cannot be asked, which says nothing about the
   *     session
   */
  public @Nullable LiveSession open(String id) {
    return open(id, session -> SessionStore.NO_VERSION);
  }

  /**
   * The session with this id, as new as the policy's freshness wants it: one store call, which
   * moves only what this node does not have yet, or none.
   *
   * @param id as a client sent it, without a route suffix; untrusted
   * @param seenVersion tells the {@linkplain LiveSession#seenVersion version} of this session that
   *     the client has seen; {@link SessionStore#NO_VERSION} if it does not say. Untrusted: a wrong
   *     one costs a store call, or has its sender served an older state
   * @return null if there is no such session
   * @throws StoreUnavailableException if the store cannot be asked, which says nothing about the
   *     session
   */
  public @Nullable LiveSession open(String id, ToLongFunction<LiveSession> seenVersion) {
    SessionKey key = recentKeys.of(id);
    long now = nanos();
    LiveSession cached = nearCache.get(key, now);
    if (cached != null && !isKeptBy(cached, id, key)) {
      // Another request has just renamed it: the old id opens nothing.
      nearCache.remove(key, cached);
      cached = null;
    }
    if (cached == null) {
      return load(id, key);
    }
    if (cached.isStored() && isFresh(cached, seenVersion, now)) {
      return served(cached, id, key);
    }
    if (!cached.isStored() && !isOutlived(cached)) {
      if (outage.isOn() && outage.isFullFor(cached)) {
        throw new StoreUnavailableException(
            "Session " + key + " has more changes than can be kept without the store", null);
      }
      return cached;
    }
    cached.beginOpening();
    try {
      return reopen(cached, id, key);
    } catch (StoreUnavailableException e) {
      if (!isStill(cached, key)) {
        throw e;
      }
      serveLocally(cached, e);
      return cached;
    } finally {
      cached.endOpening();
    }
  }

  /** Whether it has this key. From then on the key is its own one, wherever it is looked up. */
  @SuppressWarnings("ReferenceEquality")
  private boolean isKeptBy(LiveSession cached, String id, SessionKey key) {
    SessionKey own = cached.key();
    if (own == key) {
      return true;
    }
    boolean same = own.equals(key);
    if (same) {
      recentKeys.keep(id, own);
    }
    return same;
  }

  /** It is used without asking the store, unless it ends or is renamed by a save under way. */
  private @Nullable LiveSession served(LiveSession cached, String id, SessionKey key) {
    nearCache.hit();
    if (cached.awaitSave() && !isStill(cached, key)) {
      return load(id, key);
    }
    cached.openedUnasked();
    cached.accessed(clock.millis());
    return cached;
  }

  private @Nullable LiveSession reopen(LiveSession cached, String id, SessionKey key) {
    if (!cached.isStored()) {
      return load(id, key);
    }
    nearCache.refreshed();
    Answer answer = ask(cached, key);
    LoadResult result = answer.result();
    LiveSession.Question asked = answer.asked();
    if (result instanceof LoadResult.Found found) {
      return admit(id, found.session(), answer.known(), asked);
    }
    if (result instanceof LoadResult.Missing) {
      if (cached.isUnsettled() && !isOutlived(cached) && settle(cached)) {
        // It may have seemed to have expired, since the store had not heard of its use.
        result = store.load(key, SessionStore.NO_VERSION, unasked(cached));
        if (result instanceof LoadResult.Found found) {
          return admit(id, found.session(), SessionStore.NO_VERSION, asked);
        }
      }
      drop(cached, key);
      return null;
    }
    boolean waited = takeOver(cached, result, answer.known(), asked);
    return waited && !isStill(cached, key) ? load(id, key) : cached;
  }

  /**
   * What the store answered.
   *
   * @param known the version that it was asked about
   */
  private record Answer(LiveSession.Question asked, long known, LoadResult result) {}

  /**
   * Asks the store what has changed since the copy's version: or for all of it, if that is none of
   * the store's present history, or may not have been when it was answered.
   */
  private Answer ask(LiveSession copy, SessionKey key) {
    LiveSession.Question asked = question(key);
    if (copy.isOf(asked.history())) {
      // Not before: it may have become one of this history just now.
      long known = copy.knownVersion();
      LoadResult result = store.load(key, known, unasked(copy));
      if (history(key) == asked.history()) {
        return new Answer(asked, known, result);
      }
      asked = question(key);
    }
    LoadResult whole = store.load(key, SessionStore.NO_VERSION, unasked(copy));
    return new Answer(asked, SessionStore.NO_VERSION, whole);
  }

  /**
   * Goes on with this node's copy, which may be an older one.
   *
   * @throws StoreUnavailableException the one given, if that may not be
   */
  private void serveLocally(LiveSession copy, StoreUnavailableException why) {
    if (!servesLocally() || closed || copy.isGone() || isOutlived(copy) || outage.isFullFor(copy)) {
      throw why;
    }
    outage.goesOn(why);
    outage.served();
    copy.servedLocally();
    copy.accessed(clock.millis());
  }

  /**
   * Tells the store what was done here while it could not be asked.
   *
   * @return false if the session has ended
   */
  private boolean settle(LiveSession session) {
    if (!flushNow(session)) {
      return false;
    }
    if (session.isAccessUntold()) {
      if (store.save(SessionDelta.touch(session.origin(), idle(session))).isEmpty()) {
        return false;
      }
      session.contacted();
    }
    return true;
  }

  private Duration idle(LiveSession session) {
    return session.isInUse() ? Duration.ZERO : session.idle(nanos());
  }

  /** Whether it has not been used here for longer than it may be idle. */
  private boolean isOutlived(LiveSession session) {
    return !session.timeout().isNever()
        && !session.isInUse()
        && nanos() - session.lastUsedNanos() > session.maxInactiveInterval().toNanos();
  }

  /** Whether what a save has been answered meanwhile has not ended it or taken its id away. */
  private static boolean isStill(LiveSession session, SessionKey key) {
    return !session.isGone() && session.key().equals(key);
  }

  private boolean isFresh(LiveSession cached, ToLongFunction<LiveSession> seenVersion, long now) {
    if (policy.freshness() == SessionPolicy.Freshness.STRICT) {
      return false;
    }
    long seen = seenVersion.applyAsLong(cached);
    return seen != SessionStore.NO_VERSION
        && cached.isOf(history(cached.key()))
        && cached.isFresh(seen, now, tracking == null || tracking.isRefused() ? null : tracking);
  }

  private Duration unasked(LiveSession session) {
    return policy.unasked(session.timeout());
  }

  private LiveSession.Question question(SessionKey key) {
    long history = history(key);
    return new LiveSession.Question(nanos(), tracking == null ? 0 : tracking.moment(), history);
  }

  /** What the store says; and who does not hear of changes may not hear of another history. */
  private long history(SessionKey key) {
    return store.history(key) + (tracking == null ? 0 : tracking.gaps());
  }

  private long nanos() {
    return System.nanoTime() + clockOffset.get().toNanos();
  }

  private @Nullable LiveSession load(String id, SessionKey key) {
    nearCache.missed();
    LiveSession.Question asked = question(key);
    LoadResult result = store.load(key, SessionStore.NO_VERSION, policy.unasked());
    return result instanceof LoadResult.Found found
        ? admit(id, found.session(), SessionStore.NO_VERSION, asked)
        : null;
  }

  /**
   * Takes over an answer to a question that was an access, too; not that it is missing.
   *
   * @return whether it had to wait for a save of another request
   */
  private boolean takeOver(
      LiveSession session, LoadResult result, long known, LiveSession.Question asked) {
    Instant lastAccessTime;
    if (result instanceof LoadResult.Found found) {
      if (!session.refresh(found.session(), known, asked.history())) {
        LiveSession.Question again = question(session.key());
        if (store.load(session.key(), SessionStore.NO_VERSION, unasked(session))
            instanceof LoadResult.Found later) {
          boolean unused =
              session.refresh(later.session(), SessionStore.NO_VERSION, again.history());
        }
      }
      lastAccessTime = found.session().lastAccessTime();
    } else if (result instanceof LoadResult.Changed changed) {
      session.refresh(changed, asked.history());
      lastAccessTime = changed.lastAccessTime();
    } else {
      lastAccessTime = ((LoadResult.Unchanged) result).lastAccessTime();
    }
    boolean waited = session.awaitSave();
    session.confirmed(asked);
    session.accessed(clock.millis(), lastAccessTime.toEpochMilli());
    return waited;
  }

  /**
   * Brings a session up to date that something other than a request has held on to: one store call,
   * which counts as an access. None while a request is using it, which has asked already.
   *
   * <p>If another node has changed the id, this copy can no longer be loaded by it: it stays as it
   * is, and what it saves still reaches the session.
   *
   * @return false if the session has ended
   * @throws StoreUnavailableException if the store cannot be asked
   */
  public boolean refresh(LiveSession session) {
    if (!session.isStored() || session.isInUse()) {
      return true;
    }
    if (session.isGone()) {
      return false;
    }
    try {
      bringUpToDate(session, isOutlived(session) ? idle(session) : Duration.ZERO);
    } catch (StoreUnavailableException e) {
      serveLocally(session, e);
    }
    return !session.isGone();
  }

  /**
   * One that cannot be loaded by its id may have been given another one elsewhere, or have ended.
   *
   * @param idle how long ago it was last used
   */
  private void bringUpToDate(LiveSession session, Duration idle) {
    SessionKey key = session.key();
    Answer answer = ask(session, key);
    LoadResult result = answer.result();
    if (result instanceof LoadResult.Found found && !session.isOf(found.session())) {
      // It has ended, and another one has begun under its id.
      drop(session, key);
    } else if (!(result instanceof LoadResult.Missing)) {
      boolean unused = takeOver(session, result, answer.known(), answer.asked());
    } else if (store.save(SessionDelta.touch(session.origin(), idle)).isEmpty()) {
      drop(session, key);
    }
  }

  /**
   * Opens a session for one request alone: waits until nobody else has its lease, on any node. Two
   * store calls, and more while it waits.
   *
   * @param id as a client sent it, without a route suffix; untrusted
   * @param patience how long to wait
   * @return to be {@linkplain #release released} when the request is over; null if there is no such
   *     session
   * @throws SessionBusyException if it takes too long
   * @throws StoreUnavailableException if the store cannot be asked
   */
  public @Nullable SessionLease lease(String id, Duration patience) {
    SessionKey key = SessionKey.of(id);
    long holder = SessionLeases.newHolder();
    if (!leases.acquire(key, holder, patience)) {
      return null;
    }
    LiveSession session = null;
    try {
      session = open(id);
    } finally {
      if (session == null) {
        leases.giveUp(key);
      }
    }
    return session == null ? null : hold(session, holder, key);
  }

  /**
   * Keeps a session that the caller has just begun to itself. The store hears of that when it hears
   * of the session.
   */
  public SessionLease lease(LiveSession begun) {
    SessionKey key = begun.key();
    leases.enter(key, Duration.ZERO);
    return hold(begun, SessionLeases.newHolder(), key);
  }

  private SessionLease hold(LiveSession session, long holder, SessionKey queue) {
    SessionLease lease = new SessionLease(session, holder, queue);
    session.heldBy(holder);
    leases.hold(lease);
    return lease;
  }

  /**
   * Lets the next request have the session. What could not be saved under the lease never is: this
   * node's copy is dropped. Repeatable.
   */
  public void release(SessionLease lease) {
    LiveSession session = lease.session();
    session.flushLock.lock();
    try {
      boolean dropped = session.holder() == lease.holder() && session.isUnsaved();
      leases.release(lease);
      if (session.holder() == lease.holder()) {
        session.heldBy(SessionStore.NO_HOLDER);
      }
      if (dropped) {
        forget(session);
      }
    } finally {
      session.flushLock.unlock();
    }
  }

  private LiveSession admit(
      String id, SessionRecord record, long known, LiveSession.Question asked) {
    LiveSession loaded = new LiveSession(id, record, codec, policy, refusedClasses);
    loaded.madeIn(asked.history());
    loaded.usedAt(nanos());
    LiveSession present = nearCache.putIfAbsent(loaded);
    if (present != null && present.isStored() && !present.isOf(record)) {
      // The one that it is a copy of has ended, and another one has begun under this id.
      forget(present);
      present = nearCache.putIfAbsent(loaded);
    }
    LiveSession admitted = present == null ? loaded : present;
    boolean unused = takeOver(admitted, new LoadResult.Found(record), known, asked);
    return admitted;
  }

  /**
   * The store does not have it under this key. Unless another request has just renamed it, it is
   * gone.
   */
  private void drop(LiveSession session, SessionKey key) {
    session.flushLock.lock();
    try {
      if (session.key().equals(key)) {
        forget(session);
      }
    } finally {
      session.flushLock.unlock();
    }
  }

  private void forget(LiveSession session) {
    session.markGone();
    nearCache.remove(session.key(), session);
    if (outage.release(session)) {
      LOG.log(
          Level.WARNING,
          "What was changed in session "
              + session.key()
              + " while the store could not be asked is lost: the session has ended meanwhile");
    }
  }

  /** A request, or whatever else holds the session for a while, begins to use it. */
  public void beginUse(LiveSession session) {
    session.beginUse(nanos());
    if (!session.isGone()) {
      nearCache.keep(session);
    }
  }

  /** What {@link #beginUse} began is over, after its last flush. */
  public void endUse(LiveSession session) {
    session.endUse(nanos());
    nearCache.weighAfterUse(session);
    evictIfIdle(session);
    if (outage.isAnyKept() && !outage.isOn() && catchingUp.compareAndSet(false, true)) {
      try {
        outage.someKept(CATCH_UP_LIMIT).forEach(this::saveLate);
      } catch (StoreUnavailableException e) {
        LOG.log(Level.DEBUG, "The store is away again", e);
      } finally {
        catchingUp.set(false);
      }
    }
  }

  /**
   * Saves what has changed, if anything: one store call, or none. An attribute that cannot be
   * encoded, or that the store {@linkplain SessionStore#refusal refuses}, is reported in the log
   * and left out; all others are saved.
   *
   * <p>If the store cannot be asked, and the policy is {@link
   * SessionPolicy.StoreFailure#SERVE_LOCAL}, what has changed stays here until the store is back.
   *
   * @return false if the session has ended, here or elsewhere, so that nothing could be saved
   * @throws StoreUnavailableException if the store cannot be asked; what changed is kept and saved
   *     by the next flush
   * @throws SessionBusyException if the session's lease has gone to another request meanwhile: the
   *     changes are dropped, and so is this copy
   * @throws SessionException if the session is new and its id turns out to be taken
   */
  public boolean flush(LiveSession session) {
    session.flushLock.lock();
    try {
      return flushLocked(session);
    } catch (StoreUnavailableException e) {
      if (!isKept(session)) {
        throw e;
      }
      outage.goesOn(e);
      return true;
    } finally {
      session.flushLock.unlock();
    }
  }

  /** Whether what could not be saved may stay here. The caller holds the flush lock. */
  private boolean isKept(LiveSession session) {
    if (!servesLocally() || closed || session.holder() != SessionStore.NO_HOLDER) {
      return false;
    }
    if (outage.keep(session, session.bytesWithChanges())) {
      return true;
    }
    if (!session.isStored() && !outage.isKept(session)) {
      // No client has its id.
      forget(session);
    }
    return false;
  }

  /** Saves what has changed, if the store can be asked. */
  private boolean flushNow(LiveSession session) {
    session.flushLock.lock();
    try {
      return flushLocked(session);
    } finally {
      session.flushLock.unlock();
    }
  }

  private boolean flushLocked(LiveSession session) {
    LiveSession.Pending pending = null;
    try {
      if (session.isGone()) {
        return false;
      }
      pending = capture(session);
      if (session.isGone()) {
        return false;
      }
      if (session.isStored() && pending.isEmpty()) {
        if (session.isUnsaved() && !pending.doubtful()) {
          session.nothingUnsaved();
          nearCache.weighAnew(session);
        }
        return true;
      }
      if (session.isStored()) {
        return save(session, pending);
      }
      if (createInStore(session, pending)) {
        return true;
      }
      if (!isCreatedBefore(session)) {
        forget(session);
        throw new SessionException(
            "The new session " + session.key() + " cannot be created: its id is taken", null);
      }
      return flushLocked(session);
    } catch (StoreUnavailableException e) {
      session.markUnsaved();
      if (servesLocally()) {
        session.keep(pending);
      }
      if (!session.isGone()) {
        // It may have been let go of, if it is in the hands of something other than a request.
        LiveSession unused = nearCache.putIfAbsent(session);
      }
      nearCache.weighAnew(session);
      throw e;
    } catch (SessionBusyException e) {
      refusedSaves.increment();
      forget(session);
      throw e;
    } finally {
      if (!session.isUnsaved()) {
        boolean unused = outage.release(session);
      }
    }
  }

  /** Whether it is this session that has its id, by a call whose answer was lost. */
  private boolean isCreatedBefore(LiveSession session) {
    long history = history(session.key());
    if (session.isUnsaved()
        && store.load(session.key(), SessionStore.NO_VERSION) instanceof LoadResult.Found found
        && session.isOf(found.session())) {
      session.createdBefore(found.session(), history);
      return true;
    }
    return false;
  }

  /**
   * What a save has to send. A set or a removal that changes nothing in this copy may change
   * something in the store, if that was not asked before: then it is now.
   */
  private LiveSession.Pending capture(LiveSession session) {
    LiveSession.Pending pending =
        session.capture(store, !session.isOpenedUnasked() && session.isOf(history(session.key())));
    if (!pending.doubtful() || !session.isStored()) {
      return pending;
    }
    if (!session.isUnsettled() || session.isInUse()) {
      bringUpToDate(session, idle(session));
    } else if (store.save(SessionDelta.touch(session.origin(), idle(session))).isEmpty()) {
      forget(session);
    } else if (!isOutlived(session)) {
      // Not before: it would be an access, or find none, since the store had not heard of its use.
      bringUpToDate(session, idle(session));
    }
    return session.capture(store, true);
  }

  private boolean save(LiveSession session, LiveSession.Pending pending) {
    SessionDelta delta = pending.delta(session.origin(), idle(session));
    long holder = session.holder();
    SessionKey key = session.key();
    long history = history(key);
    session.beginSave();
    try {
      OptionalLong version =
          holder == SessionStore.NO_HOLDER ? store.save(delta) : store.save(delta, holder);
      if (version.isEmpty()) {
        refusedSaves.increment();
        forget(session);
        return false;
      }
      boolean told = history(key) == history;
      if (told
          && pending.history() == history
          && version.getAsLong() > pending.knownVersion() + 1) {
        lostRaces.increment();
      }
      session.saved(pending, version.getAsLong(), told ? history : LiveSession.NO_HISTORY);
      if (told || !pending.isConditional()) {
        return true;
      }
    } finally {
      session.endSave();
    }
    // The store that was asked last may not have the version over which it was to be saved.
    session.keep(pending);
    return flushLocked(session);
  }

  /** False if the id is taken. */
  private boolean createInStore(LiveSession session, LiveSession.Pending pending) {
    NewSession created =
        new NewSession(
            session.key(),
            session.creationTime(),
            pending.timeout(),
            Objects.requireNonNullElse(pending.principal(), PrincipalKey.NOBODY),
            pending.values());
    LiveSession.Question asked = question(session.key());
    if (!store.create(created)) {
      return false;
    }
    session.madeIn(asked.history());
    session.saved(pending, created.version(), asked.history());
    session.confirmed(asked);
    nearCache.weighAnew(session);
    if (session.holder() != SessionStore.NO_HOLDER) {
      // Before anybody is told the id, so nobody else can have taken it.
      var unused = store.lease(session.key(), session.holder(), SessionLeases.LEASE_TIME);
    }
    return true;
  }

  /**
   * Whether the session may have this id. Most stores keep any session under any id; see {@link
   * SessionStore#canRename}.
   *
   * @param newId a session id, without a route suffix
   */
  public boolean canRename(LiveSession session, String newId) {
    return store.canRename(session.key(), SessionKey.of(newId));
  }

  /**
   * Gives the session another id. From then on the old one opens nothing.
   *
   * @param newId a session id that nobody could guess, without a route suffix
   * @return false, and the id stays, if the session has ended or was given another id elsewhere, or
   *     the new id is taken
   * @throws IllegalArgumentException if it {@linkplain #canRename may not}
   * @throws StoreUnavailableException if the store cannot be asked
   */
  public boolean rename(LiveSession session, String newId) {
    session.flushLock.lock();
    try {
      SessionKey key = session.key();
      SessionKey newKey = SessionKey.of(newId);
      if (session.isGone() || (session.isStored() && !store.rename(key, newKey))) {
        return false;
      }
      if (session.isStored()) {
        session.rename(newId, newKey);
      } else {
        SessionKey before = session.origin();
        session.renameUnstored(newId, newKey);
        if (session.isUnsaved()) {
          // One that could not be created may have been all the same.
          removeNowOrLater(before);
        }
      }
      nearCache.put(session);
      nearCache.remove(key, session);
      return true;
    } finally {
      session.flushLock.unlock();
    }
  }

  /**
   * Ends the session.
   *
   * @return true for exactly one caller on all nodes: the one to tell the listeners
   * @throws StoreUnavailableException if the store cannot be asked; the session lives on
   */
  public boolean invalidate(LiveSession session) {
    session.flushLock.lock();
    try {
      if (session.isGone()) {
        return false;
      }
      // One that could not be created may have been all the same.
      boolean stored = session.isStored();
      boolean mine = ((stored || session.isUnsaved()) && store.remove(session.origin())) || !stored;
      boolean unused = outage.release(session);
      forget(session);
      if (mine) {
        ended.increment();
      }
      return mine;
    } finally {
      session.flushLock.unlock();
    }
  }

  /**
   * Ends sessions that have expired. Each is given to {@code onExpired} on one node only; whatever
   * that throws is logged and stops neither the end of that session nor the next.
   *
   * @param onExpired tells the listeners. The session's id is known only if this node has served
   *     it; otherwise it is the hexadecimal form of its key
   * @return how many ended
   * @throws StoreUnavailableException if the store cannot be asked
   */
  public int scavenge(Consumer<LiveSession> onExpired) {
    long begin = nanos();
    if (outage.isOn()) {
      store.ping();
      outage.over();
    }
    if (outage.isSettling()) {
      return 0;
    }
    removeUnremoved();
    int ended = 0;
    List<SessionRecord> claimed;
    do {
      long claimEnds = System.nanoTime() + CLAIM_TIME.toNanos() / 2;
      claimed = claimExpired();
      for (SessionRecord record : claimed) {
        if (System.nanoTime() - claimEnds > 0) {
          // Another node may be about to claim the rest.
          return ended;
        }
        end(record, onExpired);
        ended++;
      }
    } while (!claimed.isEmpty());
    forgetOutlived(begin);
    return ended + endNeverStored(onExpired);
  }

  private void removeNowOrLater(SessionKey origin) {
    unremoved.add(origin);
    try {
      boolean unused = store.remove(origin);
      unremoved.remove(origin);
    } catch (StoreUnavailableException e) {
      LOG.log(Level.DEBUG, "To be removed later: " + origin, e);
    }
  }

  private void removeUnremoved() {
    for (SessionKey origin : List.copyOf(unremoved)) {
      store.remove(origin);
      unremoved.remove(origin);
    }
  }

  private List<SessionRecord> claimExpired() {
    try {
      return store.claimExpired(CLAIM_LIMIT, CLAIM_TIME);
    } catch (StoreUnavailableException e) {
      if (servesLocally()) {
        // This node may have no requests to find out by.
        outage.goesOn(e);
      }
      throw e;
    }
  }

  /** Ends what has expired before it could be stored, so that no store will ever say so. */
  private int endNeverStored(Consumer<LiveSession> onExpired) {
    int ended = 0;
    for (LiveSession session : nearCache.all()) {
      if (forgetNeverStored(session)) {
        end(session, onExpired);
        ended++;
      }
    }
    return ended;
  }

  private boolean forgetNeverStored(LiveSession session) {
    if (session.isStored() || !session.isUnsaved() || !isOutlived(session)) {
      return false;
    }
    session.flushLock.lock();
    try {
      // Which may have been saved, or ended, meanwhile.
      if (session.isStored() || !session.isUnsaved() || !isOutlived(session)) {
        return false;
      }
      forget(session);
      return true;
    } finally {
      session.flushLock.unlock();
    }
  }

  /**
   * What was not used here for as long as a session lives has ended by now, or is used elsewhere;
   * in either case its copy is of no use.
   */
  private void forgetOutlived(long now) {
    for (LiveSession session : nearCache.all()) {
      Optional<Duration> life = session.timeout().timeToLive();
      if (life.isPresent()
          && now - session.lastUsedNanos() > life.get().toNanos()
          && !session.isInUse()
          && !session.isUnsaved()) {
        nearCache.remove(session.key(), session);
      }
    }
  }

  private void end(SessionRecord record, Consumer<LiveSession> onExpired) {
    LiveSession session = nearCache.get(record.key());
    if (session == null || !session.isOf(record)) {
      session = new LiveSession(record.key().hex(), record, codec, policy, refusedClasses);
    } else {
      boolean unused = session.refresh(record, session.knownVersion(), history(record.key()));
    }
    forget(session);
    end(session, onExpired);
    unremoved.add(record.origin());
    store.remove(record.origin());
    unremoved.remove(record.origin());
  }

  private void end(LiveSession session, Consumer<LiveSession> onExpired) {
    ended.increment();
    try {
      onExpired.accept(session);
    } catch (RuntimeException | Error e) {
      LOG.log(Level.WARNING, "A listener failed at the end of session " + session.key(), e);
    }
  }

  /**
   * Keeps alive the sessions that long requests are using, and saves what could not be saved when
   * its request ended, and tells the store of what was used while it could not be asked. Then lets
   * go of what nobody has used for as long as the policy keeps it. To be called every few seconds.
   *
   * @throws StoreUnavailableException if the store cannot be asked
   */
  public void maintain() {
    removeUnremoved();
    long renewAfter = policy.touchInterval().toNanos() / 2;
    for (LiveSession session : nearCache.all()) {
      if (session.isUnsettled() && (!session.isInUse() || outage.isKept(session))) {
        saveLate(session);
      } else if (session.isInUse()
          && session.isStored()
          && System.nanoTime() - session.lastStoreContactNanos()
              > Math.min(renewAfter, session.timeout().touchInterval().toNanos() / 2)) {
        OptionalLong version = store.save(SessionDelta.touch(session.origin(), Duration.ZERO));
        if (version.isPresent()) {
          session.contacted();
        }
      }
    }
    if (!outage.isOn()) {
      nearCache.all().forEach(this::evictIfIdle);
    }
    nearCache.tidy();
  }

  /** Not one that is in use, or has what nobody else has. */
  private void evictIfIdle(LiveSession session) {
    Optional<Duration> most = policy.nearCacheIdle();
    if (most.isPresent()
        && !session.mustStay()
        && nanos() - session.lastUsedNanos() >= most.get().toNanos()) {
      nearCache.evict(session);
    }
  }

  /** What fails for another reason than the store's is left for the next time. */
  private void saveLate(LiveSession session) {
    if (!session.isStored() && isOutlived(session)) {
      return; // it would live again
    }
    try {
      if (!settle(session)) {
        forget(session);
      }
      nearCache.weighAnew(session);
    } catch (StoreUnavailableException e) {
      throw e;
    } catch (RuntimeException e) {
      if (!session.isLateFailureTold()) {
        session.lateFailureTold();
        LOG.log(
            Level.WARNING,
            "What could not be saved of session "
                + session.key()
                + " when its request ended: "
                + e);
      }
    }
  }

  /**
   * The session that this key opens, for whoever does not come as its user: this node's copy if it
   * has one, as it is; else a copy that is not kept, whose id is the hexadecimal form of its key.
   * The latter is one store call, which counts as an access.
   *
   * @return null if there is no such session
   * @throws StoreUnavailableException if the store cannot be asked
   */
  public @Nullable LiveSession look(SessionKey key) {
    LiveSession cached = nearCache.get(key);
    if (cached != null) {
      return cached;
    }
    return store.load(key, SessionStore.NO_VERSION) instanceof LoadResult.Found found
        ? new LiveSession(key.hex(), found.session(), codec, policy, refusedClasses)
        : null;
  }

  /**
   * The sessions of one user, on all nodes: those whose login has been saved, 1,000 at the most.
   *
   * @param principal somebody
   * @throws UnsupportedOperationException if the store cannot say
   * @throws StoreUnavailableException if the store cannot be asked
   */
  public List<SessionKey> findByPrincipal(PrincipalKey principal) {
    return store.findByPrincipal(principal, LOOK_UP_LIMIT);
  }

  /**
   * Ends the sessions of one user, on all nodes: looks for them until it has ended all that were
   * found.
   *
   * @param principal somebody
   * @param end ends one and tells its listeners. The session's id is known only if this node has
   *     served it; otherwise it is the hexadecimal form of its key
   * @return how many
   * @throws UnsupportedOperationException if the store cannot say which they are
   * @throws StoreUnavailableException if the store cannot be asked; some may have been ended
   */
  public int endSessionsOf(PrincipalKey principal, Consumer<LiveSession> end) {
    int ended = 0;
    int inVain = 0;
    while (inVain < ROUNDS_IN_VAIN) {
      List<SessionKey> found = findByPrincipal(principal);
      if (found.isEmpty()) {
        break;
      }
      int endedBefore = ended;
      for (SessionKey key : found) {
        LiveSession session = look(key);
        if (session != null && !session.isGone() && isStoredUnder(key, session)) {
          end.accept(session);
          ended++;
        }
      }
      inVain = ended == endedBefore ? inVain + 1 : 0;
      if (found.size() < LOOK_UP_LIMIT && ended - endedBefore == found.size()) {
        // Who goes on logging in would keep this from ever coming to its end.
        break;
      }
    }
    return ended;
  }

  /**
   * Whether a session found a while ago still goes by this id; under another, it may be another
   * user's.
   */
  private boolean isStoredUnder(SessionKey key, LiveSession session) {
    return !session.isStored()
        || !(store.load(key, session.knownVersion()) instanceof LoadResult.Missing);
  }

  /** How many sessions this node has begun so far. */
  public long begun() {
    return begun.sum();
  }

  /** How many sessions this node has ended so far: each is counted on one node. */
  public long ended() {
    return ended.sum();
  }

  /** What was asked of the store so far. */
  public StoreStatistics statistics() {
    return store.statistics();
  }

  /**
   * How many saves so far came after another node's that this one had not seen. Both last, but what
   * was only seen to have changed in place yields to what the other one wrote.
   */
  public long lostRaces() {
    return lostRaces.sum();
  }

  /**
   * How many saves so far came too late: the session had ended, or its lease had gone to another
   * request. What they had to save is lost.
   */
  public long refusedSaves() {
    return refusedSaves.sum();
  }

  /** How many times so far a session was used that the store could not be asked about. */
  public long servedLocally() {
    return outage.timesServed();
  }

  /** How many sessions have changes at the moment that could not be saved yet. */
  public int unsavedSessions() {
    return (int) nearCache.all().stream().filter(LiveSession::isUnsaved).count();
  }

  /** What the near cache holds, and has done so far. */
  public NearCacheStatistics nearCacheStatistics() {
    return nearCache.statistics();
  }

  /** The sessions that this node holds at the moment: a snapshot. */
  public List<LiveSession> sessions() {
    return nearCache.all();
  }

  /** Whether something on this node is using a session, or is about to save one. */
  public boolean isInUse() {
    return nearCache.all().stream()
        .anyMatch(session -> session.isInUse() || session.isUnsaved() || !session.isStored());
  }

  /**
   * Whether nobody has a session any more, on any node.
   *
   * @throws StoreUnavailableException if the store cannot be asked
   */
  public boolean isEmpty() {
    return !isInUse() && store.isEmpty();
  }

  /** How many sessions this node holds at the moment. */
  public int size() {
    return nearCache.size();
  }

  /**
   * Lets go of the near cache. What could not be saved yet is tried once more. Repeatable. The
   * store is whoever's who opened it to close.
   */
  @Override
  public void close() {
    if (watch != null) {
      watch.run();
    }
    leases.close();
    closed = true;
    List<LiveSession> unsaved = nearCache.all().stream().filter(LiveSession::isUnsaved).toList();
    int lost = 0;
    SessionException failure = null;
    for (LiveSession session : unsaved) {
      if (failure instanceof StoreUnavailableException) {
        lost++; // each would wait for the store in vain
        continue;
      }
      try {
        boolean unused = flushNow(session);
      } catch (SessionException e) {
        lost++;
        failure = e;
      }
    }
    if (failure != null) {
      LOG.log(
          Level.WARNING,
          "Changes of " + lost + " sessions are lost at the stop: " + failure.getMessage());
    }
    nearCache.clear();
  }
}
