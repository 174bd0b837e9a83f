package io.sojourn;

import java.time.Duration;
import java.util.Optional;

/**
 * The choices a user has about how sessions are kept. Immutable.
 *
 * @param touchInterval how far the stored time of last access may lag behind; kept to a quarter of
 *     a session's max inactive interval
 * @param dirtyCheck which attributes are checked for changes when a request ends
 * @param undecodable what an attribute that this node cannot decode looks like to the application
 * @param nearCacheSize how many sessions this node keeps decoded, those in use not counted against
 *     it
 * @param nearCacheBytes how many bytes the attributes of those may take, encoded
 * @param nearCacheIdle for how long one of those is kept that nobody uses; zero: until its last
 *     request here is over; empty: as long as there is room
 * @param freshness when the store is asked whether a session has changed
 * @param maxStaleness for how long a session is used without asking the store, if {@code freshness}
 *     allows it; never longer than half the session's touch interval
 * @param storeFailure what becomes of requests while the store cannot be asked
 */
public record SessionPolicy(
    Duration touchInterval,
    DirtyCheck dirtyCheck,
    Undecodable undecodable,
    int nearCacheSize,
    long nearCacheBytes,
    Optional<Duration> nearCacheIdle,
    Freshness freshness,
    Duration maxStaleness,
    StoreFailure storeFailure) {

  /**
   * Touch interval one minute, changes found without {@code setAttribute}, 10,000 sessions and 64
   * MiB in the near cache, the store asked at each request, and nobody served without it.
   */
  public static final SessionPolicy DEFAULT =
      new SessionPolicy(
          Duration.ofMinutes(1),
          DirtyCheck.READ,
          Undecodable.FAIL,
          10_000,
          64L << 20,
          Optional.empty(),
          Freshness.STRICT,
          Duration.ofSeconds(5),
          StoreFailure.UNAVAILABLE);

  /** When the store is asked whether a session has changed. */
  public enum Freshness {
    /** At each request. */
    STRICT,
    /**
     * At a request that has seen a later version than this node has, or does not say what it has
     * seen; and when the store has not been asked for {@link SessionPolicy#maxStaleness}.
     */
    CAUSAL,
    /**
     * As {@link #CAUSAL}, and when the store has told that the session has changed, or does not
     * tell of changes at the moment. As {@link #CAUSAL} where it never does.
     */
    TRACKED
  }

  /** What becomes of requests while the store cannot be asked. */
  public enum StoreFailure {
    /** They fail: nothing is answered that is not in the store. */
    UNAVAILABLE,
    /**
     * They are served from this node's copy, if it has one, and what they change is saved when the
     * store is back. It is lost if the node ends before.
     */
    SERVE_LOCAL
  }

  /** Which attributes are checked for changes when a request ends. */
  public enum DirtyCheck {
    /**
     * Those set, and those read whose value can change: a list that was added to is saved without
     * {@code setAttribute}.
     */
    READ,
    /** Those set. An object changed in place is saved only if it is set again. */
    SET
  }

  /**
   * What an attribute that cannot be decoded looks like. Its stored bytes stay as they are either
   * way.
   */
  public enum Undecodable {
    /** Reading it throws a {@link DecodeException}. */
    FAIL,
    /** It seems not to be there; this is logged once per attribute and copy. */
    ABSENT
  }

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if a duration is negative or a bound of the near cache is less
   *     than 1
   */
  public SessionPolicy {
    if (touchInterval.isNegative()) {
      throw new IllegalArgumentException("touchInterval must not be negative: " + touchInterval);
    }
    if (nearCacheSize < 1) {
      throw new IllegalArgumentException("nearCacheSize must be 1 or more: " + nearCacheSize);
    }
    if (nearCacheBytes < 1) {
      throw new IllegalArgumentException("nearCacheBytes must be 1 or more: " + nearCacheBytes);
    }
    if (nearCacheIdle.filter(Duration::isNegative).isPresent()) {
      throw new IllegalArgumentException("nearCacheIdle must not be negative: " + nearCacheIdle);
    }
    if (maxStaleness.isNegative()) {
      throw new IllegalArgumentException("maxStaleness must not be negative: " + maxStaleness);
    }
  }

  /** These choices, and all others as in {@link #DEFAULT}. */
  public SessionPolicy(
      Duration touchInterval, DirtyCheck dirtyCheck, Undecodable undecodable, int nearCacheSize) {
    this(
        touchInterval,
        dirtyCheck,
        undecodable,
        nearCacheSize,
        DEFAULT.nearCacheBytes,
        DEFAULT.nearCacheIdle,
        DEFAULT.freshness,
        DEFAULT.maxStaleness,
        DEFAULT.storeFailure);
  }

  /**
   * The same choices, with this freshness.
   *
   * @param newMaxStaleness of no meaning if it is {@link Freshness#STRICT}
   */
  public SessionPolicy with(Freshness newFreshness, Duration newMaxStaleness) {
    return new SessionPolicy(
        touchInterval,
        dirtyCheck,
        undecodable,
        nearCacheSize,
        nearCacheBytes,
        nearCacheIdle,
        newFreshness,
        newMaxStaleness,
        storeFailure);
  }

  /** The same choices, with this one. */
  public SessionPolicy with(StoreFailure newStoreFailure) {
    return new SessionPolicy(
        touchInterval,
        dirtyCheck,
        undecodable,
        nearCacheSize,
        nearCacheBytes,
        nearCacheIdle,
        freshness,
        maxStaleness,
        newStoreFailure);
  }

  /** The same choices, but a copy that nobody uses for so long is let go of. */
  public SessionPolicy withNearCacheIdle(Duration newNearCacheIdle) {
    return new SessionPolicy(
        touchInterval,
        dirtyCheck,
        undecodable,
        nearCacheSize,
        nearCacheBytes,
        Optional.of(newNearCacheIdle),
        freshness,
        maxStaleness,
        storeFailure);
  }

  /** For how long a session with this timeout may be used without asking the store. */
  Duration unasked(IdleTimeout timeout) {
    return unasked(timeout.touchInterval());
  }

  /** For how long any session may be used at most without asking the store. */
  Duration unasked() {
    return unasked(touchInterval);
  }

  private Duration unasked(Duration touchInterval) {
    if (freshness == Freshness.STRICT) {
      return Duration.ZERO;
    }
    Duration half = Duration.ofNanos(touchInterval.toNanos() / 2);
    return maxStaleness.compareTo(half) < 0 ? maxStaleness : half;
  }
}
