package io.sojourn.tomcat;

import static org.awaitility.Awaitility.await;

import io.sojourn.SessionPolicy;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ContractServlet;
import io.sojourn.testkit.NodeSettings;
import io.sojourn.testkit.SessionEvents;
import io.sojourn.testkit.TrackedContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.LifecycleState;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.session.ManagerBase;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.IntrospectionUtils;
import org.apache.tomcat.util.http.fileupload.FileUtils;
import org.apache.tomcat.util.threads.ThreadPoolExecutor;

/** A Tomcat in this JVM with one web application and a {@link SojournManager}. */
final class TomcatNode implements ContainerNode {

  private final Tomcat tomcat;
  private final Path folder;
  private final ManagerBase manager;
  private final int port;

  private TomcatNode(Tomcat tomcat, Path folder, ManagerBase manager) {
    this.tomcat = tomcat;
    this.folder = folder;
    this.manager = manager;
    this.port = tomcat.getConnector().getLocalPort();
  }

  /**
   * Starts it.
   *
   * @throws LifecycleException if it does not start
   */
  static TomcatNode start(NodeSettings settings) throws IOException, LifecycleException {
    SojournManager manager = new SojournManager();
    manager.setSessionStore(settings.store());
    manager.setAllowedClasses(settings.allowedClasses());
    manager.setFreshness(settings.freshness().name());
    if (settings.freshness() == SessionPolicy.Freshness.TRACKED) {
      manager.setMaxStaleness(Long.toString(TrackedContract.LONG_STALENESS.toSeconds()));
    }
    manager.setNearCacheSize(Integer.toString(settings.nearCacheSize()));
    manager.setClockOffset(settings.clock());
    // Whoever counts the calls of the store says when it is asked for expired sessions.
    manager.setProcessExpiresFrequency(Integer.MAX_VALUE);
    return start(manager);
  }

  /**
   * Starts it with this manager.
   *
   * @throws LifecycleException if it does not start
   */
  static TomcatNode start(SojournManager manager) throws IOException, LifecycleException {
    return start(manager, (tomcat, context) -> {});
  }

  /**
   * Starts it with this manager.
   *
   * @param preparation what to do before
   * @throws LifecycleException if it does not start
   */
  static TomcatNode start(ManagerBase manager, BiConsumer<Tomcat, StandardContext> preparation)
      throws IOException, LifecycleException {
    Path folder = Files.createTempDirectory("tomcat");
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(folder.toString());
    Connector connector = new Connector();
    connector.setPort(0);
    connector.setProperty("address", "127.0.0.1");
    tomcat.setConnector(connector);
    addApplication(tomcat, "", folder, manager, context -> preparation.accept(tomcat, context));
    tomcat.start();
    if (!tomcat.getHost().findChild("").getState().isAvailable()) {
      tomcat.stop();
      throw new LifecycleException("The web application did not start");
    }
    return new TomcatNode(tomcat, folder, manager);
  }

  private static StandardContext addApplication(
      Tomcat tomcat,
      String path,
      Path folder,
      ManagerBase manager,
      Consumer<StandardContext> preparation) {
    StandardContext context = context(path, folder.toString(), manager);
    preparation.accept(context);
    tomcat.getHost().addChild(context);
    return context;
  }

  /** A web application with the contract's servlet, to be added to a host. */
  static StandardContext context(String path, String folder, ManagerBase manager) {
    StandardContext context = new StandardContext();
    context.setName(path);
    context.setPath(path);
    context.setDocBase(folder);
    // As Tomcat.addContext does, with the authenticator that every application without a login
    // configuration has.
    context.addLifecycleListener(new Tomcat.FixContextListener());
    context.setSessionTimeout(30);
    // Tomcat's search for leaks needs --add-opens, and fills the log without it. Not every release
    // has all of it.
    for (String search : List.of("ObjectStreamClassCaches", "RmiTargets", "ThreadLocals")) {
      IntrospectionUtils.setProperty(context, "clearReferences" + search, "false");
    }
    context.setManager(manager);
    SessionEvents events = new SessionEvents();
    context.addApplicationLifecycleListener(events);
    context.addApplicationEventListener(events);
    Tomcat.addServlet(context, "contract", new ContractServlet(events)).setAsyncSupported(true);
    context.addServletMappingDecoded("/*", "contract");
    return context;
  }

  /** Waits until it is done with all requests, which it may be later than it has answered them. */
  void awaitIdle() {
    awaitRequests(0);
  }

  /** Waits until so many requests have a thread. */
  void awaitRequests(int number) {
    Executor threads = tomcat.getConnector().getProtocolHandler().getExecutor();
    await()
        .pollInterval(Duration.ofMillis(1))
        .until(() -> ((ThreadPoolExecutor) threads).getActiveCount() == number);
  }

  /** Adds a second web application at {@code /name/}, which its closing undeploys. */
  ContainerNode deploy(String name, SojournManager second) throws LifecycleException {
    return deploy(name, second, context -> {});
  }

  /**
   * Adds a second web application at {@code /name/}, which its closing undeploys.
   *
   * @param preparation what to do before it starts
   */
  ContainerNode deploy(String name, ManagerBase second, Consumer<StandardContext> preparation)
      throws LifecycleException {
    StandardContext context = addApplication(tomcat, "/" + name, folder, second, preparation);
    if (!context.getState().isAvailable()) {
      throw new LifecycleException("The second web application did not start");
    }
    return new ContainerNode() {
      @Override
      public URI uri() {
        return TomcatNode.this.uri().resolve(name + "/");
      }

      @Override
      public void scavenge() {
        second.processExpires();
      }

      @Override
      public void close() {
        tomcat.getHost().removeChild(context);
      }
    };
  }

  @Override
  public URI uri() {
    return URI.create("http://127.0.0.1:" + port + "/");
  }

  @Override
  public void scavenge() {
    manager.processExpires();
  }

  @Override
  public void close() {
    if (tomcat.getServer().getState() == LifecycleState.DESTROYED) {
      return;
    }
    try {
      tomcat.stop();
      tomcat.destroy();
      FileUtils.deleteDirectory(folder.toFile());
    } catch (LifecycleException e) {
      throw new IllegalStateException(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
