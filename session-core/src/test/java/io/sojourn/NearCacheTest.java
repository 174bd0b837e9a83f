package io.sojourn;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NearCacheTest {

  private static final Duration HALF_AN_HOUR = Duration.ofMinutes(30);

  private final InMemorySessionStore store = new InMemorySessionStore();

  private SessionRepository node(int sessions, long bytes) {
    return node(sessions, bytes, SessionPolicy.Freshness.STRICT);
  }

  private SessionRepository node(int sessions, long bytes, SessionPolicy.Freshness freshness) {
    SessionPolicy policy =
        new SessionPolicy(
            Duration.ofMinutes(1),
            SessionPolicy.DirtyCheck.READ,
            SessionPolicy.Undecodable.FAIL,
            sessions,
            bytes,
            Optional.empty(),
            freshness,
            Duration.ofSeconds(5),
            SessionPolicy.StoreFailure.UNAVAILABLE);
    return new SessionRepository(store, new TextCodec(), policy);
  }

  /** A session that was created, saved and let go of by a request. */
  private static LiveSession used(SessionRepository node, String id, int bytes) {
    LiveSession session = node.create(id, HALF_AN_HOUR);
    node.beginUse(session);
    session.setAttribute("text", "x".repeat(bytes));
    node.flush(session);
    node.endUse(session);
    return session;
  }

  @Test
  void itHoldsNoMoreSessionsThanItMay() {
    SessionRepository node = node(10, 1_000_000);
    for (int i = 0; i < 100; i++) {
      used(node, "s" + i, 10);
    }
    assertThat(node.size()).isEqualTo(10);
    assertThat(node.nearCacheStatistics().evictions()).isEqualTo(90);
    assertThat(node.open("s0")).as("it is in the store").isNotNull();
  }

  @Test
  void itHoldsNoMoreBytesThanItMay() {
    SessionRepository node = node(1000, 100_000);
    for (int i = 0; i < 100; i++) {
      used(node, "s" + i, 10_000);
    }
    NearCacheStatistics statistics = node.nearCacheStatistics();
    assertThat(statistics.sessions()).isBetween(5L, 10L);
    assertThat(statistics.bytes()).isBetween(50_000L, 100_000L);
  }

  @Test
  void aSessionThatHasGrownCountsForWhatItTakesNow() {
    SessionRepository node = node(1000, 100_000);
    for (int i = 0; i < 20; i++) {
      used(node, "s" + i, 10);
    }
    assertThat(node.size()).isEqualTo(20);
    for (int i = 0; i < 20; i++) {
      LiveSession session = requireNonNull(node.open("s" + i));
      node.beginUse(session);
      session.setAttribute("more", "x".repeat(20_000));
      node.flush(session);
      node.endUse(session);
    }
    assertThat(node.nearCacheStatistics().bytes()).isLessThanOrEqualTo(100_000);
  }

  @Test
  @Tag("R56")
  void aSessionInUseStaysWhateverElseComes() {
    SessionRepository node = node(2, 10_000);
    List<LiveSession> inUse = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      LiveSession session = used(node, "u" + i, 1000);
      node.beginUse(session);
      inUse.add(session);
    }
    for (int i = 0; i < 100; i++) {
      used(node, "s" + i, 1000);
    }
    for (LiveSession session : inUse) {
      assertThat(node.open(session.id())).isSameAs(session);
      node.endUse(session);
    }
    used(node, "another", 1000);
    assertThat(node.size()).isLessThanOrEqualTo(2);
  }

  @Test
  @Tag("R22")
  void aSessionThatCouldNotBeSavedStaysUntilItCan() {
    SessionRepository node = node(2, 1_000_000);
    LiveSession session = used(node, "s", 10);
    node.beginUse(session);
    session.setAttribute("text", "kept");
    store.close();
    assertThatThrownBy(() -> node.flush(session)).isInstanceOf(StoreUnavailableException.class);
    node.endUse(session);
    for (int i = 0; i < 100; i++) {
      LiveSession unused = node.create("n" + i, HALF_AN_HOUR);
    }
    assertThat(node.sessions()).contains(session);
  }

  private SessionRepository idleFor(Duration most, AtomicReference<Duration> clock) {
    return new SessionRepository(
        store, new TextCodec(), SessionPolicy.DEFAULT.withNearCacheIdle(most), clock::get);
  }

  @Test
  @Tag("R90")
  void aSessionThatNobodyUsesLeavesInItsTimeAndOneThatMustStayDoesNot() {
    AtomicReference<Duration> clock = new AtomicReference<>(Duration.ZERO);
    SessionRepository node = idleFor(Duration.ofMinutes(5), clock);
    LiveSession idle = used(node, "idle", 10);
    LiveSession inUse = used(node, "in use", 10);
    node.beginUse(inUse);
    LiveSession fresh = node.create("new", HALF_AN_HOUR);
    clock.set(Duration.ofMinutes(4));
    node.maintain();
    assertThat(node.sessions()).contains(idle, inUse, fresh);
    LiveSession late = used(node, "late", 10);
    clock.set(Duration.ofMinutes(6));
    node.maintain();
    assertThat(node.sessions()).containsExactlyInAnyOrder(inUse, fresh, late);
    assertThat(node.nearCacheStatistics().evictions()).isEqualTo(1);
    assertThat(requireNonNull(node.open("idle")).attribute("text")).isEqualTo("x".repeat(10));
  }

  @Test
  @Tag("R90")
  void whereNothingIsToOutliveItsLastRequestEachBeginsWithAWholeLoad() {
    SessionRepository node = idleFor(Duration.ZERO, new AtomicReference<>(Duration.ZERO));
    used(node, "s", 10);
    assertThat(node.size()).isZero();
    LiveSession session = requireNonNull(node.open("s"));
    node.beginUse(session);
    assertThat(node.open("s")).as("of the same time").isSameAs(session);
    node.beginUse(session);
    node.endUse(session);
    assertThat(node.sessions()).contains(session);
    session.setAttribute("text", "kept");
    store.close();
    assertThatThrownBy(() -> node.flush(session)).isInstanceOf(StoreUnavailableException.class);
    node.endUse(session);
    assertThat(node.sessions()).as("nobody else has what it has").contains(session);
    assertThat(node.nearCacheStatistics().evictions()).isEqualTo(1);
    assertThat(node.nearCacheStatistics().misses()).isEqualTo(1);
  }

  /** A cache that is far too small for what goes on at once. */
  @ParameterizedTest
  @EnumSource
  @Tag("R56")
  void nobodyMissesASessionWhileItIsEvictedAndUsedAtOnce(SessionPolicy.Freshness freshness)
      throws Exception {
    SessionRepository node = node(3, 10_000, freshness);
    useAtOnce(node);
    node.maintain();
    assertThat(node.size()).isLessThanOrEqualTo(3);
  }

  @Test
  @Tag("R56")
  @Tag("R90")
  void norWhereNothingOutlivesItsLastRequest() throws Exception {
    SessionRepository node = idleFor(Duration.ZERO, new AtomicReference<>(Duration.ZERO));
    useAtOnce(node);
    assertThat(node.size()).isZero();
  }

  private static void useAtOnce(SessionRepository node) throws Exception {
    for (int i = 0; i < 20; i++) {
      used(node, "s" + i, 100);
    }
    ExecutorService threads = Executors.newFixedThreadPool(4);
    List<Future<?>> ends = new ArrayList<>();
    for (int thread = 0; thread < 4; thread++) {
      int number = thread;
      ends.add(
          threads.submit(
              () -> {
                Random random = new Random(number);
                for (int i = 0; i < 5000; i++) {
                  String id = "s" + random.nextInt(20);
                  LiveSession session =
                      requireNonNull(node.open(id, key -> SessionStore.FIRST_VERSION));
                  node.beginUse(session);
                  assertThat(session.attribute("text")).isNotNull();
                  session.setAttribute("of" + number, Integer.toString(i));
                  assertThat(node.flush(session)).isTrue();
                  node.endUse(session);
                }
              }));
    }
    for (Future<?> end : ends) {
      Object unused = end.get();
    }
    threads.shutdown();
  }
}
