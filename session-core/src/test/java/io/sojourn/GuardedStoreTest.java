package io.sojourn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A store that hangs, and how many find out. */
@Tag("G4")
class GuardedStoreTest {

  private static final SessionKey KEY = SessionKey.of("any");

  private final Semaphore asked = new Semaphore(0);
  private volatile CountDownLatch gate = new CountDownLatch(0);
  private volatile boolean down;

  /** The time that calls take, which passes when a test says so. */
  private final AtomicLong nanos = new AtomicLong();

  private final GuardedStore store = guarded(Duration.ZERO, () -> {});

  private GuardedStore guarded(Duration pause, Runnable onAnswer) {
    return new GuardedStore(hanging(new InMemorySessionStore()), pause, onAnswer, nanos::get);
  }

  private void pass(int millis) {
    nanos.addAndGet(Duration.ofMillis(millis).toNanos());
  }

  /** Waits at the gate, then fails if the store is down. */
  private SessionStore hanging(SessionStore inner) {
    return (SessionStore)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {SessionStore.class},
            (proxy, method, arguments) -> {
              CountDownLatch own = gate;
              asked.release();
              own.await();
              if (down) {
                throw new StoreUnavailableException("down", null);
              }
              return method.invoke(inner, arguments);
            });
  }

  private LoadResult load() {
    return store.load(KEY, SessionStore.NO_VERSION);
  }

  private List<CompletableFuture<LoadResult>> loadLater(int count) {
    List<CompletableFuture<LoadResult>> loads = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      CompletableFuture<LoadResult> load = new CompletableFuture<>();
      Thread thread = new Thread(() -> load.completeAsync(this::load, Runnable::run));
      thread.start();
      loads.add(load);
    }
    return loads;
  }

  @Test
  void aStoreThatHangsIsNotAskedByMoreRequests() throws Exception {
    load();
    pass(1);
    gate = new CountDownLatch(1);
    asked.drainPermits();
    List<CompletableFuture<LoadResult>> waiting = loadLater(3);
    asked.acquire(3);
    pass(1100);
    assertThatThrownBy(this::load).isInstanceOf(StoreUnavailableException.class);
    assertThat(asked.availablePermits()).isZero();
    gate.countDown();
    waiting.forEach(load -> assertThat(load.join()).isInstanceOf(LoadResult.Missing.class));
    assertThat(load()).isInstanceOf(LoadResult.Missing.class);
  }

  @Test
  void oneSlowRequestKeepsNobodyFromTheStore() throws Exception {
    load();
    pass(1);
    CountDownLatch slow = new CountDownLatch(1);
    gate = slow;
    asked.drainPermits();
    List<CompletableFuture<LoadResult>> waiting = loadLater(1);
    asked.acquire();
    gate = new CountDownLatch(0);
    pass(1100);
    assertThat(load()).isInstanceOf(LoadResult.Missing.class);
    slow.countDown();
    assertThat(waiting.get(0).join()).isInstanceOf(LoadResult.Missing.class);
  }

  @Test
  void afterAFailureThatTookLongOneRequestAtATimeAsks() throws Exception {
    down = true;
    gate = new CountDownLatch(1);
    List<CompletableFuture<LoadResult>> first = loadLater(1);
    asked.acquire();
    pass(500);
    gate.countDown();
    assertThatThrownBy(first.get(0)::join).hasRootCauseInstanceOf(StoreUnavailableException.class);

    gate = new CountDownLatch(1);
    List<CompletableFuture<LoadResult>> probe = loadLater(1);
    asked.acquire();
    assertThatThrownBy(this::load).isInstanceOf(StoreUnavailableException.class);
    assertThat(asked.availablePermits()).isZero();
    down = false;
    gate.countDown();
    assertThat(probe.get(0).join()).isInstanceOf(LoadResult.Missing.class);
    assertThat(load()).isInstanceOf(LoadResult.Missing.class);
  }

  /** As a large save does whose host has vanished, until TCP gives up. */
  @Test
  void oneThatIsStuckKeepsNobodyFromFindingThatTheStoreIsBack() throws Exception {
    load();
    CountDownLatch stuck = new CountDownLatch(1);
    gate = stuck;
    asked.drainPermits();
    List<CompletableFuture<LoadResult>> save = loadLater(1);
    asked.acquire();
    down = true;
    gate = new CountDownLatch(1);
    List<CompletableFuture<LoadResult>> second = loadLater(1);
    asked.acquire();
    pass(300);
    gate.countDown();
    assertThatThrownBy(second.get(0)::join).hasRootCauseInstanceOf(StoreUnavailableException.class);
    assertThatThrownBy(this::load).hasMessageContaining("does not answer");

    down = false;
    assertThatThrownBy(this::load).hasMessageContaining("does not answer");
    pass(1000);
    assertThat(load()).isInstanceOf(LoadResult.Missing.class);
    assertThat(save.get(0)).isNotDone();
    stuck.countDown();
    assertThat(save.get(0).join()).isInstanceOf(LoadResult.Missing.class);
  }

  @Test
  void failuresThatComeAtOnceHoldNobodyUp() {
    down = true;
    for (int i = 1; i <= 3; i++) {
      assertThatThrownBy(this::load).hasMessage("down");
      assertThat(asked.availablePermits()).isEqualTo(i);
    }
  }

  @Test
  void aSilentStoreIsNotAskedForAPauseWhereFailingCostsNobodyAnAnswer() throws Exception {
    List<String> answers = new ArrayList<>();
    GuardedStore pausing = guarded(Duration.ofSeconds(1), () -> answers.add("yes"));
    down = true;
    gate = new CountDownLatch(1);
    CompletableFuture<LoadResult> first = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () ->
                first.completeAsync(
                    () -> pausing.load(KEY, SessionStore.NO_VERSION), Runnable::run));
    thread.start();
    asked.acquire();
    pass(300);
    gate.countDown();
    assertThatThrownBy(first::join).hasRootCauseInstanceOf(StoreUnavailableException.class);
    asked.drainPermits();
    down = false;
    assertThatThrownBy(() -> pausing.load(KEY, SessionStore.NO_VERSION))
        .isInstanceOf(StoreUnavailableException.class);
    assertThat(asked.availablePermits()).isZero();
    assertThat(answers).isEmpty();
    pass(1100);
    assertThat(pausing.load(KEY, SessionStore.NO_VERSION)).isInstanceOf(LoadResult.Missing.class);
    assertThat(answers).isNotEmpty();
  }
}
