package io.sojourn.jetty;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.EventsAndTimesContract;
import jakarta.servlet.http.HttpServlet;
import java.util.EventListener;
import org.jspecify.annotations.Nullable;

/** On the Jetty that is on the class path. */
abstract class EventsAndTimes extends EventsAndTimesContract {

  @Override
  protected final ContainerNode start(
      @Nullable SessionStore store, HttpServlet servlet, EventListener listener) throws Exception {
    return JettyNode.start(
        store == null ? null : sessions(store),
        "",
        node -> {
          node.context().add(servlet, "/work");
          node.context().add(listener);
        });
  }

  private static SojournSessionCacheFactory sessions(SessionStore store) {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setSessionStore(store);
    sessions.setAllowedClasses("io.sojourn.testkit.*");
    sessions.setTouchInterval("0");
    return sessions;
  }

  @Override
  protected final void awaitIdle(ContainerNode node) {
    ((JettyNode) node).awaitIdle();
  }
}
