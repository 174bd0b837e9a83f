package io.sojourn.jetty;

import io.sojourn.SessionPolicy;
import io.sojourn.settings.SessionSettings;
import java.time.Duration;
import java.util.Map;
import org.eclipse.jetty.session.SessionCache;

/**
 * What Jetty's own session caches have their users set. What they cannot have otherwise here than
 * it is, is refused.
 *
 * <p>To be configured by one thread; its values may be read by any.
 */
final class CacheSettings {

  /** How a text says yes or no. */
  private enum Answer {
    TRUE,
    FALSE
  }

  private volatile int evictionPolicy = SessionCache.NEVER_EVICT;
  private volatile boolean saveOnInactiveEviction;
  private volatile boolean saveOnCreate;

  /**
   * As they are set as text.
   *
   * @param texts by the names that Jetty has for them; those that are not there are as by default
   * @throws IllegalArgumentException if one makes no sense; the message names it
   */
  static CacheSettings of(Map<String, String> texts) {
    CacheSettings settings = new CacheSettings();
    texts.forEach(settings::set);
    return settings;
  }

  private void set(String name, String text) {
    switch (name) {
      case "evictionPolicy" ->
          setEvictionPolicy(SessionSettings.number(name, text, -1, Integer.MAX_VALUE));
      case "saveOnInactiveEviction" -> setSaveOnInactiveEviction(answer(name, text));
      case "saveOnCreate" -> setSaveOnCreate(answer(name, text));
      case "flushOnResponseCommit" -> require(name, answer(name, text), true);
      default -> require(name, answer(name, text), false);
    }
  }

  private static boolean answer(String name, String text) {
    return SessionSettings.choice(name, text, Answer.class) == Answer.TRUE;
  }

  /** Refuses the other value of one that has only this one. */
  static void require(String name, boolean value, boolean only) {
    if (value != only) {
      throw new IllegalArgumentException(
          name
              + "=\""
              + value
              + "\" is nothing that Sojourn's session cache can do: it is "
              + only);
    }
  }

  void setEvictionPolicy(int seconds) {
    if (seconds < SessionCache.NEVER_EVICT) {
      throw new IllegalArgumentException(
          "evictionPolicy=\"" + seconds + "\" must be -1 (never), 0 (after each request) or more");
    }
    evictionPolicy = seconds;
  }

  int evictionPolicy() {
    return evictionPolicy;
  }

  /** Either is true: nothing is left to save by then. */
  void setSaveOnInactiveEviction(boolean save) {
    saveOnInactiveEviction = save;
  }

  boolean isSaveOnInactiveEviction() {
    return saveOnInactiveEviction;
  }

  void setSaveOnCreate(boolean save) {
    saveOnCreate = save;
  }

  boolean isSaveOnCreate() {
    return saveOnCreate;
  }

  /**
   * How sessions are kept, with these settings.
   *
   * @throws IllegalArgumentException if they contradict each other; the message names them
   */
  SessionPolicy applied(SessionPolicy policy) {
    if (evictionPolicy < 0) {
      return policy;
    }
    if (evictionPolicy == 0 && policy.storeFailure() == SessionPolicy.StoreFailure.SERVE_LOCAL) {
      throw new IllegalArgumentException(
          "evictionPolicy=\"0\" does not go with onStoreFailure=\"serve-local\": no copy would be"
              + " left to serve");
    }
    return policy.withNearCacheIdle(Duration.ofSeconds(evictionPolicy));
  }
}
