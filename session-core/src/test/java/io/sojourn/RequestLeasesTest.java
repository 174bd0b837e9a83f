package io.sojourn;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests of one node that each want a session to themselves. */
@Timeout(60)
class RequestLeasesTest {

  private static final Duration HALF_AN_HOUR = Duration.ofMinutes(30);

  /** Longer than any test may take. */
  private static final Duration LONG = Duration.ofMinutes(5);

  private static final String ID = "leased";

  private final AtomicInteger failures = new AtomicInteger();
  private final SessionStore memory = new InMemorySessionStore();

  /** The store in memory, which fails to release as often as it is told to. */
  private final SessionStore store =
      (SessionStore)
          Proxy.newProxyInstance(
              getClass().getClassLoader(),
              new Class<?>[] {SessionStore.class},
              (proxy, method, arguments) -> {
                if (method.getName().equals("release") && failures.getAndDecrement() > 0) {
                  throw new IllegalStateException("told to fail");
                }
                return method.invoke(memory, arguments);
              });

  private final SessionRepository node =
      new SessionRepository(store, new TextCodec(), SessionPolicy.DEFAULT);

  @BeforeEach
  void begin() {
    store(ID);
  }

  private LiveSession store(String id) {
    LiveSession session = node.create(id, HALF_AN_HOUR);
    assertThat(node.flush(session)).isTrue();
    return session;
  }

  private RequestLeases request(Duration patience) {
    return new RequestLeases(node, patience);
  }

  private void assertTaken(String id) {
    assertThatThrownBy(() -> request(Duration.ZERO).open(id))
        .isInstanceOf(SessionBusyException.class);
  }

  private void assertFree(String id) {
    RequestLeases next = request(LONG);
    assertThat(next.open(id)).isNotNull();
    assertTaken(id);
    next.close();
  }

  @Test
  void aRequestHasItsSessionUntilItIsReleased() {
    RequestLeases request = request(LONG);
    LiveSession session = requireNonNull(request.open(ID));
    assertTaken(ID);
    assertThat(request.open(ID)).isSameAs(session);
    request.release();
    assertFree(ID);
    request.take(session);
    assertTaken(ID);
    request.close();
    assertFree(ID);
  }

  @Test
  void aRequestThatIsOverSharesWhatItOpens() {
    RequestLeases request = request(LONG);
    request.close();
    LiveSession session = requireNonNull(request.open(ID));
    request.take(session);
    LiveSession begun = node.create("begun", HALF_AN_HOUR);
    request.begun(begun);
    assertThat(node.flush(begun)).isTrue();
    assertFree(ID);
    assertFree("begun");
    request.close();
  }

  /** By {@code open}, and by {@code take}. */
  @Test
  void whatIsTakenWhileTheRequestEndsIsGivenBack() throws Exception {
    LiveSession session = requireNonNull(node.open(ID));
    endWhileItWaits(request -> assertThat(request.open(ID)).isSameAs(session));
    endWhileItWaits(request -> request.take(session));
  }

  private interface Step {
    void by(RequestLeases request);
  }

  private void endWhileItWaits(Step step) throws Exception {
    RequestLeases other = request(LONG);
    assertThat(other.open(ID)).isNotNull();
    RequestLeases request = request(LONG);
    AtomicReference<@Nullable Thread> thread = new AtomicReference<>();
    CompletableFuture<Void> step1 = start(thread, () -> step.by(request));
    awaitState(thread, Thread.State.TIMED_WAITING);
    AtomicReference<@Nullable Thread> second = new AtomicReference<>();
    CompletableFuture<Void> step2 = start(second, () -> step.by(request));
    awaitState(second, Thread.State.WAITING);
    // The end does not wait for them, and what comes after it waits for nobody.
    request.close();
    step.by(request);
    other.close();
    step1.get();
    step2.get();
    assertFree(ID);
  }

  private static CompletableFuture<Void> start(
      AtomicReference<@Nullable Thread> thread, Runnable work) {
    return CompletableFuture.runAsync(
        work,
        task -> {
          Thread started = new Thread(task);
          started.setDaemon(true);
          thread.set(started);
          started.start();
        });
  }

  private static void awaitState(AtomicReference<@Nullable Thread> thread, Thread.State state)
      throws InterruptedException {
    while (requireNonNull(thread.get()).getState() != state) {
      Thread.sleep(1);
    }
  }

  @Test
  void aLeaseThatCannotBeReleasedDoesNotKeepTheOthers() {
    RequestLeases request = request(LONG);
    LiveSession first = node.create("first", HALF_AN_HOUR);
    LiveSession second = node.create("second", HALF_AN_HOUR);
    request.begun(first);
    request.begun(second);
    assertThat(node.flush(first)).isTrue();
    assertThat(node.flush(second)).isTrue();
    failures.set(1);
    request.close();
    assertThat(failures).hasValue(-1);
    assertFree("second");
  }
}
