package io.sojourn.testkit.server;

import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.UUID;
import org.testcontainers.containers.GenericContainer;

/**
 * A product that serves databases: how its addresses look, in which ways one is started and how
 * databases are created in it. As it stands here it speaks to MySQL and its kin.
 *
 * @param <S> the servers of this product
 */
abstract class DatabaseProduct<S extends DatabaseServer> {

  private final String name;
  private final String scheme;
  private final int defaultPort;
  private final String program;
  private final String artifact;

  /**
   * @param name the product's name for people
   * @param scheme what follows {@code jdbc:} in addresses, and {@code sojourn.test.} in the name of
   *     the system property
   * @param program the program to look for on the PATH
   * @param artifact the group and the name of the Maven artifact, with a slash between
   */
  DatabaseProduct(String name, String scheme, int defaultPort, String program, String artifact) {
    this.name = name;
    this.scheme = scheme;
    this.defaultPort = defaultPort;
    this.program = program;
    this.artifact = artifact;
  }

  abstract S server(Lifecycle lifecycle, JdbcAddress address);

  abstract GenericContainer<?> container(String password);

  abstract PrivateProcess.Program programOnPath(String password) throws IOException;

  abstract PrivateProcess.Program programInArtifact(String password) throws IOException;

  /** Returns a local address's parameters for the user who may do everything. */
  String parameters(String password) {
    return "user=root&password=" + password;
  }

  /** Returns parameters for an address, so that a probe of it takes few seconds. */
  String probeTimeouts() {
    return "&connectTimeout=1000&socketTimeout=5000";
  }

  /** Returns the database to connect to where no other one is known, or nothing for none. */
  String administrationDatabase() {
    return "";
  }

  /** Creates a database and returns whether there was none of that name. */
  boolean createDatabase(Statement statement, String database) throws SQLException {
    return statement.executeUpdate("CREATE DATABASE IF NOT EXISTS " + database) > 0;
  }

  /** Returns the statement that drops a database. */
  String dropDatabase(String database) {
    return "DROP DATABASE IF EXISTS " + database;
  }

  final String name() {
    return name;
  }

  final String scheme() {
    return scheme;
  }

  final String artifact() {
    return artifact;
  }

  /**
   * Starts a server of the caller's own.
   *
   * @throws IllegalStateException if none can be started; the message says what was tried
   */
  S startPrivate() {
    String password = UUID.randomUUID().toString();
    Lifecycle lifecycle =
        ServerSearch.firstThatStarts(
            name,
            property(),
            List.of(
                new ServerSearch.Way(
                    "Docker",
                    () ->
                        DockerContainer.launch(
                            () -> container(password),
                            defaultPort,
                            port -> answers(port, password))),
                new ServerSearch.Way(
                    program + " on the PATH", () -> PrivateProcess.launch(programOnPath(password))),
                new ServerSearch.Way(
                    "the Maven artifact " + artifact,
                    () -> PrivateProcess.launch(programInArtifact(password)))));
    return server(lifecycle, local(lifecycle.port(), password));
  }

  /** Returns the server that somebody gave for tests, or else a private one. */
  final S startShared() {
    return GivenAddress.of(property()).map(this::at).orElseGet(this::startPrivate);
  }

  /**
   * Returns the server at a JDBC address, whose user may create databases.
   *
   * @throws IllegalStateException if the address is of another form or nothing listens there
   */
  final S at(String jdbcUrl) {
    JdbcAddress address =
        JdbcAddress.parse(scheme, jdbcUrl)
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        property()
                            + " is not like jdbc:"
                            + scheme
                            + "://host:port/?user=...&password=..."));
    return server(GivenAddress.reach(address.uri(), defaultPort), address);
  }

  /** The password is the server's own, so no other one on the port is taken for it. */
  final boolean answers(int port, String password) {
    String probe = local(port, password).of(administrationDatabase()) + probeTimeouts();
    try (Connection connection = DriverManager.getConnection(probe)) {
      return connection.isValid(1);
    } catch (SQLException e) {
      return false;
    }
  }

  private JdbcAddress local(int port, String password) {
    return new JdbcAddress("jdbc:" + scheme + "://127.0.0.1:" + port, "?" + parameters(password));
  }

  private String property() {
    return "sojourn.test." + scheme;
  }
}
