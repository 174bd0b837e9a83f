package io.sojourn.tomcat;

import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class TomcatSerializeRedisIT extends TomcatSerializeContract {

  TomcatSerializeRedisIT(RedisServer redis) {
    super(redis.url());
  }
}
