package io.sojourn.tomcat;

import io.sojourn.testkit.server.RedisAccess;
import io.sojourn.testkit.server.RedisClusterServers;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;

class TomcatRedisClusterIT extends TomcatRedisContract {

  private final RedisAccess access = RedisAccess.documented();
  private final RedisClusterServers cluster = RedisClusterServers.start(access);

  @AfterAll
  void stopServers() {
    cluster.close();
  }

  @Override
  String url() {
    return cluster.url();
  }

  @Override
  Map<String, String> options() {
    return access.options(url());
  }
}
