package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.EventsAndTimesContract;
import jakarta.servlet.http.HttpServlet;
import java.util.EventListener;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.session.ManagerBase;
import org.apache.catalina.session.StandardManager;
import org.apache.catalina.startup.Tomcat;
import org.jspecify.annotations.Nullable;

/** On the Tomcat that is on the class path. */
abstract class EventsAndTimes extends EventsAndTimesContract {

  @Override
  protected final ContainerNode start(
      @Nullable SessionStore store, HttpServlet servlet, EventListener listener) throws Exception {
    return TomcatNode.start(
        store == null ? new StandardManager() : manager(store),
        (tomcat, context) -> prepare(context, servlet, listener));
  }

  private static ManagerBase manager(SessionStore store) {
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    manager.setAllowedClasses("io.sojourn.testkit.*");
    manager.setTouchInterval("0");
    return manager;
  }

  private static void prepare(
      StandardContext context, HttpServlet servlet, EventListener listener) {
    Tomcat.addServlet(context, "work", servlet);
    context.addServletMappingDecoded("/work", "work");
    context.addApplicationLifecycleListener(listener);
    context.addApplicationEventListener(listener);
  }

  @Override
  protected final void awaitIdle(ContainerNode node) {
    ((TomcatNode) node).awaitIdle();
  }
}
