package io.sojourn.jetty;

import io.sojourn.SessionStore;
import io.sojourn.testkit.CausalContract;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.NodeSettings;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class CausalRedisIT extends CausalContract {

  private final RedisServer redis;

  CausalRedisIT(RedisServer redis) {
    this.redis = redis;
  }

  @Override
  protected ContainerNode start(NodeSettings settings) throws Exception {
    return JettyNode.start(settings);
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clock) {
    return PatientStores.open(redis.url(), application, clock);
  }
}
