package io.sojourn;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * For how long a new session lives until its client comes back with it, if that is less than it may
 * be idle. What it may be from then on travels with it, as an attribute that no application sees
 * (docs/format.md). Immutable; its calls may come from several requests of a session at once.
 *
 * @param seconds at least 1
 */
public record NewSessionTimeout(int seconds) {

  /** New sessions live as long as any others. */
  public static final NewSessionTimeout NONE = new NewSessionTimeout(Integer.MAX_VALUE);

  private static final String LATER = "io.sojourn.laterTimeout";

  /** A session has just begun. */
  public void begin(LiveSession session) {
    if (seconds < Integer.MAX_VALUE) {
      limit(session, seconds(session.maxInactiveInterval()));
    }
  }

  /** The application says how many seconds a session may be idle; zero or less: any number. */
  public void set(LiveSession session, int interval) {
    if (later(session) == null) {
      session.setMaxInactiveInterval(Duration.ofSeconds(interval));
    } else {
      limit(session, interval);
    }
  }

  private void limit(LiveSession session, int interval) {
    session.setAttribute(LATER, interval);
    session.setMaxInactiveInterval(
        Duration.ofSeconds(interval > 0 ? Math.min(interval, seconds) : seconds));
  }

  /** What the application has said, or would hear if it had said nothing. */
  public static int get(LiveSession session) {
    Integer later = later(session);
    return later == null ? seconds(session.maxInactiveInterval()) : later;
  }

  /**
   * The client has come back with the session.
   *
   * @return whether that has changed it
   */
  public static boolean end(LiveSession session) {
    Integer later = later(session);
    if (later == null) {
      return false;
    }
    session.removeAttribute(LATER);
    session.setMaxInactiveInterval(Duration.ofSeconds(later));
    return true;
  }

  private static @Nullable Integer later(LiveSession session) {
    return session.peek(LATER) instanceof Integer interval ? interval : null;
  }

  private static int seconds(Duration interval) {
    return (int) interval.toSeconds();
  }
}
