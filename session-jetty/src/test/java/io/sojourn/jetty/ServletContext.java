package io.sojourn.jetty;

import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.Servlet;
import java.util.EnumSet;
import java.util.EventListener;
import java.util.Map;
import org.eclipse.jetty.security.SecurityHandler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.handler.ContextHandler;
import org.eclipse.jetty.session.AbstractSessionManager;

/**
 * A servlet context of Jetty's, of the Jakarta EE version that the class path has: their classes
 * differ in nothing but their package.
 */
final class ServletContext {

  /** Which version that is. */
  static final String ENVIRONMENT = System.getProperty("sojourn.jettyEnvironment", "ee10");

  private static final String PACKAGE = "org.eclipse.jetty." + ENVIRONMENT + ".servlet.";

  private final ContextHandler handler;
  private final AbstractSessionManager sessions;

  /** A context at this path, with sessions. */
  ServletContext(String path) {
    try {
      handler =
          (ContextHandler)
              type("ServletContextHandler")
                  .getConstructor(String.class, int.class)
                  .newInstance(path, 1);
      sessions =
          (AbstractSessionManager)
              handler.getClass().getMethod("getSessionHandler").invoke(handler);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Class<?> type(String name) throws ClassNotFoundException {
    return Class.forName(PACKAGE + name);
  }

  ContextHandler handler() {
    return handler;
  }

  AbstractSessionManager sessions() {
    return sessions;
  }

  /** Adds a servlet. */
  void add(Servlet servlet, String pathSpec) {
    try {
      Class<?> holderType = type("ServletHolder");
      Object holder = holderType.getConstructor(Servlet.class).newInstance(servlet);
      holderType.getMethod("setAsyncSupported", boolean.class).invoke(holder, true);
      handler
          .getClass()
          .getMethod("addServlet", holderType, String.class)
          .invoke(handler, holder, pathSpec);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Adds a filter.
   *
   * @param parameters what it is told
   */
  void add(Filter filter, String pathSpec, Map<String, String> parameters) {
    try {
      Class<?> holderType = type("FilterHolder");
      Object holder = holderType.getConstructor(Filter.class).newInstance(filter);
      holderType.getMethod("setAsyncSupported", boolean.class).invoke(holder, true);
      holderType.getMethod("setInitParameters", Map.class).invoke(holder, parameters);
      handler
          .getClass()
          .getMethod("addFilter", holderType, String.class, EnumSet.class)
          .invoke(handler, holder, pathSpec, EnumSet.of(DispatcherType.REQUEST));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Sends this page in place of an error. */
  void addErrorPage(int status, String page) {
    try {
      Class<?> handlerType = type("ErrorPageErrorHandler");
      Object errors = handlerType.getConstructor().newInstance();
      handlerType.getMethod("addErrorPage", int.class, String.class).invoke(errors, status, page);
      handler.setErrorHandler((Request.Handler) errors);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Has its users log in. */
  void protect(SecurityHandler security) {
    try {
      handler
          .getClass()
          .getMethod("setSecurityHandler", SecurityHandler.class)
          .invoke(handler, security);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Adds a listener of any kind. */
  void add(EventListener listener) {
    handler.addEventListener(listener);
  }
}
