package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.NodeSettings;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.TrackedContract;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class TrackedRedisIT extends TrackedContract {

  private final String url;

  TrackedRedisIT(RedisServer redis) {
    this.url = redis.url();
  }

  @Override
  protected ContainerNode start(NodeSettings settings) throws Exception {
    return TomcatNode.start(settings);
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clock) {
    return PatientStores.open(url, application, clock);
  }
}
