package io.sojourn.redis;

import io.sojourn.testkit.server.RedisAccess;
import io.sojourn.testkit.server.RedisClusterServers;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract of stores on a cluster of three masters, as the user of docs/operations.md. */
class RedisClusterSessionStoreIT extends RedisStoreContract {

  private static final RedisAccess ACCESS = RedisAccess.documented();

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
  Map<String, String> options() {
    return ACCESS.options(url());
  }

  @Override
  String unreachableUrl() {
    return "redis-cluster://127.0.0.1:1,127.0.0.1:2";
  }
}
