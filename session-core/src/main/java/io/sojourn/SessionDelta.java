package io.sojourn;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * What changed in a session since it was loaded or last saved.
 *
 * @param origin which session: {@link SessionRecord#origin()}
 * @param changes the attributes that changed, by name
 * @param timeout the new timeout; empty if it stays
 * @param principal who is logged in now, {@link PrincipalKey#NOBODY} if nobody is; empty if that
 *     stays
 * @param idle how long ago the session was last accessed, zero or more. A duration and not a time,
 *     since nodes' clocks disagree
 */
public record SessionDelta(
    SessionKey origin,
    Map<String, AttributeChange> changes,
    Optional<IdleTimeout> timeout,
    Optional<PrincipalKey> principal,
    Duration idle) {

  /**
   * Copies the map.
   *
   * @throws IllegalArgumentException if {@code idle} is negative
   */
  public SessionDelta {
    changes = Map.copyOf(changes);
    if (idle.isNegative()) {
      throw new IllegalArgumentException("idle must not be negative: " + idle);
    }
  }

  /**
   * A delta that says nothing of who is logged in.
   *
   * @param origin which session
   * @param changes the attributes that changed, by name
   * @param timeout the new timeout; empty if it stays
   * @param idle how long ago the session was last accessed
   * @throws IllegalArgumentException if {@code idle} is negative
   */
  public SessionDelta(
      SessionKey origin,
      Map<String, AttributeChange> changes,
      Optional<IdleTimeout> timeout,
      Duration idle) {
    this(origin, changes, timeout, Optional.empty(), idle);
  }

  /**
   * A delta that changes nothing but the time of last access.
   *
   * @param origin which session
   * @param idle how long ago it was last accessed
   */
  public static SessionDelta touch(SessionKey origin, Duration idle) {
    return new SessionDelta(origin, Map.of(), Optional.empty(), idle);
  }

  /** Whether nothing but the time of last access changes: such a save keeps the version. */
  public boolean isTouch() {
    return changes.isEmpty() && timeout.isEmpty() && principal.isEmpty();
  }
}
