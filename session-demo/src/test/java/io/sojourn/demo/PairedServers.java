package io.sojourn.demo;

import io.sojourn.jetty.SojournSessionCacheFactory;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.tomcat.SojournManager;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.session.DefaultSessionIdManager;

/** A Tomcat and a Jetty in this JVM, each with one web application at the same path. */
final class PairedServers {

  private static final int TIMEOUT_MINUTES = 30;

  private PairedServers() {}

  /**
   * Starts a Tomcat.
   *
   * @param path of its web application; empty for the root
   * @param route what session ids end with; empty for nothing
   * @param preparation what makes the web application
   */
  static ContainerNode tomcat(
      String path, String route, SojournManager manager, Consumer<StandardContext> preparation)
      throws IOException, LifecycleException {
    Path folder = Files.createTempDirectory("tomcat");
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(folder.toString());
    Connector connector = new Connector();
    connector.setPort(0);
    connector.setProperty("address", "127.0.0.1");
    tomcat.setConnector(connector);
    if (!route.isEmpty()) {
      tomcat.getEngine().setJvmRoute(route);
    }
    StandardContext context = (StandardContext) tomcat.addContext(path, folder.toString());
    context.setSessionTimeout(TIMEOUT_MINUTES);
    // Tomcat's search for leaks needs --add-opens, and fills the log without it.
    context.setClearReferencesObjectStreamClassCaches(false);
    context.setClearReferencesRmiTargets(false);
    context.setClearReferencesThreadLocals(false);
    context.setManager(manager);
    preparation.accept(context);
    tomcat.start();
    if (!context.getState().isAvailable()) {
      throw new LifecycleException("The web application did not start");
    }
    return node(
        connector.getLocalPort(),
        path,
        manager::processExpires,
        () -> {
          tomcat.stop();
          tomcat.destroy();
          Node.deleteTree(folder);
        });
  }

  /**
   * Starts a Jetty.
   *
   * @param path of its web application; empty for the root
   * @param workerName what session ids end with; empty for nothing
   * @param preparation what makes the web application
   * @throws Exception if it does not start
   */
  static ContainerNode jetty(
      String path,
      String workerName,
      SojournSessionCacheFactory sessions,
      Consumer<ServletContextHandler> preparation)
      throws Exception {
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server, 1, 1);
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    DefaultSessionIdManager ids = new DefaultSessionIdManager(server);
    ids.setWorkerName(workerName);
    server.addBean(ids, true);
    sessions.setServer(server);
    server.addBean(sessions);
    ServletContextHandler context =
        new ServletContextHandler(path.isEmpty() ? "/" : path, ServletContextHandler.SESSIONS);
    // As in a web application: what the server has is not its own.
    context.setClassLoader(new URLClassLoader(new URL[0], PairedServers.class.getClassLoader()));
    context.getSessionHandler().setMaxInactiveInterval(TIMEOUT_MINUTES * 60);
    preparation.accept(context);
    server.setHandler(context);
    server.start();
    return node(
        connector.getLocalPort(), path, () -> context.getSessionHandler().scavenge(), server::stop);
  }

  private static ContainerNode node(
      int port, String path, Runnable scavenging, AutoCloseable stopping) {
    AtomicBoolean closed = new AtomicBoolean();
    return new ContainerNode() {
      @Override
      public URI uri() {
        return URI.create("http://127.0.0.1:" + port + path + "/");
      }

      @Override
      public void scavenge() {
        scavenging.run();
      }

      @Override
      public void close() {
        if (closed.getAndSet(true)) {
          return;
        }
        try {
          stopping.close();
        } catch (Exception e) {
          throw new IllegalStateException(e);
        }
      }
    };
  }
}
