package io.sojourn.jetty;

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
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setSessionStore(store);
    sessions.setNewSessionTimeout(newSessionTimeout);
    return JettyNode.start(sessions, "", node -> {});
  }
}
