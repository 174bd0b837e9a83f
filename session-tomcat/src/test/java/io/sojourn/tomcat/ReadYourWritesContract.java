package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionPolicy;
import io.sojourn.SessionStore;
import io.sojourn.StoreUnavailableException;
import io.sojourn.testkit.ObservedStore;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.net.CookieManager;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.util.ServerInfo;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever a request of {@link ResponseStyles} changed is in the store before its answer can reach
 * the client. Each save is held up until the answer arrives, or for a moment in which it would have
 * arrived had it been sent.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ReadYourWritesContract {

  /** Long enough for an answer to arrive that does not wait for the save. */
  long momentMillis() {
    return 100;
  }

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final ResponseStyles styles = new ResponseStyles(threads);
  private final String application = "styles-" + UUID.randomUUID();

  @SuppressWarnings("NullAway.Init")
  private ObservedStore storeOfA;

  @SuppressWarnings("NullAway.Init")
  private SessionStore storeOfB;

  @SuppressWarnings("NullAway.Init")
  private TomcatNode a;

  @SuppressWarnings("NullAway.Init")
  private TomcatNode b;

  /** Opens the store. Called once for each server. */
  abstract SessionStore open(String application);

  @BeforeAll
  void startServers() throws Exception {
    storeOfA = new ObservedStore(open(application));
    storeOfB = open(application);
    a =
        TomcatNode.start(
            manager(storeOfA),
            (tomcat, context) -> {
              styles.addTo(context);
              Tomcat.addServlet(context, "more", new More());
              context.addServletMappingDecoded("/more", "more");
            });
    b = TomcatNode.start(manager(storeOfB), ReadYourWritesContract::addLook);
  }

  /** When the servers ask the store whether a session has changed. */
  SessionPolicy.Freshness freshness() {
    return SessionPolicy.Freshness.STRICT;
  }

  private SojournManager manager(SessionStore store) {
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    manager.setFreshness(freshness().name());
    return manager;
  }

  @AfterAll
  void stopServers() {
    a.close();
    b.close();
    storeOfA.close();
    storeOfB.close();
    threads.shutdown();
  }

  private static void addLook(Tomcat tomcat, StandardContext context) {
    Tomcat.addServlet(context, "look", new Look());
    context.addServletMappingDecoded("/look", "look");
  }

  /** Answers what the session has, and nothing without one. */
  private static final class Look extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      HttpSession session = request.getSession(false);
      response
          .getWriter()
          .print(
              session == null
                  ? "no session"
                  : session.getAttribute(ResponseStyles.NUMBER)
                      + " "
                      + session.getAttribute(ResponseStyles.LIST));
    }
  }

  /** Changes the session before and after the whole of its body is written. */
  private static final class More extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      HttpSession session = request.getSession();
      int before =
          session.getAttribute(ResponseStyles.NUMBER) instanceof Integer number ? number : 0;
      session.setAttribute(ResponseStyles.NUMBER, before + 1);
      response.setContentLength(4);
      response.getOutputStream().print("body");
      session.setAttribute(ResponseStyles.NUMBER, before + 2);
    }
  }

  List<String> paths() {
    return styles.paths();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("paths")
  @Tag("G1")
  @Tag("R12")
  @Tag("R14")
  void whatARequestChangedIsStoredBeforeItsAnswerArrives(String path) throws Exception {
    HttpClient client = HttpClient.newBuilder().cookieHandler(new CookieManager()).build();
    // A new session first, then one that both nodes have.
    for (int changes = 1; changes <= 2; changes++) {
      assertThat(isAnsweredBeforeItIsStored(client, path)).as("answered too early").isFalse();
      assertThat(look(client)).isEqualTo(ResponseStyles.state(changes));
    }
  }

  /** Tomcat 10.1 keeps a body that has its announced length; 11 sends it at once. */
  @Test
  @Tag("G1")
  void aCompleteBodyThatTomcatKeepsUntilTheEndTakesOneSave() throws Exception {
    boolean isKept = ServerInfo.getServerNumber().startsWith("10.1.");
    HttpClient client = HttpClient.newBuilder().cookieHandler(new CookieManager()).build();
    HttpRequest request = HttpRequest.newBuilder(a.uri().resolve("more")).build();
    HttpResponse.BodyHandler<Void> nothing = HttpResponse.BodyHandlers.discarding();
    assertThat(client.send(request, nothing).statusCode()).isEqualTo(200);
    AtomicInteger saves = new AtomicInteger();
    storeOfA.observe(
        operation -> {
          if (operation.equals("save")) {
            saves.incrementAndGet();
          }
        });
    try {
      assertThat(client.send(request, nothing).statusCode()).isEqualTo(200);
      assertThat(saves.get()).isBetween(1, isKept ? 1 : 2);
    } finally {
      storeOfA.observe(operation -> {});
    }
    if (isKept) {
      assertThat(look(client)).isEqualTo("4 null");
    }
  }

  @Test
  @Tag("G4")
  @Tag("R15")
  void anAsynchronousRequestWhoseSessionCannotBeSavedIsAnswered503() throws Exception {
    HttpClient client = HttpClient.newBuilder().cookieHandler(new CookieManager()).build();
    HttpRequest request =
        HttpRequest.newBuilder(a.uri().resolve("styles/async-on-another-thread-in-place")).build();
    HttpResponse.BodyHandler<Void> nothing = HttpResponse.BodyHandlers.discarding();
    assertThat(client.send(request, nothing).statusCode()).isEqualTo(200);
    storeOfA.observe(
        operation -> {
          if (operation.equals("save")) {
            throw new StoreUnavailableException("The test made it fail", null);
          }
        });
    HttpResponse<Void> refused;
    try {
      refused = client.send(request, nothing);
    } finally {
      storeOfA.observe(operation -> {});
    }
    assertThat(refused.statusCode()).isEqualTo(503);
    assertThat(refused.headers().firstValue("Retry-After")).isPresent();
    assertThat(client.send(request, nothing).statusCode()).isEqualTo(200);
    assertThat(look(client)).as("kept, and saved with the next").isEqualTo(ResponseStyles.state(3));
  }

  private boolean isAnsweredBeforeItIsStored(HttpClient client, String path) throws Exception {
    CountDownLatch answered = new CountDownLatch(1);
    AtomicBoolean tooEarly = new AtomicBoolean();
    storeOfA.observe(
        operation -> {
          if (!operation.equals("load") && awaits(answered)) {
            tooEarly.set(true);
          }
        });
    try {
      HttpRequest.Builder request = HttpRequest.newBuilder(a.uri().resolve(path));
      if (path.endsWith(ResponseStyles.NON_BLOCKING_READ)) {
        request.POST(styles.bodyOfTwoParts());
      }
      int status =
          client
              .send(
                  request.build(),
                  head -> {
                    answered.countDown();
                    return HttpResponse.BodySubscribers.discarding();
                  })
              .statusCode();
      assertThat(status == 500).isEqualTo(path.endsWith("/page-of-exception"));
    } finally {
      storeOfA.observe(operation -> {});
    }
    return tooEarly.get();
  }

  private boolean awaits(CountDownLatch answered) {
    try {
      return answered.await(momentMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private String look(HttpClient client) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(b.uri().resolve("look")).build();
    return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
  }
}
