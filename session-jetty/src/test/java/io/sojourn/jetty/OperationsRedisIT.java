package io.sojourn.jetty;

import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class OperationsRedisIT extends OperationsContract {

  private final RedisServer redis;

  OperationsRedisIT(RedisServer redis) {
    this.redis = redis;
  }

  @Override
  String url() {
    return redis.url();
  }
}
