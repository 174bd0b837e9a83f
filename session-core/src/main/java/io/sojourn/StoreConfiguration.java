package io.sojourn;

import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * Which store to open, and for whom.
 *
 * @param url the store's URL, which may hold credentials
 * @param application whose sessions: applications that share a store never see each other's
 * @param options settings of the store beyond the URL, by name; a store refuses names that it does
 *     not know
 * @param clockOffset what to add to the store's clock, asked at every call: zero in production,
 *     other values let tests pass the time
 */
public record StoreConfiguration(
    String url, String application, Map<String, String> options, Supplier<Duration> clockOffset) {

  private static final Pattern USER_INFO = Pattern.compile("//[^?;]*@");
  private static final Pattern SECRET_PARAMETER =
      Pattern.compile("(?i)([?&;][^=&;]*(?:password|secret|token|pwd)[^=&;]*=)[^&;]*");

  /** Copies the map. */
  public StoreConfiguration {
    options = Map.copyOf(options);
  }

  /**
   * A store without further options.
   *
   * @param url the store's URL
   * @param application whose sessions
   */
  public static StoreConfiguration of(String url, String application) {
    return new StoreConfiguration(url, application, Map.of(), () -> Duration.ZERO);
  }

  /** What the URL begins with, up to its first colon; empty if there is none. */
  public String scheme() {
    return url.substring(0, Math.max(0, url.indexOf(':')));
  }

  /** The URL for messages, without user, password or other secrets. */
  public String printableUrl() {
    String withoutUser = USER_INFO.matcher(url).replaceAll("//***@");
    return SECRET_PARAMETER.matcher(withoutUser).replaceAll("$1***");
  }

  /** Without credentials. */
  @Override
  public String toString() {
    return "StoreConfiguration[url=" + printableUrl() + ", application=" + application + "]";
  }
}
