package io.sojourn.demo;

import io.sojourn.SessionStore;
import io.sojourn.jetty.SojournSessionCacheFactory;
import io.sojourn.testkit.ContainerContract;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ContractServlet;
import io.sojourn.testkit.NodeSettings;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.SessionEvents;
import io.sojourn.tomcat.SojournManager;
import java.time.Duration;
import java.util.function.Supplier;
import org.apache.catalina.startup.Tomcat;
import org.eclipse.jetty.ee10.servlet.ServletHolder;

/**
 * The contract of containers on a Tomcat and a Jetty over one store: wherever it says "the other
 * server", that is the other container.
 */
abstract class TomcatAndJettyContract extends ContainerContract {

  private final boolean tomcatFirst;
  private final String url;

  /**
   * A contract.
   *
   * @param tomcatFirst whether the first of the contract's servers is the Tomcat
   */
  TomcatAndJettyContract(boolean tomcatFirst, String url) {
    this.tomcatFirst = tomcatFirst;
    this.url = url;
  }

  @Override
  protected final SessionStore open(String application, Supplier<Duration> clock) {
    return PatientStores.open(url, application, clock);
  }

  @Override
  protected final ContainerNode start(NodeSettings settings) throws Exception {
    return settings.name().equals("A") == tomcatFirst ? tomcat(settings) : jetty(settings);
  }

  private static ContainerNode tomcat(NodeSettings settings) throws Exception {
    SojournManager manager = new SojournManager();
    manager.setSessionStore(settings.store());
    manager.setAllowedClasses(settings.allowedClasses());
    return tomcat(manager);
  }

  /** Starts a Tomcat with the contract's servlet. */
  static ContainerNode tomcat(SojournManager manager) throws Exception {
    return PairedServers.tomcat(
        "",
        "",
        manager,
        context -> {
          SessionEvents events = new SessionEvents();
          context.addApplicationLifecycleListener(events);
          context.addApplicationEventListener(events);
          Tomcat.addServlet(context, "contract", new ContractServlet(events));
          context.addServletMappingDecoded("/*", "contract");
        });
  }

  private static ContainerNode jetty(NodeSettings settings) throws Exception {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setSessionStore(settings.store());
    sessions.setAllowedClasses(settings.allowedClasses());
    return jetty(sessions);
  }

  /** Starts a Jetty with the contract's servlet. */
  static ContainerNode jetty(SojournSessionCacheFactory sessions) throws Exception {
    return PairedServers.jetty(
        "",
        "",
        sessions,
        context -> {
          SessionEvents events = new SessionEvents();
          context.addEventListener(events);
          context.addServlet(new ServletHolder(new ContractServlet(events)), "/*");
        });
  }
}
