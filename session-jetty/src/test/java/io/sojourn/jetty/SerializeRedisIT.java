package io.sojourn.jetty;

import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class SerializeRedisIT extends JettySerializeContract {

  SerializeRedisIT(RedisServer redis) {
    super(redis.url());
  }
}
