package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.ContractClient.Answer;
import io.sojourn.testkit.Threads;
import io.sojourn.testkit.server.MariaDbServer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A database that is gone, hangs or refuses, as a browser sees it. */
class TomcatOutageIT {

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int POOL = 4;

  private static MariaDbServer server;

  private final String database = newDatabase();
  private final ContractClient client = new ContractClient();

  @BeforeAll
  static void startServer() {
    server = MariaDbServer.startPrivate();
    String administration = newDatabase();
    administer(administration, "CREATE USER sojourn IDENTIFIED BY 'right'");
    administer(administration, "GRANT ALL ON *.* TO sojourn");
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @AfterEach
  void startAgain() {
    server.start();
  }

  private static String newDatabase() {
    return server.newDatabase();
  }

  /** Does something in the database, from beside the store. */
  private static void administer(String database, String sql) {
    try (Connection connection = DriverManager.getConnection(server.jdbcUrl(database));
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new AssertionError(sql, e);
    }
  }

  private TomcatNode start(String... more) throws Exception {
    List<String> attributes =
        new ArrayList<>(
            List.of("store", "jdbc:mariadb://127.0.0.1:" + server.port() + "/" + database));
    attributes.addAll(List.of("username", "sojourn", "password", "right"));
    attributes.addAll(List.of(more));
    return TomcatNode.start(ManagerElement.of(attributes.toArray(String[]::new)));
  }

  private static void assertRefused(Answer answer) {
    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.retryAfter()).isPresent();
    assertThat(answer.cookies()).isEmpty();
  }

  /** All that touches a session is answered 503 and keeps its cookie, and all else goes on. */
  private void assertOutage(TomcatNode node) {
    String id = client.sessionId();
    List<CompletableFuture<Answer>> answers =
        Stream.of("get:user", "set:user:stranger", "names", "timeout:1", "invalidate")
            .map(operation -> client.sendLater(node, operation))
            .toList();
    Answer newcomer = new ContractClient().send(node, "set:user:bert");
    answers.forEach(answer -> assertRefused(answer.join()));
    assertRefused(newcomer);
    assertThat(client.sessionId()).isEqualTo(id);
    assertThat(client.send(node, "fill:3").line()).isEqualTo("xxx");
  }

  private void awaitUser(TomcatNode node) {
    await().atMost(PATIENCE).until(() -> client.send(node, "get:user").status() == 200);
    assertThat(client.send(node, "get:user").line()).isEqualTo("anna");
  }

  // ---------------------------------------------------------------- hangs, is busy, refuses

  @Test
  @Tag("G4")
  @Tag("R16")
  void aDatabaseThatHangsIsAnswered503AndLogsNobodyOut() throws Exception {
    try (TomcatNode node = start()) {
      client.send(node, "set:user:anna");
      server.suspend();
      try {
        assertOutage(node);
      } finally {
        server.resume();
      }
      awaitUser(node);
    }
  }

  @Test
  @Tag("G4")
  @Tag("R16")
  void aPoolThatIsExhaustedIsAnswered503AndLogsNobodyOut() throws Exception {
    try (TomcatNode node = start("maximumPoolSize", "1", "socketTimeout", "60000")) {
      client.send(node, "set:user:anna");
      CompletableFuture<Answer> slow;
      try (Connection lock = lockTable()) {
        slow = client.sendLater(node, "get:user");
        awaitWaiting(lock, 1);
        assertOutage(node);
      }
      assertThat(slow.join().line()).isEqualTo("anna");
      awaitUser(node);
    }
  }

  @Test
  @Tag("G4")
  @Tag("R16")
  void aDatabaseThatRefusesTheAccountIsAnswered503AndLogsNobodyOut() throws Exception {
    try (TomcatNode node = start()) {
      client.send(node, "set:user:anna");
      administer(database, "ALTER USER sojourn IDENTIFIED BY 'changed'");
      administer(database, "KILL USER sojourn");
      try {
        assertOutage(node);
      } finally {
        administer(database, "ALTER USER sojourn IDENTIFIED BY 'right'");
      }
      awaitUser(node);
    }
  }

  // ---------------------------------------------------------------- is not there yet

  @Test
  @Tag("G4")
  @Tag("R17")
  void aServerStartedBeforeItsDatabaseServesOnceThatIsThere() throws Exception {
    try (TomcatNode before = start()) {
      client.send(before, "set:user:anna");
    }
    server.kill();
    try (TomcatNode node = start()) {
      assertOutage(node);
      server.start();
      awaitUser(node);
    }
  }

  // ---------------------------------------------------------------- is back

  @Test
  @Tag("G4")
  @Tag("R18")
  void afterAnOutageEveryConnectionServesAndNoThreadIsLeftOver() throws Exception {
    // Longer than requests take to come to the database all together.
    try (TomcatNode node =
        start(
            "maximumPoolSize",
            Integer.toString(POOL),
            "connectionTimeout",
            "3s",
            "socketTimeout",
            "3s")) {
      client.send(node, "set:user:anna");
      assertEveryConnectionServes(node);
      server.suspend();
      try {
        for (int round = 0; round < 2; round++) {
          List<Answer> answers =
              Threads.call(3 * POOL, thread -> client.send(node, "get:user", "set:n:" + thread));
          assertThat(answers).allSatisfy(TomcatOutageIT::assertRefused);
        }
      } finally {
        server.resume();
      }
      awaitUser(node);
      assertEveryConnectionServes(node);
      await()
          .atMost(PATIENCE)
          .untilAsserted(
              // The pool's housekeeper.
              () -> assertThat(threadsOfTheStore()).hasSize(1));
    }
    await().atMost(PATIENCE).until(() -> threadsOfTheStore().isEmpty());
  }

  /** As many requests as the pool may have connections, each of which waits in the database. */
  private void assertEveryConnectionServes(TomcatNode node) throws SQLException {
    List<ContractClient> clients = Stream.generate(ContractClient::new).limit(POOL).toList();
    clients.forEach(each -> assertThat(each.send(node, "set:n:1").status()).isEqualTo(200));
    List<CompletableFuture<Answer>> answers;
    try (Connection lock = lockTable()) {
      answers = clients.stream().map(each -> each.sendLater(node, "get:n")).toList();
      awaitWaiting(lock, POOL);
    }
    answers.forEach(answer -> assertThat(answer.join().line()).isEqualTo("1"));
  }

  private static List<String> threadsOfTheStore() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("sojourn-") || name.startsWith("MariaDb"))
        .toList();
  }

  // ---------------------------------------------------------------- keeping requests waiting

  /** Keeps everybody else from the sessions until it is closed. */
  private Connection lockTable() throws SQLException {
    Connection connection = DriverManager.getConnection(server.jdbcUrl(database));
    try (Statement statement = connection.createStatement()) {
      statement.execute("LOCK TABLES sojourn_session WRITE");
    }
    return connection;
  }

  private static void awaitWaiting(Connection connection, int count) {
    String sql =
        "SELECT COUNT(*) FROM information_schema.processlist"
            + " WHERE user = 'sojourn' AND state LIKE 'Waiting for table%'";
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              try (Statement statement = connection.createStatement();
                  ResultSet rows = statement.executeQuery(sql)) {
                return rows.next() && rows.getInt(1) == count;
              }
            });
  }
}
