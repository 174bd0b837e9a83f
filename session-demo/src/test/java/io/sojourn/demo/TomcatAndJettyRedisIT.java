package io.sojourn.demo;

import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class TomcatAndJettyRedisIT extends TomcatAndJettyContract {

  TomcatAndJettyRedisIT(RedisServer redis) {
    super(true, redis.url());
  }
}
