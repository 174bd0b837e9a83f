package io.sojourn.tomcat;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.SessionStore;
import io.sojourn.testkit.CountingStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.Threads;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import io.sojourn.tomcat.Browser.Answer;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import jakarta.servlet.http.HttpSessionEvent;
import jakarta.servlet.http.HttpSessionIdListener;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.util.SessionIdGeneratorBase;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Nodes with a route, behind a balancer that keeps a browser on one of them: when it sends it to
 * another one, the session is there, and the browser stays.
 */
@ExtendWith(RealServers.class)
@Tag("R70")
class JvmRouteIT {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final RedisServer redis;
  private final String application = "route-" + UUID.randomUUID();
  private final Browser browser = new Browser();
  private final List<AutoCloseable> closeables = new ArrayList<>();
  private String url;

  JvmRouteIT(RedisServer redis) {
    this.redis = redis;
    this.url = StoreKind.H2.url(redis);
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
  }

  /** A node with what a test looks at. */
  private record Node(TomcatNode tomcat, CountingStore store, Shop shop, List<String> idChanges) {

    URI uri(String path) {
      return tomcat.uri().resolve(path);
    }
  }

  /**
   * Starts a node.
   *
   * @param route null for none
   */
  private Node start(@Nullable String route) throws Exception {
    SessionStore opened = PatientStores.open(url, application, () -> Duration.ZERO);
    CountingStore store = new CountingStore(opened);
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    Shop shop = new Shop();
    List<String> idChanges = Collections.synchronizedList(new ArrayList<>());
    TomcatNode tomcat =
        TomcatNode.start(
            manager,
            (server, context) -> {
              if (route != null) {
                server.getEngine().setJvmRoute(route);
              }
              addShop(context, shop, idChanges);
            });
    closeables.add(0, opened);
    closeables.add(0, tomcat);
    return new Node(tomcat, store, shop, idChanges);
  }

  private static void addShop(StandardContext context, Shop shop, List<String> idChanges) {
    Tomcat.addServlet(context, "shop", shop);
    context.addServletMappingDecoded("/shop/*", "shop");
    HttpSessionIdListener listener =
        (HttpSessionEvent event, String oldId) ->
            idChanges.add(oldId + " to " + event.getSession().getId());
    context.addApplicationEventListener(listener);
  }

  private String cookie() {
    return requireNonNull(browser.cookie("JSESSIONID", "/"));
  }

  private static String base(String id) {
    return id.replaceFirst("\\..*", "");
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("G5")
  void aBrowserThatComesWithTheRouteOfADeadNodeKeepsItsSessionAndStays(StoreKind kind)
      throws Exception {
    url = kind.url(redis);
    Node a = start("a");
    Node b = start("b");
    browser.get(a.uri("shop/set?fruit=apple"));
    String born = cookie();
    assertThat(born).endsWith(".a");
    a.tomcat().close();
    Answer answer = browser.get(b.uri("shop/get?fruit"));
    assertThat(answer.body()).isEqualTo("apple in " + base(born) + ".b");
    assertThat(cookie()).isEqualTo(base(born) + ".b");
    assertThat(b.idChanges()).containsExactly(born + " to " + base(born) + ".b");
    Answer next = browser.get(b.uri("shop/get?fruit"));
    assertThat(next.body()).isEqualTo("apple in " + base(born) + ".b");
    assertThat(next.setCookies()).isEmpty();
    assertThat(b.idChanges()).hasSize(1);
    assertThat(a.idChanges()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("G9")
  void theStoreHearsNothingOfANewRoute(StoreKind kind) throws Exception {
    url = kind.url(redis);
    Node a = start("a");
    Node b = start("b");
    browser.get(a.uri("shop/set?fruit=apple"));
    browser.get(b.uri("shop/get?fruit"));
    assertThat(b.store().takeCalls()).isEqualTo(Map.of("load", 1));
    browser.get(b.uri("shop/get?fruit"));
    assertThat(b.store().takeCalls()).isEqualTo(Map.of("load", 1));
    browser.plant("JSESSIONID", base(cookie()) + ".a", "/");
    browser.get(b.uri("shop/nothing"));
    assertThat(b.store().takeCalls()).isEmpty();
  }

  /** What balancers send, and what nodes were called before. */
  @ParameterizedTest
  @ValueSource(strings = {"", ".", ".b", ".c", ".rack1.c", ".b."})
  void noSuffixHidesASession(String suffix) throws Exception {
    Node a = start("rack1.a");
    Node b = start("rack2.b");
    browser.get(a.uri("shop/set?fruit=apple"));
    String base = base(cookie());
    assertThat(cookie()).isEqualTo(base + ".rack1.a");
    browser.plant("JSESSIONID", base + suffix, "/");
    String id = suffix.isEmpty() ? base : base + ".rack2.b";
    assertThat(browser.get(b.uri("shop/get?fruit")).body()).isEqualTo("apple in " + id);
    assertThat(cookie()).isEqualTo(id);
    assertThat(browser.get(b.uri("shop/get?fruit")).body()).isEqualTo("apple in " + id);
  }

  @Test
  void withoutARouteNothingChanges() throws Exception {
    Node a = start("a");
    Node b = start(null);
    browser.get(a.uri("shop/set?fruit=apple"));
    String id = cookie();
    Answer answer = browser.get(b.uri("shop/get?fruit"));
    assertThat(answer.body()).isEqualTo("apple in " + id);
    assertThat(answer.setCookies()).isEmpty();
    assertThat(a.idChanges()).isEmpty();
    assertThat(b.idChanges()).isEmpty();
  }

  /** The next request tries again. */
  @Test
  void aResponseThatHasLeftCannotTellTheBrowser() throws Exception {
    Node a = start("a");
    Node b = start("b");
    browser.get(a.uri("shop/set?fruit=apple"));
    String id = cookie();
    assertThat(browser.get(b.uri("shop/late?fruit")).body())
        .isEqualTo("apple in " + base(id) + ".b");
    assertThat(cookie()).isEqualTo(id);
    browser.get(b.uri("shop/get?fruit"));
    assertThat(cookie()).isEqualTo(base(id) + ".b");
  }

  @Test
  void linksCarryTheNewRoute() throws Exception {
    Node a = start("a");
    Node b = start("b");
    browser.get(a.uri("shop/set?fruit=apple"));
    String base = base(cookie());
    assertThat(new Browser().get(b.uri("shop/link;jsessionid=" + base + ".a")).body())
        .isEqualTo("next;jsessionid=" + base + ".b");
  }

  @Test
  void anIdThatTheSameRequestChangesIsTheOneThatTheBrowserGets() throws Exception {
    Node a = start("a");
    Node b = start("b");
    browser.get(a.uri("shop/set?fruit=apple"));
    String before = cookie();
    Answer answer = browser.get(b.uri("shop/rename?fruit"));
    assertThat(base(cookie())).isNotEqualTo(base(before));
    assertThat(answer.body()).isEqualTo("apple in " + cookie());
    assertThat(cookie()).endsWith(".b");
    assertThat(answer.setCookies()).hasSize(1);
  }

  @Test
  @Tag("R7")
  void anInvalidatedSessionIsNotRerouted() throws Exception {
    Node a = start("a");
    Node b = start("b");
    browser.get(a.uri("shop/set?fruit=apple"));
    assertThat(browser.get(b.uri("shop/end")).setCookies()).isEmpty();
  }

  /** Whoever has only the old id, an attacker for one, does not get to know the new one. */
  @Test
  @Tag("R62")
  void aSlowRequestWithTheOldIdIsNotToldTheNewOne() throws Exception {
    Node a = start("a");
    Node b = start("b");
    browser.get(a.uri("shop/set?fruit=apple"));
    Browser slow = new Browser();
    slow.plant("JSESSIONID", cookie(), "/");
    CompletableFuture<Answer> answer =
        CompletableFuture.supplyAsync(() -> slow.get(b.uri("shop/wait?fruit")));
    await().atMost(PATIENCE).until(() -> b.shop().waiting.get() > 0);
    browser.get(b.uri("shop/rename?fruit"));
    b.shop().gate.countDown();
    assertThat(answer.join().setCookies()).isEmpty();
  }

  @Test
  void aSessionKeepsItsNodeWhileManyRequestsComeWithTheOldRouteAtOnce() throws Exception {
    Node a = start("a");
    Node b = start("b");
    browser.get(a.uri("shop/set?fruit=apple"));
    String id = cookie();
    Threads.run(
        8,
        thread -> {
          Browser tab = new Browser();
          tab.plant("JSESSIONID", id, "/");
          assertThat(tab.get(b.uri("shop/get?fruit")).body())
              .isEqualTo("apple in " + base(id) + ".b");
          assertThat(tab.cookie("JSESSIONID", "/")).isEqualTo(base(id) + ".b");
        });
    assertThat(a.idChanges()).isEmpty();
    assertThat(b.idChanges()).containsExactly(id + " to " + base(id) + ".b");
  }

  @Test
  @Tag("R71")
  void aGeneratorWhoseIdsHaveDotsStopsTheStartWithOneMessageThatNamesIt() {
    SojournManager manager = ManagerElement.of("store", "memory:");
    manager.setSessionIdGenerator(new Dotted());
    assertThat(ManagerElement.refusal(manager, (tomcat, context) -> {}))
        .singleElement()
        .asString()
        .contains(Dotted.class.getName(), "dot");
  }

  /** Makes ids that begin as a token of another server's would. */
  public static final class Dotted extends SessionIdGeneratorBase {
    @Override
    public String generateSessionId(String route) {
      return "shop." + UUID.randomUUID();
    }
  }

  private static final class Shop extends HttpServlet {
    private static final long serialVersionUID = 1L;

    final transient AtomicInteger waiting = new AtomicInteger();
    final transient CountDownLatch gate = new CountDownLatch(1);

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      String query = String.valueOf(request.getQueryString());
      switch (request.getPathInfo()) {
        case "/set" -> {
          String[] parts = query.split("=", 2);
          request.getSession().setAttribute(parts[0], parts[1]);
        }
        case "/get" -> print(request.getSession(), query, response);
        case "/late" -> {
          response.flushBuffer();
          print(request.getSession(false), query, response);
        }
        case "/link" -> {
          request.getSession(false);
          response.getWriter().print(response.encodeURL("next"));
        }
        case "/rename" -> {
          request.getSession();
          request.changeSessionId();
          print(request.getSession(), query, response);
        }
        case "/end" -> request.getSession().invalidate();
        case "/wait" -> {
          HttpSession session = request.getSession();
          waiting.incrementAndGet();
          try {
            gate.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          response.getWriter().print(session.getAttribute(query));
        }
        default -> {}
      }
    }

    private static void print(HttpSession session, String name, HttpServletResponse response)
        throws IOException {
      response.getWriter().print(session.getAttribute(name) + " in " + session.getId());
    }
  }
}
