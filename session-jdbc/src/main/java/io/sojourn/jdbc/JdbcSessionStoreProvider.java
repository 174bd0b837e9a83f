package io.sojourn.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.sojourn.SessionStore;
import io.sojourn.SessionStoreProvider;
import io.sojourn.StoreConfiguration;
import java.sql.Driver;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Opens a {@link JdbcSessionStore} for a {@code jdbc:} URL, over a connection pool of its own.
 * Options: {@code username}, {@code password}, {@code maximumPoolSize} (10). The database's driver
 * is the user's to add.
 */
public final class JdbcSessionStoreProvider implements SessionStoreProvider {

  private static final Set<String> OPTIONS = Set.of("username", "password", "maximumPoolSize");
  private static final int DEFAULT_POOL_SIZE = 10;

  /**
   * How long a request waits for a connection: a database that is down is to cost no more than
   * that.
   */
  private static final Duration CONNECTION_TIMEOUT = Duration.ofSeconds(1);

  private static final Duration SOCKET_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration MAX_LIFETIME = Duration.ofMinutes(10);
  private static final Duration KEEPALIVE = Duration.ofMinutes(2);

  /** For {@link ServiceLoader}. */
  public JdbcSessionStoreProvider() {}

  @Override
  public Set<String> schemes() {
    return Set.of("jdbc");
  }

  @Override
  public SessionStore open(StoreConfiguration configuration) {
    Map<String, String> options = configuration.options();
    for (String name : new TreeSet<>(options.keySet())) {
      if (!OPTIONS.contains(name)) {
        throw new IllegalArgumentException(
            name
                + "=\"...\" is no setting of a jdbc: store; it knows "
                + String.join(", ", new TreeSet<>(OPTIONS)));
      }
    }
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(configuration.url());
    config.setDriverClassName(driver(configuration).getClass().getName());
    config.setUsername(options.get("username"));
    config.setPassword(options.get("password"));
    config.setMaximumPoolSize(poolSize(options.get("maximumPoolSize")));
    config.setPoolName("sojourn-" + Integer.toHexString(configuration.hashCode()));
    config.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
    config.setInitializationFailTimeout(-1);
    config.setConnectionTimeout(CONNECTION_TIMEOUT.toMillis());
    config.setValidationTimeout(CONNECTION_TIMEOUT.toMillis() / 2);
    config.setMaxLifetime(MAX_LIFETIME.toMillis());
    config.setKeepaliveTime(KEEPALIVE.toMillis());
    if (configuration.url().startsWith("jdbc:mariadb:")) {
      config.addDataSourceProperty("connectTimeout", CONNECTION_TIMEOUT.toMillis());
      config.addDataSourceProperty("socketTimeout", SOCKET_TIMEOUT.toMillis());
    }
    return JdbcSessionStore.owning(new HikariDataSource(config), configuration);
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

  private static int poolSize(@Nullable String text) {
    if (text == null) {
      return DEFAULT_POOL_SIZE;
    }
    try {
      int size = Integer.parseInt(text.strip());
      if (size >= 1) {
        return size;
      }
    } catch (NumberFormatException e) {
      // Answered below, like a number that is too small.
    }
    throw new IllegalArgumentException(
        "maximumPoolSize=\"" + text + "\" must be a whole number, 1 or more");
  }
}
