package io.sojourn.redis;

import static io.sojourn.redis.Sessions.created;
import static io.sojourn.redis.Sessions.found;
import static io.sojourn.redis.Sessions.set;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.testkit.server.RedisClusterServers;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract of stores on a cluster of three masters, by TLS to all of them. */
class RedisTlsClusterSessionStoreIT extends RedisTlsStoreContract {

  private static RedisClusterServers cluster;

  @BeforeAll
  static void startCluster() {
    cluster = RedisClusterServers.start(ACCESS);
  }

  @AfterAll
  static void stopCluster() {
    cluster.close();
  }

  @Override
  String url() {
    return cluster.url();
  }

  @Override
  String unreachableUrl() {
    return "rediss-cluster://127.0.0.1:1,127.0.0.1:2";
  }

  @Test
  @Tag("R16")
  @Tag("R83")
  void aSlotMovesUnderTheStore() {
    SessionStore store = open("moving", () -> Duration.ZERO);
    try {
      SessionKey key = created(store);
      int slot = cluster.slot(new String(new RedisKeys("moving").of(key)[0], UTF_8));
      RedisServer owner = cluster.owner(slot);
      RedisServer target =
          cluster.nodes().stream().filter(node -> node != owner).findFirst().orElseThrow();
      cluster.beginMove(slot, target).finish();
      assertThat(store.save(set(key, "b", "2"))).hasValue(2);
      assertThat(found(store, key).attributes()).containsOnlyKeys("a", "b");
    } finally {
      store.close();
    }
  }
}
