package io.sojourn.jetty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.SessionPolicy;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ContractServlet;
import io.sojourn.testkit.NodeSettings;
import io.sojourn.testkit.SessionEvents;
import io.sojourn.testkit.TrackedContract;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.Consumer;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.ContextHandlerCollection;
import org.eclipse.jetty.session.DefaultSessionIdManager;
import org.jspecify.annotations.Nullable;

/** A Jetty in this JVM with a web application whose sessions Sojourn keeps. */
final class JettyNode implements ContainerNode {

  private final Server server;
  private final ContextHandlerCollection contexts;
  private final ServletContext context;
  private int port;

  private JettyNode(Server server, ContextHandlerCollection contexts, ServletContext context) {
    this.server = server;
    this.contexts = contexts;
    this.context = context;
  }

  /**
   * Starts it.
   *
   * @throws Exception if it does not start
   */
  static JettyNode start(NodeSettings settings) throws Exception {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setSessionStore(settings.store());
    sessions.setAllowedClasses(settings.allowedClasses());
    sessions.setFreshness(settings.freshness().name());
    if (settings.freshness() == SessionPolicy.Freshness.TRACKED) {
      sessions.setMaxStaleness(Long.toString(TrackedContract.LONG_STALENESS.toSeconds()));
    }
    sessions.setNearCacheSize(Integer.toString(settings.nearCacheSize()));
    sessions.setClockOffset(settings.clock());
    return start(sessions, "", node -> {});
  }

  /**
   * Starts it.
   *
   * @param sessions keeps the sessions; null: as Jetty does without it
   * @param workerName what session ids end with; empty for nothing
   * @param preparation what to do before
   * @throws Exception if it does not start
   */
  static JettyNode start(
      @Nullable SojournSessionCacheFactory sessions,
      String workerName,
      Consumer<JettyNode> preparation)
      throws Exception {
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server, 1, 1);
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    DefaultSessionIdManager ids = new DefaultSessionIdManager(server);
    ids.setWorkerName(workerName);
    server.addBean(ids, true);
    if (sessions != null) {
      sessions.setServer(server);
      server.addBean(sessions);
    }
    ContextHandlerCollection contexts = new ContextHandlerCollection();
    server.setHandler(contexts);
    ServletContext context = context("/");
    contexts.addHandler(context.handler());
    JettyNode node = new JettyNode(server, contexts, context);
    preparation.accept(node);
    try {
      server.start();
      node.port = connector.getLocalPort();
    } catch (Exception e) {
      server.stop();
      throw e;
    }
    return node;
  }

  /** A web application with the contract's servlet. */
  static ServletContext context(String path) {
    ServletContext context = new ServletContext(path);
    // As in a web application: what the server has is not its own.
    context
        .handler()
        .setClassLoader(new URLClassLoader(new URL[0], JettyNode.class.getClassLoader()));
    context.sessions().setMaxInactiveInterval(1800);
    context.sessions().setHttpOnly(true);
    SessionEvents events = new SessionEvents();
    context.add(events);
    context.add(new ContractServlet(events), "/*");
    return context;
  }

  /** Has the session's id in addresses only. */
  static void trackByAddress(JettyNode node) {
    node.context.sessions().setUsingCookies(false);
    node.context.sessions().setUsingUriParameters(true);
  }

  /** Waits until it is done with all requests, which it may be later than it has answered them. */
  void awaitIdle() {
    awaitRequests(0);
  }

  /** Waits until so many requests are in the application. */
  void awaitRequests(int number) {
    if (context.sessions().getSessionCache() instanceof SojournSessionCache cache) {
      await().pollInterval(Duration.ofMillis(1)).until(() -> cache.requests().get() == number);
    }
  }

  void closeConnections() {
    ((ServerConnector) server.getConnectors()[0]).getConnectedEndPoints().forEach(EndPoint::close);
  }

  /**
   * Gives one of the selectors, which take turns, another connection to keep than a closed one that
   * it saw last.
   */
  void connect() throws IOException {
    try (Socket connection = new Socket(uri().getHost(), port)) {
      connection
          .getOutputStream()
          .write("GET /nowhere HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      assertThat(connection.getInputStream().readAllBytes()).isNotEmpty();
    }
  }

  Server server() {
    return server;
  }

  ServletContext context() {
    return context;
  }

  /** Adds a web application, before the start or after it. */
  void add(ServletContext second) throws Exception {
    contexts.addHandler(second.handler());
    if (server.isStarted()) {
      second.handler().start();
      // As Jetty's deployer does.
      contexts.manage(second.handler());
    }
  }

  @Override
  public URI uri() {
    return URI.create("http://127.0.0.1:" + port + "/");
  }

  /** The second web application as a node. */
  ContainerNode at(ServletContext second) {
    URI uri = uri().resolve(second.handler().getContextPath() + "/");
    return new ContainerNode() {
      @Override
      public URI uri() {
        return uri;
      }

      @Override
      public void scavenge() {
        second.sessions().scavenge();
      }

      @Override
      public void close() {
        contexts.removeHandler(second.handler());
      }
    };
  }

  @Override
  public void scavenge() {
    context.sessions().scavenge();
  }

  @Override
  public void close() {
    try {
      server.stop();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
