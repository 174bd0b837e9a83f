package io.sojourn.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.MySqlServer;
import io.sojourn.testkit.server.PostgreSqlServer;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The built jar, run as a person runs it. */
@ExtendWith(RealServers.class)
class DemoIT {

  private static final Path JAR = Path.of("target", "session-demo.jar").toAbsolutePath();
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Path directory;
  private final List<ProcessHandle> started = new ArrayList<>();

  DemoIT(@TempDir Path directory) {
    this.directory = directory;
  }

  @AfterEach
  void leaveNothingBehind() {
    started.forEach(ProcessHandle::destroyForcibly);
  }

  @Test
  @Tag("G5")
  @Tag("R25")
  void theStoryHoldsWithNothingInstalled() throws Exception {
    assertStoryHolds();
  }

  @Test
  @Tag("G5")
  @Tag("R25")
  void theStoryHoldsOnRedis(RedisServer redis) throws Exception {
    assertStoryHolds("--store", redis.url());
  }

  @Test
  @Tag("G5")
  @Tag("R25")
  void theStoryHoldsInJetty() throws Exception {
    assertStoryHolds("--container", "jetty");
  }

  @Test
  @Tag("G5")
  @Tag("R25")
  void theStoryHoldsInJettyOnRedis(RedisServer redis) throws Exception {
    assertStoryHolds("--container", "jetty", "--store", redis.url());
  }

  @Test
  @Tag("G5")
  @Tag("R25")
  void theStoryHoldsOnMariaDb(MariaDbServer mariaDb) throws Exception {
    assertStoryHolds("--store", mariaDb.jdbcUrl(mariaDb.newDatabase()));
  }

  @Test
  @Tag("G5")
  @Tag("R25")
  void theStoryHoldsOnMySql(MySqlServer mySql) throws Exception {
    assertStoryHolds("--store", mySql.jdbcUrl(mySql.newDatabase()));
  }

  @Test
  @Tag("G5")
  @Tag("R25")
  void theStoryHoldsOnPostgreSql(PostgreSqlServer postgreSql) throws Exception {
    assertStoryHolds("--store", postgreSql.jdbcUrl(postgreSql.newDatabase()));
  }

  @Test
  void aKilledNodeComesBackByItself() throws Exception {
    Process demo = run("--port", "0");
    URI address = address();
    List<Long> nodes = children(demo);

    HttpResponse<String> killed =
        send(HttpRequest.newBuilder(address.resolve("/_demo/kill?node=A")), "POST");

    assertThat(killed.statusCode()).isEqualTo(303);
    for (int i = 0; i < 4; i++) {
      assertThat(state(address).node()).isEqualTo("B");
    }
    await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(() -> state(address), visit -> visit.node().equals("A"));
    assertThat(children(demo)).hasSize(2).isNotEqualTo(nodes);
  }

  @Test
  void whenItIsToldToEndNoNodeIsLeft() throws Exception {
    Process demo = run("--port", "0");
    address();
    List<ProcessHandle> nodes = demo.descendants().toList();
    assertThat(nodes).hasSize(2);

    demo.destroy();

    assertThat(demo.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(nodes).noneMatch(ProcessHandle::isAlive);
  }

  @Test
  void whenItIsKilledItselfItsNodesEnd() throws Exception {
    Process demo = run("--port", "0");
    address();
    List<ProcessHandle> nodes = demo.descendants().toList();
    assertThat(nodes).hasSize(2);
    started.addAll(nodes);

    demo.destroyForcibly();

    await().atMost(PATIENCE).until(() -> nodes.stream().noneMatch(ProcessHandle::isAlive));
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '|',
      value = {
        "--store, foo://user:secret@host/db, no store is known for the scheme 'foo'",
        "--store, nonsense, store=\"nonsense\"",
        "--store, memory:, two nodes cannot share it",
        "--store, redis://:secret@127.0.0.1:1, Connection refused",
        "--store, jdbc:mariadb://127.0.0.1:1/x?password=secret, Is the database up",
        "--container, cargo,                 --container needs tomcat or jetty",
        "--port,  66666,                     --port needs a number from 0 to 65535",
        "--port,  http,                      --port needs a number from 0 to 65535",
        "--colour, red,                      unknown argument --colour; usage:"
      })
  void aWrongArgumentIsOneClearLine(String option, String value, String message) throws Exception {
    assertRefused(run(option, value), message);
  }

  @Test
  void aTakenPortIsOneClearLine() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(taken.getLocalPort());

      assertRefused(run("--port", port), "port " + port + " of 127.0.0.1 cannot be had");
    }
  }

  private void assertStoryHolds(String... store) throws Exception {
    List<String> arguments = new ArrayList<>(List.of("--script", "--port", "0"));
    arguments.addAll(List.of(store));
    Process demo = run(arguments.toArray(String[]::new));

    assertThat(demo.waitFor(120, TimeUnit.SECONDS)).isTrue();

    assertThat(err()).isEmpty();
    assertThat(out())
        .containsPattern("kill node [AB] +SIGKILL to process \\d+")
        .containsPattern(
            "hello from node [AB], you are still Ada, cart: 3 items, last written on node [AB]")
        .containsPattern(
            "hello from node [AB], you are still Ada, cart: 5 items, last written on node [AB]")
        .containsPattern("All \\d+ steps held");
    assertThat(demo.exitValue()).isZero();
  }

  private void assertRefused(Process demo, String message) throws Exception {
    assertThat(demo.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(err()).contains(message).doesNotContain("secret").hasLineCount(1);
    assertThat(out()).isEmpty();
    assertThat(demo.exitValue()).isEqualTo(2);
  }

  private Process run(String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-jar");
    command.add(JAR.toString());
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(directory.resolve("out").toFile())
            .redirectError(directory.resolve("err").toFile())
            .start();
    started.add(process.toHandle());
    return process;
  }

  private URI address() {
    Pattern open = Pattern.compile("Open (http://\\S+)");
    Matcher found =
        await()
            .atMost(PATIENCE)
            .failFast("the demo has ended", () -> !started.get(0).isAlive())
            .until(() -> open.matcher(out()), Matcher::find);
    return URI.create(found.group(1));
  }

  private static Visit state(URI address) throws Exception {
    return Visit.parse(send(HttpRequest.newBuilder(address.resolve("/state")), "GET").body());
  }

  private static HttpResponse<String> send(HttpRequest.Builder request, String method)
      throws Exception {
    return HttpClient.newHttpClient()
        .send(
            request.method(method, HttpRequest.BodyPublishers.noBody()).build(),
            HttpResponse.BodyHandlers.ofString());
  }

  private static List<Long> children(Process demo) {
    return demo.children().map(ProcessHandle::pid).sorted().toList();
  }

  private String out() throws IOException {
    return Files.readString(directory.resolve("out"));
  }

  private String err() throws IOException {
    return Files.readString(directory.resolve("err"));
  }
}
