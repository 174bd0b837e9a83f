package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ApplicationClasses;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import io.sojourn.tomcat.redeployed.Hall;
import io.sojourn.tomcat.redeployed.Visitor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.catalina.Lifecycle;
import org.apache.catalina.LifecycleEvent;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.session.StandardManager;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two web applications of each server have classes of the same names, and so has the server. */
@ExtendWith(RealServers.class)
class OneNameTwoApplicationsIT {

  private final RedisServer redis;
  private final String name = "one-name-" + UUID.randomUUID();
  private final AtomicReference<Duration> clock = new AtomicReference<>(Duration.ZERO);
  private final List<AutoCloseable> closeables = new ArrayList<>();

  OneNameTwoApplicationsIT(RedisServer redis) {
    this.redis = redis;
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
    Departures.forget();
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R35")
  @Tag("R38")
  void aValueThatIsToldOfItsSessionsEndIsOfItsOwnApplicationsClass(
      StoreKind kind, @TempDir Path folder) throws Exception {
    String url = kind.url(redis);
    Path codeOfOne = code(folder, "one");
    Path codeOfTwo = code(folder, "two");
    TomcatNode a = server();
    TomcatNode b = server();
    List<ContainerNode> deployed = new ArrayList<>();
    deploy(a, url, "one", codeOfOne, new AtomicReference<>());
    deploy(a, url, "two", codeOfTwo, new AtomicReference<>());
    for (String application : List.of("one", "two")) {
      new Browser().get(a.uri().resolve(application + "/hall?" + application + name));
    }
    AtomicReference<ClassLoader> one = new AtomicReference<>();
    AtomicReference<ClassLoader> two = new AtomicReference<>();
    deployed.add(deploy(b, url, "one", codeOfOne, one));
    deployed.add(deploy(b, url, "two", codeOfTwo, two));
    assertThat(one.get()).isNotSameAs(two.get());
    clock.set(Duration.ofDays(1));
    // On a node that has not served them, and on a thread of no application.
    deployed.forEach(ContainerNode::scavenge);
    assertThat(Departures.loaders("one" + name)).containsExactly(one.get());
    assertThat(Departures.loaders("two" + name)).containsExactly(two.get());
  }

  private static Path code(Path folder, String application) throws Exception {
    Path own = Files.createDirectory(folder.resolve(application));
    String name = Visitor.class.getName();
    return ApplicationClasses.bring(own, List.of(name, name + "$Bag", Hall.class.getName()));
  }

  private TomcatNode server() throws Exception {
    TomcatNode server = TomcatNode.start(new StandardManager(), (tomcat, context) -> {});
    closeables.add(0, server);
    return server;
  }

  private ContainerNode deploy(
      TomcatNode server,
      String url,
      String application,
      Path code,
      AtomicReference<ClassLoader> loader)
      throws Exception {
    SessionStore store = PatientStores.open(url, name + application, clock::get);
    closeables.add(store);
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    return server.deploy(
        application,
        manager,
        context -> {
          context.setDocBase(code.toString());
          context.addLifecycleListener(
              event -> {
                addHall(event);
                if (event.getType().equals(Lifecycle.AFTER_START_EVENT)) {
                  loader.set(context.getLoader().getClassLoader());
                }
              });
        });
  }

  private static void addHall(LifecycleEvent event) {
    if (event.getType().equals(Lifecycle.CONFIGURE_START_EVENT)) {
      StandardContext starting = (StandardContext) event.getLifecycle();
      Tomcat.addServlet(starting, "hall", Hall.class.getName());
      starting.addServletMappingDecoded("/hall", "hall");
    }
  }
}
