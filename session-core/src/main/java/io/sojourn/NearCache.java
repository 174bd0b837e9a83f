package io.sojourn;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The sessions that a node holds: those in use or with unsaved changes always, and of the others as
 * many as the bounds allow.
 *
 * <p>Thread-safe.
 */
final class NearCache {

  /*
   * A session weighs its encoded bytes, and at least its share of the bounds, so that one limit of the weight bounds both bytes
   * and number. It weighs nothing while it must stay. It is not weighed anew at each request: one that is chosen for
   * eviction while it must stay is put back, as one that weighs nothing.
   *
   * Which were used last is noted for each once a second at the most: the requests of a page come together, and to keep the order
   * costs each more than to find its session.
   */

  private static final long NOTED_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Cache<SessionKey, LiveSession> sessions;
  private final long share;
  private final LongAdder hits = new LongAdder();
  private final LongAdder refreshes = new LongAdder();
  private final LongAdder misses = new LongAdder();
  private final LongAdder evictions = new LongAdder();

  NearCache(int maxSessions, long maxBytes) {
    long number = Math.min(maxSessions, maxBytes);
    this.share = maxBytes / number;
    this.sessions =
        Caffeine.newBuilder()
            .maximumWeight(share * number)
            .weigher(this::weigh)
            // No other thread, which would have its class loader and would have to be stopped.
            .executor(Runnable::run)
            .removalListener(this::removed)
            .build();
  }

  private int weigh(SessionKey key, LiveSession session) {
    long weight = session.mustStay() ? 0 : Math.max(share, session.encodedBytes());
    return (int) Math.min(weight, Integer.MAX_VALUE);
  }

  private void removed(
      @Nullable SessionKey key, @Nullable LiveSession session, RemovalCause cause) {
    if (session != null) {
      session.nearCached(false);
    }
    if (!cause.wasEvicted() || key == null || session == null) {
      return;
    }
    if (session.mustStay()) {
      LiveSession unused = putIfAbsent(session);
      // Its last use may have ended while it was not here.
      weighAnew(session);
    } else {
      evictions.increment();
    }
  }

  @Nullable LiveSession get(SessionKey key) {
    return get(key, System.nanoTime());
  }

  /**
   * The same.
   *
   * @param now by the system's clock, or one that goes on as it does
   */
  @Nullable LiveSession get(SessionKey key, long now) {
    LiveSession session = sessions.policy().getIfPresentQuietly(key);
    if (session != null && session.isDueForNote(now, NOTED_NANOS)) {
      session = sessions.getIfPresent(key);
    }
    return session;
  }

  void put(LiveSession session) {
    session.nearCached(true);
    sessions.put(session.key(), session);
    session.doubtWeight();
  }

  /** As {@link #putIfAbsent} for one that is usually there, which takes less then. */
  void keep(LiveSession session) {
    if (!session.isNearCached()) {
      LiveSession unused = putIfAbsent(session);
    }
  }

  /** The session that is there already; null if none was. */
  @Nullable LiveSession putIfAbsent(LiveSession session) {
    session.nearCached(true);
    LiveSession present = sessions.asMap().putIfAbsent(session.key(), session);
    if (present != null && present != session) {
      session.nearCached(false);
    }
    session.doubtWeight();
    return present;
  }

  void remove(SessionKey key, LiveSession session) {
    boolean unused = sessions.asMap().remove(key, session);
  }

  /** Lets go of one that nobody has used for long enough. */
  void evict(LiveSession session) {
    if (sessions.asMap().remove(session.key(), session)) {
      removed(session.key(), session, RemovalCause.SIZE);
    }
  }

  /** A use of it is over. */
  void weighAfterUse(LiveSession session) {
    if (session.isWeightDoubtful()) {
      weighAnew(session);
    }
  }

  /** Its size has changed, or it need not stay any more. */
  void weighAnew(LiveSession session) {
    do {
      session.trustWeight();
      SessionKey key = session.key();
      OptionalInt present = weightOf(key);
      while (present.isPresent()
          && present.getAsInt() != weigh(key, session)
          && sessions.asMap().replace(key, session, session)) {
        // Whoever weighed it at the same time may have come later, with what held before.
        present = weightOf(key);
      }
      if (!session.mustStay()) {
        return;
      }
      // As nothing, until the use ends that it is in: or has ended since.
      session.doubtWeight();
    } while (!session.mustStay());
  }

  private OptionalInt weightOf(SessionKey key) {
    return sessions.policy().eviction().orElseThrow().weightOf(key);
  }

  /** Brings it within its bounds if what came last has not: an unused cache would wait for use. */
  void tidy() {
    sessions.cleanUp();
  }

  /** A snapshot. */
  List<LiveSession> all() {
    return List.copyOf(sessions.asMap().values());
  }

  int size() {
    return sessions.asMap().size();
  }

  void clear() {
    sessions.invalidateAll();
  }

  void hit() {
    hits.increment();
  }

  void refreshed() {
    refreshes.increment();
  }

  void missed() {
    misses.increment();
  }

  NearCacheStatistics statistics() {
    long bytes = 0;
    for (LiveSession session : sessions.asMap().values()) {
      bytes += session.encodedBytes();
    }
    return new NearCacheStatistics(
        size(), bytes, hits.sum(), refreshes.sum(), misses.sum(), evictions.sum());
  }
}
