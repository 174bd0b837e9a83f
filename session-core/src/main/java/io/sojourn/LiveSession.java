package io.sojourn;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A session as a container works on it: attributes that are decoded when they are first read, and
 * the memory of what changed since the last save. All requests of one node share one live session.
 *
 * <p>Thread-safe. Opening, saving, renaming and ending go through its {@link SessionRepository}.
 */
public final class LiveSession {

  /*
   * Lock order: the container's session lock, then flushLock, then stateLock, then a slot's monitor. flushLock alone is held
   * across a call of the store.
   *
   * knownVersion is the version up to which this copy has everything. A save that comes back as "one more" keeps it so; any other
   * answer means that somebody else saved in between, and the next load asks again from knownVersion. Each slot has a version of
   * its own, so answers that overtake each other do no harm: the later one stays.
   *
   * All that is true of versions of one history of the store. A copy of an older one than the store's is loaded as a whole, and goes
   * by what the store has, lower versions too; what waits here to be saved stays. Answers out of an older one are left alone.
   */

  private static final Logger LOG = System.getLogger(LiveSession.class.getName());

  /** Longer than any store lets a call take. */
  private static final Duration LONGEST_SAVE = Duration.ofSeconds(10);

  /** None of a store's, where it cannot be told which one. */
  static final long NO_HISTORY = -1;

  private enum State {
    /** Only this node knows of it. */
    NEW,
    /** The store has it. */
    STORED,
    /** It has ended: removed or expired, here or elsewhere. */
    GONE
  }

  private final SessionCodec codec;
  private final SessionPolicy policy;
  private final RefusedClasses refusedClasses;
  private final Instant creationTime;
  private final ConcurrentMap<String, AttributeSlot> slots = new ConcurrentHashMap<>();

  /** The slots that a flush has to look at. */
  private final TouchedSlots touched = new TouchedSlots();

  final ReentrantLock flushLock = new ReentrantLock();
  private final Object stateLock = new Object();

  /** Opens when the save that is under way has been answered; null if none is. */
  private volatile @Nullable CountDownLatch saving;

  private volatile String id;
  private volatile SessionKey key;
  private volatile SessionKey origin;
  private volatile State state;
  private volatile IdleTimeout timeout;
  private volatile boolean timeoutChanged;

  /** For how long it may be used without asking the store. */
  private volatile long unaskedNanos;

  /** Who is logged in since the last save; null if that has not changed. */
  private volatile @Nullable PrincipalKey newPrincipal;

  private volatile boolean unsaved;

  /** Whether it was accessed without the store's hearing of it. */
  private volatile boolean accessUntold;

  /** How many bytes the attributes take that were changed and could not be saved last. */
  private volatile int capturedBytes;

  /** Whether the log has why what it has changed could not be saved late. */
  private volatile boolean lateFailureTold;

  private volatile boolean usedSinceFlush;
  private volatile @Nullable Object attachment;

  private volatile AttributeActivation activation = AttributeActivation.NONE;
  private volatile long holder = SessionStore.NO_HOLDER;
  private volatile VersionCookies.@Nullable Tag clientTag;

  // These are written under stateLock.
  private volatile long arrivals;
  private volatile long knownVersion;

  /** The history of the store that {@link #knownVersion} is a version of. */
  private volatile long history;

  /** A later one in which this node has saved, before it had loaded the session from it. */
  private long newerHistory = NO_HISTORY;

  /** The version of that save. */
  private long newerVersion;

  /** The latest version that this node has written, which it may not have the whole of. */
  private long savedVersion;

  /** When the store was asked that has said last that {@link #knownVersion} is the current one. */
  private volatile long confirmedNanos;

  /** What the store had told of changes when it was asked. */
  private volatile long confirmedMoment;

  private volatile boolean confirmed;

  /** Whether the store was not asked when it was opened last, so that it may be an older one. */
  private volatile boolean openedUnasked;

  /** In milliseconds since 1970, as is the next one. */
  private volatile long lastAccessTime;

  private volatile long thisAccessTime;

  /** How many requests are asking the store for it. */
  private final AtomicInteger opening = new AtomicInteger();

  @GuardedBy("touched")
  private int users;

  /** How many bytes its attributes take in the store; negative if that is to be found out. */
  private volatile int encodedBytes = -1;

  private volatile boolean weightDoubtful = true;
  private volatile boolean nearCached;

  /** By the repository's clock. */
  private volatile long lastUsedNanos;

  /** When the near cache was last told that it is in use: when it came there, to begin with. */
  private volatile long notedNanos = System.nanoTime();

  private volatile long lastStoreContactNanos = System.nanoTime();

  /** A session that begins here and now. */
  LiveSession(
      String id,
      IdleTimeout timeout,
      Instant now,
      AttributeCodec codec,
      SessionPolicy policy,
      RefusedClasses refusedClasses) {
    this.refusedClasses = refusedClasses;
    this.codec = new SessionCodec(codec, () -> origin);
    this.policy = policy;
    this.id = id;
    this.key = SessionKey.of(id);
    this.origin = key;
    this.creationTime = now.truncatedTo(ChronoUnit.MILLIS);
    this.lastAccessTime = creationTime.toEpochMilli();
    this.thisAccessTime = lastAccessTime;
    this.timeout = timeout;
    this.unaskedNanos = policy.unasked(timeout).toNanos();
    this.state = State.NEW;
    this.usedSinceFlush = true;
  }

  /** A session as loaded. */
  LiveSession(
      String id,
      SessionRecord record,
      AttributeCodec codec,
      SessionPolicy policy,
      RefusedClasses refusedClasses) {
    this.refusedClasses = refusedClasses;
    this.codec = new SessionCodec(codec, () -> origin);
    this.policy = policy;
    this.id = id;
    this.key = record.key();
    this.origin = record.origin();
    this.creationTime = record.creationTime();
    this.lastAccessTime =
        Math.max(record.creationTime().toEpochMilli(), record.lastAccessTime().toEpochMilli());
    this.thisAccessTime = lastAccessTime;
    this.timeout = record.timeout();
    this.unaskedNanos = policy.unasked(timeout).toNanos();
    this.state = State.STORED;
    this.knownVersion = record.version();
    record.attributes().forEach((name, stored) -> addSlot(AttributeNames.shared(name), stored));
  }

  // ---------------------------------------------------------------- what a container asks

  /** The session id, without a route suffix. */
  public String id() {
    return id;
  }

  /** The key of its present id; also what messages call it by. */
  public SessionKey key() {
    return key;
  }

  /** When it was created, by the clock of the node that did. */
  public Instant creationTime() {
    return creationTime;
  }

  /**
   * The access before the one that is going on. Exact for accesses on this node; one on another
   * node may be missing from it for as long as the touch interval.
   */
  public Instant lastAccessTime() {
    return Instant.ofEpochMilli(lastAccessTime);
  }

  /**
   * The version that whoever looks at this copy has seen: of the attributes that are here, and of
   * those that were saved from here. 0 if it has not been stored. What is shown of a refresh that
   * is under way has its version: it is waited for.
   */
  public long seenVersion() {
    synchronized (stateLock) {
      return Math.max(knownVersion, savedVersion);
    }
  }

  /** When the latest access on this node began, or the latest one that it has heard of. */
  public Instant thisAccessTime() {
    return Instant.ofEpochMilli(thisAccessTime);
  }

  /** Idle time allowed; zero or less means never. */
  public Duration maxInactiveInterval() {
    return timeout.maxInactiveInterval();
  }

  /**
   * Sets how long it may be idle.
   *
   * @param interval zero or less means never
   */
  public void setMaxInactiveInterval(Duration interval) {
    IdleTimeout wished = IdleTimeout.of(interval, policy.touchInterval());
    synchronized (stateLock) {
      if (!wished.equals(timeout)) {
        setTimeout(wished);
        timeoutChanged = true;
        usedSinceFlush = true;
      }
    }
  }

  /**
   * Says who is logged in, for {@link SessionRepository#findByPrincipal}. Saved with what else has
   * changed, whether or not the store has it so.
   *
   * @param principal {@link PrincipalKey#NOBODY} if nobody is
   */
  public void setPrincipal(PrincipalKey principal) {
    synchronized (stateLock) {
      newPrincipal = principal;
      usedSinceFlush = true;
    }
  }

  /**
   * Whether it has ended, here or elsewhere. A request that holds it may go on using it; nothing is
   * saved any more.
   */
  public boolean isGone() {
    return state == State.GONE;
  }

  /** Whether the store knows it, or did. */
  public boolean isStored() {
    return state != State.NEW;
  }

  /**
   * An attribute; null if it is not there. The same object at every call, until another node has
   * changed it or it is set.
   *
   * @throws DecodeException if it cannot be decoded and the policy is {@link
   *     SessionPolicy.Undecodable#FAIL}
   */
  public @Nullable Object attribute(String name) {
    AttributeSlot slot = slots.get(name);
    if (slot == null) {
      return null;
    }
    try {
      Object value = active(slot);
      noteTouched(slot);
      return value;
    } catch (DecodeException e) {
      String message = "Attribute '" + name + "' of session " + key + " cannot be decoded: ";
      boolean absent = policy.undecodable() == SessionPolicy.Undecodable.ABSENT;
      if (absent || e.isRefusedClass()) {
        report(slot, message, e.getMessage(), e.isRefusedClass());
      }
      if (absent) {
        return null;
      }
      throw new DecodeException(message + e.getMessage(), e);
    }
  }

  /**
   * An attribute that a container's adapter keeps for itself and will not change in place, so that
   * reading it is no reason to check it for changes. One that cannot be decoded seems not to be
   * there, whatever the policy; this is logged once per attribute and copy.
   */
  public @Nullable Object peek(String name) {
    AttributeSlot slot = slots.get(name);
    if (slot == null) {
      return null;
    }
    try {
      return slot.peek(codec);
    } catch (DecodeException e) {
      report(
          slot,
          "Attribute '" + name + "' of session " + key + " is ignored: it cannot be decoded: ",
          e.getMessage(),
          e.isRefusedClass());
      return null;
    }
  }

  /**
   * Sets an attribute.
   *
   * @return the value it had; null if none, or none that this node can decode
   */
  public @Nullable Object setAttribute(String name, Object value) {
    while (true) {
      AttributeSlot slot = slots.computeIfAbsent(name, AttributeSlot::new);
      Object previous = previous(slot);
      if (slot.set(value, codec, activation)) {
        noteTouched(slot);
        synchronized (stateLock) {
          arrivals++;
        }
        return previous;
      }
      slots.remove(name, slot);
    }
  }

  /**
   * Removes an attribute, also one that this node cannot decode.
   *
   * @return the value it had; null if none, or none that this node can decode
   */
  public @Nullable Object removeAttribute(String name) {
    boolean anyway = openedUnasked;
    AttributeSlot slot = anyway ? slots.computeIfAbsent(name, AttributeSlot::new) : slots.get(name);
    if (slot == null) {
      return null;
    }
    Object previous = previous(slot);
    if (slot.remove(anyway)) {
      noteTouched(slot);
    }
    return previous;
  }

  /**
   * Counts what may have brought an attribute: sets, and news from the store. As long as it is the
   * same, one that was not there is not there.
   */
  public long arrivals() {
    return arrivals;
  }

  /** The names of its attributes: a snapshot. Nothing is decoded. */
  public Set<String> attributeNames() {
    Set<String> names = new LinkedHashSet<>();
    slots.forEach(
        (name, slot) -> {
          if (slot.isPresent()) {
            names.add(name);
          }
        });
    return names;
  }

  /** Whether it has an attribute of this name. Nothing is decoded. */
  public boolean hasAttribute(String name) {
    AttributeSlot slot = slots.get(name);
    return slot != null && slot.isPresent();
  }

  /**
   * Whether a flush might find something: an attribute was set, removed or handed out since the
   * last one began. False makes sure that it finds nothing, unless an object that was handed out
   * before was changed since.
   */
  public boolean isUsedSinceFlush() {
    return usedSinceFlush;
  }

  /**
   * Says that objects handed out earlier may still be changed: the next flush is to look at them.
   */
  public void expectChanges() {
    usedSinceFlush = true;
  }

  /** The object that a container's adapter keeps beside it, if any. */
  public @Nullable Object attachment() {
    return attachment;
  }

  /**
   * Keeps an object of a container's adapter for as long as this copy lives.
   *
   * @param forAttributes tells attributes that want to know when they come and go
   */
  public void attach(Object object, AttributeActivation forAttributes) {
    attachment = object;
    activation = forAttributes;
    slots.values().forEach(AttributeSlot::forgetJudgement);
  }

  /** Tells the attributes that this node has decoded, and that want to know, that it lets go. */
  public void passivate() {
    slots.values().forEach(slot -> slot.passivate(activation));
  }

  /** The start of its key; never the id or a value. */
  @Override
  public String toString() {
    return "LiveSession[" + key + ", " + state + ", version " + knownVersion + "]";
  }

  // ---------------------------------------------------------------- what its repository does

  SessionKey origin() {
    return origin;
  }

  /** What its client's cookies begin with, by one of its ids; null if nobody has asked yet. */
  VersionCookies.@Nullable Tag clientTag() {
    return clientTag;
  }

  void keepClientTag(VersionCookies.Tag tag) {
    clientTag = tag;
  }

  /** Whether it is a copy of this session, and not of another one that had this id before. */
  boolean isOf(SessionRecord record) {
    return origin.equals(record.origin()) && creationTime.equals(record.creationTime());
  }

  IdleTimeout timeout() {
    return timeout;
  }

  long knownVersion() {
    return knownVersion;
  }

  /** Who of this node has its lease, without which nothing is saved then. */
  long holder() {
    return holder;
  }

  void heldBy(long newHolder) {
    holder = newHolder;
  }

  /** Whether a save failed for want of the store, so that somebody has to try again. */
  boolean isUnsaved() {
    return unsaved;
  }

  void markUnsaved() {
    unsaved = true;
    usedSinceFlush = true;
  }

  /** What could not be saved has turned out to be needless. */
  void nothingUnsaved() {
    unsaved = false;
  }

  /** It was served while the store could not be asked: it may be an older one. */
  void servedLocally() {
    openedUnasked = true;
    accessUntold = true;
  }

  /**
   * What was changed could not be saved, and has been answered for: it stays until it is saved,
   * whatever the store has since.
   */
  void keep(@Nullable Pending pending) {
    // The save that failed may have been applied.
    openedUnasked = true;
    if (pending != null) {
      capturedBytes = pending.bytes();
      synchronized (stateLock) {
        newPrincipal = newPrincipal == null ? pending.principal : newPrincipal;
      }
      pending.captures.forEach(capture -> capture.slot().keep(capture));
    }
  }

  boolean isAccessUntold() {
    return accessUntold;
  }

  /** Whether this node did something with it that the store has not heard of. */
  boolean isUnsettled() {
    return unsaved || accessUntold;
  }

  /** Whether a failure to save it late has been logged. */
  boolean isLateFailureTold() {
    return lateFailureTold;
  }

  void lateFailureTold() {
    lateFailureTold = true;
  }

  /** How many bytes it takes with the changes that could not be saved last. */
  int bytesWithChanges() {
    return (int) Math.min((long) encodedBytes() + capturedBytes, Integer.MAX_VALUE);
  }

  /**
   * The store has turned out to have this session already: it was created by a call whose answer
   * was lost.
   */
  void createdBefore(SessionRecord record, long itsHistory) {
    state = state == State.GONE ? State.GONE : State.STORED;
    boolean unused = refresh(record, SessionStore.NO_VERSION, itsHistory);
    contacted();
  }

  void usedAt(long nanos) {
    lastUsedNanos = nanos;
  }

  /** A user begins, at this time by the repository's clock. */
  void beginUse(long now) {
    synchronized (touched) {
      users++;
    }
    lastUsedNanos = now;
  }

  /** The last user's end forgets what was handed out: nobody is left who would change it. */
  void endUse(long now) {
    lastUsedNanos = now;
    synchronized (touched) {
      if (users == 0 || --users > 0 || touched.isEmpty() || unsaved || !flushLock.tryLock()) {
        return;
      }
      try {
        // In this order: who touches one meanwhile adds it again, or is seen here.
        touched.takeAll(this::forgetHandedOut);
      } finally {
        flushLock.unlock();
      }
    }
  }

  private void forgetHandedOut(AttributeSlot slot) {
    if (slot.forgetHandedOut()) {
      slots.remove(slot.name(), slot);
    }
    noteTouched(slot);
  }

  boolean isInUse() {
    synchronized (touched) {
      return users > 0;
    }
  }

  /** Whether the near cache has not noted its use for so long. If so, it does now. */
  boolean isDueForNote(long now, long interval) {
    boolean due = now - notedNanos >= interval;
    if (due) {
      notedNanos = now;
    }
    return due;
  }

  long lastUsedNanos() {
    return lastUsedNanos;
  }

  long lastStoreContactNanos() {
    return lastStoreContactNanos;
  }

  /** How long ago its last request was; zero while one is running. */
  Duration idle(long now) {
    return isInUse() ? Duration.ZERO : Duration.ofNanos(Math.max(0, now - lastUsedNanos));
  }

  void rename(String newId, SessionKey newKey) {
    id = newId;
    key = newKey;
  }

  /** Another id before the store has heard of it. */
  void renameUnstored(String newId, SessionKey newKey) {
    origin = newKey;
    rename(newId, newKey);
  }

  /** A save is sent to the store. The caller holds the flush lock, and calls {@link #endSave}. */
  void beginSave() {
    saving = new CountDownLatch(1);
  }

  /** What the store answered has been noted. */
  void endSave() {
    CountDownLatch over = saving;
    saving = null;
    if (over != null) {
      over.countDown();
    }
  }

  /**
   * Waits for the answer to a save of another request that is under way: what the store has told
   * meanwhile may have been written over what is being saved, and is not seen here before that is
   * known. Not for ever: it is only about what is seen.
   *
   * @return whether there was something to wait for
   */
  boolean awaitSave() {
    CountDownLatch over = saving;
    if (over == null || flushLock.isHeldByCurrentThread()) {
      return false;
    }
    try {
      boolean unused = over.await(LONGEST_SAVE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return true;
  }

  /** The store has confirmed that it has the session. */
  void contacted() {
    lastStoreContactNanos = System.nanoTime();
    if (accessUntold) {
      accessUntold = false;
    }
  }

  /** It was opened without asking the store. */
  void openedUnasked() {
    if (!openedUnasked) {
      openedUnasked = true;
    }
  }

  boolean isOpenedUnasked() {
    return openedUnasked;
  }

  /** The store has said that the known version is the current one. */
  void confirmed(Question question) {
    contacted();
    openedUnasked = false;
    synchronized (stateLock) {
      if (history == question.history() && (!confirmed || question.nanos() - confirmedNanos > 0)) {
        confirmedNanos = question.nanos();
        confirmedMoment = question.moment();
        confirmed = true;
      }
    }
  }

  /**
   * When the store was asked.
   *
   * @param nanos by the repository's clock
   * @param moment what the store had told of changes by then
   * @param history the history that the store went on with
   */
  record Question(long nanos, long moment, long history) {}

  /**
   * Whether it can be used without asking the store.
   *
   * @param seen the version that who wants to use it has seen
   * @param now by the repository's clock
   * @param tracking what the store has told of changes; null if that is not asked
   */
  boolean isFresh(long seen, long now, @Nullable Tracking tracking) {
    return confirmed
        && unaskedNanos > 0
        && now - confirmedNanos <= unaskedNanos
        && knownVersion >= seen
        && !isGone()
        && (tracking == null || tracking.isUnchangedSince(origin, confirmedMoment));
  }

  /** Takes note of the history that this copy is of. */
  void madeIn(long itsHistory) {
    history = itsHistory;
  }

  /**
   * Whether this is a copy of the store's present history. If not, its version does not say any
   * more which state it is of.
   */
  boolean isOf(long presentHistory) {
    return history == presentHistory;
  }

  /** A request is about to use it, and asks the store; {@link #endOpening} follows. */
  void beginOpening() {
    int unused = opening.incrementAndGet();
  }

  void endOpening() {
    int unused = opening.decrementAndGet();
  }

  /** Whether the near cache must not let go of it: nobody else has what it has, or it is in use. */
  boolean mustStay() {
    return !isStored() || unsaved || isInUse() || opening.get() > 0;
  }

  @GuardedBy("stateLock")
  private void forgetEncodedBytes() {
    encodedBytes = -1;
    weightDoubtful = true;
  }

  /** Whether it may be in the near cache by another weight than it should have. */
  boolean isWeightDoubtful() {
    return weightDoubtful;
  }

  void doubtWeight() {
    weightDoubtful = true;
  }

  void trustWeight() {
    weightDoubtful = false;
  }

  /** Whether it is in the near cache; see there. */
  boolean isNearCached() {
    return nearCached;
  }

  void nearCached(boolean isThere) {
    nearCached = isThere;
  }

  /** How many bytes its attributes take in the store. */
  int encodedBytes() {
    int bytes = encodedBytes;
    if (bytes < 0) {
      bytes = 0;
      for (AttributeSlot slot : slots.values()) {
        bytes += slot.storedBytes();
      }
      encodedBytes = bytes;
    }
    return bytes;
  }

  void markGone() {
    state = State.GONE;
  }

  /** An access begins: what was this access becomes the last one. */
  void accessed(long nowMillis) {
    accessed(nowMillis, 0);
  }

  /**
   * The same.
   *
   * @param lastKnownToStore the access before, as far as the store knows, in milliseconds since
   *     1970
   */
  void accessed(long nowMillis, long lastKnownToStore) {
    synchronized (stateLock) {
      long last = Math.max(lastAccessTime, Math.max(thisAccessTime, lastKnownToStore));
      lastAccessTime = last;
      thisAccessTime = Math.max(nowMillis, last);
    }
  }

  /** Takes over what changed since {@link #knownVersion} was asked about, in this history. */
  void refresh(LoadResult.Changed changed, long itsHistory) {
    synchronized (stateLock) {
      if (changed.version() <= knownVersion || history != itsHistory) {
        return;
      }
      takeOver(changed.timeout());
      boolean older = mayHaveBeenOlder(false);
      changed.set().forEach((name, stored) -> refresh(name, stored, false, older));
      changed.removed().forEach((name, version) -> refreshRemoved(name, version, false, older));
      knownVersion = changed.version();
      forgetEncodedBytes();
      arrivals++;
    }
  }

  /**
   * Takes over a whole session.
   *
   * @param askedVersion the version that this copy had when it asked: if the store has less, it has
   *     gone back, and so does the copy
   * @param itsHistory the history that the session was loaded from, or an older one
   * @return false if a save that this node knows of had not been done yet when the store answered
   *     out of a history that is new here: then nothing is taken over, and it is asked again
   */
  boolean refresh(SessionRecord record, long askedVersion, long itsHistory) {
    synchronized (stateLock) {
      boolean ofAnother = itsHistory > history;
      if (ofAnother && itsHistory == newerHistory && record.version() < newerVersion) {
        return false;
      }
      boolean goneBack =
          ofAnother || (record.version() < askedVersion && askedVersion == knownVersion);
      if (itsHistory < history || (record.version() <= knownVersion && !goneBack)) {
        return true;
      }
      boolean older = mayHaveBeenOlder(ofAnother);
      takeOver(record.timeout());
      record.attributes().forEach((name, stored) -> refresh(name, stored, goneBack, older));
      for (String name : slots.keySet()) {
        if (!record.attributes().containsKey(name)) {
          refreshRemoved(name, record.version(), goneBack, older);
        }
      }
      // In this order: whoever finds it to be of this history must not ask by a version of another.
      knownVersion = record.version();
      history = itsHistory;
      savedVersion = goneBack ? 0 : savedVersion;
      forgetEncodedBytes();
      arrivals++;
      return true;
    }
  }

  @GuardedBy("stateLock")
  private void takeOver(IdleTimeout incoming) {
    if (!timeoutChanged && !incoming.equals(timeout)) {
      setTimeout(incoming);
    }
  }

  @GuardedBy("stateLock")
  private void setTimeout(IdleTimeout present) {
    timeout = present;
    unaskedNanos = policy.unasked(present).toNanos();
  }

  /** Whether changes in place of what was handed out are changes whatever the store has since. */
  private boolean mayHaveBeenOlder(boolean ofAnotherHistory) {
    return (openedUnasked || ofAnotherHistory)
        && policy.dirtyCheck() == SessionPolicy.DirtyCheck.READ;
  }

  private void refresh(String name, StoredAttribute stored, boolean anyway, boolean older) {
    AttributeSlot slot = slots.get(name);
    if (slot == null) {
      slot = addSlot(AttributeNames.shared(name), stored);
    }
    if (slot != null) {
      slot.refresh(stored, anyway, older);
    }
  }

  /** The one that is there; null if none was. */
  private @Nullable AttributeSlot addSlot(String name, StoredAttribute stored) {
    return slots.putIfAbsent(name, new AttributeSlot(name, stored));
  }

  private void refreshRemoved(String name, long version, boolean anyway, boolean older) {
    AttributeSlot slot = slots.get(name);
    if (slot != null && slot.refreshRemoved(version, anyway, older)) {
      slots.remove(name, slot);
    }
  }

  /**
   * What a save has to send. The caller holds the flush lock.
   *
   * @param store what cannot be kept there is left out
   * @param current whether what looks needless by this copy is needless
   */
  Pending capture(SessionStore store, boolean current) {
    usedSinceFlush = false;
    IdleTimeout currentTimeout;
    boolean changed;
    PrincipalKey principal;
    long version;
    long itsHistory;
    synchronized (stateLock) {
      currentTimeout = timeout;
      changed = timeoutChanged;
      principal = newPrincipal;
      version = knownVersion;
      itsHistory = history;
    }
    List<AttributeSlot.Capture> captures = List.of();
    boolean doubtful = false;
    List<AttributeSlot> all = touched.all();
    for (int i = 0; i < all.size(); i++) {
      AttributeSlot slot = all.get(i);
      try {
        AttributeSlot.Capture capture =
            slot.capture(
                codec, activation, policy.dirtyCheck() == SessionPolicy.DirtyCheck.READ, current);
        if (capture == null) {
          doubtful |= !current && slot.isPending();
        } else if (isKeptBy(store, capture)) {
          captures = captures.isEmpty() ? new ArrayList<>() : captures;
          captures.add(capture);
        }
      } catch (EncodeException e) {
        reportUnsaved(slot, e.getMessage(), e.isRefusedClass());
      }
    }
    if (captures.isEmpty() && !changed && principal == null && !doubtful && isStored()) {
      return Pending.NOTHING;
    }
    return new Pending(captures, currentTimeout, changed, principal, version, itsHistory, doubtful);
  }

  /**
   * What was captured is in the store.
   *
   * @param newVersion the session's version after it
   * @param itsHistory the history that this is a version of; {@link #NO_HISTORY} if that cannot be
   *     told. If it is not this copy's, this copy is of none from then on
   */
  void saved(Pending pending, long newVersion, long itsHistory) {
    boolean begun = state == State.NEW;
    state = state == State.GONE ? State.GONE : State.STORED;
    contacted();
    unsaved = false;
    synchronized (stateLock) {
      boolean anyway = history != itsHistory;
      boolean alone =
          begun
              || (!anyway
                  && pending.history == itsHistory
                  && newVersion == pending.knownVersion + 1);
      for (AttributeSlot.Capture capture : pending.captures) {
        AttributeSlot slot = capture.slot();
        if (slot.saved(capture, newVersion, alone, anyway)) {
          slots.remove(slot.name(), slot);
        }
      }
      if (pending.timeout.equals(timeout)) {
        timeoutChanged = false;
      }
      if (Objects.equals(newPrincipal, pending.principal)) {
        newPrincipal = null;
      }
      if (anyway) {
        newerHistory = itsHistory;
        newerVersion = newVersion;
        history = NO_HISTORY;
      }
      savedVersion = Math.max(savedVersion, newVersion);
      if (alone) {
        knownVersion = Math.max(knownVersion, newVersion);
      } else {
        confirmed = false;
      }
      forgetEncodedBytes();
    }
  }

  private void noteTouched(AttributeSlot slot) {
    if (slot.isTouched()) {
      touched.add(slot);
      usedSinceFlush = true;
    }
  }

  private @Nullable Object previous(AttributeSlot slot) {
    try {
      return active(slot);
    } catch (DecodeException e) {
      return null;
    }
  }

  /**
   * The slot's value, which has been told that it is active if it wants to know: by one thread, and
   * all others wait.
   */
  private @Nullable Object active(AttributeSlot slot) {
    Object value = slot.get(codec, activation);
    while (value == AttributeSlot.UNTOLD) {
      flushLock.lock();
      try {
        slot.activate(codec, activation);
      } finally {
        flushLock.unlock();
      }
      value = slot.get(codec, activation);
    }
    return value;
  }

  private boolean isKeptBy(SessionStore store, AttributeSlot.Capture capture) {
    Optional<EncodedValue> value = capture.change().written();
    if (value.isEmpty()) {
      return true;
    }
    Optional<String> refusal = store.refusal(capture.slot().name(), value.get());
    refusal.ifPresent(why -> reportUnsaved(capture.slot(), why, false));
    return refusal.isEmpty();
  }

  private void reportUnsaved(AttributeSlot slot, @Nullable String why, boolean refusedClass) {
    String message = "' of session " + key + " is not saved, other nodes will not see it: ";
    report(slot, "Attribute '" + slot.name() + message, why, refusedClass);
  }

  /** Once for an attribute of a session, or, where its class is refused, for the class. */
  private void report(
      AttributeSlot slot, String message, @Nullable String why, boolean refusedClass) {
    if (refusedClass ? refusedClasses.isFirst(String.valueOf(why)) : slot.isFirstFailure()) {
      LOG.log(Level.WARNING, message + why);
    }
  }

  /**
   * What a save has to send.
   *
   * @param captures the attributes
   * @param timeout the timeout now
   * @param timeoutChanged whether it is to be saved
   * @param principal who is logged in; null if that is not to be saved
   * @param knownVersion the version that this copy had
   * @param history the history that it was a version of
   * @param doubtful whether something was left out that is needless only if this copy is current
   */
  record Pending(
      List<AttributeSlot.Capture> captures,
      IdleTimeout timeout,
      boolean timeoutChanged,
      @Nullable PrincipalKey principal,
      long knownVersion,
      long history,
      boolean doubtful) {

    /** For a session that is stored. */
    static final Pending NOTHING =
        new Pending(List.of(), IdleTimeout.NEVER, false, null, 0, NO_HISTORY, false);

    /** Whether something of it is saved only over the version that was read. */
    boolean isConditional() {
      return captures.stream()
          .anyMatch(capture -> capture.change() instanceof AttributeChange.Replace);
    }

    boolean isEmpty() {
      return captures.isEmpty() && !timeoutChanged && principal == null;
    }

    int bytes() {
      int bytes = 0;
      for (AttributeSlot.Capture capture : captures) {
        bytes += capture.change().written().map(EncodedValue::size).orElse(0);
      }
      return bytes;
    }

    SessionDelta delta(SessionKey origin, Duration idle) {
      Map<String, AttributeChange> changes = new HashMap<>();
      captures.forEach(capture -> changes.put(capture.slot().name(), capture.change()));
      return new SessionDelta(
          origin,
          changes,
          timeoutChanged ? Optional.of(timeout) : Optional.empty(),
          Optional.ofNullable(principal),
          idle);
    }

    Map<String, EncodedValue> values() {
      Map<String, EncodedValue> values = new HashMap<>();
      for (AttributeSlot.Capture capture : captures) {
        if (capture.change() instanceof AttributeChange.Set set) {
          values.put(capture.slot().name(), set.value());
        }
      }
      return values;
    }
  }
}
