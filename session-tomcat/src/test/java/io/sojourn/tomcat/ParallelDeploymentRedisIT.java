package io.sojourn.tomcat;

import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class ParallelDeploymentRedisIT extends ParallelDeploymentContract {

  private final String url;

  ParallelDeploymentRedisIT(RedisServer redis) {
    this.url = redis.url();
  }

  @Override
  String url() {
    return url;
  }
}
