package io.sojourn.redis;

import io.sojourn.testkit.server.RedisClusterServers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract of stores on a cluster of three masters. */
class RedisClusterSessionStoreIT extends RedisStoreContract {

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
  String url() {
    return cluster.url();
  }

  @Override
  String unreachableUrl() {
    return "redis-cluster://127.0.0.1:1,127.0.0.1:2";
  }
}
