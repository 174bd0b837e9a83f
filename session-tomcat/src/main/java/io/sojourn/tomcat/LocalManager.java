package io.sojourn.tomcat;

import static java.lang.invoke.MethodType.methodType;

import jakarta.servlet.ServletException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.lang.runtime.ObjectMethods;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.logging.LogManager;
import java.util.logging.Logger;
import org.apache.catalina.Container;
import org.apache.catalina.Context;
import org.apache.catalina.Lifecycle;
import org.apache.catalina.LifecycleEvent;
import org.apache.catalina.LifecycleListener;
import org.apache.catalina.Manager;
import org.apache.catalina.Pipeline;
import org.apache.catalina.Valve;
import org.apache.catalina.WebResourceRoot;
import org.apache.catalina.core.StandardPipeline;
import org.apache.catalina.session.StandardManager;
import org.apache.juli.logging.Log;
import org.apache.juli.logging.LogFactory;
import org.apache.tomcat.util.IntrospectionUtils;

/**
 * Puts a manager into a context that has begun to start, and takes it out when the context stops:
 * its classes may be the application's own, and nothing of them is to outlive the application's
 * class loader.
 *
 * <p>Tomcat has started the context's valves by then, and starts the manager next.
 */
final class LocalManager implements LifecycleListener {

  private static final Log LOG = LogFactory.getLog(LocalManager.class);

  private static final String MYSQLS_DRIVER = "com.mysql.cj.jdbc.Driver";
  private static final String MYSQLS_CLEANUP = "com.mysql.cj.jdbc.AbandonedConnectionCleanupThread";
  private static final String MYSQLS_THREAD = "mysql-cj-abandoned-connection-cleanup";
  private static final Duration MYSQLS_PATIENCE = Duration.ofSeconds(2);

  private final Context context;

  private LocalManager(Context context) {
    this.context = context;
  }

  /**
   * Gives the context a manager.
   *
   * @param resources a {@link WebResourceRoot} of the context; no Tomcat, no such type
   * @param attributes as those of the {@code <Manager>} element
   * @throws ServletException that stops the start, if it cannot have one
   */
  static void install(Object resources, Map<String, String> attributes) throws ServletException {
    Context context = ((WebResourceRoot) resources).getContext();
    Manager present = context.getManager();
    if (present != null && isOurs(present)) {
      LOG.info(
          "The sessions of "
              + context.getName()
              + " are kept by the SojournManager of its context.xml; its sojourn.* parameters, and a"
              + " jar in its WEB-INF/lib, are not used");
      return;
    }
    if (present != null && present.getClass() != StandardManager.class) {
      throw new ServletException(
          "SojournManager cannot keep the sessions of "
              + context.getName()
              + ", whose context has a manager of its own, "
              + present.getClass().getName()
              + ": remove that, or the sojourn.* parameters and the jar in WEB-INF/lib");
    }
    if (!attributes.containsKey("store")) {
      throw new ServletException(
          "SojournManager cannot keep the sessions of "
              + context.getName()
              + ": the context parameter sojourn.store is missing, the URL of the store, for"
              + " instance redis://127.0.0.1:6379");
    }
    SojournManager manager = new SojournManager();
    attributes.forEach((name, value) -> IntrospectionUtils.setProperty(manager, name, value));
    context.addLifecycleListener(new LocalManager(context));
    context.setManager(manager);
    putFirst(manager.valve(), context.getPipeline());
  }

  /** Also one that another class loader has loaded. */
  private static boolean isOurs(Manager manager) {
    return manager.getClass().getName().equals(SojournManager.class.getName());
  }

  /**
   * Moves the last valve of a pipeline in front of the others, above all an authenticator. Tomcat
   * has no way to do so but to end and forget those others.
   */
  private static void putFirst(Valve valve, Pipeline pipeline) throws ServletException {
    Valve first = pipeline.getFirst();
    if (first == valve) {
      return;
    }
    try {
      Field field = StandardPipeline.class.getDeclaredField("first");
      field.setAccessible(true);
      Valve before = first;
      while (before.getNext() != valve) {
        before = before.getNext();
      }
      field.set(pipeline, valve);
      before.setNext(valve.getNext());
      valve.setNext(first);
    } catch (ReflectiveOperationException | RuntimeException e) {
      throw new ServletException(
          "SojournManager cannot put its valve in front of "
              + first.getClass().getName()
              + " here; put the jar into Tomcat's lib, and the manager into context.xml",
          e);
    }
  }

  /**
   * While classes can still be loaded. Whoever asks the context meanwhile finds Tomcat's own
   * manager, which it would have been given, and no session in it.
   */
  @Override
  public void lifecycleEvent(LifecycleEvent event) {
    if (event.getType().equals(Lifecycle.CONFIGURE_STOP_EVENT)) {
      context.removeLifecycleListener(this);
      context.setManager(new StandardManager());
      ClassLoader own = LocalManager.class.getClassLoader();
      if (own == context.getLoader().getClassLoader()) {
        forgetDrivers(own);
        forgetFilters(own);
        forgetRecords();
      }
    }
  }

  /** Tomcat would do so too, and warn. */
  private static void forgetDrivers(ClassLoader own) {
    // Where another class loader has registered a driver, this loads and registers ours.
    var unused = DriverManager.getDrivers();
    for (Driver driver : Collections.list(DriverManager.getDrivers())) {
      if (driver.getClass().getClassLoader() == own) {
        try {
          DriverManager.deregisterDriver(driver);
        } catch (SQLException e) {
          LOG.warn("The JDBC driver " + driver.getClass().getName() + " stays registered", e);
        }
        if (driver.getClass().getName().equals(MYSQLS_DRIVER)) {
          endMySqlsThread(own);
        }
      }
    }
  }

  /** It would end without it, but after Tomcat has warned of it. */
  private static void endMySqlsThread(ClassLoader own) {
    try {
      var unused =
          Class.forName(MYSQLS_CLEANUP, true, own).getMethod("checkedShutdown").invoke(null);
      for (Thread thread : Thread.getAllStackTraces().keySet()) {
        if (thread.getName().equals(MYSQLS_THREAD) && thread.getContextClassLoader() == own) {
          thread.join(MYSQLS_PATIENCE.toMillis());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ReflectiveOperationException e) {
      LOG.debug("A thread of MySQL's driver goes on for a while", e);
    }
  }

  /** Tomcat's own log manager keeps an application's loggers, for its class loader. */
  private static void forgetFilters(ClassLoader own) {
    LogManager loggers = LogManager.getLogManager();
    for (String name : Collections.list(loggers.getLoggerNames())) {
      Logger logger = loggers.getLogger(name);
      if (logger != null
          && logger.getFilter() != null
          && logger.getFilter().getClass().getClassLoader() == own) {
        logger.setFilter(null);
      }
    }
  }

  /**
   * Java keeps the types that it has last made a record's {@code equals}, {@code hashCode} and
   * {@code toString} for, and thereby their class loader, 25 as long as there is memory. It is made
   * to keep types of Tomcat's.
   */
  private static void forgetRecords() {
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    try {
      MethodHandle component =
          lookup.findVirtual(Context.class, "getParent", methodType(Container.class));
      for (Map.Entry<String, MethodType> method :
          Map.of(
                  "equals", methodType(boolean.class, Context.class, Object.class),
                  "hashCode", methodType(int.class, Context.class),
                  "toString", methodType(String.class, Context.class))
              .entrySet()) {
        var unused =
            ObjectMethods.bootstrap(
                lookup, method.getKey(), method.getValue(), Context.class, "parent", component);
      }
    } catch (Throwable e) {
      LOG.debug("Java may keep a class loader", e);
    }
  }
}
