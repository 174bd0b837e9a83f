package io.sojourn.jetty;

import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.JavaMelodyContract;
import io.sojourn.testkit.PatientStores;
import jakarta.servlet.Filter;
import java.nio.file.Path;
import java.util.EventListener;
import java.util.Map;
import net.bull.javamelody.MonitoringFilter;
import net.bull.javamelody.SessionListener;

class JavaMelodyIT extends JavaMelodyContract {

  @Override
  protected ContainerNode start(String storeUrl, Path statistics) throws Exception {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setStore(storeUrl);
    PatientStores.options(storeUrl).forEach(sessions::setStoreOption);
    sessions.setAllowedClasses(ALLOWED_CLASSES);
    // As with its jar in the application's folder, of which each node has one of its own.
    ClassLoader application =
        new WebApplicationLoader(
            "net.bull.javamelody.",
            MonitoringFilter.class.getProtectionDomain().getCodeSource().getLocation());
    Filter filter = (Filter) instance(application, MonitoringFilter.class);
    EventListener listener = (EventListener) instance(application, SessionListener.class);
    return JettyNode.start(
        sessions,
        "",
        node -> {
          node.context().handler().setClassLoader(application);
          node.context().add(listener);
          node.context().add(filter, "/*", Map.of("storage-directory", statistics.toString()));
        });
  }

  private static Object instance(ClassLoader application, Class<?> type)
      throws ReflectiveOperationException {
    return application.loadClass(type.getName()).getConstructor().newInstance();
  }

  @Override
  protected boolean concernsSessions(String logger) {
    // Its connections say what clients, of whatever test, have broken off.
    return logger.startsWith("org.eclipse.jetty.") && !logger.startsWith("org.eclipse.jetty.io.");
  }
}
