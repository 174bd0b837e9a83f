package io.sojourn.tomcat;

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
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    manager.setAllowedClasses("io.sojourn.testkit.*");
    manager.setOnStoreFailure("serve-local");
    manager.setClockOffset(clock);
    return TomcatNode.start(manager);
  }

  @Override
  protected void awaitIdle(ContainerNode node) {
    ((TomcatNode) node).awaitIdle();
  }
}
