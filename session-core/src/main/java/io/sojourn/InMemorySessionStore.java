package io.sojourn;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps sessions in this JVM's memory: for development, tests and reading, since it is the contract
 * in its simplest form. What it holds is gone with the JVM.
 *
 * <p>Thread-safe: one lock guards everything.
 */
public final class InMemorySessionStore implements SessionStore {

  private final Clock clock;
  private final Supplier<Duration> clockOffset;

  @GuardedBy("this")
  private final Map<SessionKey, Stored> byOrigin = new HashMap<>();

  @GuardedBy("this")
  private final Map<SessionKey, Stored> byKey = new HashMap<>();

  @GuardedBy("this")
  private boolean closed;

  /** An empty store by the system's clock. */
  public InMemorySessionStore() {
    this(() -> Duration.ZERO);
  }

  /**
   * An empty store.
   *
   * @param clockOffset what to add to the system's clock, asked at every call
   */
  public InMemorySessionStore(Supplier<Duration> clockOffset) {
    this.clock = Clock.systemUTC();
    this.clockOffset = clockOffset;
  }

  @Override
  public synchronized boolean create(NewSession session) {
    Instant now = now();
    if (byKey.containsKey(session.key()) || byOrigin.containsKey(session.key())) {
      return false;
    }
    Stored stored = new Stored(session, now);
    byOrigin.put(stored.origin, stored);
    byKey.put(stored.key, stored);
    return true;
  }

  @Override
  public synchronized LoadResult load(SessionKey key, long knownVersion, Duration unasked) {
    Instant now = now();
    Stored stored = byKey.get(key);
    if (stored == null || stored.claimedUntil != null || stored.isExpired(now)) {
      return new LoadResult.Missing();
    }
    Instant lastAccessTime = stored.lastAccessTime;
    Duration old = Duration.between(lastAccessTime, now).plus(unasked);
    if (old.compareTo(stored.timeout.touchInterval()) > 0) {
      stored.lastAccessTime = now;
    }
    if (knownVersion == stored.version) {
      return new LoadResult.Unchanged(lastAccessTime);
    }
    boolean tellable =
        knownVersion >= FIRST_VERSION
            && knownVersion < stored.version
            && stored.version - knownVersion <= REMOVAL_MARK_VERSIONS;
    return tellable
        ? stored.changesSince(knownVersion, lastAccessTime)
        : new LoadResult.Found(stored.record(lastAccessTime));
  }

  @Override
  public synchronized OptionalLong save(SessionDelta delta) {
    Instant now = now();
    Stored stored = byOrigin.get(delta.origin());
    if (stored == null || stored.claimedUntil != null) {
      return OptionalLong.empty();
    }
    Instant accessed = now.minus(delta.idle()).truncatedTo(ChronoUnit.MILLIS);
    if (accessed.isAfter(stored.lastAccessTime)) {
      stored.lastAccessTime = accessed;
    }
    if (!delta.isTouch()) {
      stored.version++;
      delta.changes().forEach(stored::apply);
      delta.timeout().ifPresent(timeout -> stored.timeout = timeout);
      delta.principal().ifPresent(principal -> stored.principal = principal);
      stored.removals.values().removeIf(v -> v < stored.version - REMOVAL_MARK_VERSIONS);
    }
    return OptionalLong.of(stored.version);
  }

  @Override
  public synchronized OptionalLong save(SessionDelta delta, long holder) {
    Stored stored = byOrigin.get(delta.origin());
    if (stored != null && stored.holder != holder) {
      throw new SessionBusyException(
          "Session " + delta.origin() + " is not saved: its lease has gone to another request",
          null);
    }
    return save(delta);
  }

  @Override
  public synchronized Lease lease(SessionKey key, long holder, Duration leaseTime) {
    Instant now = now();
    Stored stored = byKey.get(key);
    if (stored == null || stored.claimedUntil != null || stored.isExpired(now)) {
      return Lease.MISSING;
    }
    boolean othersTurn =
        stored.next != NO_HOLDER && stored.next != holder && now.isBefore(stored.nextUntil);
    if (stored.holder != holder) {
      if (othersTurn) {
        return Lease.BUSY;
      }
      if (stored.holder != NO_HOLDER && now.isBefore(stored.leaseUntil)) {
        stored.next = holder;
        stored.nextUntil = now.plus(TURN_TIME);
        return Lease.BUSY;
      }
      stored.holder = holder;
      stored.next = NO_HOLDER;
    }
    stored.leaseUntil = now.plus(leaseTime);
    return Lease.TAKEN;
  }

  @Override
  public synchronized void release(SessionKey origin, long holder) {
    now();
    Stored stored = byOrigin.get(origin);
    if (stored != null && stored.holder == holder) {
      stored.holder = NO_HOLDER;
    }
  }

  @Override
  public synchronized boolean rename(SessionKey key, SessionKey newKey) {
    Instant now = now();
    Stored stored = byKey.get(key);
    if (stored == null
        || stored.claimedUntil != null
        || stored.isExpired(now)
        || byKey.containsKey(newKey)
        || byOrigin.containsKey(newKey)) {
      return false;
    }
    byKey.remove(key);
    stored.key = newKey;
    byKey.put(newKey, stored);
    return true;
  }

  @Override
  public synchronized boolean remove(SessionKey origin) {
    now();
    Stored stored = byOrigin.remove(origin);
    if (stored == null) {
      return false;
    }
    byKey.remove(stored.key);
    return true;
  }

  @Override
  public synchronized List<SessionRecord> claimExpired(int limit, Duration claimTime) {
    Instant now = now();
    List<SessionRecord> claimed = new ArrayList<>();
    for (Stored stored : byOrigin.values()) {
      if (claimed.size() == limit) {
        break;
      }
      Instant claimedUntil = stored.claimedUntil;
      if (stored.isExpired(now) && (claimedUntil == null || !claimedUntil.isAfter(now))) {
        stored.claimedUntil = now.plus(claimTime);
        claimed.add(stored.record(stored.lastAccessTime));
      }
    }
    return claimed;
  }

  @Override
  public synchronized List<SessionKey> findByPrincipal(PrincipalKey principal, int limit) {
    Instant now = now();
    principal.requireSomebody();
    return byOrigin.values().stream()
        .filter(stored -> stored.principal.equals(principal))
        .filter(stored -> stored.claimedUntil == null && !stored.isExpired(now))
        .limit(limit)
        .map(stored -> stored.key)
        .toList();
  }

  @Override
  public synchronized boolean isEmpty() {
    now();
    return byOrigin.isEmpty();
  }

  @Override
  public synchronized void ping() {
    now();
  }

  @Override
  public synchronized void close() {
    closed = true;
    byOrigin.clear();
    byKey.clear();
  }

  @GuardedBy("this")
  private Instant now() {
    if (closed) {
      throw new StoreUnavailableException("The in-memory session store has been closed", null);
    }
    return clock.instant().plus(clockOffset.get()).truncatedTo(ChronoUnit.MILLIS);
  }

  private static final class Stored {
    final SessionKey origin;
    final Instant creationTime;
    SessionKey key;
    long version;
    Instant lastAccessTime;
    IdleTimeout timeout;
    PrincipalKey principal;
    @Nullable Instant claimedUntil;

    /** Who has the lease, and who is to have it next. */
    long holder = NO_HOLDER;

    Instant leaseUntil = Instant.MIN;
    long next = NO_HOLDER;
    Instant nextUntil = Instant.MIN;
    final Map<String, StoredAttribute> attributes = new HashMap<>();

    /** The version that removed each attribute that is not there any more. */
    final Map<String, Long> removals = new HashMap<>();

    Stored(NewSession session, Instant now) {
      origin = session.key();
      key = session.key();
      version = session.version();
      creationTime = session.creationTime().truncatedTo(ChronoUnit.MILLIS);
      lastAccessTime = now;
      timeout = session.timeout();
      principal = session.principal();
      session
          .attributes()
          .forEach((name, value) -> attributes.put(name, new StoredAttribute(value, version)));
    }

    boolean isExpired(Instant now) {
      return timeout.expiry(lastAccessTime).filter(expiry -> !expiry.isAfter(now)).isPresent();
    }

    void apply(String name, AttributeChange change) {
      if (change instanceof AttributeChange.Set set) {
        attributes.put(name, new StoredAttribute(set.value(), version));
        removals.remove(name);
      } else if (change instanceof AttributeChange.Replace replace) {
        StoredAttribute present = attributes.get(name);
        if (present != null && present.version() == replace.expectedVersion()) {
          attributes.put(name, new StoredAttribute(replace.value(), version));
        }
      } else if (attributes.remove(name) != null) {
        removals.put(name, version);
      }
    }

    LoadResult changesSince(long known, Instant lastAccessBefore) {
      Map<String, StoredAttribute> set = new HashMap<>(attributes);
      set.values().removeIf(attribute -> attribute.version() <= known);
      Map<String, Long> removed = new HashMap<>(removals);
      removed.values().removeIf(removedBy -> removedBy <= known);
      return new LoadResult.Changed(version, lastAccessBefore, timeout, set, removed);
    }

    SessionRecord record(Instant lastAccessBefore) {
      return new SessionRecord(
          key, origin, version, creationTime, lastAccessBefore, timeout, attributes);
    }
  }
}
