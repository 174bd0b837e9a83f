package io.sojourn.tomcat;

import io.sojourn.testkit.server.RedisClusterServers;
import org.junit.jupiter.api.AfterAll;

class TomcatRedisClusterIT extends TomcatRedisContract {

  private final RedisClusterServers cluster = RedisClusterServers.start();

  @AfterAll
  void stopServers() {
    cluster.close();
  }

  @Override
  String url() {
    return cluster.url();
  }
}
