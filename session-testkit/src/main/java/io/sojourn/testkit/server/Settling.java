package io.sojourn.testkit.server;

import java.time.Duration;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** Waits for servers that have to come to terms with each other. */
final class Settling {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration PAUSE = Duration.ofMillis(100);

  private Settling() {}

  /**
   * Returns the first result of an attempt, repeated as long as it throws.
   *
   * @param what what should come to be, for the message
   * @throws IllegalStateException if that takes too long; the message ends with the last failure
   */
  static <T> T await(String what, Callable<T> attempt) {
    try {
      return Awaitility.await()
          .pollInSameThread()
          .pollDelay(Duration.ZERO)
          .pollInterval(PAUSE)
          .atMost(PATIENCE)
          .ignoreExceptions()
          .until(attempt, result -> true);
    } catch (ConditionTimeoutException e) {
      String reason = e.getCause() == null ? "" : ": " + e.getCause().getMessage();
      throw new IllegalStateException(what + " took more than " + PATIENCE + reason, e);
    }
  }
}
