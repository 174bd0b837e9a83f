package io.sojourn.testkit;

import io.sojourn.SessionStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/** The store of one server under test. Thread-safe. */
public final class ControlledStore implements StoreControl {

  private final DelayedStore delayed;
  private final FaultyStore faulty;
  private final CountingStore counting;
  private volatile Duration clockOffset = Duration.ZERO;

  /**
   * Opens a store.
   *
   * @param opening opens it, told how far its clock is shifted
   */
  public ControlledStore(Function<Supplier<Duration>, SessionStore> opening) {
    delayed = new DelayedStore(opening.apply(this::clockOffset));
    faulty = new FaultyStore(delayed);
    counting = new CountingStore(faulty);
  }

  /** The classes to bring along to another process, beside session-core's. */
  public static List<Class<?>> classes() {
    return List.of(
        ControlledStore.class,
        StoreControl.class,
        CountingStore.class,
        DelayedStore.class,
        FaultyStore.class,
        InterceptedStore.class);
  }

  /** The store for the server. */
  public SessionStore store() {
    return counting;
  }

  /** How far the clock is shifted. */
  Duration clockOffset() {
    return clockOffset;
  }

  @Override
  public void fail(String... operations) {
    faulty.fail(operations);
  }

  @Override
  public void failAll() {
    faulty.failAll();
  }

  @Override
  public Map<String, Integer> takeCalls() {
    return counting.takeCalls();
  }

  @Override
  public void delay(boolean yes) {
    delayed.delay(yes);
  }

  @Override
  public void setClock(Duration offset) {
    clockOffset = offset;
  }
}
