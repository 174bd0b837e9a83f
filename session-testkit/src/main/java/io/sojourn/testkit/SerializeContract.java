package io.sojourn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.testkit.ContractClient.Answer;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What {@code concurrency="serialize"} promises on every container: what a browser sees of two
 * servers that take turns.
 */
public abstract class SerializeContract {

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int CLIENTS = 6;
  private static final int REQUESTS = 15;
  private static final long HOLDER = 4711;

  private final String url;
  private final String application = "serialize-" + UUID.randomUUID();
  private final ContractClient client = new ContractClient();
  private final Counter counter = new Counter();
  private final Asynchronous asynchronous = new Asynchronous();
  private final List<ContainerNode> nodes = new ArrayList<>();

  /**
   * For subclasses.
   *
   * @param url where the store is
   */
  protected SerializeContract(String url) {
    this.url = url;
  }

  /**
   * Starts a server as {@link TwoServers#start} does.
   *
   * @param settings by the names in docs/configuration.md
   * @param servlets further ones of the web application, by the paths that they are mapped to, and
   *     allowed to be asynchronous
   * @throws Exception if it does not start
   */
  protected abstract ContainerNode start(
      Map<String, String> settings, Map<String, HttpServlet> servlets) throws Exception;

  @AfterEach
  final void stop() {
    asynchronous.gate.countDown();
    nodes.forEach(ContainerNode::close);
  }

  /** What every server is to be started with, beside these names and values in turn. */
  protected final Map<String, String> settings(String... more) {
    Map<String, String> settings = new HashMap<>();
    settings.put("store", url);
    settings.put("application", application);
    settings.put("concurrency", "serialize");
    for (int i = 0; i < more.length; i += 2) {
      settings.put(more[i], more[i + 1]);
    }
    return settings;
  }

  /** The servlets of every web application. */
  protected final Map<String, HttpServlet> servlets() {
    return Map.of("/count/*", counter, "/dispatch/*", new Dispatcher(), "/async/*", asynchronous);
  }

  private ContainerNode node(String... more) throws Exception {
    ContainerNode node = start(settings(more), servlets());
    nodes.add(node);
    return node;
  }

  // ---------------------------------------------------------------- one after the other

  @Test
  @Tag("G3")
  void requestsOfOneSessionRunOneAfterTheOtherOnBothServersAndEachHasItsTurn() throws Exception {
    ContainerNode a = node();
    ContainerNode b = node();
    client.send(a, "set:other:1");
    Threads.run(
        CLIENTS,
        thread -> {
          // One client alone on b, against all others on a: it has its turn too.
          ContainerNode node = (thread == 0 ? b : a).at("/count/");
          for (int i = 0; i < REQUESTS; i++) {
            assertThat(client.send(node).status()).isEqualTo(200);
          }
        });
    assertThat(client.send(b, "get:n").line()).isEqualTo(Integer.toString(CLIENTS * REQUESTS));
    assertThat(counter.most.get()).isEqualTo(1);
  }

  @Test
  @Tag("G3")
  @Tag("R52")
  void aRequestThatWaitsTooLongIsAnswered503AndTheOtherGoesOn() throws Exception {
    ContainerNode a = node("serializeTimeout", "3");
    ContainerNode b = node("serializeTimeout", "3");
    client.send(a, "set:n:0");
    CompletableFuture<Answer> holder = client.sendLater(a, "set:n:1", "await:g", "get:n");
    awaitWaiting(a, "g");
    assertRefused(a);
    new ContractClient().send(a, "open:g");
    assertThat(holder.join().line()).isEqualTo("1");
    whileSomebodyHasIt(() -> assertRefused(b));
    assertThat(client.send(a, "get:n").line()).isEqualTo("1");
  }

  private void assertRefused(ContainerNode node) {
    Answer refused = client.send(node, "set:n:2");
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.retryAfter()).isPresent();
    assertThat(refused.cookies()).isEmpty();
    assertThat(client.send(node, "fill:1").line()).isEqualTo("x");
  }

  /** Has the session leased for longer than any request waits, however slow the machine is. */
  private void whileSomebodyHasIt(Runnable work) {
    SessionKey key = SessionKey.of(String.valueOf(client.sessionId()));
    try (SessionStore other = PatientStores.open(url, application, () -> Duration.ZERO)) {
      awaitLease(other, key, Duration.ofMinutes(1));
      work.run();
      other.release(key, HOLDER);
    }
  }

  /** The request may let go of the session when its answer has left already. */
  private static void awaitLease(SessionStore store, SessionKey key, Duration leaseTime) {
    await()
        .atMost(PATIENCE)
        .until(() -> store.lease(key, HOLDER, leaseTime), SessionStore.Lease.TAKEN::equals);
  }

  @Test
  @Tag("G3")
  void onlyRequestsForTheGivenPathsTakeTurns() throws Exception {
    ContainerNode a = node("serializePaths", "/cart/.*", "serializeTimeout", "3");
    ContainerNode b = node("serializePaths", "/cart/.*", "serializeTimeout", "3");
    client.send(a, "set:n:0");
    CompletableFuture<Answer> holder =
        client.sendLater(a.at("/cart/pay/"), "set:n:1", "await:g", "get:n");
    awaitWaiting(a, "g");
    assertThat(client.send(b, "set:m:2").status()).isEqualTo(200);
    assertThat(client.send(a, "get:m").line()).isEqualTo("2");
    new ContractClient().send(a, "open:g");
    assertThat(holder.join().line()).isEqualTo("1");
    whileSomebodyHasIt(
        () -> assertThat(client.send(b.at("/cart/add/"), "get:n").status()).isEqualTo(503));
    assertThat(client.send(b.at("/cart/add/"), "get:n").line()).isEqualTo("1");
  }

  // ---------------------------------------------------------------- whoever has died

  @Test
  @Tag("G3")
  @Tag("R53")
  void aSessionWhoseHolderHasDiedIsServedWhenTheLeaseHasEnded() throws Exception {
    ContainerNode node = node();
    try (SessionStore dead = PatientStores.open(url, application, () -> Duration.ZERO)) {
      client.send(node, "set:n:1");
      SessionKey key = SessionKey.of(String.valueOf(client.sessionId()));
      awaitLease(dead, key, Duration.ofSeconds(1));
      assertThat(client.send(node, "get:n").line()).isEqualTo("1");
    }
  }

  @Test
  @Tag("G3")
  @Tag("G7")
  void requestsThatWaitForASessionThatEndsFindNone() throws Exception {
    ContainerNode a = node();
    ContainerNode b = node();
    client.send(a, "set:n:1");
    CompletableFuture<Answer> holder = client.sendLater(a, "get:n", "await:g", "invalidate");
    awaitWaiting(a, "g");
    List<CompletableFuture<Answer>> waiting =
        Stream.of(a, b, a, b).map(node -> client.sendLater(node, "get:n")).toList();
    new ContractClient().send(a, "open:g");
    assertThat(holder.join().status()).isEqualTo(200);
    // Those of b may have come before.
    assertThat(waiting).allSatisfy(answer -> assertThat(answer.join().line()).isIn("none", "1"));
    assertThat(client.send(b, "get:n").line()).isEqualTo("none");
  }

  // ---------------------------------------------------------------- no request waits for itself

  @Test
  @Tag("G3")
  @Tag("R53")
  void anAsynchronousRequestLeavesTheSessionToOthersUntilItIsDispatchedAgain() throws Exception {
    ContainerNode a = node("serializeTimeout", "5");
    ContainerNode b = node("serializeTimeout", "5");
    client.send(a, "set:seen:nothing");
    CompletableFuture<Answer> slow = client.sendLater(a.at("/async/"));
    await().atMost(PATIENCE).until(() -> asynchronous.started.getCount() == 0);
    assertThat(client.send(b, "set:seen:news").status()).isEqualTo(200);
    assertThat(client.send(a, "set:m:1").status()).isEqualTo(200);
    asynchronous.gate.countDown();
    assertThat(slow.join().line()).isEqualTo("news");
    assertThat(client.send(b, "get:seen").line()).isEqualTo("dispatched");
  }

  @Test
  @Tag("G3")
  void aRequestThatIsForwardedOrIncludedGoesOnWithItsSession() throws Exception {
    ContainerNode node = node("serializeTimeout", "5");
    client.send(node, "set:n:1");
    assertThat(client.send(node.at("/dispatch/forward/"), "get:n").line()).isEqualTo("1");
    assertThat(client.send(node.at("/dispatch/include/"), "get:n").line()).isEqualTo("1");
  }

  /**
   * Has clients of two web applications dispatch into each other's.
   *
   * @param node the one at the root
   * @param other the one at {@code /second}, on the same server
   */
  protected final void dispatchIntoEachOthersContexts(ContainerNode node, ContainerNode other) {
    client.send(node, "set:n:1");
    Threads.run(
        4,
        thread -> {
          ContainerNode from =
              thread % 2 == 0 ? node.at("/dispatch/second/") : other.at("/second/dispatch/root/");
          for (int i = 0; i < 5; i++) {
            assertThat(client.send(from, "set:n:" + thread).status()).isEqualTo(200);
          }
        });
    assertThat(client.send(other, "get:n").line()).isIn("0", "2");
    assertThat(client.send(node, "get:n").line()).isIn("1", "3");
  }

  /**
   * Has twenty requests of one server wait for another one: each comes by the session when the one
   * before it is done, without anybody's asking the store again and again.
   *
   * @param store counts what the server asks it
   * @param untilThere waits until so many requests are in the server
   */
  protected final void waitWithoutPolling(
      ContainerNode node, CountingStore store, IntConsumer untilThere) {
    client.send(node, "set:n:0");
    CompletableFuture<Answer> holder = client.sendLater(node, "get:n", "await:g");
    awaitWaiting(node, "g");
    List<CompletableFuture<Answer>> waiting = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      waiting.add(client.sendLater(node, "get:n"));
    }
    untilThere.accept(21);
    new ContractClient().send(node, "open:g");
    holder.join();
    assertThat(waiting).allSatisfy(each -> assertThat(each.join().line()).isEqualTo("0"));
    assertThat(store.refusedLeases()).isZero();
  }

  /** Waits until a request of this server waits for the gate. */
  protected static final void awaitWaiting(ContainerNode node, String gate) {
    ContractClient watcher = new ContractClient();
    await().atMost(PATIENCE).until(() -> !watcher.send(node, "waiting:" + gate).line().equals("0"));
  }

  // ---------------------------------------------------------------- the web application

  /** Adds one to a number in the session, in a way that loses numbers when two do so at once. */
  private static final class Counter extends HttpServlet {
    private static final long serialVersionUID = 1L;

    final transient AtomicInteger running = new AtomicInteger();
    final transient AtomicInteger most = new AtomicInteger();

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws ServletException {
      HttpSession session = request.getSession(true);
      most.accumulateAndGet(running.incrementAndGet(), Math::max);
      try {
        int n = session.getAttribute("n") instanceof String text ? Integer.parseInt(text) : 0;
        Thread.sleep(1);
        session.setAttribute("n", Integer.toString(n + 1));
      } catch (InterruptedException e) {
        throw new ServletException(e);
      } finally {
        running.decrementAndGet();
      }
    }
  }

  private static final class Dispatcher extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws ServletException, IOException {
      request.getSession(true).setAttribute("dispatched", "1");
      RequestDispatcher contract = request.getRequestDispatcher("/");
      switch (String.valueOf(request.getPathInfo())) {
        case "/forward/" -> contract.forward(request, response);
        case "/include/" -> contract.include(request, response);
        case "/second/" ->
            getServletContext()
                .getContext("/second")
                .getRequestDispatcher("/?" + request.getQueryString())
                .include(request, response);
        default ->
            getServletContext()
                .getContext("/")
                .getRequestDispatcher("/?" + request.getQueryString())
                .include(request, response);
      }
    }
  }

  /** Is dispatched again when a gate opens, and answers what it then sees. */
  private static final class Asynchronous extends HttpServlet {
    private static final long serialVersionUID = 1L;

    final transient CountDownLatch started = new CountDownLatch(1);
    final transient CountDownLatch gate = new CountDownLatch(1);

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      HttpSession session = request.getSession(true);
      if (request.getDispatcherType() == DispatcherType.ASYNC) {
        response.getWriter().write(session.getAttribute("seen") + "\n");
        session.setAttribute("seen", "dispatched");
        return;
      }
      session.setAttribute("async", "1");
      AsyncContext context = request.startAsync();
      context.setTimeout(PATIENCE.toMillis());
      Thread thread =
          new Thread(
              () -> {
                try {
                  gate.await();
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
                context.dispatch();
              });
      thread.start();
      started.countDown();
    }
  }
}
