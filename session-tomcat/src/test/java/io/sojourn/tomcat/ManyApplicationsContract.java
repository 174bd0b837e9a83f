package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.PatientStores;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.core.StandardHost;
import org.apache.catalina.session.ManagerBase;
import org.apache.catalina.session.StandardManager;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Several contexts and virtual hosts over one store on two nodes: what they share, what they do
 * not, and dispatches from one to the other.
 */
abstract class ManyApplicationsContract {

  private static final String COOKIE = "JSESSIONID";

  private final String name = "many-" + UUID.randomUUID();
  private final AtomicReference<Duration> clock = new AtomicReference<>(Duration.ZERO);
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

  /** A server with an application at the root and another at {@code /two}. */
  private record Node(TomcatNode root, ContainerNode two) {
    /** Asks the second application. */
    private String two(Browser browser, String... operations) {
      return ask(browser, two.uri(), operations);
    }

    private String root(Browser browser, String... operations) {
      return ask(browser, root.uri(), operations);
    }
  }

  private static String ask(Browser browser, URI application, String... operations) {
    Browser.Answer answer = browser.get(uri(application, operations));
    assertThat(answer.status()).as(List.of(operations).toString()).isEqualTo(200);
    return String.join(" ", answer.body().lines().toList());
  }

  private static URI uri(URI application, String... operations) {
    return application.resolve("?" + query(operations));
  }

  private static String query(String... operations) {
    return String.join(
        "&", Stream.of(operations).map(operation -> "op=" + encoded(operation)).toList());
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  /** Starts a server whose applications share the cookie of the path {@code /}. */
  private Node start(ManagerBase forRoot, ManagerBase forTwo) throws Exception {
    TomcatNode root =
        TomcatNode.start(
            forRoot,
            (tomcat, context) -> {
              share(context);
              Tomcat.addServlet(context, "cross", new Dispatching()).setAsyncSupported(true);
              context.addServletMappingDecoded("/cross", "cross");
            });
    closeables.add(0, root);
    return new Node(root, root.deploy("two", forTwo, ManyApplicationsContract::share));
  }

  private static void share(StandardContext context) {
    context.setSessionCookiePath("/");
    context.setCrossContext(true);
  }

  private Node start() throws Exception {
    return start(manager("root"), manager("two"));
  }

  private SojournManager manager(String application) {
    SessionStore store = PatientStores.open(url(), name + application, clock::get);
    closeables.add(store);
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    manager.setAllowedClasses("io.sojourn.testkit.*");
    return manager;
  }

  // ---------------------------------------------------------------- apart or shared

  @Test
  @Tag("R63")
  void oneIdNamesASessionOfItsOwnInEachContext() throws Exception {
    Node a = start();
    Node b = start();
    Browser browser = new Browser();
    a.root(browser, "set:a:of the root");
    String id = browser.cookie(COOKIE, "/");
    assertThat(b.two(browser, "get:a", "begin", "id", "new")).isEqualTo("none " + id + " true");
    a.two(browser, "set:a:of the other");
    for (Node node : List.of(a, b)) {
      assertThat(node.root(browser, "get:a")).isEqualTo("of the root");
      assertThat(node.two(browser, "get:a", "new")).isEqualTo("of the other false");
    }
    b.two(browser, "invalidate");
    for (Node node : List.of(a, b)) {
      assertThat(node.root(browser, "get:a")).isEqualTo("of the root");
      assertThat(node.two(browser, "get:a")).isEqualTo("none");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "shop"})
  @Tag("R63")
  void contextsOfOneNameOnTwoHostsShareSessionsOnlyIfTheyAreToldTo(String application)
      throws Exception {
    List<URI> local = new ArrayList<>();
    List<URI> numeric = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      TomcatNode node =
          TomcatNode.start(
              new StandardManager(),
              (tomcat, context) -> {
                StandardHost first = (StandardHost) tomcat.getHost();
                StandardHost host = new StandardHost();
                host.setName("127.0.0.1");
                host.setAppBase(context.getDocBase());
                tomcat.getEngine().addChild(host);
                for (StandardHost each : List.of(first, host)) {
                  StandardContext two =
                      TomcatNode.context("/two", context.getDocBase(), named(application));
                  each.addChild(two);
                }
              });
      closeables.add(0, node);
      numeric.add(node.uri().resolve("two/"));
      local.add(URI.create("http://localhost:" + node.uri().getPort() + "/two/"));
    }
    Browser browser = new Browser();
    ask(browser, local.get(0), "set:a:1");
    assertThat(ask(browser, local.get(1), "get:a")).isEqualTo("1");
    String id = ask(browser, local.get(1), "id");
    Browser other = new Browser();
    other.plant(COOKIE, id, "/two");
    boolean shared = !application.isEmpty();
    assertThat(ask(other, numeric.get(0), "get:a")).isEqualTo(shared ? "1" : "none");
    ask(other, numeric.get(1), "invalidate");
    assertThat(ask(browser, local.get(0), "get:a")).isEqualTo(shared ? "none" : "1");
  }

  private SojournManager named(String application) {
    SojournManager manager = ManagerElement.patient(url());
    if (!application.isEmpty()) {
      manager.setApplication(name + application);
    }
    return manager;
  }

  // ---------------------------------------------------------------- ids from elsewhere

  @Test
  @Tag("R49")
  @Tag("R89")
  void firstRequestsUnderOneIdOnTwoNodesAllJoinOneSession() throws Exception {
    List<Node> nodes = List.of(start(), start());
    for (int round = 0; round < 20; round++) {
      Browser browser = new Browser();
      nodes.get(0).root(browser, "begin");
      String id = String.valueOf(browser.cookie(COOKIE, "/"));
      List<CompletableFuture<String>> answers = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        Node node = nodes.get(i % 2);
        String set = "set:n" + i + ":1";
        answers.add(
            CompletableFuture.supplyAsync(
                () -> {
                  Browser tab = new Browser();
                  tab.plant(COOKIE, id, "/");
                  node.two(tab, set);
                  return String.valueOf(tab.cookie(COOKIE, "/"));
                }));
      }
      for (CompletableFuture<String> answer : answers) {
        assertThat(answer.join()).isEqualTo(id);
      }
      for (Node node : nodes) {
        assertThat(node.two(browser, "names")).isEqualTo("n0,n1,n2,n3");
      }
    }
  }

  @Test
  @Tag("R29")
  void anIdWhoseSessionHasExpiredThereNamesANewOne() throws Exception {
    Node a = start();
    Node b = start();
    Browser browser = new Browser();
    a.root(browser, "set:a:1", "timeout:-1");
    String id = browser.cookie(COOKIE, "/");
    b.two(browser, "set:a:2", "timeout:60");
    clock.set(Duration.ofHours(1));
    assertThat(a.root(browser, "get:a")).isEqualTo("1");
    assertThat(a.two(browser, "get:a", "begin", "get:a", "id", "new"))
        .isEqualTo("none null " + id + " true");
    assertThat(a.two(browser, "events") + b.two(browser, "events"))
        .containsOnlyOnce("destroyed with cart null");
    assertThat(b.root(browser, "get:a")).isEqualTo("1");
    clock.set(Duration.ZERO);
  }

  @Test
  @Tag("R62")
  void anIdThatWasLeftByARenamedSessionOpensNothingAndIsNotGivenAgain() throws Exception {
    Node a = start();
    Node b = start();
    Browser browser = new Browser();
    a.root(browser, "set:a:1");
    String old = String.valueOf(browser.cookie(COOKIE, "/"));
    b.two(browser, "set:a:2", "changeId");
    Browser behind = new Browser();
    behind.plant(COOKIE, old, "/");
    assertThat(a.root(behind, "get:a")).isEqualTo("1");
    assertThat(a.two(behind, "get:a", "begin", "get:a", "id"))
        .startsWith("none null ")
        .doesNotContain(old);
    assertThat(a.two(browser, "get:a")).isEqualTo("2");
  }

  // ---------------------------------------------------------------- dispatches

  /** Hands the request on to the other application, between two changes of its own session. */
  private static final class Dispatching extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws ServletException, IOException {
      request.getSession().setAttribute("before", request.getParameter("mark"));
      for (String operations : request.getParameterValues("inner")) {
        if (request.getParameter("mode").equals("async")) {
          request
              .startAsync(request, response)
              .dispatch(getServletContext().getContext("/two"), "/?" + operations);
          continue;
        }
        RequestDispatcher dispatcher =
            getServletContext().getContext("/two").getRequestDispatcher("/?" + operations);
        if (request.getParameter("mode").equals("forward")) {
          dispatcher.forward(request, response);
        } else {
          dispatcher.include(request, response);
        }
      }
      request.getSession().setAttribute("after", request.getParameter("mark"));
    }
  }

  private static URI dispatch(Node node, String mode, String mark, String... inner) {
    StringBuilder uri = new StringBuilder("cross?mode=" + mode + "&mark=" + mark);
    for (String operations : inner) {
      uri.append("&inner=").append(encoded(operations));
    }
    return node.root.uri().resolve(uri.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"include", "forward", "async"})
  @Tag("G1")
  @Tag("R12")
  void bothSessionsOfADispatchAreSavedBeforeItsResponseIsComplete(String mode) throws Exception {
    Node a = start();
    Node b = start();
    for (int i = 0; i < 20; i++) {
      Browser browser = new Browser();
      for (int step = 0; step < 4; step++) {
        Node node = step % 2 == 0 ? a : b;
        Node other = step % 2 == 0 ? b : a;
        String mark = i + "." + step;
        String item = query("set:inner:" + mark, "add:cart:" + step);
        assertThat(browser.get(dispatch(node, mode, mark, item)).status()).isEqualTo(200);
        assertThat(other.root(browser, "get:before")).isEqualTo(mark);
        if (mode.equals("include")) {
          assertThat(other.root(browser, "get:after")).isEqualTo(mark);
        }
        assertThat(other.two(browser, "get:inner")).isEqualTo(mark);
      }
      assertThat(a.two(browser, "get:cart")).isEqualTo("0,1,2,3");
    }
  }

  @Test
  void twoIncludesOfOneContextShareItsNewSession() throws Exception {
    Node a = start();
    Node b = start();
    Browser browser = new Browser();
    assertThat(
            browser
                .get(dispatch(a, "include", "1", query("set:one:1"), query("set:two:2")))
                .status())
        .isEqualTo(200);
    assertThat(b.two(browser, "names")).isEqualTo("one,two");
  }

  @ParameterizedTest
  @ValueSource(strings = {"include", "forward", "async"})
  @Tag("G1")
  @Tag("R12")
  void aSessionIsSavedWhereTheDispatchComesFromTomcatsOwnManager(String mode) throws Exception {
    Node a = start(new StandardManager(), manager("two"));
    Node b = start(new StandardManager(), manager("two"));
    Browser browser = new Browser();
    String gate = UUID.randomUUID().toString();
    browser.get(dispatch(a, mode, "0", query("begin")));
    String cookie = COOKIE + "=" + browser.cookie(COOKIE, "/");
    String inner = query("set:inner:1", "add:cart:1", "fill:50000", "await:" + gate);
    HttpRequest request =
        HttpRequest.newBuilder(dispatch(a, mode, "1", inner)).header("Cookie", cookie).build();
    try (InputStream body =
        HttpClient.newHttpClient().send(request, BodyHandlers.ofInputStream()).body()) {
      assertThat(body.read()).isEqualTo('x');
      assertThat(b.two(browser, "get:inner", "get:cart")).isEqualTo("1 1");
      a.two(new Browser(), "open:" + gate);
      body.readAllBytes();
    }
    assertThat(a.root(browser, "get:before")).isEqualTo("1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"include", "forward", "async"})
  @Tag("G1")
  @Tag("R12")
  void aSessionIsSavedWhereTheDispatchGoesToTomcatsOwnManager(String mode) throws Exception {
    Node a = start(manager("root"), new StandardManager());
    Node b = start(manager("root"), new StandardManager());
    Browser browser = new Browser();
    String inner = query("set:inner:1", "fill:50000");
    assertThat(browser.get(dispatch(a, mode, "1", inner)).status()).isEqualTo(200);
    assertThat(b.root(browser, "get:before")).isEqualTo("1");
    assertThat(a.two(browser, "get:inner")).isEqualTo("1");
  }
}
