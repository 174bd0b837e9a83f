package io.sojourn.tomcat;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionKey;
import io.sojourn.testkit.CountingStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import jakarta.servlet.http.HttpSessionEvent;
import jakarta.servlet.http.HttpSessionListener;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.ObjectName;
import org.apache.catalina.authenticator.FormAuthenticator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A user's sessions are found and ended by JMX, wherever they are in use; over two nodes. */
@ExtendWith(RealServers.class)
class UserSessionsIT {

  private static final String LOGIN = "public/?do=login&password=secret&user=";

  private final RedisServer redis;
  private final String application = "users-" + UUID.randomUUID();
  private final List<AutoCloseable> closeables = new ArrayList<>();
  private String url;

  UserSessionsIT(RedisServer redis) {
    this.redis = redis;
    this.url = StoreKind.H2.url(redis);
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
  }

  /**
   * A node with what a test looks at.
   *
   * @param ended how many sessions its listeners have been told the end of
   */
  private record Node(
      TomcatNode tomcat, SojournManager manager, CountingStore store, AtomicInteger ended) {

    /** What a browser is told of who it is. */
    String user(Browser browser) {
      String page = get(browser, "public/");
      int begin = page.indexOf("user=") + "user=".length();
      return page.substring(begin, page.indexOf(' ', begin));
    }

    String get(Browser browser, String path) {
      Browser.Answer answer = browser.get(tomcat.uri().resolve(path));
      assertThat(answer.status()).isEqualTo(200);
      return answer.body();
    }

    Object invoke(String operation, String user) {
      try {
        ObjectName name = requireNonNull(manager.getObjectName());
        return ManagementFactory.getPlatformMBeanServer()
            .invoke(name, operation, new Object[] {user}, new String[] {String.class.getName()});
      } catch (JMException e) {
        throw new AssertionError(operation, e);
      }
    }
  }

  private Node start(String name) throws Exception {
    CountingStore store =
        new CountingStore(PatientStores.open(url, application, () -> Duration.ZERO));
    SojournManager manager = new SojournManager();
    manager.setApplication(application);
    manager.setSessionStore(store);
    manager.setAllowedClasses("io.sojourn.tomcat.*");
    AtomicInteger ended = new AtomicInteger();
    TomcatNode tomcat =
        TomcatNode.start(
            manager,
            (server, context) -> {
              server.getEngine().setName(name + application);
              server.getEngine().setJvmRoute(name);
              AuthenticationContract.protect(context, "FORM", new FormAuthenticator());
              context.addApplicationLifecycleListener(
                  new HttpSessionListener() {
                    @Override
                    public void sessionDestroyed(HttpSessionEvent event) {
                      ended.incrementAndGet();
                    }
                  });
            });
    closeables.add(0, store);
    closeables.add(0, tomcat);
    return new Node(tomcat, manager, store, ended);
  }

  private static String key(Browser browser) {
    String id = requireNonNull(browser.cookie("JSESSIONID", "/"));
    return SessionKey.of(SojournManager.withoutRoute(id)).hex();
  }

  private static String[] keys(Object listed) {
    return listed.toString().split(" ", -1);
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R73")
  void aUserIsLoggedOutEverywhereFromOneNodeAndNobodyElseIs(StoreKind kind) throws Exception {
    url = kind.url(redis);
    Node a = start("a");
    Node b = start("b");
    Browser laptop = new Browser();
    Browser phone = new Browser();
    Browser bobs = new Browser();
    for (Browser each : List.of(laptop, phone, bobs)) {
      a.get(each, "public/?do=begin");
    }
    a.get(laptop, LOGIN + "anna");
    URI form = b.tomcat().uri().resolve("members/");
    assertThat(phone.get(form).body()).contains("/login");
    assertThat(
            phone
                .post(form.resolve("j_security_check"), "j_username", "own", "j_password", "secret")
                .status())
        .isEqualTo(303);
    b.get(phone, "public/?do=logout");
    b.get(phone, LOGIN + "anna");
    a.get(bobs, LOGIN + "root");
    assertThat(b.user(laptop)).isEqualTo("anna");
    assertThat(a.user(phone)).isEqualTo("anna");
    for (Node node : List.of(a, b)) {
      assertThat(keys(node.invoke("listSessionsOf", "anna")))
          .containsExactlyInAnyOrder(key(laptop), key(phone));
      assertThat(node.invoke("listSessionsOf", "root")).isEqualTo(key(bobs));
      assertThat(node.invoke("listSessionsOf", "own")).as("who has logged out").isEqualTo("");
    }

    assertThat(b.invoke("expireSessionsOf", "anna")).isEqualTo(2);
    for (Node node : List.of(a, b)) {
      assertThat(node.user(laptop)).isEqualTo("null");
      assertThat(node.user(phone)).isEqualTo("null");
      assertThat(node.user(bobs)).isEqualTo("root");
    }
    assertThat(a.ended()).hasValue(0);
    assertThat(b.ended()).hasValue(2);
    assertThat(a.invoke("listSessionsOf", "anna")).isEqualTo("");
    assertThat(a.invoke("expireSessionsOf", "anna")).isEqualTo(0);
  }

  @Test
  @Tag("R73")
  void anApplicationMayNameItsUserItself() throws Exception {
    Node a = start("a");
    Node b = start("b");
    Browser browser = new Browser();
    a.get(browser, "public/?do=name&value=carla");
    assertThat(b.invoke("listSessionsOf", "carla")).isEqualTo(key(browser));
    b.get(browser, "public/?do=name&value=dora");
    assertThat(a.invoke("listSessionsOf", "carla")).isEqualTo("");
    assertThat(a.invoke("listSessionsOf", "dora")).isEqualTo(key(browser));
    a.get(browser, LOGIN + "anna");
    assertThat(b.invoke("listSessionsOf", "anna")).as("who logs in").isEqualTo("");
    assertThat(b.invoke("listSessionsOf", "dora")).isEqualTo(key(browser));
    b.get(browser, "public/?do=name");
    assertThat(a.invoke("listSessionsOf", "anna")).isEqualTo(key(browser));
    b.get(browser, "public/?do=logout");
    assertThat(a.invoke("listSessionsOf", "anna")).isEqualTo("");
  }

  /** A request that does not log in or out sends nothing of who is, and a login sends it along. */
  @Test
  @Tag("G9")
  @Tag("R73")
  void toKnowWhoseASessionIsTakesNoCallOfTheStore() throws Exception {
    Node a = start("a");
    Browser browser = new Browser();
    a.get(browser, "public/?do=begin");
    a.store().takeCalls();
    a.get(browser, LOGIN + "anna");
    assertThat(a.store().takeCalls()).isEqualTo(Map.of("load", 1, "rename", 1, "save", 1));
    a.get(browser, "public/");
    assertThat(a.store().takeCalls()).isEqualTo(Map.of("load", 1));
    assertThat(Stream.of(keys(a.invoke("listSessionsOf", "anna")))).hasSize(1);
    assertThat(a.store().takeCalls()).isEqualTo(Map.of("findByPrincipal", 1));
  }
}
