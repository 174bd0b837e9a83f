package io.sojourn.jetty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.testkit.ObservedStore;
import io.sojourn.testkit.PatientStores;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.net.CookieManager;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever way a request answers, what it changed before is in the store before its answer can
 * reach the client. Each save is held up until the answer arrives, or for a moment in which it
 * would have arrived had it been sent.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ResponsesH2IT {

  private static final long MOMENT_MILLIS = 100;
  private static final byte[] BODY = "x".repeat(100_000).getBytes(UTF_8);

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
  private final Map<String, Style> styles = new LinkedHashMap<>();
  private final ObservedStore storeOfA =
      new ObservedStore(PatientStores.open(url, "responses", () -> Duration.ZERO));
  private final ObservedStore storeOfB =
      new ObservedStore(PatientStores.open(url, "responses", () -> Duration.ZERO));
  private final JettyNode a;
  private final JettyNode b;

  /** A way to answer. */
  private interface Style {
    void answer(HttpServletRequest request, HttpServletResponse response)
        throws IOException, ServletException;
  }

  ResponsesH2IT() throws Exception {
    styles.put("nothing", (request, response) -> change(request));
    changing("writer", (request, response) -> response.getWriter().print("x"));
    changing("stream", (request, response) -> response.getOutputStream().write('x'));
    changing("big", (request, response) -> response.getOutputStream().write(BODY));
    changing("flush", (request, response) -> response.flushBuffer());
    changing("closed", (request, response) -> response.getWriter().close());
    changing("error", (request, response) -> response.sendError(410));
    changing("redirect", (request, response) -> response.sendRedirect("/elsewhere"));
    changing(
        "length",
        (request, response) -> {
          response.setContentLength(3);
          response.getOutputStream().write("xyz".getBytes(UTF_8));
        });
    changing(
        "exception",
        (request, response) -> {
          throw new ServletException("The test made this servlet fail");
        });
    styles.put("forward", (r, s) -> r.getRequestDispatcher("/styles/big").forward(r, s));
    styles.put(
        "include",
        (r, s) -> {
          s.getWriter().print("x");
          r.getRequestDispatcher("/styles/nothing").include(r, s);
          s.flushBuffer();
        });
    styles.put("error-page", (request, response) -> response.sendError(411));
    styles.put(
        "async-complete",
        (request, response) -> {
          HttpSession session = request.getSession();
          AsyncContext async = request.startAsync();
          elsewhere(
              () -> {
                change(session);
                response.getOutputStream().write(BODY);
                async.complete();
              });
        });
    styles.put(
        "async-dispatch",
        (request, response) -> {
          AsyncContext async = request.startAsync();
          elsewhere(() -> async.dispatch("/styles/writer"));
        });
    styles.put("async-nonblocking", ResponsesH2IT::writeWithoutBlocking);
    a = node(storeOfA);
    b = node(storeOfB);
  }

  private void changing(String name, Style style) {
    styles.put(
        name,
        (request, response) -> {
          change(request);
          style.answer(request, response);
        });
  }

  private static void change(HttpServletRequest request) {
    change(request.getSession());
  }

  private static void change(HttpSession session) {
    session.setAttribute("n", session.getAttribute("n") instanceof Integer n ? n + 1 : 1);
  }

  /** Work on a thread of the application's. */
  private interface Work {
    void run() throws IOException;
  }

  private static void elsewhere(Work work) {
    var unused =
        CompletableFuture.runAsync(
            () -> {
              try {
                work.run();
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            });
  }

  private static void writeWithoutBlocking(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    HttpSession session = request.getSession();
    AsyncContext async = request.startAsync();
    ServletOutputStream out = response.getOutputStream();
    out.setWriteListener(
        new WriteListener() {
          private boolean written;

          @Override
          public void onWritePossible() throws IOException {
            if (!written && out.isReady()) {
              written = true;
              change(session);
              out.write(BODY);
            }
            if (written && out.isReady()) {
              async.complete();
            }
          }

          @Override
          public void onError(Throwable why) {
            async.complete();
          }
        });
  }

  private JettyNode node(ObservedStore store) throws Exception {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setSessionStore(store);
    return JettyNode.start(
        sessions,
        "",
        node -> {
          node.context().add(new Styles(), "/styles/*");
          node.context().addErrorPage(411, "/styles/big");
        });
  }

  private final class Styles extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException, ServletException {
      String path =
          request.getDispatcherType() == DispatcherType.INCLUDE
              ? "/nothing"
              : request.getPathInfo();
      Style style = styles.get(path.substring(1));
      if (style != null) {
        style.answer(request, response);
      }
    }
  }

  @AfterAll
  void stop() {
    a.close();
    b.close();
    storeOfA.close();
    storeOfB.close();
  }

  Set<String> styles() {
    return styles.keySet();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("styles")
  @Tag("G1")
  @Tag("R12")
  @Tag("R14")
  void whatARequestChangedIsStoredBeforeItsAnswerArrives(String style) throws Exception {
    HttpClient client = HttpClient.newBuilder().cookieHandler(new CookieManager()).build();
    // A new session first, then one that both nodes have.
    for (int changes = 1; changes <= 2; changes++) {
      assertThat(isAnsweredBeforeItIsStored(client, style)).as("answered too early").isFalse();
      HttpRequest look = HttpRequest.newBuilder(b.uri().resolve("?op=get:n")).build();
      assertThat(client.send(look, HttpResponse.BodyHandlers.ofString()).body())
          .isEqualTo(changes + "\n");
    }
  }

  @Test
  @Tag("G4")
  void aSaveThatFailsUnexpectedlyIsAnswered() throws Exception {
    storeOfA.observe(
        operation -> {
          throw new IllegalStateException("The test made this store fail");
        });
    try {
      HttpRequest request =
          HttpRequest.newBuilder(a.uri().resolve("styles/writer"))
              .timeout(Duration.ofSeconds(30))
              .build();
      HttpResponse<Void> answer =
          HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.discarding());
      assertThat(answer.statusCode()).isEqualTo(503);
      assertThat(answer.headers().firstValue("Set-Cookie")).isEmpty();
    } finally {
      storeOfA.observe(operation -> {});
    }
  }

  @Test
  @Tag("G5")
  @Tag("R39")
  void aRequestThatIsAtWorkWhenItsContextStopsIsSavedAndAnswered() throws Exception {
    CountDownLatch there = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    styles.put(
        "blocks",
        (request, response) -> {
          change(request);
          there.countDown();
          try {
            go.await();
          } catch (InterruptedException e) {
            throw new ServletException(e);
          }
        });
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setStore(url);
    PatientStores.options(url).forEach(sessions::setStoreOption);
    sessions.setApplication("responses");
    JettyNode node =
        JettyNode.start(
            sessions, "", starting -> starting.context().add(new Styles(), "/styles/*"));
    try {
      HttpClient client = HttpClient.newBuilder().cookieHandler(new CookieManager()).build();
      HttpRequest request = HttpRequest.newBuilder(node.uri().resolve("styles/blocks")).build();
      CompletableFuture<HttpResponse<Void>> answer =
          client.sendAsync(request, HttpResponse.BodyHandlers.discarding());
      there.await();
      CompletableFuture<Void> stop = CompletableFuture.runAsync(() -> stopContext(node));
      await().until(() -> !node.context().handler().isStarted());
      // It is waiting, or has stopped without.
      var unused = stop.completeOnTimeout(null, MOMENT_MILLIS, TimeUnit.MILLISECONDS).get();
      go.countDown();
      assertThat(answer.get().statusCode()).isEqualTo(200);
      HttpRequest look = HttpRequest.newBuilder(b.uri().resolve("?op=get:n")).build();
      assertThat(client.send(look, HttpResponse.BodyHandlers.ofString()).body()).isEqualTo("1\n");
    } finally {
      node.close();
    }
  }

  private static void stopContext(JettyNode node) {
    try {
      node.context().handler().stop();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private boolean isAnsweredBeforeItIsStored(HttpClient client, String style) throws Exception {
    CountDownLatch answered = new CountDownLatch(1);
    AtomicBoolean tooEarly = new AtomicBoolean();
    storeOfA.observe(
        operation -> {
          if (!operation.equals("load") && awaits(answered)) {
            tooEarly.set(true);
          }
        });
    try {
      HttpRequest request = HttpRequest.newBuilder(a.uri().resolve("styles/" + style)).build();
      int status =
          client
              .send(
                  request,
                  head -> {
                    answered.countDown();
                    return HttpResponse.BodySubscribers.discarding();
                  })
              .statusCode();
      assertThat(status == 500).isEqualTo(style.equals("exception"));
    } finally {
      storeOfA.observe(operation -> {});
    }
    return tooEarly.get();
  }

  private static boolean awaits(CountDownLatch answered) {
    try {
      return answered.await(MOMENT_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
