package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.CountingStore;
import io.sojourn.testkit.FaultyStore;
import io.sojourn.testkit.PatientStores;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.catalina.Container;
import org.apache.catalina.Host;
import org.apache.catalina.Lifecycle;
import org.apache.catalina.LifecycleEvent;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.core.StandardHost;
import org.apache.catalina.session.ManagerBase;
import org.apache.catalina.session.StandardManager;
import org.apache.catalina.startup.HostConfig;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Two versions of an application side by side, {@code shop##1} and {@code shop##2}, on two nodes.
 */
abstract class ParallelDeploymentContract {

  private final String name = "parallel-" + UUID.randomUUID();
  private final List<AutoCloseable> closeables = new ArrayList<>();

  /** Where the store is. */
  abstract String url();

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
    closeables.clear();
  }

  /** A server without an application yet. */
  private final class Node {
    final TomcatNode tomcat;
    private final Host host;
    private final String folder;

    Node() throws Exception {
      List<StandardContext> root = new ArrayList<>();
      tomcat = TomcatNode.start(new StandardManager(), (server, context) -> root.add(context));
      closeables.add(0, tomcat);
      host = (Host) root.get(0).getParent();
      folder = root.get(0).getDocBase();
    }

    Node deploy(String version, ManagerBase manager) {
      StandardContext context = context(version, manager);
      host.addChild(context);
      assertThat(context.getState().isAvailable()).isTrue();
      return this;
    }

    StandardContext context(String version, ManagerBase manager) {
      StandardContext context = TomcatNode.context("/shop", folder, manager);
      context.setName("/shop##" + version);
      context.setWebappVersion(version);
      Tomcat.addServlet(context, "version", new Version(version));
      context.addServletMappingDecoded("/version", "version");
      return context;
    }

    String ask(Browser browser, String path) {
      Browser.Answer answer = answer(browser, path);
      assertThat(answer.status()).as(path).isEqualTo(200);
      return answer.body();
    }

    Browser.Answer answer(Browser browser, String path) {
      URI shop = tomcat.uri().resolve("shop/");
      return browser.get(shop.resolve(path));
    }
  }

  /** Says which version it is, and what is in the session. */
  private static final class Version extends HttpServlet {
    private static final long serialVersionUID = 1L;
    private final String version;

    Version(String version) {
      this.version = version;
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      String query = request.getQueryString();
      if ("begin".equals(query)) {
        request.getSession().setAttribute("begun", version);
      } else if ("end".equals(query)) {
        request.getSession().invalidate();
      }
      Object begun =
          request.getSession(false) == null ? null : request.getSession().getAttribute("begun");
      response.getWriter().print(version + " " + begun);
    }
  }

  private SessionStore open(String application) {
    SessionStore store = PatientStores.open(url(), name + application, () -> Duration.ZERO);
    closeables.add(store);
    return store;
  }

  private static SojournManager manager(SessionStore store) {
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    return manager;
  }

  /** The manager whose application's name is not told. */
  private SojournManager manager() {
    return ManagerElement.patient(url());
  }

  @Test
  @Tag("R47")
  void aClientStaysWithTheVersionOfItsSessionOnEveryNodeUntilThatEnds() throws Exception {
    Node a = new Node().deploy("1", manager());
    Browser early = new Browser();
    assertThat(a.ask(early, "version?begin")).isEqualTo("1 1");
    a.deploy("2", manager());
    Node b = new Node().deploy("1", manager()).deploy("2", manager());
    Browser late = new Browser();
    assertThat(b.ask(late, "version?begin")).isEqualTo("2 2");
    for (Node node : List.of(b, a, b)) {
      assertThat(node.ask(early, "version")).isEqualTo("1 1");
      assertThat(node.ask(late, "version")).isEqualTo("2 2");
    }
    assertThat(b.ask(early, "version?end")).isEqualTo("1 null");
    assertThat(a.ask(early, "version?begin")).isEqualTo("2 2");
    assertThat(b.ask(early, "version")).isEqualTo("2 2");
  }

  @Test
  @Tag("R47")
  void aSessionMovesToTheNewVersionWhereBothHaveOneName() throws Exception {
    Node a = new Node().deploy("1", manager(open("shop")));
    Node b = new Node().deploy("1", manager(open("shop")));
    Browser browser = new Browser();
    assertThat(a.ask(browser, "version?begin")).isEqualTo("1 1");
    a.deploy("2", manager(open("shop")));
    assertThat(a.ask(browser, "version")).isEqualTo("2 1");
    assertThat(b.ask(browser, "version")).as("not deployed there yet").isEqualTo("1 1");
    b.deploy("2", manager(open("shop")));
    assertThat(b.ask(browser, "version")).isEqualTo("2 1");
  }

  @Test
  @Tag("G9")
  @Tag("R47")
  void aRequestCostsOneLoadOfEachVersionThatItMayBelongTo() throws Exception {
    CountingStore one = new CountingStore(open("1"));
    CountingStore two = new CountingStore(open("2"));
    Node node = new Node().deploy("1", manager(one)).deploy("2", manager(two));
    Browser late = new Browser();
    node.ask(late, "version?begin");
    takeCalls(one, two);
    node.ask(late, "version");
    assertThat(takeCalls(one, two)).isEqualTo(Map.of("load", 1));
    Browser early = new Browser();
    Node before = new Node().deploy("1", manager(open("1")));
    before.ask(early, "version?begin");
    assertThat(node.ask(early, "version")).isEqualTo("1 1");
    assertThat(takeCalls(one, two)).isEqualTo(Map.of("load", 2));
  }

  private static Map<String, Integer> takeCalls(CountingStore one, CountingStore two) {
    Map<String, Integer> calls = new java.util.TreeMap<>(one.takeCalls());
    two.takeCalls().forEach((call, n) -> calls.merge(call, n, Integer::sum));
    return calls;
  }

  @Test
  @Tag("G4")
  @Tag("R15")
  @Tag("R47")
  void anOutageIsAnswered503AndSendsNobodyToAnotherVersion() throws Exception {
    FaultyStore one = new FaultyStore(open("1"));
    FaultyStore two = new FaultyStore(open("2"));
    Node node = new Node().deploy("1", manager(one)).deploy("2", manager(two));
    Node before = new Node().deploy("1", manager(open("1")));
    Browser early = new Browser();
    before.ask(early, "version?begin");
    String id = early.cookie("JSESSIONID", "/shop");
    for (FaultyStore down : List.of(one, two)) {
      down.failAll();
      Browser.Answer answer = node.answer(early, "version?begin");
      if (down == one) {
        assertThat(answer.status()).isEqualTo(503);
      } else {
        // Found in the first version, which is then the one to go to.
        assertThat(answer.body()).isEqualTo("1 1");
      }
      assertThat(early.cookie("JSESSIONID", "/shop")).isEqualTo(id);
      down.fail();
      assertThat(node.ask(early, "version")).isEqualTo("1 1");
    }
    one.failAll();
    two.failAll();
    assertThat(node.answer(early, "version?begin").status()).isEqualTo(503);
    assertThat(new ContractClient().send(node.tomcat, "waiting:nobody").line()).isEqualTo("0");
    one.fail();
    two.fail();
    assertThat(node.ask(early, "version")).isEqualTo("1 1");
  }

  /** A server whose deployer undeploys old versions that are not in use. */
  private final class Deployer {
    final Node node = new Node();
    private final HostConfig deployer = new HostConfig();

    Deployer() throws Exception {
      StandardHost host = (StandardHost) node.host;
      host.setUndeployOldVersions(true);
      deployer.lifecycleEvent(new LifecycleEvent(host, Lifecycle.PERIODIC_EVENT, null));
    }

    StandardContext deploy(String version, ManagerBase manager) {
      StandardContext context = node.context(version, manager);
      deployer.manageApp(context);
      assertThat(context.getState().isAvailable()).isTrue();
      return context;
    }

    /** As it does every ten seconds. */
    List<String> versionsAfterACheck() {
      deployer.checkUndeploy();
      return Stream.of(node.host.findChildren())
          .map(Container::getName)
          .filter(context -> context.startsWith("/shop"))
          .sorted()
          .toList();
    }
  }

  @Test
  @Tag("R47")
  void anOldVersionIsUndeployedWhenNoNodeHasASessionOfItAnyMore() throws Exception {
    Node a = new Node().deploy("1", manager(open("1")));
    Browser browser = new Browser();
    a.ask(browser, "version?begin");
    Deployer b = new Deployer();
    FaultyStore old = new FaultyStore(open("1"));
    b.deploy("1", manager(old));
    b.deploy("2", manager(open("2")));
    assertThat(b.versionsAfterACheck()).containsExactly("/shop##1", "/shop##2");
    assertThat(b.node.ask(browser, "version")).isEqualTo("1 1");
    assertThat(b.node.ask(new Browser(), "version")).isEqualTo("2 null");
    a.ask(browser, "version?end");
    old.failAll();
    assertThat(b.versionsAfterACheck()).as("nobody knows").hasSize(2);
    old.fail();
    assertThat(b.versionsAfterACheck()).containsExactly("/shop##2");
    assertThat(b.node.ask(browser, "version")).isEqualTo("2 null");
  }

  @Test
  @Tag("R47")
  void anOldVersionWhoseSessionsTheNewOneTakesOverIsUndeployedAtOnce() throws Exception {
    Deployer a = new Deployer();
    a.deploy("1", named());
    Browser browser = new Browser();
    a.node.ask(browser, "version?begin");
    a.deploy("2", named());
    assertThat(a.versionsAfterACheck()).containsExactly("/shop##2");
    assertThat(a.node.ask(browser, "version")).isEqualTo("2 1");
  }

  private SojournManager named() {
    return ManagerElement.patient(url(), "application", name);
  }

  @Test
  @Tag("R47")
  void anOldVersionWhoseSessionsNeverExpireIsNotUndeployed() throws Exception {
    Deployer a = new Deployer();
    a.deploy("1", manager(open("1"))).setSessionTimeout(0);
    a.deploy("2", manager(open("2")));
    assertThat(a.versionsAfterACheck()).hasSize(2);
  }
}
