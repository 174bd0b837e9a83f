package io.sojourn.jdbc;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** H2's driver, for a server that says of itself that it is an H2 of long ago. */
public final class OldServerDriver implements Driver {

  private static final String VERSION = "1.4.200";
  private static final String PREFIX = "jdbc:old-";

  private static final Map<String, AtomicInteger> OPEN = new ConcurrentHashMap<>();

  /** For {@link java.util.ServiceLoader}. */
  public OldServerDriver() {}

  /** The URL by which an H2 is one of long ago. */
  static String url(String h2) {
    return h2.replaceFirst("^jdbc:", PREFIX);
  }

  /** Each connection a new one of this driver's. */
  static DataSource dataSource(String url) {
    return new DriverDataSource(url) {
      @Override
      public Connection getConnection() throws SQLException {
        return Objects.requireNonNull(new OldServerDriver().connect(url, new Properties()));
      }
    };
  }

  /** How many connections are open. */
  static int connections(String url) {
    return open(url).get();
  }

  private static AtomicInteger open(String url) {
    return Objects.requireNonNull(OPEN.computeIfAbsent(url, any -> new AtomicInteger()));
  }

  @Override
  public boolean acceptsURL(String url) {
    return url.startsWith(PREFIX);
  }

  @Override
  public @Nullable Connection connect(String url, Properties properties) throws SQLException {
    if (!acceptsURL(url)) {
      return null;
    }
    Connection connection =
        DriverManager.getConnection(url.replaceFirst("^" + PREFIX, "jdbc:"), properties);
    open(url).incrementAndGet();
    return (Connection)
        Proxy.newProxyInstance(
            OldServerDriver.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> {
              boolean ends = method.getName().equals("close") || method.getName().equals("abort");
              if (ends && !connection.isClosed()) {
                open(url).decrementAndGet();
              }
              Object answer = call(() -> method.invoke(connection, arguments));
              return method.getName().equals("getMetaData")
                  ? old((DatabaseMetaData) Objects.requireNonNull(answer))
                  : answer;
            });
  }

  private static DatabaseMetaData old(DatabaseMetaData whole) {
    return (DatabaseMetaData)
        Proxy.newProxyInstance(
            OldServerDriver.class.getClassLoader(),
            new Class<?>[] {DatabaseMetaData.class},
            (proxy, method, arguments) ->
                method.getName().equals("getDatabaseProductVersion")
                    ? VERSION
                    : call(() -> method.invoke(whole, arguments)));
  }

  @FunctionalInterface
  private interface Call {
    @Nullable Object make() throws ReflectiveOperationException;
  }

  private static @Nullable Object call(Call call) throws Throwable {
    try {
      return call.make();
    } catch (InvocationTargetException e) {
      throw Objects.requireNonNull(e.getCause());
    }
  }

  @Override
  public DriverPropertyInfo[] getPropertyInfo(String url, Properties properties) {
    return new DriverPropertyInfo[0];
  }

  @Override
  public int getMajorVersion() {
    return 1;
  }

  @Override
  public int getMinorVersion() {
    return 4;
  }

  @Override
  public boolean jdbcCompliant() {
    return true;
  }

  @Override
  public Logger getParentLogger() throws SQLFeatureNotSupportedException {
    throw new SQLFeatureNotSupportedException();
  }
}
