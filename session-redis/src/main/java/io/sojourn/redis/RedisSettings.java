package io.sojourn.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.RedisURI;
import io.sojourn.StoreConfiguration;
import java.net.URLDecoder;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a store's URL and options say.
 *
 * @param uri where the server is, and as whom to log in
 * @param timeout how long to wait for an answer, and for a connection
 */
record RedisSettings(RedisURI uri, Duration timeout) {

  private static final String TIMEOUT = "timeout";
  private static final String DATABASE = "database";
  private static final String USERNAME = "username";
  private static final String PASSWORD = "password";
  private static final TreeSet<String> KNOWN =
      new TreeSet<>(List.of(TIMEOUT, DATABASE, USERNAME, PASSWORD));

  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(1);
  private static final int DEFAULT_PORT = 6379;
  private static final int MAX_PORT = 65_535;

  private static final Pattern URL =
      Pattern.compile(
          "(?i)(?<scheme>rediss?)://(?:(?<user>[^@/?#]*)@)?"
              + "(?<host>\\[[0-9a-f:.%]+]|[^\\s@/?#:\\[\\]]+)(?::(?<port>[0-9]{1,5}))?"
              + "(?:/(?<database>[0-9]*))?(?:\\?(?<query>[^#]*))?");
  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,5}");

  /**
   * Reads them.
   *
   * @throws IllegalArgumentException if one is wrong, or said twice and differently; the message
   *     names it, but no credentials
   */
  static RedisSettings of(StoreConfiguration configuration) {
    Matcher url = URL.matcher(configuration.url());
    if (!url.matches()) {
      // Not even the printable URL: which part of this is a password nobody can tell.
      throw new IllegalArgumentException(
          "store=\""
              + configuration.scheme()
              + ":...\": not of the form redis[s]://[[username]:password@]host[:port][/database]"
              + "[?option=value&...]. In a username or password, characters like @ : / ? # % have"
              + " to be written as %40 and so on.");
    }
    return new Reader(configuration, url).settings();
  }

  /** Says what is wrong with which store. */
  private record Reader(StoreConfiguration configuration, Matcher url) {

    RedisSettings settings() {
      Map<String, String> options = options();
      Duration timeout =
          Optional.ofNullable(options.get(TIMEOUT)).map(this::duration).orElse(DEFAULT_TIMEOUT);
      RedisURI.Builder uri =
          RedisURI.Builder.redis(host(), port())
              .withSsl(url.group("scheme").toLowerCase(Locale.ROOT).equals("rediss"))
              .withTimeout(timeout);
      Optional.ofNullable(options.get(DATABASE)).map(this::database).ifPresent(uri::withDatabase);
      String username = options.get(USERNAME);
      String password = options.get(PASSWORD);
      if (username != null && password == null) {
        throw wrong("the option 'username' needs a 'password'");
      }
      if (password != null) {
        if (username != null) {
          uri.withAuthentication(username, password.toCharArray());
        } else {
          uri.withPassword(password.toCharArray());
        }
      }
      return new RedisSettings(uri.build(), timeout);
    }

    /** All that is said in the URL or beside it; what is left empty is not said. */
    private Map<String, String> options() {
      Map<String, String> options = new TreeMap<>();
      configuration.options().forEach((name, value) -> put(options, name, value));
      String query = url.group("query");
      if (query != null && !query.isEmpty()) {
        for (String parameter : query.split("&", -1)) {
          int equals = parameter.indexOf('=');
          if (equals < 0) {
            throw wrong("what follows '?' has to be option=value, joined by '&'");
          }
          put(
              options,
              decode(parameter.substring(0, equals)),
              decode(parameter.substring(equals + 1)));
        }
      }
      String database = url.group("database");
      if (database != null) {
        put(options, DATABASE, database);
      }
      String user = url.group("user");
      if (user != null) {
        // Alone, it is a password, as redis-cli has it.
        int colon = user.indexOf(':');
        put(options, USERNAME, decode(user.substring(0, Math.max(0, colon))));
        put(options, PASSWORD, decode(user.substring(colon + 1)));
      }
      return options;
    }

    private void put(Map<String, String> options, String name, String value) {
      if (!KNOWN.contains(name)) {
        throw wrong(
            "the option '" + name + "' is not known. Known are " + String.join(", ", KNOWN));
      }
      if (value.isEmpty()) {
        return;
      }
      String before = options.putIfAbsent(name, value);
      if (before != null && !before.equals(value)) {
        throw wrong("the option '" + name + "' is given twice, with different values");
      }
    }

    private String host() {
      String host = url.group("host");
      return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    private int port() {
      String text = url.group("port");
      int port = text == null ? DEFAULT_PORT : Integer.parseInt(text);
      if (port < 1 || port > MAX_PORT) {
        throw wrong("the port has to be 1 to " + MAX_PORT);
      }
      return port;
    }

    private int database(String text) {
      if (!NUMBER.matcher(text).matches()) {
        throw wrong("the option 'database' has to be a number from 0, not '" + text + "'");
      }
      return Integer.parseInt(text);
    }

    private Duration duration(String text) {
      try {
        return StoreConfiguration.parseDuration(text);
      } catch (IllegalArgumentException e) {
        throw wrong("the option 'timeout' " + e.getMessage());
      }
    }

    private String decode(String text) {
      try {
        return URLDecoder.decode(text.replace("+", "%2B"), UTF_8);
      } catch (IllegalArgumentException e) {
        // The driver's message would show the text.
        throw wrong("a % has to be followed by two hexadecimal digits; itself it is %25");
      }
    }

    private IllegalArgumentException wrong(String what) {
      return new IllegalArgumentException(
          "store=\"" + configuration.printableUrl() + "\": " + what);
    }
  }

  /** Without credentials. */
  @Override
  public String toString() {
    return "RedisSettings[" + uri.getHost() + ":" + uri.getPort() + ", timeout=" + timeout + "]";
  }
}
