package io.sojourn.demo;

import io.sojourn.jetty.SojournSessionCacheFactory;
import java.net.URI;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/** A Jetty with the application. */
final class JettyServer {

  private static final int TIMEOUT_SECONDS = 1800;

  private JettyServer() {}

  /**
   * Starts it, and answers where it listens.
   *
   * @throws Exception if it does not start
   */
  static URI start(String name, String store) throws Exception {
    Server server = new Server();
    HttpConfiguration http = new HttpConfiguration();
    // A connection for each request: one that cannot be made proves that the node never saw the
    // request.
    http.setPersistentConnectionsEnabled(false);
    ServerConnector connector = new ServerConnector(server, new HttpConnectionFactory(http));
    connector.setHost("127.0.0.1");
    server.addConnector(connector);

    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setStore(store);
    sessions.setApplication(SharedStore.APPLICATION);
    // Classes in WEB-INF need no mention; this application is a part of the program around it.
    sessions.setAllowedClasses(Cart.class.getName());
    sessions.setServer(server);
    server.addBean(sessions);

    ServletContextHandler context = new ServletContextHandler("/", ServletContextHandler.SESSIONS);
    context.getSessionHandler().setMaxInactiveInterval(TIMEOUT_SECONDS);
    context.addServlet(new ServletHolder(new Shop(name)), "/*");
    server.setHandler(context);

    server.start();
    return URI.create("http://127.0.0.1:" + connector.getLocalPort());
  }
}
