package io.sojourn;

import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Matcher;
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

  private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})(ms|s|m)?");

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

  /**
   * Reads a duration as options have it: {@code 2s}, {@code 1500ms}, {@code 1m}, or a number of
   * milliseconds.
   *
   * @throws IllegalArgumentException if it is none, or zero; the message is to follow the option's
   *     name
   */
  public static Duration parseDuration(String text) {
    Matcher parts = DURATION.matcher(text.strip());
    if (parts.matches()) {
      long amount = Long.parseLong(parts.group(1));
      String unit = parts.group(2);
      Duration duration =
          unit == null || unit.equals("ms")
              ? Duration.ofMillis(amount)
              : unit.equals("s") ? Duration.ofSeconds(amount) : Duration.ofMinutes(amount);
      if (!duration.isZero()) {
        return duration;
      }
    }
    throw new IllegalArgumentException(
        "has to be a duration above zero like 1s, 1500ms or, in milliseconds, 1500, not '"
            + text
            + "'");
  }

  /** Without credentials. */
  @Override
  public String toString() {
    return "StoreConfiguration[url=" + printableUrl() + ", application=" + application + "]";
  }
}
