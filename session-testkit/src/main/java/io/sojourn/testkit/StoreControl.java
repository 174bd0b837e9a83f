package io.sojourn.testkit;

import java.time.Duration;
import java.util.Map;

/**
 * What a test sees of a server's store, and does to it. An MBean where the server is another
 * process. Thread-safe.
 */
public interface StoreControl {

  /**
   * Makes calls fail from now on, as if the store's server were not there.
   *
   * @param operations method names; none: all is well again
   */
  void fail(String... operations);

  /** Makes every call fail from now on. */
  void failAll();

  /** Makes calls take their time from now on, now before and now after they take effect, or not. */
  void delay(boolean yes);

  /** The calls since the last time this was asked, by method name. */
  Map<String, Integer> takeCalls();

  /** Moves the store's clock, and that of the server if it has one of its own. */
  void setClock(Duration offset);
}
