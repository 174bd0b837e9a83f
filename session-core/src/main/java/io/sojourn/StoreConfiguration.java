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

  /** From the scheme to the last {@code @} before any parameter. */
  private static final Pattern USER_INFO =
      Pattern.compile("^((?:[A-Za-z][A-Za-z0-9+.-]*:)+(?://)?)[^?;]+@");

  private static final String SECRET_NAME = "(?:pass|pwd|secret|token)";

  private static final Pattern SECRET_PARAMETER =
      Pattern.compile("(?i)([?&;][^=&;]*" + SECRET_NAME + "[^=&;]*=)(?:\\{[^}]*}|[^&;]*)");

  /** Where each address of several has properties of its own: {@code (host=a,password=b)}. */
  private static final Pattern SECRET_OF_AN_ADDRESS =
      Pattern.compile("(?i)(" + SECRET_NAME + "[^=&;,()]*=)[^&;,()]*");

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
    // The user last: a password may hold what ends a user.
    String printable = SECRET_PARAMETER.matcher(url).replaceAll("$1***");
    printable = SECRET_OF_AN_ADDRESS.matcher(printable).replaceAll("$1***");
    return USER_INFO.matcher(printable).replaceAll("$1***@");
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
