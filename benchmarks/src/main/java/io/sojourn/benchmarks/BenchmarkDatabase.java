package io.sojourn.benchmarks;

import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.MySqlServer;
import io.sojourn.testkit.server.PostgreSqlServer;
import java.util.UUID;

/**
 * An empty database on a server of this JVM's own, which keeps what it has committed; or of H2, in
 * memory. For one thread.
 *
 * @param url its JDBC URL
 * @param stop ends what serves it
 */
record BenchmarkDatabase(String url, Runnable stop) implements AutoCloseable {

  /**
   * Starts a server.
   *
   * @param kind {@code mariadb}, {@code mysql}, {@code postgresql} or {@code h2}
   * @throws IllegalArgumentException if it is something else
   */
  static BenchmarkDatabase start(String kind) {
    return switch (kind) {
      case "mariadb" -> {
        MariaDbServer server = MariaDbServer.startPrivate();
        yield new BenchmarkDatabase(server.jdbcUrl(server.newDatabase()), server::close);
      }
      case "mysql" -> mySql();
      case "postgresql" -> {
        PostgreSqlServer server = PostgreSqlServer.startPrivate();
        yield new BenchmarkDatabase(server.jdbcUrl(server.newDatabase()), server::close);
      }
      case "h2" ->
          new BenchmarkDatabase(
              "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1", () -> {});
      default -> throw new IllegalArgumentException("No kind of database: " + kind);
    };
  }

  /** Starts a MySQL with these settings. */
  static BenchmarkDatabase mySql(String... settings) {
    MySqlServer server = MySqlServer.startPrivateWith(settings);
    return new BenchmarkDatabase(server.jdbcUrl(server.newDatabase()), server::close);
  }

  @Override
  public void close() {
    stop.run();
  }
}
