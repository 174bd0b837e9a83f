package io.sojourn.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which servers are taken, by what they say of themselves. */
@Tag("R71")
class SqlDialectTest {

  private static DatabaseMetaData database(String product, String version) {
    return database(product, version, version);
  }

  /**
   * What a server says of itself.
   *
   * @param version when it greets
   * @param own when it is asked
   */
  private static DatabaseMetaData database(String product, String version, String own) {
    return (DatabaseMetaData)
        Proxy.newProxyInstance(
            SqlDialectTest.class.getClassLoader(),
            new Class<?>[] {DatabaseMetaData.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "getDatabaseProductName" -> product;
                  case "getDatabaseProductVersion" -> version;
                  case "getConnection" -> answeringVersion(own);
                  case "getIdentifierQuoteString" -> "\"";
                  case "storesUpperCaseIdentifiers", "storesLowerCaseIdentifiers" -> false;
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  /** It is the database's to be closed, not that of who reads its metadata. */
  private static Connection answeringVersion(String version) throws SQLException {
    Connection connection = DriverManager.getConnection("jdbc:h2:mem:");
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "CREATE ALIAS VERSION AS 'String version() { return \"" + version + "\"; }'");
    }
    return connection;
  }

  @ParameterizedTest
  @CsvSource({
    "MySQL, 8.0.15, MySqlDialect",
    "MySQL, 8.0.mysql_aurora.3.04.0, MySqlDialect",
    "MySQL, 8.4.3-commercial, MySqlDialect",
    "MySQL, 9.5.0, MySqlDialect",
    "MySQL, 11.4.5-MariaDB-log, MySqlDialect", // by MySQL's driver
    "MySQL, 5.5.5-10.6.20-MariaDB-1:10.6.20+maria~ubu2004, MySqlDialect",
    "MariaDB, 10.11.6-MariaDB-0+deb12u1, MySqlDialect",
    "MariaDB, 11.4.5-MariaDB, MySqlDialect",
    "PostgreSQL, 11.22, PostgreSqlDialect",
    "PostgreSQL, 17.6 (Debian 17.6-1.pgdg120+1), PostgreSqlDialect",
    "PostgreSQL, 18beta1, PostgreSqlDialect",
    "H2, 2.2.224 (2023-09-17), H2Dialect",
    "H2, 2.4.240 (2025-09-22), H2Dialect",
    "MySQL, a build of our own, MySqlDialect" // nobody can tell
  })
  void aServerThatIsNewEnoughIsTaken(String product, String version, String dialect)
      throws SQLException {
    assertThat(
            SqlDialect.of(database(product, version), TableName.DEFAULT).getClass().getSimpleName())
        .isEqualTo(dialect);
  }

  @ParameterizedTest
  @CsvSource({
    "MySQL, 5.7.44-log, MySQL 8.0",
    "MySQL, 5.7.mysql_aurora.2.11.1, MySQL 8.0",
    "MySQL, 5.5.5-10.5.23-MariaDB, MariaDB 10.6",
    "MariaDB, 10.5.23-MariaDB-1:10.5.23+maria~deb11, MariaDB 10.6",
    "MariaDB, 5.5.68-MariaDB, MariaDB 10.6",
    "PostgreSQL, 9.6.24, PostgreSQL 11",
    "PostgreSQL, 10.23 (Debian 10.23-1), PostgreSQL 11",
    "H2, 1.4.200 (2019-10-14), H2 2.2",
    "H2, 2.1.214 (2022-06-13), H2 2.2"
  })
  void aServerThatIsTooOldIsRefusedAndTheMessageSaysWhichWouldDo(
      String product, String version, String least) {
    assertThatThrownBy(() -> SqlDialect.of(database(product, version), TableName.DEFAULT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(version.replaceFirst("^5\\.5\\.5-", ""))
        .hasMessageContaining(least);
  }

  /** Such as ProxySQL. */
  @ParameterizedTest
  @CsvSource({"5.5.30, 8.0.36", "5.5.30, 11.4.5-MariaDB-log", "5.7.44, 5.5.5-10.6.20-MariaDB"})
  void whatIsBehindAProxyCounts(String greeting, String own) throws SQLException {
    assertThat(SqlDialect.of(database("MySQL", greeting, own), TableName.DEFAULT))
        .isInstanceOf(MySqlDialect.class);
    assertThatThrownBy(
            () -> SqlDialect.of(database("MySQL", greeting, "5.7.40"), TableName.DEFAULT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("MySQL 5.7.40");
  }

  @ParameterizedTest
  @CsvSource({"Oracle, 23.0", "Apache Derby, 10.17.1.0"})
  void anyOtherDatabaseIsRefused(String product, String version) {
    assertThatThrownBy(() -> SqlDialect.of(database(product, version), TableName.DEFAULT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(product)
        .hasMessageContaining("MySQL, MariaDB, PostgreSQL");
  }
}
