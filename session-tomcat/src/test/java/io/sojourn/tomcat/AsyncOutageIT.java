package io.sojourn.tomcat;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.SessionException;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.ContractClient.Answer;
import io.sojourn.testkit.ControlledStore;
import io.sojourn.testkit.PatientStores;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.session.ManagerBase;
import org.apache.catalina.session.StandardManager;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Asynchronous requests whose session cannot be asked for or saved, as their clients see them. */
class AsyncOutageIT {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
  private final ControlledStore store =
      new ControlledStore(clock -> PatientStores.open(url, "async", clock));
  private final ContractClient client = new ContractClient();
  private final List<AutoCloseable> closeables = new ArrayList<>();

  /** What the application does on threads of its own, one after the other. */
  private final ExecutorService thread = Executors.newSingleThreadExecutor();

  private final CountDownLatch gate = new CountDownLatch(1);
  private volatile Deed deed = (request, response) -> {};
  private final LogRecords log = new LogRecords();

  /** What a request does. */
  private interface Deed {
    void on(HttpServletRequest request, HttpServletResponse response) throws Exception;
  }

  private final class Work extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws ServletException, IOException {
      try {
        deed.on(request, response);
      } catch (RuntimeException | IOException | ServletException e) {
        throw e;
      } catch (Exception e) {
        throw new ServletException(e);
      }
    }
  }

  @BeforeEach
  void open() {
    closeables.add(store.store());
    closeables.add(log);
  }

  @AfterEach
  void close() throws Exception {
    gate.countDown();
    store.fail();
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
    thread.shutdown();
  }

  private TomcatNode start(String... attributes) throws Exception {
    SojournManager manager = ManagerElement.of(attributes);
    manager.setSessionStore(store.store());
    manager.setAllowedClasses("io.sojourn.testkit.*");
    return start(manager);
  }

  private TomcatNode start(ManagerBase manager) throws Exception {
    TomcatNode node = TomcatNode.start(manager, (tomcat, context) -> addWork(context));
    closeables.add(0, node);
    return node;
  }

  private void addWork(StandardContext context) {
    Tomcat.addServlet(context, "work", new Work()).setAsyncSupported(true);
    context.addServletMappingDecoded("/work/*", "work");
  }

  private CompletableFuture<Answer> work(TomcatNode node) {
    return client.sendLater(node.at("work/"));
  }

  private static void assertUnavailable(Answer answer) {
    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.retryAfter()).isPresent();
    assertThat(answer.cookies()).isEmpty();
  }

  private void awaitGate() {
    try {
      assertThat(gate.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Lets the application go on with a request whose dispatch is over. */
  private Answer resume(TomcatNode node, CompletableFuture<Answer> answer) {
    node.awaitIdle();
    store.fail();
    gate.countDown();
    return answer.join();
  }

  // ---------------------------------------------------------------- what cannot be saved

  /** Sets an attribute while no save succeeds, and completes the request on another thread. */
  private CompletableFuture<Answer> setUnsaved(TomcatNode node, Deed then) {
    client.send(node, "set:n:0");
    store.fail("save");
    CountDownLatch begun = new CountDownLatch(1);
    deed =
        (request, response) -> {
          if (request.getDispatcherType() == DispatcherType.ASYNC) {
            return;
          }
          request.getSession().setAttribute("n", "1");
          AsyncContext async = request.startAsync();
          var unused =
              thread.submit(
                  () -> {
                    awaitGate();
                    then.on(request, response);
                    async.complete();
                    return null;
                  });
          begun.countDown();
        };
    CompletableFuture<Answer> answer = work(node);
    await().until(() -> begun.getCount() == 0);
    return answer;
  }

  @Test
  @Tag("G3")
  @Tag("G4")
  @Tag("G5")
  void whatCouldNotBeSavedInItsTurnIsNotAnsweredFor() throws Exception {
    TomcatNode node = start("concurrency", "serialize");
    CompletableFuture<Answer> answer = setUnsaved(node, (request, response) -> {});
    assertUnavailable(resume(node, answer));
    assertThat(client.send(node, "get:n").line()).isEqualTo("0");
    assertThat(log.thrown()).isEmpty();
  }

  @Test
  @Tag("G3")
  @Tag("G5")
  void noByteLeavesOfAnAnswerForWhatCouldNotBeSavedInItsTurn() throws Exception {
    TomcatNode node = start("concurrency", "serialize");
    CompletableFuture<Answer> answer =
        setUnsaved(
            node,
            (request, response) -> {
              try {
                response.getWriter().write("done");
                response.flushBuffer();
              } finally {
                request.getAsyncContext().complete();
              }
            });
    assertUnavailable(resume(node, answer));
    assertThat(client.send(node, "get:n").line()).isEqualTo("0");
  }

  @Test
  @Tag("G4")
  @Tag("G5")
  void whatIsSavedAtTheEndAfterAllIsAnsweredFor() throws Exception {
    TomcatNode node = start();
    CompletableFuture<Answer> answer = setUnsaved(node, (request, response) -> {});
    assertThat(resume(node, answer).status()).isEqualTo(200);
    assertThat(client.send(node, "get:n").line()).isEqualTo("1");
    assertThat(log.thrown()).isEmpty();
  }

  @Test
  @Tag("G3")
  @Tag("G5")
  void whatIsSetAfterTheLeaseHasGoneToSomebodyElseIsNotAnsweredFor() throws Exception {
    TomcatNode node = start("concurrency", "serialize");
    client.send(node, "set:n:0");
    SessionKey key = SessionKey.of(requireNonNull(client.sessionId()));
    try (SessionStore other = PatientStores.open(url, "async", () -> Duration.ofSeconds(10))) {
      deed =
          (request, response) -> {
            HttpSession session = request.getSession();
            assertThat(other.lease(key, 4711, Duration.ofMinutes(1)))
                .isEqualTo(SessionStore.Lease.TAKEN);
            session.setAttribute("n", "1");
            AsyncContext async = request.startAsync();
            var unused =
                thread.submit(
                    () -> {
                      awaitGate();
                      async.complete();
                    });
          };
      CompletableFuture<Answer> answer = work(node);
      assertUnavailable(resume(node, answer));
      other.release(key, 4711);
    }
    assertThat(client.send(node, "get:n").line()).isEqualTo("0");
    assertThat(log.thrown()).isEmpty();
  }

  @Test
  @Tag("G5")
  void aRequestThatEndsItsSessionAfterAllIsAnsweredAsItSays() throws Exception {
    TomcatNode node = start();
    CompletableFuture<Answer> answer =
        setUnsaved(node, (request, response) -> request.getSession().invalidate());
    assertThat(resume(node, answer).status()).isEqualTo(200);
    assertThat(client.send(node, "get:n").line()).isEqualTo("none");
    assertThat(log.thrown()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"parallel, 200, 1", "serialize, 503, 0"})
  @Tag("G4")
  @Tag("G5")
  void whatAThreadCouldNotSaveIsSavedAtTheEndIfItStillCanBe(
      String concurrency, int status, String stored) throws Exception {
    TomcatNode node = start("concurrency", concurrency);
    CompletableFuture<Boolean> refused = new CompletableFuture<>();
    CompletableFuture<Answer> answer =
        setUnsaved(
            node,
            (request, response) -> {
              store.fail("save");
              try {
                response.flushBuffer();
                refused.complete(false);
              } catch (SessionException e) {
                refused.complete(true);
              } finally {
                store.fail();
              }
            });
    assertThat(resume(node, answer).status()).isEqualTo(status);
    assertThat(refused.join()).isTrue();
    assertThat(client.send(node, "get:n").line()).isEqualTo(stored);
  }

  // ---------------------------------------------------------------- what cannot be asked for

  @Test
  @Tag("G4")
  @Tag("R15")
  @Tag("R75")
  void aSessionThatIsAskedForAfterTheStartIsAnswered503WithoutAStackTrace() throws Exception {
    TomcatNode node = start();
    client.send(node, "set:n:0");
    String id = client.sessionId();
    deed =
        (request, response) -> {
          AsyncContext async = request.startAsync();
          async.setTimeout(0);
          request.getSession();
        };
    store.failAll();
    assertUnavailable(work(node).join());
    assertUnavailable(work(node).join());
    store.fail();
    assertThat(client.sessionId()).isEqualTo(id);
    assertThat(client.send(node, "get:n").line()).isEqualTo("0");
    assertThat(log.thrown()).isEmpty();
    assertThat(log.warnings()).hasSize(1);
  }

  /** Of the two only one ends the request. */
  @Test
  @Tag("G4")
  @Tag("R15")
  void aRequestThatIsCompletedWhileItsDispatchFailsIsAnswered503() throws Exception {
    TomcatNode node = start();
    client.send(node, "set:n:0");
    deed =
        (request, response) -> {
          request.startAsync().complete();
          request.getSession();
        };
    store.failAll();
    assertUnavailable(work(node).join());
    assertThat(log.thrown()).isEmpty();
  }

  @Test
  @Tag("G4")
  @Tag("R15")
  void aSessionThatIsAskedForInAnotherDispatchIsAnswered503() throws Exception {
    TomcatNode node = start();
    client.send(node, "set:n:0");
    deed =
        (request, response) -> {
          if (request.getDispatcherType() == DispatcherType.ASYNC) {
            request.getSession();
          } else {
            request.startAsync().dispatch();
          }
        };
    store.failAll();
    assertUnavailable(work(node).join());
    assertThat(log.thrown()).isEmpty();
    assertThat(log.warnings()).hasSize(1);
  }

  // ---------------------------------------------------------------- nobody completes it

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Tag("G1")
  @Tag("R14")
  void aTimeoutThatNobodyHandlesIsWhatItIsWithTomcatsOwnManager(boolean plain) throws Exception {
    TomcatNode node = plain ? start(new StandardManager()) : start();
    client.send(node, "set:n:0");
    client.send(node, "add:cart:tea");
    deed =
        (request, response) -> {
          HttpSession session = request.getSession();
          Object cart = session.getAttribute("cart");
          AsyncContext async = request.startAsync();
          async.setTimeout(1);
          session.setAttribute("n", "1");
          session.setAttribute("cart", cart);
        };
    assertThat(work(node).join().status()).isEqualTo(500);
    assertThat(client.send(node, "get:n", "get:cart").lines()).containsExactly("1", "tea");
    assertThat(log.thrown()).isEmpty();
  }

  // ---------------------------------------------------------------- whose session it is

  @Test
  @Tag("G2")
  void aThreadsOwnRequestIsNotTakenForOneThatItWorkedForBefore() throws Exception {
    TomcatNode node = start();
    client.send(node, "set:n:0");
    deed =
        (request, response) -> {
          AsyncContext async = request.startAsync();
          var unused =
              thread.submit(
                  () -> {
                    assertThat(request.getSession().getAttribute("n")).isEqualTo("0");
                    async.complete();
                  });
        };
    assertThat(work(node).join().status()).isEqualTo(200);
    CompletableFuture<Boolean> uses = new CompletableFuture<>();
    deed =
        (request, response) -> {
          AsyncContext async = request.startAsync();
          RequestScope scope = requireNonNull(RequestScope.current());
          var unused =
              thread.submit(
                  () -> {
                    response.flushBuffer();
                    uses.complete(scope.usesAny());
                    async.complete();
                    return null;
                  });
        };
    new ContractClient().sendLater(node.at("work/")).join();
    assertThat(uses.join()).isFalse();
  }

  /** What it came by on another thread is saved before its answer leaves there. */
  @Test
  @Tag("G1")
  @Tag("R14")
  void whatARequestCameByOnAnotherThreadIsSavedBeforeThatThreadsAnswerLeaves() throws Exception {
    TomcatNode node = start();
    client.send(node, "set:n:0", "add:cart:tea");
    CompletableFuture<Boolean> uses = new CompletableFuture<>();
    deed =
        (request, response) -> {
          AsyncContext async = request.startAsync();
          RequestScope scope = requireNonNull(RequestScope.current());
          var unused =
              thread.submit(
                  () -> {
                    request.getSession();
                    response.flushBuffer();
                    uses.complete(scope.usesAny());
                    async.complete();
                    return null;
                  });
        };
    assertThat(work(node).join().status()).isEqualTo(200);
    assertThat(uses.join()).isTrue();
  }
}
