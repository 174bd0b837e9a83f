package io.sojourn.testkit;

import io.sojourn.SessionStore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/** A store that can be made to take its time, now before a call and now after it. Thread-safe. */
final class DelayedStore extends InterceptedStore {

  private static final long LONGEST_NANOS = 2_000_000;

  private volatile boolean delaying;

  /** Is as fast as this store until told otherwise. */
  DelayedStore(SessionStore inner) {
    super(inner);
  }

  void delay(boolean yes) {
    delaying = yes;
  }

  @Override
  void before(String operation) {
    pause();
  }

  @Override
  void after(String operation) {
    pause();
  }

  /** Mostly not at all. */
  private void pause() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    if (delaying && random.nextInt(4) == 0) {
      LockSupport.parkNanos(random.nextLong(LONGEST_NANOS));
    }
  }
}
