package io.sojourn.tomcat;

import io.sojourn.SessionException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.juli.logging.Log;

/**
 * Logs what fails for many requests at once: the first failure, and then one every ten seconds with
 * how many there were. The rest is for debugging.
 *
 * <p>Thread-safe.
 */
final class FailureLog {

  private static final long QUIET_NANOS = 10_000_000_000L;

  private final Log log;
  private final AtomicLong since = new AtomicLong();
  private final AtomicLong nextLine = new AtomicLong(System.nanoTime());

  FailureLog(Log log) {
    this.log = log;
  }

  /**
   * Notes a failure.
   *
   * @param consequence what became of it, to begin the line
   */
  void failed(String consequence, SessionException failure) {
    long count = since.incrementAndGet();
    long now = System.nanoTime();
    long next = nextLine.get();
    if (now - next >= 0 && nextLine.compareAndSet(next, now + QUIET_NANOS)) {
      since.addAndGet(-count);
      String more =
          count == 1
              ? ""
              : " (" + count + " failures since the last such line, of which this is one)";
      log.warn(consequence + more + ": " + failure.getMessage());
    } else if (log.isDebugEnabled()) {
      log.debug(consequence + ": " + failure.getMessage(), failure);
    }
  }
}
