package io.sojourn.testkit.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(RealServers.class)
class RealServersIT {

  private final RedisServer redis;
  private final MariaDbServer mariaDb;

  RealServersIT(RedisServer redis, MariaDbServer mariaDb) {
    this.redis = redis;
    this.mariaDb = mariaDb;
  }

  @Test
  void redisAnswers() throws IOException {
    assertThat(ask(redis, "PING")).isEqualTo("+PONG");
  }

  @Test
  void mariaDbAnswers() throws SQLException {
    assertThat(query(mariaDb.jdbcUrl(mariaDb.newDatabase()), "SELECT 6 * 7")).isEqualTo("42");
  }

  @Test
  void everyInjectionGivesTheSameServer(RedisServer otherRedis, MariaDbServer otherMariaDb) {
    assertThat(otherRedis).isSameAs(redis);
    assertThat(otherMariaDb).isSameAs(mariaDb);
  }

  @Test
  void databasesAreCreatedOnceAndApartFromEachOther() throws SQLException {
    String name = mariaDb.newDatabase();
    update(mariaDb.jdbcUrl(name), "CREATE TABLE t (id INT)");
    mariaDb.createDatabase(name);

    assertThat(query(mariaDb.jdbcUrl(name), "SHOW TABLES")).isEqualTo("t");
    assertThat(mariaDb.newDatabase()).isNotEqualTo(name);
    assertThatThrownBy(() -> mariaDb.createDatabase("a; DROP DATABASE b"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void redisIsBackOnItsPortAfterAKillAndEmpty() throws IOException {
    try (RedisServer own = RedisServer.startPrivate()) {
      int port = own.port();
      assertThat(ask(own, "SET key value")).isEqualTo("+OK");

      own.kill();
      assertThatThrownBy(() -> ask(own, "PING")).isInstanceOf(IOException.class);
      own.start();

      assertThat(own.port()).isEqualTo(port);
      assertThat(ask(own, "EXISTS key")).isEqualTo(":0");
      assertThat(ask(redis, "PING")).isEqualTo("+PONG");
    }
  }

  @Test
  void mariaDbKeepsWhatItCommittedOverAKill() throws SQLException {
    try (MariaDbServer own = MariaDbServer.startPrivate()) {
      String url = own.jdbcUrl(own.newDatabase());
      update(url, "CREATE TABLE t (id INT PRIMARY KEY)");
      update(url, "INSERT INTO t VALUES (7)");

      own.kill();
      assertThatThrownBy(() -> query(url, "SELECT id FROM t")).isInstanceOf(SQLException.class);
      own.start();

      assertThat(query(url, "SELECT id FROM t")).isEqualTo("7");
    }
  }

  @Test
  void redisAnswersNothingWhileSuspended() throws IOException {
    try (RedisServer own = RedisServer.startPrivate()) {
      own.suspend();
      assertThatThrownBy(() -> ask(own, "PING")).isInstanceOf(SocketTimeoutException.class);

      own.resume();
      await().ignoreExceptions().until(() -> ask(own, "PING").equals("+PONG"));
    }
  }

  @Test
  void mariaDbAnswersNothingWhileSuspended() throws SQLException {
    try (MariaDbServer own = MariaDbServer.startPrivate()) {
      String url = own.jdbcUrl(own.newDatabase()) + "&connectTimeout=1000&socketTimeout=1000";
      own.suspend();
      assertThatThrownBy(() -> query(url, "SELECT 1")).isInstanceOf(SQLException.class);

      own.resume();
      await().ignoreExceptions().until(() -> query(url, "SELECT 1").equals("1"));

      own.suspend(); // and close takes it as it is
    }
  }

  @ParameterizedTest
  @EnumSource
  void closeLeavesNoProcessAndNoFolder(InArtifact program) throws IOException {
    PrivateProcess server = program.launch();
    ProcessHandle process = ProcessHandle.of(server.pid()).orElseThrow();
    assertThat(process.isAlive()).isTrue();
    assertThat(server.folder()).isDirectory();

    server.close();
    server.close();

    assertThat(process.isAlive()).isFalse();
    assertThat(server.folder()).doesNotExist();
    assertThatThrownBy(server::start).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void serversThatWereGivenAreUsedButLeftRunning() throws IOException, SQLException {
    MariaDbServer givenMariaDb = MariaDbServer.at(mariaDb.jdbcUrl("mysql"));
    String database = givenMariaDb.newDatabase();
    assertThat(query(givenMariaDb.jdbcUrl(database), "SELECT DATABASE()")).isEqualTo(database);
    assertThatThrownBy(givenMariaDb::kill).isInstanceOf(UnsupportedOperationException.class);
    givenMariaDb.close();
    assertThat(query(mariaDb.jdbcUrl(""), "SHOW DATABASES LIKE '" + database + "'")).isEmpty();

    RedisServer givenRedis = RedisServer.at(redis.url());
    assertThat(givenRedis.url()).isEqualTo(redis.url());
    assertThatThrownBy(givenRedis::suspend).isInstanceOf(UnsupportedOperationException.class);
    givenRedis.close();
    assertThat(ask(redis, "PING")).isEqualTo("+PONG");
  }

  enum InArtifact {
    REDIS {
      @Override
      PrivateProcess launch() throws IOException {
        return PrivateProcess.launch(RedisServer.programInArtifact());
      }
    },
    MARIADB {
      @Override
      PrivateProcess launch() throws IOException {
        return PrivateProcess.launch(MariaDbServer.programInArtifact("secret"));
      }
    };

    abstract PrivateProcess launch() throws IOException;
  }

  private static String ask(RedisServer server, String command) throws IOException {
    URI address = URI.create(server.url());
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(address.getHost(), server.port()), 1_000);
      socket.setSoTimeout(1_000);
      socket.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.US_ASCII));
      StringBuilder line = new StringBuilder();
      for (int c; (c = socket.getInputStream().read()) != '\r'; line.append((char) c)) {
        if (c < 0) {
          throw new IOException("the connection was closed");
        }
      }
      return line.toString();
    }
  }

  private static void update(String url, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.executeUpdate(sql);
    }
  }

  /** Returns the first column of all rows. */
  private static String query(String url, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      StringBuilder column = new StringBuilder();
      while (rows.next()) {
        column.append(rows.getString(1));
      }
      return column.toString();
    }
  }
}
