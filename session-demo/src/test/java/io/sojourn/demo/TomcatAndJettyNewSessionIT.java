package io.sojourn.demo;

import io.sojourn.SessionStore;
import io.sojourn.jetty.SojournSessionCacheFactory;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.NewSessionTimeoutContract;
import io.sojourn.testkit.server.RedisServer;
import io.sojourn.tomcat.SojournManager;
import org.jspecify.annotations.Nullable;

/** Sessions that begin on a Tomcat and whose clients come back to a Jetty. */
class TomcatAndJettyNewSessionIT extends NewSessionTimeoutContract {

  TomcatAndJettyNewSessionIT(RedisServer redis) {
    super(redis);
  }

  @Override
  protected ContainerNode start(String name, SessionStore store, @Nullable String newSessionTimeout)
      throws Exception {
    if (name.equals("a")) {
      SojournManager manager = new SojournManager();
      manager.setSessionStore(store);
      if (newSessionTimeout != null) {
        manager.setNewSessionTimeout(newSessionTimeout);
      }
      return TomcatAndJettyContract.tomcat(manager);
    }
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setSessionStore(store);
    sessions.setNewSessionTimeout(newSessionTimeout);
    return TomcatAndJettyContract.jetty(sessions);
  }
}
