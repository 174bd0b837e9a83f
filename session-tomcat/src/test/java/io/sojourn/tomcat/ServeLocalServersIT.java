package io.sojourn.tomcat;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A Tomcat that goes on by itself while its store's server is killed, or stands still. */
@Tag("G4")
class ServeLocalServersIT {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static TomcatNode start(String url) throws Exception {
    return TomcatNode.start(
        ManagerElement.of(
            "store",
            url,
            "application",
            "shop",
            "allowedClasses",
            "io.sojourn.testkit.*",
            "onStoreFailure",
            "serve-local"));
  }

  @ParameterizedTest
  @CsvSource({"mariadb, true", "mariadb, false", "redis, true", "redis, false"})
  @Timeout(300)
  void whatWasAnsweredForIsStoredWhenTheServerIsBack(String kind, boolean killed) throws Exception {
    if (kind.equals("redis")) {
      try (RedisServer redis =
          RedisServer.startPrivate("--appendonly", "yes", "--appendfsync", "always")) {
        check(
            redis.url(),
            killed ? redis::kill : redis::suspend,
            killed ? redis::start : redis::resume);
      }
    } else {
      try (MariaDbServer mariaDb = MariaDbServer.startPrivate()) {
        check(
            mariaDb.jdbcUrl(mariaDb.newDatabase()),
            killed ? mariaDb::kill : mariaDb::suspend,
            killed ? mariaDb::start : mariaDb::resume);
      }
    }
  }

  private static void check(String url, Runnable fail, Runnable recover) throws Exception {
    try (TomcatNode a = start(url);
        TomcatNode b = start(url)) {
      ContractClient anna = new ContractClient();
      ContractClient bert = new ContractClient();
      await().atMost(PATIENCE).until(() -> anna.send(a, "set:n:0").status() == 200);
      fail.run();
      try {
        for (int i = 1; i <= 20; i++) {
          assertThat(anna.send(a, "get:n", "set:n:" + i, "add:cart:" + i).line())
              .isEqualTo(Integer.toString(i - 1));
        }
        assertThat(bert.send(a, "set:n:new").status()).isEqualTo(200);
        assertThat(anna.send(b, "get:n").status()).isEqualTo(503);
      } finally {
        recover.run();
      }
      String cart = IntStream.rangeClosed(1, 20).mapToObj(Integer::toString).collect(joining(","));
      assertThat(anna.send(a, "get:cart").line()).isEqualTo(cart);
      for (ContractClient client : new ContractClient[] {anna, bert}) {
        String n = client == anna ? "20" : "new";
        await()
            .atMost(PATIENCE)
            .untilAsserted(
                () -> {
                  ContractClient same = new ContractClient();
                  same.useSessionId(String.valueOf(client.sessionId()));
                  assertThat(anna.send(a, "get:n").status()).isEqualTo(200);
                  assertThat(same.send(b, "get:n").line()).isEqualTo(n);
                });
      }
      assertThat(anna.send(b, "get:cart").line()).isEqualTo(cart);
    }
  }
}
