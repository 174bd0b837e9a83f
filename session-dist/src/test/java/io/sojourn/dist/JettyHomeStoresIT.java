package io.sojourn.dist;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * The Jettys and the stores that {@link JettyHomeContract} does not run with each other: no more
 * than that they work together, since whole servers take their time.
 */
@ExtendWith(RealServers.class)
@Tag("G1")
@Tag("G5")
@Tag("G7")
@Tag("R25")
@Tag("R69")
class JettyHomeStoresIT {

  @Test
  void jetty120SharesItsSessionsOnRedis(RedisServer redis, @TempDir Path folder) throws Exception {
    assertShared("12.0", "ee10", redis.url(), folder);
  }

  @Test
  void jetty121SharesItsSessionsOnMariaDb(MariaDbServer mariaDb, @TempDir Path folder)
      throws Exception {
    assertShared("12.1", "ee11", mariaDb.jdbcUrl(mariaDb.newDatabase()), folder);
  }

  private static void assertShared(String line, String environment, String storeUrl, Path folder)
      throws Exception {
    String application = "stores-" + UUID.randomUUID();
    String allowed = "io.sojourn.testkit.*";
    Jetty base = JettyHomeNode.prepare(line, environment, folder.resolve("prepared"));
    Jetty copy = new Jetty(base, folder.resolve("copy"));
    try (JettyHomeNode a = JettyHomeNode.start(base, storeUrl, application, allowed);
        JettyHomeNode b = JettyHomeNode.start(copy, storeUrl, application, allowed)) {
      ContractClient client = new ContractClient();
      client.send(a, "set:a:1", "add:cart:apple", "timeout:77");
      assertThat(client.send(b, "get:a", "timeout", "add:cart:pear", "set:a:2").lines())
          .containsExactly("1", "77");
      String before = String.valueOf(client.sessionId());
      client.send(a, "changeId", "add:cart:plum");
      assertThat(client.sessionId()).isNotEqualTo(before);
      ContractClient old = new ContractClient();
      old.useSessionId(before);
      assertThat(old.send(b, "get:a").line()).isEqualTo("none");
      ContractClient leaving = new ContractClient();
      leaving.send(b, "set:a:1");
      leaving.send(a, "invalidate");
      assertThat(leaving.send(b, "get:a").line()).isEqualTo("none");
      base.kill();
      assertThat(client.send(b, "get:a", "get:cart", "set:a:3", "get:a").lines())
          .containsExactly("2", "apple,pear,plum", "3");
    }
  }
}
