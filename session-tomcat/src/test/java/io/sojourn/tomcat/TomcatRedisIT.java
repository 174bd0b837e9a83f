package io.sojourn.tomcat;

import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class TomcatRedisIT extends TomcatRedisContract {

  private final RedisServer redis;

  TomcatRedisIT(RedisServer redis) {
    this.redis = redis;
  }

  @Override
  String url() {
    return redis.url();
  }
}
