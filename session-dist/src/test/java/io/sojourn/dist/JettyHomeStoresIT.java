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
 * A Jetty 12.0 and a Jetty 12.1 that share their sessions, as they do while servers are brought
 * from one to the other; with each store, and either of them the one that is killed.
 */
@ExtendWith(RealServers.class)
@Tag("G1")
@Tag("G5")
@Tag("G7")
@Tag("R25")
@Tag("R69")
class JettyHomeStoresIT {

  @Test
  void jetty120And121ShareTheirSessionsOnRedis(RedisServer redis, @TempDir Path folder)
      throws Exception {
    Jetty killed = JettyHomeNode.prepare("12.0", "ee10", folder.resolve("killed"));
    Jetty other = JettyHomeNode.prepare("12.1", "ee11", folder.resolve("other"));
    assertShared(killed, other, redis.url());
  }

  @Test
  void jetty121And120ShareTheirSessionsOnMariaDb(MariaDbServer mariaDb, @TempDir Path folder)
      throws Exception {
    Jetty killed = JettyHomeNode.prepare("12.1", "ee11", folder.resolve("killed"));
    Jetty other = JettyHomeNode.prepare("12.0", "ee10", folder.resolve("other"));
    assertShared(killed, other, mariaDb.jdbcUrl(mariaDb.newDatabase()));
  }

  private static void assertShared(Jetty killed, Jetty other, String storeUrl) throws Exception {
    String application = "stores-" + UUID.randomUUID();
    String allowed = "io.sojourn.testkit.*";
    try (JettyHomeNode a = JettyHomeNode.start(killed, storeUrl, application, allowed);
        JettyHomeNode b = JettyHomeNode.start(other, storeUrl, application, allowed)) {
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
      killed.kill();
      assertThat(client.send(b, "get:a", "get:cart", "set:a:3", "get:a").lines())
          .containsExactly("2", "apple,pear,plum", "3");
    }
  }
}
