package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.ContractClient.Answer;
import io.sojourn.testkit.ContractServlet;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.SessionEvents;
import jakarta.servlet.AsyncContext;
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
import java.util.concurrent.TimeUnit;
import org.apache.catalina.Lifecycle;
import org.apache.catalina.LifecycleEvent;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.LifecycleState;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Requests that are under way when their application is stopped, and sessions when it is back. */
class StopIT {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** So long Tomcat, and the manager, wait for requests. */
  private static final int UNLOAD_MILLIS = 20;

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
  private final ContractClient client = new ContractClient();
  private final List<AutoCloseable> closeables = new ArrayList<>();
  private final Slow slow = new Slow();
  private final LogRecords log = new LogRecords();

  @AfterEach
  void close() throws Exception {
    slow.gate.countDown();
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
    log.close();
  }

  private SojournManager manager(String application) {
    SessionStore store = PatientStores.open(url, application, () -> Duration.ZERO);
    closeables.add(store);
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    return manager;
  }

  /** A node, and the context that it serves. */
  private record Started(TomcatNode node, StandardContext context) {}

  private Started start(SojournManager manager) throws Exception {
    List<StandardContext> contexts = new ArrayList<>();
    TomcatNode node =
        TomcatNode.start(
            manager,
            (tomcat, context) -> {
              addSlow(context);
              contexts.add(context);
            });
    closeables.add(0, node);
    return new Started(node, contexts.get(0));
  }

  private void addSlow(StandardContext context) {
    context.setUnloadDelay(UNLOAD_MILLIS);
    Tomcat.addServlet(context, "slow", slow).setAsyncSupported(true);
    context.addServletMappingDecoded("/slow/*", "slow");
  }

  private CompletableFuture<Answer> send(ContainerNode node, String path) {
    CompletableFuture<Answer> answer = client.sendLater(node.at("slow/" + path + "/"));
    await().atMost(PATIENCE).until(() -> slow.begun.getCount() == 0);
    return answer;
  }

  // ---------------------------------------------------------------- outlived

  @ParameterizedTest
  @CsvSource({
    "nothing, 200",
    "ask, 200",
    "read, 200",
    "set, 503",
    "begin, 503",
    "rename, 503",
    "end, 503",
    "timeout, 503",
    "async, 503",
  })
  @Tag("G5")
  @Tag("R23")
  void aRequestThatOutlivesItsApplicationIsAnsweredForNothingThatIsNotStored(
      String path, int status) throws Exception {
    Started stopped = start(manager("shop"));
    Started other = start(manager("shop"));
    client.send(stopped.node(), "set:n:0");
    CompletableFuture<Answer> answer = send(stopped.node(), path);
    stopped.context().stop();
    slow.gate.countDown();
    assertThat(answer.join().status()).isEqualTo(status);
    if (status == 503) {
      assertThat(answer.join().retryAfter()).isPresent();
      assertThat(answer.join().cookies()).isEmpty();
    }
    stopped.node().awaitIdle();
    assertThat(client.send(other.node(), "get:n").line()).isEqualTo("0");
    assertThat(log.thrown()).isEmpty();
  }

  @Test
  @Tag("G5")
  @Tag("R23")
  void whatARequestSetBeforeItsAnswerLeftIsStoredThoughItOutlivesItsApplication() throws Exception {
    Started stopped = start(manager("shop"));
    Started other = start(manager("shop"));
    client.send(stopped.node(), "set:n:0");
    CompletableFuture<Answer> answer = send(stopped.node(), "flushed");
    stopped.context().stop();
    slow.gate.countDown();
    assertThat(answer.join().status()).isEqualTo(200);
    assertThat(client.send(other.node(), "get:n").line()).isEqualTo("1");
    assertThat(log.thrown()).isEmpty();
  }

  // ---------------------------------------------------------------- waited for

  /** Whoever stops an application from another one is none of its requests. */
  @Test
  @Tag("G5")
  @Tag("R23")
  @Tag("R24")
  void aRequestIsWaitedForWhenAnotherApplicationsRequestStopsItsApplication() throws Exception {
    TomcatNode node = start(manager("shop")).node();
    List<StandardContext> contexts = new ArrayList<>();
    SojournManager manager = manager("second");
    ContainerNode second =
        node.deploy(
            "second",
            manager,
            context -> {
              // The servlet's own wait is over at once: the manager's is what is left.
              addSlow(context);
              context.setUnloadDelay(PATIENCE.toMillis());
              contexts.add(context);
            });
    client.send(second, "set:n:0");
    CompletableFuture<Answer> answer = send(second, "set");
    slow.other = contexts.get(0);
    CompletableFuture<Answer> stopping = new ContractClient().sendLater(node.at("slow/stop/"));
    await().atMost(PATIENCE).until(() -> manager.getState() != LifecycleState.STARTED);
    await().during(Duration.ofMillis(50)).atMost(PATIENCE).until(manager::isRunning);
    slow.gate.countDown();
    assertThat(answer.join().status()).isEqualTo(200);
    assertThat(stopping.join().status()).isEqualTo(200);
    contexts.get(0).addLifecycleListener(StopIT::addAgain);
    contexts.get(0).start();
    assertThat(client.send(second, "get:n").line()).isEqualTo("1");
  }

  // ---------------------------------------------------------------- back again

  @Test
  @Tag("G5")
  void aSessionIsThereWhenItsApplicationIsStartedAgain() throws Exception {
    Started node = start(manager("shop"));
    client.send(node.node(), "set:n:1");
    node.context().addLifecycleListener(StopIT::addAgain);
    for (int round = 0; round < 2; round++) {
      node.context().stop();
      node.context().start();
      assertThat(client.send(node.node(), "get:n", "set:m:" + round, "get:m").lines())
          .containsExactly("1", Integer.toString(round));
    }
    assertThat(log.thrown()).isEmpty();
  }

  /** A context that is stopped forgets its servlets, which here no web.xml brings back. */
  private static void addAgain(LifecycleEvent event) {
    if (event.getType().equals(Lifecycle.CONFIGURE_START_EVENT)) {
      StandardContext context = (StandardContext) event.getLifecycle();
      Tomcat.addServlet(context, "contract", new ContractServlet(new SessionEvents()));
      context.addServletMappingDecoded("/*", "contract");
    }
  }

  // ---------------------------------------------------------------- the web application

  /** Begins, waits for the gate, and goes on as its path says. */
  private static final class Slow extends HttpServlet {
    private static final long serialVersionUID = 1L;

    final transient CountDownLatch begun = new CountDownLatch(1);
    final transient CountDownLatch gate = new CountDownLatch(1);
    transient volatile StandardContext other = new StandardContext();

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      switch (request.getPathInfo()) {
        case "/nothing/" -> await();
        case "/ask/" -> {
          request.getSession();
          await();
        }
        case "/read/" -> {
          HttpSession session = request.getSession();
          await();
          response.getWriter().print(session.getAttribute("n"));
        }
        case "/set/" -> {
          HttpSession session = request.getSession();
          await();
          session.setAttribute("n", "1");
        }
        case "/flushed/" -> {
          request.getSession().setAttribute("n", "1");
          response.flushBuffer();
          await();
        }
        case "/begin/" -> {
          await();
          request.getSession();
        }
        case "/rename/" -> {
          request.getSession();
          await();
          request.changeSessionId();
        }
        case "/end/" -> {
          HttpSession session = request.getSession();
          await();
          session.invalidate();
        }
        case "/timeout/" -> {
          HttpSession session = request.getSession();
          await();
          session.setMaxInactiveInterval(77);
        }
        case "/async/" -> {
          HttpSession session = request.getSession();
          AsyncContext async = request.startAsync();
          async.setTimeout(PATIENCE.toMillis());
          Thread thread =
              new Thread(
                  () -> {
                    await();
                    try {
                      session.setAttribute("n", "1");
                    } finally {
                      async.complete();
                    }
                  });
          thread.setUncaughtExceptionHandler((same, thrown) -> {});
          thread.start();
        }
        default -> {
          try {
            other.stop();
          } catch (LifecycleException e) {
            throw new IllegalStateException(e);
          }
        }
      }
    }

    private void await() {
      begun.countDown();
      try {
        assertThat(gate.await(30, TimeUnit.SECONDS)).isTrue();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
