package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.ContractClient.Answer;
import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.ToIntFunction;
import java.util.logging.LogRecord;
import java.util.stream.IntStream;
import org.apache.catalina.authenticator.FormAuthenticator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A store that dies or stands still while more clients than Tomcat has threads keep asking, with
 * default settings.
 */
class TomcatOutageLoadIT {

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int MAX_THREADS = 20;
  private static final int CLIENTS = 40;
  private static final Duration OUTAGE = Duration.ofSeconds(5);

  /** When clients do not wait any more for calls that were under way when the store fell silent. */
  private static final Duration SETTLING = Duration.ofSeconds(1);

  /** Far fewer than are served in an outage, and more than are while every thread waits for it. */
  private static final int FEWEST_PAGES = 10;

  private static final long MOST_LINES_A_SECOND = 5;

  private volatile boolean stopped;
  private final Queue<Answered> answers = new ConcurrentLinkedQueue<>();

  /** An answer, and when it was asked for and came. */
  private record Answered(long asked, long came, Answer answer) {
    long millis() {
      return TimeUnit.NANOSECONDS.toMillis(came - asked);
    }
  }

  /** A user who counts in the session and knows which numbers have been acknowledged. */
  private final class User {
    final ContractClient client = new ContractClient();
    final String name;
    int acknowledged;
    int attempted;

    User(int number) {
      name = "user" + number;
    }

    void count(TomcatNode node) {
      attempted++;
      long asked = System.nanoTime();
      Answer answer = client.send(node, "set:n:" + attempted);
      answers.add(new Answered(asked, System.nanoTime(), answer));
      if (answer.status() == 200) {
        acknowledged = attempted;
      } else {
        LockSupport.parkNanos(20_000_000);
      }
    }

    void run(TomcatNode node) {
      while (!stopped) {
        count(node);
      }
    }
  }

  /** A server with a store, and how it fails and comes back. */
  private record Server(String url, Runnable fail, Runnable recover, AutoCloseable process) {

    static Server of(String kind, boolean killed) {
      if (kind.equals("redis")) {
        RedisServer redis =
            RedisServer.startPrivate("--appendonly", "yes", "--appendfsync", "always");
        return new Server(
            redis.url(),
            killed ? redis::kill : redis::suspend,
            killed ? redis::start : redis::resume,
            redis);
      }
      MariaDbServer mariaDb = MariaDbServer.startPrivate();
      return new Server(
          mariaDb.jdbcUrl(mariaDb.newDatabase()),
          killed ? mariaDb::kill : mariaDb::suspend,
          killed ? mariaDb::start : mariaDb::resume,
          mariaDb);
    }
  }

  @ParameterizedTest
  @CsvSource({"mariadb, true", "mariadb, false", "redis, true", "redis, false"})
  @Tag("G4")
  @Tag("G5")
  @Tag("R15")
  @Tag("R75")
  void anOutageUnderLoadIsAnswered503LeavesOtherPagesAloneAndLogsNobodyOut(
      String kind, boolean killed) throws Exception {
    ExecutorService executor = Executors.newFixedThreadPool(CLIENTS);
    Server server = Server.of(kind, killed);
    try (TomcatNode node =
            TomcatNode.start(
                ManagerElement.of("store", server.url()),
                (tomcat, context) -> {
                  tomcat.getConnector().setProperty("maxThreads", Integer.toString(MAX_THREADS));
                  AuthenticationContract.protect(context, "FORM", new FormAuthenticator());
                });
        LogRecords log = new LogRecords()) {
      Browser member = logIn(node);
      String memberId = member.cookie("JSESSIONID", "/");
      List<User> users = IntStream.range(0, CLIENTS).mapToObj(User::new).toList();
      users.forEach(
          user ->
              assertThat(served(user.client, node, "set:user:" + user.name).status())
                  .isEqualTo(200));
      List<String> ids = users.stream().map(user -> user.client.sessionId()).toList();
      List<Future<?>> running = new ArrayList<>();
      users.forEach(user -> running.add(executor.submit(() -> user.run(node))));
      await().atMost(PATIENCE).until(() -> answers.size() > 10 * CLIENTS);

      int linesBefore = log.all().size();
      long begin = System.nanoTime();
      server.fail().run();
      long failed = System.nanoTime();
      long slowestPage = 0;
      int pages = 0;
      while (System.nanoTime() - failed < OUTAGE.toNanos()) {
        long asked = System.nanoTime();
        assertThat(new ContractClient().send(node, "fill:3").line()).isEqualTo("xxx");
        slowestPage = Math.max(slowestPage, System.nanoTime() - asked);
        pages++;
        TimeUnit.MILLISECONDS.sleep(50);
      }
      Browser.Answer refused = member.get(node.uri().resolve("members/"));
      assertThat(refused.status()).isEqualTo(503);
      assertThat(refused.setCookies()).isEmpty();
      long end = System.nanoTime();
      server.recover().run();
      long recovered = System.nanoTime();
      List<LogRecord> lines = log.all();
      lines = lines.subList(linesBefore, lines.size());
      long logged = lines.size();
      await().atMost(PATIENCE).until(() -> servedSince(recovered) > 2L * CLIENTS);
      stopped = true;
      for (Future<?> each : running) {
        each.get();
      }

      List<Answered> during =
          answers.stream()
              .filter(each -> each.asked > failed && each.asked < end)
              // Who was still waiting when the store came back may have been served.
              .filter(each -> each.came < end || each.answer.status() != 200)
              .toList();
      assertThat(during)
          .isNotEmpty()
          .allSatisfy(
              each -> {
                assertThat(each.answer.status()).isEqualTo(503);
                assertThat(each.answer.retryAfter()).isPresent();
                assertThat(each.answer.cookies()).isEmpty();
              });
      assertThat(answers).allSatisfy(each -> assertThat(each.answer.status()).isIn(200, 503));
      print(kind, killed, failed, recovered, during, slowestPage, logged);
      assertThat(pages).isGreaterThan(FEWEST_PAGES);
      assertThat(logged).isLessThan(MOST_LINES_A_SECOND * (end - begin) / 1_000_000_000);
      // HikariCP's are of one connection each, which are few.
      assertThat(lines)
          .filteredOn(line -> !line.getLoggerName().startsWith("com.zaxxer.hikari"))
          .allSatisfy(line -> assertThat(line.getThrown()).isNull());
      assertThat(
              served(() -> member.get(node.uri().resolve("members/")), Browser.Answer::status)
                  .body())
          .contains("user=anna");
      assertThat(member.cookie("JSESSIONID", "/")).isEqualTo(memberId);
      for (int i = 0; i < CLIENTS; i++) {
        User user = users.get(i);
        assertThat(user.client.sessionId()).isEqualTo(ids.get(i));
        assertThat(served(user.client, node, "get:user").line()).isEqualTo(user.name);
        // What was not acknowledged may be there or not.
        int n = Integer.parseInt(served(user.client, node, "get:n").line());
        assertThat(n).isBetween(user.acknowledged, user.attempted);
      }
    } finally {
      stopped = true;
      executor.shutdownNow();
      server.process().close();
    }
  }

  /** Asks again while a store that is slow without an outage is taken for one. */
  private static Answer served(ContractClient client, TomcatNode node, String operation) {
    return served(() -> client.send(node, operation), Answer::status);
  }

  private static <T> T served(Callable<T> request, ToIntFunction<T> status) {
    return await()
        .atMost(PATIENCE)
        .pollDelay(Duration.ZERO)
        .until(request, answer -> status.applyAsInt(answer) != 503);
  }

  private static Browser logIn(TomcatNode node) {
    Browser browser = new Browser();
    // The store's first answers may be slow.
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              browser.get(node.uri().resolve("members/"));
              browser.post(
                  node.uri().resolve("j_security_check"),
                  "j_username",
                  "anna",
                  "j_password",
                  "secret");
              return browser.get(node.uri().resolve("members/")).body().contains("user=anna");
            });
    return browser;
  }

  private long servedSince(long time) {
    return answers.stream()
        .filter(each -> each.asked > time && each.answer.status() == 200)
        .count();
  }

  private void print(
      String kind,
      boolean killed,
      long failed,
      long recovered,
      List<Answered> during,
      long slowestPage,
      long logged) {
    long settled = failed + SETTLING.toNanos();
    long firstServed =
        answers.stream()
            .filter(each -> each.answer.status() == 200 && each.came > recovered)
            .mapToLong(Answered::came)
            .min()
            .orElseThrow();
    System.out.printf(
        "%s %s: %d answers of 503, slowest %d ms, %d ms of those asked for after %d ms;"
            + " slowest page without a session %d ms; served %d ms after the return; %d log lines%n",
        kind,
        killed ? "killed" : "frozen",
        during.size(),
        during.stream().mapToLong(Answered::millis).max().orElse(0),
        during.stream()
            .filter(each -> each.asked > settled)
            .mapToLong(Answered::millis)
            .max()
            .orElse(0),
        SETTLING.toMillis(),
        TimeUnit.NANOSECONDS.toMillis(slowestPage),
        TimeUnit.NANOSECONDS.toMillis(firstServed - recovered),
        logged);
  }
}
