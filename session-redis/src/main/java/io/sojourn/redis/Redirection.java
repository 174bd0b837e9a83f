package io.sojourn.redis;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A node of a cluster says that another one has the keys. Nothing was run. */
final class Redirection extends RuntimeException {

  private static final long serialVersionUID = 1;

  private static final Pattern ANSWER =
      Pattern.compile("(?<kind>MOVED|ASK) [0-9]{1,5} (?<host>\\S*):(?<port>[0-9]{1,5})");

  private final boolean once;
  private final String host;
  private final int port;

  private Redirection(Matcher answer, Throwable cause) {
    super(answer.group(), cause);
    this.once = answer.group("kind").equals("ASK");
    this.host = answer.group("host");
    this.port = Integer.parseInt(answer.group("port"));
  }

  /** What a server's error says; empty if it is about something else. */
  static Optional<Redirection> in(Throwable error) {
    Matcher answer = ANSWER.matcher(String.valueOf(error.getMessage()));
    return answer.matches() ? Optional.of(new Redirection(answer, error)) : Optional.empty();
  }

  /** Whether only this call is meant: the keys are on their way, and the next may be here still. */
  boolean isOnce() {
    return once;
  }

  /**
   * Who has the keys.
   *
   * @param from who says so; it names itself by no host
   */
  RedisAddress target(RedisAddress from) {
    return new RedisAddress(host.isEmpty() ? from.host() : host, port);
  }
}
