package io.sojourn.testkit.server;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;

/** A running database server. Databases are created in it. */
public abstract sealed class DatabaseServer extends RunningServer
    permits MariaDbServer, MySqlServer, PostgreSqlServer {

  private static final Pattern DATABASE_NAME = Pattern.compile("[A-Za-z0-9_]{1,63}");

  private final DatabaseProduct<?> product;
  private final JdbcAddress jdbcAddress;
  private final boolean given;

  @GuardedBy("this")
  private final Set<String> created = new LinkedHashSet<>();

  DatabaseServer(DatabaseProduct<?> product, Lifecycle lifecycle, JdbcAddress jdbcAddress) {
    super(lifecycle);
    this.product = product;
    this.jdbcAddress = jdbcAddress;
    this.given = lifecycle instanceof GivenAddress;
  }

  final JdbcAddress jdbcAddress() {
    return jdbcAddress;
  }

  /**
   * Returns the JDBC address of a database, with user and password. It creates nothing.
   *
   * @param database the name of a database, see {@link #newDatabase()}
   */
  public final String jdbcUrl(String database) {
    return jdbcAddress.of(database);
  }

  /**
   * Creates a database under a name that is not used yet, and returns the name.
   *
   * @throws IllegalStateException if the server refuses or does not answer
   */
  public final String newDatabase() {
    String name = "sojourn_" + UUID.randomUUID().toString().replace("-", "");
    createDatabase(name);
    return name;
  }

  /**
   * Creates a database unless there is one of this name already. On a server that was not started
   * by this JVM, what was created here is dropped by {@link #close()}.
   *
   * @param name letters, digits and underscores, 63 at most
   * @throws IllegalArgumentException if the name is anything else
   * @throws IllegalStateException if the server refuses or does not answer
   */
  public final synchronized void createDatabase(String name) {
    if (!DATABASE_NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("Not a name for a database: " + name);
    }
    if (administer(statement -> product.createDatabase(statement, name))) {
      created.add(name);
    }
  }

  @Override
  public final synchronized void close() {
    if (given) {
      for (String name : created) {
        administer(statement -> statement.execute(product.dropDatabase(name)));
      }
      created.clear();
    }
    super.close();
  }

  private boolean administer(Administration administration) {
    try (Connection connection =
            DriverManager.getConnection(jdbcUrl(product.administrationDatabase()));
        Statement statement = connection.createStatement()) {
      return administration.perform(statement);
    } catch (SQLException e) {
      throw new IllegalStateException(product.name() + " at " + address() + " failed", e);
    }
  }

  @FunctionalInterface
  private interface Administration {
    boolean perform(Statement statement) throws SQLException;
  }
}
