package io.sojourn.tomcat;

import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class IdleTimeRedisIT extends IdleTimeContract {

  private final String url;

  IdleTimeRedisIT(RedisServer redis) {
    this.url = redis.url();
  }

  @Override
  String url() {
    return url;
  }
}
