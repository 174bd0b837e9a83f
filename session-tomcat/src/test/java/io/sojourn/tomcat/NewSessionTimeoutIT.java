package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.NewSessionTimeoutContract;
import io.sojourn.testkit.server.RedisServer;
import org.jspecify.annotations.Nullable;

class NewSessionTimeoutIT extends NewSessionTimeoutContract {

  NewSessionTimeoutIT(RedisServer redis) {
    super(redis);
  }

  @Override
  protected ContainerNode start(String name, SessionStore store, @Nullable String newSessionTimeout)
      throws Exception {
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    if (newSessionTimeout != null) {
      manager.setNewSessionTimeout(newSessionTimeout);
    }
    return TomcatNode.start(manager);
  }
}
