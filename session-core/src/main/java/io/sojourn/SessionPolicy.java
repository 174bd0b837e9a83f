package io.sojourn;

import java.time.Duration;

/**
 * The choices a user has about how sessions are kept. Immutable.
 *
 * @param touchInterval how far the stored time of last access may lag behind; kept to a quarter of
 *     a session's max inactive interval
 * @param dirtyCheck which attributes are checked for changes when a request ends
 * @param undecodable what an attribute that this node cannot decode looks like to the application
 * @param nearCacheSize how many sessions this node keeps decoded, those in use not counted against
 *     it
 */
public record SessionPolicy(
    Duration touchInterval, DirtyCheck dirtyCheck, Undecodable undecodable, int nearCacheSize) {

  /**
   * Touch interval one minute, changes found without {@code setAttribute}, 10,000 sessions in the
   * near cache.
   */
  public static final SessionPolicy DEFAULT =
      new SessionPolicy(Duration.ofMinutes(1), DirtyCheck.READ, Undecodable.FAIL, 10_000);

  /** Which attributes are checked for changes when a request ends. */
  public enum DirtyCheck {
    /**
     * Those set, and those read whose value can change: a list that was added to is saved without
     * {@code setAttribute}.
     */
    READ,
    /** Those set. An object changed in place is saved only if it is set again. */
    SET
  }

  /**
   * What an attribute that cannot be decoded looks like. Its stored bytes stay as they are either
   * way.
   */
  public enum Undecodable {
    /** Reading it throws a {@link DecodeException}. */
    FAIL,
    /** It seems not to be there; this is logged once per attribute and copy. */
    ABSENT
  }

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if the touch interval is negative or the near cache's size is
   *     less than 1
   */
  public SessionPolicy {
    if (touchInterval.isNegative()) {
      throw new IllegalArgumentException("touchInterval must not be negative: " + touchInterval);
    }
    if (nearCacheSize < 1) {
      throw new IllegalArgumentException("nearCacheSize must be 1 or more: " + nearCacheSize);
    }
  }
}
