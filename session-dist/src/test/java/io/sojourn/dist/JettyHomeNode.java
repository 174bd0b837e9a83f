package io.sojourn.dist;

import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ContractApplication;
import io.sojourn.testkit.ControlledStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.StoreControl;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import javax.management.JMX;
import javax.management.MBeanServerConnection;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;
import org.jspecify.annotations.Nullable;
import org.mariadb.jdbc.Driver;

/**
 * A Jetty as it is downloaded, in a process of its own, with the contract's web application. Our
 * module is configured as a user does; what a test wants to see of it and of its store goes by JMX.
 */
final class JettyHomeNode implements ContainerNode {

  private static final String WEB_XML =
      """
      <web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
        <listener>
          <listener-class>io.sojourn.testkit.ContractApplication</listener-class>
        </listener>
        <session-config>
          <session-timeout>30</session-timeout>
        </session-config>
      </web-app>
      """;

  private static final String CONTEXT_XML =
      """
      <?xml version="1.0"?>
      <!DOCTYPE Configure PUBLIC "-//Jetty//Configure//EN" "https://jetty.org/configure_10_0.dtd">
      <Configure class="org.eclipse.jetty.%s.webapp.WebAppContext">
        <Set name="contextPath">/</Set>
        <Set name="war">%s</Set>
        <Get id="sessions" name="sessionHandler"/>
        <New class="io.sojourn.dist.Scavenging">
          <Arg><Ref refid="sessions"/></Arg>
        </New>
      </Configure>
      """;

  private final Jetty jetty;
  private @Nullable Remote remote;

  /** What there is of it by JMX. */
  private record Remote(JMXConnector connector, StoreControl store, Runnable scavenging) {}

  private JettyHomeNode(Jetty jetty) {
    this.jetty = jetty;
  }

  /**
   * Prepares the base of a server that has the contract's application.
   *
   * @param line of Jetty's versions, such as 12.0
   * @param environment such as ee10
   */
  static Jetty prepare(String line, String environment, Path base) throws IOException {
    Jetty jetty = new Jetty(line, base, "http," + environment + "-deploy,session-store-sojourn");
    String driver = Driver.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    Files.copy(Path.of(driver), base.resolve("lib/sojourn/driver.jar"));
    // Not in WEB-INF/classes, whose classes may be in a session without being named.
    Path libraries = Files.createDirectories(base.resolve("application-lib"));
    War.writeJar(libraries.resolve("contract.jar"), Map.of(), ContractApplication.classes());
    Path war = base.resolve("contract.war");
    War.write(war, libraries, Map.of("WEB-INF/web.xml", WEB_XML));
    Files.writeString(
        base.resolve("webapps/contract.xml"), CONTEXT_XML.formatted(environment, war));
    List<Class<?>> classes = new ArrayList<>(ControlledStore.classes());
    classes.add(ControlledStoreProvider.class);
    classes.add(Scavenging.class);
    War.writeJar(
        base.resolve("lib/sojourn/control.jar"),
        Map.of(
            "META-INF/services/io.sojourn.SessionStoreProvider",
            ControlledStoreProvider.class.getName()),
        classes);
    return jetty;
  }

  /** Starts a prepared server, and does not wait for it. */
  static JettyHomeNode start(
      Jetty jetty, String storeUrl, String application, String allowedClasses) throws IOException {
    String prefix = "jetty.session.sojourn.";
    jetty.start(
        Map.of(),
        prefix + "store=" + ControlledStoreProvider.SCHEME + ":" + storeUrl,
        prefix + "storeOptions=" + options(storeUrl),
        prefix + "application=" + application,
        prefix + "allowedClasses=" + allowedClasses,
        "jetty.sessionIdManager.workerName=");
    return new JettyHomeNode(jetty);
  }

  private static String options(String storeUrl) {
    return PatientStores.options(storeUrl).entrySet().stream()
        .map(option -> option.getKey() + "=" + option.getValue())
        .collect(Collectors.joining("; "));
  }

  @Override
  public URI uri() {
    return jetty.uri("/");
  }

  @Override
  public Optional<StoreControl> storeControl() {
    return Optional.of(remote().store);
  }

  @Override
  public void scavenge() {
    remote().scavenging.run();
  }

  private synchronized Remote remote() {
    Remote connected = remote;
    if (connected == null) {
      jetty.awaitStart();
      connected = connect(jetty.pid());
      remote = connected;
    }
    return connected;
  }

  @SuppressWarnings("BanJNDI") // The address is one that this machine's own process says.
  private static Remote connect(long pid) {
    try {
      VirtualMachine machine = VirtualMachine.attach(Long.toString(pid));
      String address;
      try {
        address = machine.startLocalManagementAgent();
      } finally {
        machine.detach();
      }
      JMXConnector connector = JMXConnectorFactory.connect(new JMXServiceURL(address));
      MBeanServerConnection server = connector.getMBeanServerConnection();
      return new Remote(
          connector,
          JMX.newMBeanProxy(
              server, new ObjectName(ControlledStoreProvider.CONTROL), StoreControl.class),
          JMX.newMBeanProxy(server, new ObjectName(Scavenging.NAME), Runnable.class));
    } catch (IOException | AttachNotSupportedException | MalformedObjectNameException e) {
      throw new IllegalStateException("Process " + pid + " cannot be asked by JMX", e);
    }
  }

  /** Ends it as {@code kill -9} does. */
  @Override
  public synchronized void close() {
    try {
      if (remote != null) {
        remote.connector.close();
      }
    } catch (IOException e) {
      // The process is ended in any case.
    } finally {
      remote = null;
      jetty.close();
    }
  }
}
