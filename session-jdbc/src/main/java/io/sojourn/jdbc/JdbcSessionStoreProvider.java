package io.sojourn.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.sojourn.SessionStore;
import io.sojourn.SessionStoreProvider;
import io.sojourn.StoreConfiguration;
import java.sql.Driver;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.Properties;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.regex.Pattern;
import javax.naming.InitialContext;
import javax.naming.NameNotFoundException;
import javax.naming.NamingException;
import javax.sql.DataSource;

/**
 * Opens a {@link JdbcSessionStore} for a {@code jdbc:} URL, over a connection pool of its own, or
 * for {@code jndi:} and the name of a container's {@link DataSource}, such as {@code
 * jndi:jdbc/sessions}. Options: see docs/configuration.md. The database's driver is the user's to
 * add.
 */
public final class JdbcSessionStoreProvider implements SessionStoreProvider {

  private static final String JNDI = "jndi";
  private static final String ENVIRONMENT = "java:comp/env/";

  /** As a parameter, as a property of one of the hosts, or in front of one. */
  private static final Pattern USER =
      Pattern.compile("(?i)[?&;]user=|//[^/?#;]*(?:[(,]\\s*user\\s*=|@)");

  /** The same; in front of a host, it is what follows a colon. */
  private static final Pattern PASSWORD =
      Pattern.compile(
          "(?i)[?&;]password=|//[^/?#;]*[(,]\\s*password\\s*="
              + "|//(?:[^/?#;]*[,\\[])?[^/?#;,:@]*:[^/?#;,@]*@");

  private static final String WEAK = "com.zaxxer.hikari.useWeakReferences";

  private static final Duration MAX_LIFETIME = Duration.ofMinutes(10);
  private static final Duration KEEPALIVE = Duration.ofMinutes(2);

  /** For {@link ServiceLoader}. */
  public JdbcSessionStoreProvider() {}

  @Override
  public Set<String> schemes() {
    return Set.of("jdbc", JNDI);
  }

  @Override
  public SessionStore open(StoreConfiguration configuration) {
    boolean ownPool = !configuration.scheme().equals(JNDI);
    JdbcSettings settings = JdbcSettings.of(configuration.options(), ownPool);
    JdbcSessionStore store =
        ownPool
            ? JdbcSessionStore.owning(pool(configuration, settings), configuration, settings)
            : JdbcSessionStore.of(lookUp(configuration), configuration);
    try {
      store.requireSuitableServer();
      return store;
    } catch (IllegalArgumentException e) {
      store.close();
      throw e;
    }
  }

  /** Connects when first asked, so that a database may be down when a store is opened. */
  static HikariDataSource pool(StoreConfiguration configuration, JdbcSettings settings) {
    DriverDefaults defaults = DriverDefaults.of(configuration.url());
    Properties properties = new Properties();
    defaults
        .properties(settings)
        .forEach(
            (name, value) -> {
              if (!configuration.url().contains(name + "=")) {
                properties.setProperty(name, value);
              }
            });
    account(configuration, "username", "user", USER, settings.username(), properties);
    account(configuration, "password", "password", PASSWORD, settings.password(), properties);
    HikariConfig config = new HikariConfig();
    Connector connector =
        new Connector(
            driver(configuration),
            configuration.url(),
            properties,
            defaults.initSql(settings),
            defaults.testSql(),
            defaults.serverSql(),
            properties.containsKey(DriverDefaults.SOCKET_TIMEOUT)
                ? settings.socketTimeout()
                : Duration.ZERO);
    config.setDataSource(connector);
    if (!defaults.testSql().isEmpty()) {
      config.setConnectionTestQuery(defaults.testSql());
    }
    config.setMaximumPoolSize(settings.maximumPoolSize());
    config.setPoolName("sojourn-" + Integer.toHexString(configuration.hashCode()));
    config.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
    config.setInitializationFailTimeout(-1);
    config.setConnectionTimeout(settings.connectionTimeout().toMillis());
    config.setValidationTimeout(Math.max(250, settings.connectionTimeout().toMillis() / 3));
    config.setMaxLifetime(MAX_LIFETIME.toMillis());
    config.setKeepaliveTime(KEEPALIVE.toMillis());
    config.setThreadFactory(work -> WriteWatch.thread(config.getPoolName(), work));
    HikariDataSource pool = open(config);
    connector.onChange(pool.getHikariPoolMXBean()::softEvictConnections);
    return pool;
  }

  /**
   * Each thread that has used a pool keeps its connections in a thread-local list: weakly, as we
   * need it, only if HikariCP takes itself for a part of a web application, or is told to.
   */
  private static HikariDataSource open(HikariConfig config) {
    if (System.getProperty(WEAK) != null) {
      return new HikariDataSource(config);
    }
    System.setProperty(WEAK, "true");
    try {
      return new HikariDataSource(config);
    } finally {
      System.clearProperty(WEAK);
    }
  }

  /** One half of the account; the other one may be in the URL. */
  private static void account(
      StoreConfiguration configuration,
      String setting,
      String parameter,
      Pattern inUrl,
      String value,
      Properties properties) {
    if (value.isEmpty()) {
      return;
    }
    if (inUrl.matcher(configuration.url()).find()) {
      throw new IllegalArgumentException(
          setting + "=\"...\" is given, and the store's URL has one as well: say it once");
    }
    properties.setProperty(parameter, value);
  }

  /**
   * Where a web application's own resources are, and then by the plain name. The name is the
   * operator's, and one that leads out of the container, such as {@code ldap:}, is refused.
   */
  @SuppressWarnings("BanJNDI")
  private static DataSource lookUp(StoreConfiguration configuration) {
    String name = configuration.url().substring(JNDI.length() + 1);
    if (name.indexOf(':') >= 0 && !name.startsWith("java:")) {
      throw new IllegalArgumentException(
          "store=\"" + configuration.url() + "\" must name a resource of this container");
    }
    Object found;
    try {
      InitialContext naming = new InitialContext();
      try {
        found = naming.lookup(name.startsWith("java:") ? name : ENVIRONMENT + name);
      } catch (NameNotFoundException e) {
        found = naming.lookup(name);
      }
    } catch (NameNotFoundException e) {
      throw new IllegalArgumentException(
          "store=\""
              + configuration.url()
              + "\" names no resource that can be seen from here. Declare a Resource or a"
              + " ResourceLink \""
              + name
              + "\" of type javax.sql.DataSource in the Context",
          e);
    } catch (NamingException e) {
      throw new IllegalArgumentException(
          "store=\"" + configuration.url() + "\" cannot be had. The container says: " + said(e), e);
    }
    if (found instanceof DataSource dataSource) {
      return dataSource;
    }
    throw new IllegalArgumentException(
        "store=\"" + configuration.url() + "\" names a " + found.getClass() + ", no DataSource");
  }

  /** What is behind a container's own exception, which may say no more than that it failed. */
  private static String said(NamingException e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }

  /**
   * By our own class loader: the driver lies beside this class, wherever the calling thread comes
   * from.
   */
  private static Driver driver(StoreConfiguration configuration) {
    Optional<Driver> driver =
        ServiceLoader.load(Driver.class, JdbcSessionStoreProvider.class.getClassLoader()).stream()
            .map(ServiceLoader.Provider::get)
            .filter(candidate -> accepts(candidate, configuration.url()))
            .findFirst();
    return driver.orElseThrow(
        () ->
            new IllegalArgumentException(
                "store=\""
                    + configuration.printableUrl()
                    + "\": no JDBC driver serves this URL. Put the database's driver beside"
                    + " session-jdbc, and check the URL"));
  }

  private static boolean accepts(Driver driver, String url) {
    try {
      return driver.acceptsURL(url);
    } catch (SQLException e) {
      return false;
    }
  }
}
