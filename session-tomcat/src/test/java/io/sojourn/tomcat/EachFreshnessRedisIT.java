package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.EachFreshnessContract;
import io.sojourn.testkit.NodeSettings;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RedisServer;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class EachFreshnessRedisIT extends EachFreshnessContract {

  private static RedisServer redis;

  /** Its own: others' keys would come and go. */
  @BeforeAll
  static void startRedis() {
    redis = RedisServer.startPrivate();
  }

  @AfterAll
  static void stopRedis() {
    redis.close();
  }

  @Override
  protected ContainerNode start(NodeSettings settings) throws Exception {
    return TomcatNode.start(settings);
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clock) {
    return PatientStores.open(redis.url(), application, clock);
  }

  @Override
  protected long entries() throws IOException {
    return redis.keys();
  }

  @Override
  protected boolean tells() {
    return true;
  }
}
