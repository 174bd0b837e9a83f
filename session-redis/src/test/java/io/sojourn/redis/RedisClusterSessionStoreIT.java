package io.sojourn.redis;

import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.SessionStoreContract;
import io.sojourn.testkit.server.RedisClusterServers;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract of stores on a cluster of three masters. */
class RedisClusterSessionStoreIT extends SessionStoreContract {

  private static RedisClusterServers cluster;

  @BeforeAll
  static void startCluster() {
    cluster = RedisClusterServers.start();
  }

  @AfterAll
  static void stopCluster() {
    cluster.close();
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clockOffset) {
    return new RedisSessionStore(
        new StoreConfiguration(cluster.url(), application, Map.of("timeout", "10s"), clockOffset));
  }

  /** Ports 1 and 2 are nobody's. */
  @Override
  protected SessionStore openUnreachable() {
    return new RedisSessionStore(
        StoreConfiguration.of("redis-cluster://127.0.0.1:1,127.0.0.1:2", "unreachable"));
  }
}
