package io.sojourn.testkit.server;

import java.net.URI;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The two parts of a JDBC address between which the name of a database goes.
 *
 * @param server such as {@code jdbc:mariadb://localhost:3306}
 * @param parameters all from the question mark on, user and password among them
 */
record JdbcAddress(String server, String parameters) {

  private static final Pattern JDBC_URL =
      Pattern.compile("(jdbc:([a-z]+)://[^/?]+)(?:/[^?]*)?(\\?.*)?");

  /** Returns the parts of an address, or nothing where it is not of this scheme. */
  static Optional<JdbcAddress> parse(String scheme, String jdbcUrl) {
    return Optional.of(JDBC_URL.matcher(jdbcUrl))
        .filter(parts -> parts.matches() && parts.group(2).equals(scheme))
        .map(
            parts ->
                new JdbcAddress(parts.group(1), Objects.requireNonNullElse(parts.group(3), "")));
  }

  String of(String database) {
    return server + "/" + database + parameters;
  }

  /** Returns the same server's address as the driver of another scheme takes it. */
  JdbcAddress forDriver(String scheme) {
    return new JdbcAddress("jdbc:" + scheme + server.substring(server.indexOf("://")), parameters);
  }

  URI uri() {
    return URI.create(server.substring("jdbc:".length()));
  }
}
