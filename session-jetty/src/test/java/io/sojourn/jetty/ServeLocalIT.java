package io.sojourn.jetty;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ServeLocalContract;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.function.Supplier;

class ServeLocalIT extends ServeLocalContract {

  ServeLocalIT(RedisServer redis) {
    super(redis);
  }

  @Override
  protected ContainerNode start(SessionStore store, Supplier<Duration> clock) throws Exception {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setSessionStore(store);
    sessions.setAllowedClasses("io.sojourn.testkit.*");
    sessions.setOnStoreFailure("serve-local");
    sessions.setClockOffset(clock);
    return JettyNode.start(sessions, "", node -> {});
  }

  @Override
  protected void awaitIdle(ContainerNode node) {
    ((JettyNode) node).awaitIdle();
  }
}
