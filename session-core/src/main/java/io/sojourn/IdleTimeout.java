package io.sojourn;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * How long a session lives without a request, and how exactly a store has to know of its requests.
 *
 * <p>Writing the time of last access at every request would make a write of each read. So a store
 * renews it only when what it holds is older than the touch interval, and lets the session live for
 * that much longer than its max inactive interval: no session ends too early, and none ends later
 * than one touch interval too late.
 *
 * @param maxInactiveInterval idle time allowed, in whole milliseconds; zero or less means that the
 *     session never expires
 * @param touchInterval how far the stored time of last access may lag behind; zero or more
 */
public record IdleTimeout(Duration maxInactiveInterval, Duration touchInterval) {

  /** A session that never expires by itself. */
  public static final IdleTimeout NEVER = new IdleTimeout(Duration.ZERO, Duration.ZERO);

  /**
   * Checks the parts.
   *
   * @throws IllegalArgumentException if the touch interval is negative
   */
  public IdleTimeout {
    if (touchInterval.isNegative()) {
      throw new IllegalArgumentException("touchInterval must not be negative: " + touchInterval);
    }
  }

  /**
   * The timeout for this max inactive interval, with the touch interval kept to a quarter of it.
   *
   * @param maxInactiveInterval idle time allowed; zero or less means never
   * @param touchInterval the touch interval wished for
   */
  public static IdleTimeout of(Duration maxInactiveInterval, Duration touchInterval) {
    if (maxInactiveInterval.isNegative() || maxInactiveInterval.isZero()) {
      return new IdleTimeout(maxInactiveInterval, touchInterval);
    }
    Duration quarter = Duration.ofMillis(maxInactiveInterval.toMillis() / 4);
    return new IdleTimeout(
        maxInactiveInterval, touchInterval.compareTo(quarter) < 0 ? touchInterval : quarter);
  }

  /** Whether the session never expires by itself. */
  public boolean isNever() {
    return maxInactiveInterval.isNegative() || maxInactiveInterval.isZero();
  }

  /**
   * How long a store keeps the session after the last access that it knows of; empty if for ever.
   */
  public Optional<Duration> timeToLive() {
    return isNever() ? Optional.empty() : Optional.of(maxInactiveInterval.plus(touchInterval));
  }

  /**
   * When a session last accessed at this time expires; empty if never.
   *
   * @param lastAccessTime the last access that the store knows of
   */
  public Optional<Instant> expiry(Instant lastAccessTime) {
    return timeToLive().map(lastAccessTime::plus);
  }
}
