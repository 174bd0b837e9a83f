package io.sojourn.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.RedisCredentials;
import io.lettuce.core.RedisCredentialsProvider.ImmediateRedisCredentialsProvider;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslOptions;
import io.lettuce.core.SslVerifyMode;
import io.lettuce.core.StaticCredentialsProvider;
import io.sojourn.StoreConfiguration;
import java.io.File;
import java.io.IOException;
import java.net.URLDecoder;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a store's URL and options say.
 *
 * @param shape how the servers are arranged
 * @param addresses of the server, of the sentinels, or of some nodes of the cluster
 * @param master what the sentinels call the primary; empty without them
 * @param template as whom to log in, where, and whether by TLS; it has a host only for the sake of
 *     the driver
 * @param sentinelTemplate the same for the sentinels
 * @param ssl whom to trust, and who we are
 * @param timeout how long to wait for an answer, and for a connection
 * @param replicas how many have to have a change before it is answered
 */
record RedisSettings(
    Shape shape,
    List<RedisAddress> addresses,
    String master,
    RedisURI template,
    RedisURI sentinelTemplate,
    SslOptions ssl,
    Duration timeout,
    int replicas) {

  /** How servers are arranged, and what tells so at the end of a URL's scheme. */
  enum Shape {
    SINGLE("", 6379),
    SENTINEL("-sentinel", 26379),
    CLUSTER("-cluster", 6379);

    private final String suffix;
    private final int defaultPort;

    Shape(String suffix, int defaultPort) {
      this.suffix = suffix;
      this.defaultPort = defaultPort;
    }
  }

  private static final String TLS_SCHEME = "rediss";

  private static final String TIMEOUT = "timeout";
  private static final String DATABASE = "database";
  private static final String REPLICAS = "replicas";
  private static final String USERNAME = "username";
  private static final String PASSWORD = "password";
  private static final String LOGIN = "login";
  private static final String CLIENT_NAME = "clientName";
  private static final String SENTINEL_USERNAME = "sentinelUsername";
  private static final String SENTINEL_PASSWORD = "sentinelPassword";
  private static final String TRUST_STORE = "trustStore";
  private static final String TRUST_STORE_PASSWORD = "trustStorePassword";
  private static final String KEY_STORE = "keyStore";
  private static final String KEY_STORE_PASSWORD = "keyStorePassword";
  private static final String VERIFY = "verify";
  private static final TreeSet<String> OF_TLS =
      new TreeSet<>(
          List.of(TRUST_STORE, TRUST_STORE_PASSWORD, KEY_STORE, KEY_STORE_PASSWORD, VERIFY));
  private static final TreeSet<String> KNOWN =
      new TreeSet<>(List.of(TIMEOUT, REPLICAS, DATABASE, USERNAME, PASSWORD, LOGIN, CLIENT_NAME));

  private static final TreeSet<String> OF_SENTINELS =
      new TreeSet<>(List.of(SENTINEL_USERNAME, SENTINEL_PASSWORD));

  static {
    KNOWN.addAll(OF_TLS);
    KNOWN.addAll(OF_SENTINELS);
  }

  private static final Duration DEFAULT_TIMEOUT = Duration.ofMillis(800);
  private static final int MAX_PORT = 65_535;

  private static final String HOST = "(?:\\[[0-9a-f:.%]+]|[^\\s@/?#:\\[\\],]+)(?::[0-9]{1,5})?";
  private static final Pattern URL =
      Pattern.compile(
          "(?i)(?<scheme>rediss?(?:-sentinel|-cluster)?)://(?:(?<user>[^@/?#]*)@)?"
              + "(?<hosts>"
              + HOST
              + "(?:,"
              + HOST
              + ")*)(?:/(?<path>[^/?#\\s]*))?(?:\\?(?<query>[^#]*))?");
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
              + "[?option=value&...], redis[s]-sentinel://...host[:port],...[/name of the primary]"
              + " or redis[s]-cluster://...host[:port],.... In a username or password, characters"
              + " like @ : / ? # % have to be written as %40 and so on.");
    }
    return new Reader(configuration, url).settings();
  }

  boolean isCluster() {
    return shape == Shape.CLUSTER;
  }

  boolean hasSentinels() {
    return shape == Shape.SENTINEL;
  }

  /** How to connect to each of the sentinels. */
  List<RedisURI> sentinelUris() {
    return addresses.stream().map(address -> uri(sentinelTemplate, address, timeout)).toList();
  }

  /** How to connect to the server, or to the primary that the sentinels name. */
  RedisURI uri(Duration patience) {
    if (shape == Shape.SINGLE) {
      return uri(addresses.get(0), patience);
    }
    RedisURI uri = RedisURI.builder(template).withTimeout(patience).build();
    uri.setHost(null);
    uri.setSentinelMasterId(master);
    addresses.forEach(address -> uri.getSentinels().add(uri(sentinelTemplate, address, patience)));
    return uri;
  }

  /** How to connect to a server. */
  RedisURI uri(RedisAddress address, Duration patience) {
    return uri(template, address, patience);
  }

  private static RedisURI uri(RedisURI template, RedisAddress address, Duration patience) {
    return RedisURI.builder(template)
        .withHost(address.host())
        .withPort(address.port())
        .withTimeout(patience)
        .build();
  }

  /** What the option {@code login} names gives no credentials. */
  static final class NoCredentialsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NoCredentialsException(String className, RuntimeException why) {
      super("the option 'login': " + className + " failed with " + why);
      addSuppressed(why);
    }
  }

  /** Says what is wrong with which store. */
  private record Reader(StoreConfiguration configuration, Matcher url) {

    RedisSettings settings() {
      Shape shape = shape();
      boolean tls = scheme().startsWith(TLS_SCHEME);
      Map<String, String> options = options(shape);
      Duration timeout =
          Optional.ofNullable(options.get(TIMEOUT)).map(this::duration).orElse(DEFAULT_TIMEOUT);
      RedisURI template = template(options, tls, USERNAME, PASSWORD);
      Optional.ofNullable(options.get(LOGIN))
          .ifPresent(name -> template.setCredentialsProvider(provider(name, options)));
      Optional.ofNullable(options.get(DATABASE))
          .map(number -> number(DATABASE, number))
          .ifPresent(template::setDatabase);
      Optional.ofNullable(options.get(CLIENT_NAME)).ifPresent(template::setClientName);
      if (shape == Shape.CLUSTER && template.getDatabase() != 0) {
        throw wrong("a cluster has no other 'database' than 0");
      }
      if (!tls) {
        refuse(options, OF_TLS, "is for TLS: the URL has to begin with rediss");
      }
      if (shape != Shape.SENTINEL) {
        refuse(options, OF_SENTINELS, "is for sentinels: the URL has to begin with redis-sentinel");
      }
      return new RedisSettings(
          shape,
          addresses(shape),
          shape == Shape.SENTINEL ? master() : "",
          template,
          template(options, tls, SENTINEL_USERNAME, SENTINEL_PASSWORD),
          ssl(options),
          timeout,
          Optional.ofNullable(options.get(REPLICAS))
              .map(number -> number(REPLICAS, number))
              .orElse(0));
    }

    private void refuse(Map<String, String> options, Set<String> names, String why) {
      for (String name : names) {
        if (options.containsKey(name)) {
          throw wrong("the option '" + name + "' " + why);
        }
      }
    }

    private String scheme() {
      return url.group("scheme").toLowerCase(Locale.ROOT);
    }

    private Shape shape() {
      String scheme = scheme();
      return scheme.endsWith(Shape.SENTINEL.suffix)
          ? Shape.SENTINEL
          : scheme.endsWith(Shape.CLUSTER.suffix) ? Shape.CLUSTER : Shape.SINGLE;
    }

    private RedisURI template(
        Map<String, String> options, boolean tls, String usernameOption, String passwordOption) {
      String username = options.get(usernameOption);
      String password = options.get(passwordOption);
      if (username != null && password == null) {
        throw wrong("the option '" + usernameOption + "' needs a '" + passwordOption + "'");
      }
      RedisURI.Builder uri =
          RedisURI.Builder.redis("template").withSsl(tls).withVerifyPeer(verify(options));
      if (password != null) {
        uri.withAuthentication(new StaticCredentialsProvider(username, password.toCharArray()));
      }
      return uri.build();
    }

    /*
     * Immediate, as all credentials here: Lettuce 7.7 goes on with the handshake on another thread once it had to wait for some, and
     * there says that a connection is open before that takes commands.
     */
    private ImmediateRedisCredentialsProvider provider(
        String className, Map<String, String> options) {
      if (options.containsKey(USERNAME) || options.containsKey(PASSWORD)) {
        throw wrong("the option 'login' takes the place of 'username' and 'password'");
      }
      ClassLoader ofApplication = Thread.currentThread().getContextClassLoader();
      RedisLogin login;
      try {
        login =
            Class.forName(
                    className,
                    true,
                    ofApplication == null ? getClass().getClassLoader() : ofApplication)
                .asSubclass(RedisLogin.class)
                .getConstructor()
                .newInstance();
      } catch (ReflectiveOperationException | ClassCastException e) {
        throw wrong(
            "the option 'login' has to name a class that implements "
                + RedisLogin.class.getName()
                + " and has a public constructor without parameters: "
                + e);
      }
      return () -> {
        try {
          RedisLogin.Credentials credentials = login.get();
          return RedisCredentials.just(credentials.username().orElse(null), credentials.password());
        } catch (RuntimeException e) {
          throw new NoCredentialsException(className, e);
        }
      };
    }

    private SslVerifyMode verify(Map<String, String> options) {
      String text = options.getOrDefault(VERIFY, "full");
      return switch (text) {
        case "full" -> SslVerifyMode.FULL;
        case "ca" -> SslVerifyMode.CA;
        default ->
            throw wrong(
                "the option 'verify' has to be full, or ca if certificates do not name the hosts,"
                    + " not '"
                    + text
                    + "'");
      };
    }

    private SslOptions ssl(Map<String, String> options) {
      SslOptions.Builder ssl = SslOptions.builder().jdkSslProvider();
      store(options, TRUST_STORE, TRUST_STORE_PASSWORD)
          .ifPresent(file -> ssl.truststore(file, options.get(TRUST_STORE_PASSWORD)));
      store(options, KEY_STORE, KEY_STORE_PASSWORD)
          .ifPresent(
              file ->
                  ssl.keystore(file, options.getOrDefault(KEY_STORE_PASSWORD, "").toCharArray()));
      return ssl.build();
    }

    /** A file that is a key store, or nothing. */
    private Optional<File> store(
        Map<String, String> options, String option, String passwordOption) {
      String name = options.get(option);
      String password = options.get(passwordOption);
      if (name == null) {
        if (password != null) {
          throw wrong("the option '" + passwordOption + "' needs a '" + option + "'");
        }
        return Optional.empty();
      }
      File file = new File(name);
      try {
        KeyStore unused =
            KeyStore.getInstance(file, password == null ? null : password.toCharArray());
      } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
        throw wrong(
            "the option '"
                + option
                + "' has to name a PKCS12 or JKS file that '"
                + passwordOption
                + "' opens: "
                + e.getMessage());
      }
      return Optional.of(file);
    }

    /** All that is said in the URL or beside it; what is left empty is not said. */
    private Map<String, String> options(Shape shape) {
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
      String path = url.group("path");
      if (path != null && shape != Shape.SENTINEL) {
        put(options, DATABASE, path);
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

    private List<RedisAddress> addresses(Shape shape) {
      List<RedisAddress> addresses =
          Stream.of(url.group("hosts").split(",", -1)).map(host -> address(host, shape)).toList();
      if (shape == Shape.SINGLE && addresses.size() > 1) {
        throw wrong(
            "several hosts are for redis-sentinel: or redis-cluster:, where one leads to the others");
      }
      return addresses;
    }

    private RedisAddress address(String text, Shape shape) {
      int colon = text.lastIndexOf(':');
      boolean hasPort = colon > text.lastIndexOf(']');
      String host = hasPort ? text.substring(0, colon) : text;
      int port = hasPort ? Integer.parseInt(text.substring(colon + 1)) : shape.defaultPort;
      if (port < 1 || port > MAX_PORT) {
        throw wrong("the port has to be 1 to " + MAX_PORT);
      }
      return new RedisAddress(
          host.startsWith("[") ? host.substring(1, host.length() - 1) : host, port);
    }

    private String master() {
      String path = url.group("path");
      if (path == null || path.isEmpty()) {
        throw wrong(
            "after the sentinels has to come what they call the primary, like .../mymaster");
      }
      return decode(path);
    }

    private int number(String name, String text) {
      if (!NUMBER.matcher(text).matches()) {
        throw wrong("the option '" + name + "' has to be a number from 0, not '" + text + "'");
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
    return "RedisSettings[" + shape + " " + addresses + ", timeout=" + timeout + "]";
  }
}
