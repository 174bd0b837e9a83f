package io.sojourn.jetty;

import io.sojourn.SessionException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Logs what fails for many requests at once: the first failure, and then one every ten seconds with
 * how many there were. The rest is for debugging.
 *
 * <p>Thread-safe.
 */
final class FailureLog {

  private static final Logger LOG = System.getLogger(SojournSessionCache.class.getName());

  private static final long QUIET_NANOS = 10_000_000_000L;

  private final AtomicLong since = new AtomicLong();
  private final AtomicLong nextLine = new AtomicLong(System.nanoTime());

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
      LOG.log(Level.WARNING, consequence + more + ": " + failure.getMessage());
    } else {
      LOG.log(Level.DEBUG, consequence + ": " + failure.getMessage());
    }
  }
}
