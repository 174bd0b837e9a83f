package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.ContractClient.Answer;
import io.sojourn.testkit.Threads;
import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code concurrency="serialize"}: what a browser sees of two servers that take turns. */
@ExtendWith(RealServers.class)
class TomcatSerializeIT {

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int CLIENTS = 6;
  private static final int REQUESTS = 15;

  private enum Kind {
    H2,
    MARIADB,
    REDIS
  }

  private final MariaDbServer mariaDb;
  private final RedisServer redis;
  private final String application = "serialize-" + UUID.randomUUID();
  private final ContractClient client = new ContractClient();
  private final Counter counter = new Counter();
  private final Asynchronous asynchronous = new Asynchronous();

  private String url = "";

  TomcatSerializeIT(MariaDbServer mariaDb, RedisServer redis) {
    this.mariaDb = mariaDb;
    this.redis = redis;
  }

  @AfterEach
  void openGate() {
    asynchronous.gate.countDown();
  }

  private void use(Kind kind) {
    url =
        switch (kind) {
          case H2 -> "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
          case MARIADB -> mariaDb.jdbcUrl(mariaDb.newDatabase());
          case REDIS -> redis.url();
        };
  }

  private SojournManager manager(String... more) {
    List<String> attributes =
        Stream.concat(
                Stream.of("store", url, "application", application, "concurrency", "serialize"),
                Stream.of(more))
            .toList();
    return ManagerElement.of(attributes.toArray(String[]::new));
  }

  private TomcatNode start(String... more) throws Exception {
    return TomcatNode.start(manager(more), (tomcat, context) -> addServlets(context));
  }

  private void addServlets(StandardContext context) {
    context.setCrossContext(true);
    Tomcat.addServlet(context, "counter", counter);
    context.addServletMappingDecoded("/count/*", "counter");
    Tomcat.addServlet(context, "dispatch", new Dispatcher());
    context.addServletMappingDecoded("/dispatch/*", "dispatch");
    Tomcat.addServlet(context, "async", asynchronous).setAsyncSupported(true);
    context.addServletMappingDecoded("/async/*", "async");
  }

  /** A part of a server's application. */
  private static ContainerNode at(ContainerNode node, String path) {
    URI uri = node.uri().resolve(path);
    return new ContainerNode() {
      @Override
      public URI uri() {
        return uri;
      }

      @Override
      public void scavenge() {
        node.scavenge();
      }

      @Override
      public void close() {}
    };
  }

  // ---------------------------------------------------------------- one after the other

  @ParameterizedTest
  @EnumSource(Kind.class)
  @Tag("G3")
  void requestsOfOneSessionRunOneAfterTheOtherOnBothServersAndEachHasItsTurn(Kind kind)
      throws Exception {
    use(kind);
    try (TomcatNode a = start();
        TomcatNode b = start()) {
      client.send(a, "set:other:1");
      long begun = System.nanoTime();
      Threads.run(
          CLIENTS,
          thread -> {
            // One client alone on b, against all others on a: it has its turn too.
            ContainerNode node = at(thread == 0 ? b : a, "/count/");
            for (int i = 0; i < REQUESTS; i++) {
              assertThat(client.send(node).status()).isEqualTo(200);
            }
          });
      System.out.printf(
          "%s: %d serialised requests in %d ms%n",
          kind, CLIENTS * REQUESTS, (System.nanoTime() - begun) / 1_000_000);
      assertThat(client.send(b, "get:n").line()).isEqualTo(Integer.toString(CLIENTS * REQUESTS));
      assertThat(counter.most.get()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  @Tag("G3")
  @Tag("R52")
  void aRequestThatWaitsTooLongIsAnswered503AndTheOtherGoesOn(Kind kind) throws Exception {
    use(kind);
    try (TomcatNode a = start("serializeTimeout", "1");
        TomcatNode b = start("serializeTimeout", "1")) {
      client.send(a, "set:n:0");
      CompletableFuture<Answer> holder = client.sendLater(a, "set:n:1", "await:g", "get:n");
      awaitWaiting(a, "g");
      for (ContainerNode node : List.of(a, b)) {
        Answer refused = client.send(node, "set:n:2");
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.retryAfter()).isPresent();
        assertThat(refused.cookies()).isEmpty();
        assertThat(client.send(node, "fill:1").line()).isEqualTo("x");
      }
      new ContractClient().send(a, "open:g");
      assertThat(holder.join().line()).isEqualTo("1");
      assertThat(client.send(a, "get:n").line()).isEqualTo("1");
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  @Tag("G3")
  void onlyRequestsForTheGivenPathsTakeTurns(Kind kind) throws Exception {
    use(kind);
    try (TomcatNode a = start("serializePaths", "/cart/.*", "serializeTimeout", "1");
        TomcatNode b = start("serializePaths", "/cart/.*", "serializeTimeout", "1")) {
      client.send(a, "set:n:0");
      CompletableFuture<Answer> holder =
          client.sendLater(at(a, "/cart/pay/"), "set:n:1", "await:g", "get:n");
      awaitWaiting(a, "g");
      assertThat(client.send(b, "set:m:2").status()).isEqualTo(200);
      assertThat(client.send(a, "get:m").line()).isEqualTo("2");
      assertThat(client.send(at(b, "/cart/add/"), "get:n").status()).isEqualTo(503);
      new ContractClient().send(a, "open:g");
      assertThat(holder.join().line()).isEqualTo("1");
      assertThat(client.send(at(b, "/cart/add/"), "get:n").line()).isEqualTo("1");
    }
  }

  // ---------------------------------------------------------------- whoever has died

  @ParameterizedTest
  @EnumSource(Kind.class)
  @Tag("G3")
  @Tag("R53")
  void aSessionWhoseHolderHasDiedIsServedWhenTheLeaseHasEnded(Kind kind) throws Exception {
    use(kind);
    StoreConfiguration configuration =
        new StoreConfiguration(url, application, Map.of(), () -> Duration.ZERO);
    try (TomcatNode node = start();
        SessionStore dead = SessionStores.open(configuration, getClass().getClassLoader())) {
      client.send(node, "set:n:1");
      String id = String.valueOf(client.sessionId());
      assertThat(dead.lease(SessionKey.of(id), 4711, Duration.ofSeconds(1)))
          .isEqualTo(SessionStore.Lease.TAKEN);
      assertThat(client.send(node, "get:n").line()).isEqualTo("1");
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  @Tag("G3")
  @Tag("G7")
  void requestsThatWaitForASessionThatEndsFindNone(Kind kind) throws Exception {
    use(kind);
    try (TomcatNode a = start();
        TomcatNode b = start()) {
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
  }

  // ---------------------------------------------------------------- no request waits for itself

  @ParameterizedTest
  @EnumSource(Kind.class)
  @Tag("G3")
  @Tag("R53")
  void anAsynchronousRequestLeavesTheSessionToOthersUntilItIsDispatchedAgain(Kind kind)
      throws Exception {
    use(kind);
    try (TomcatNode a = start("serializeTimeout", "5");
        TomcatNode b = start("serializeTimeout", "5")) {
      client.send(a, "set:seen:nothing");
      CompletableFuture<Answer> slow = client.sendLater(at(a, "/async/"));
      await().atMost(PATIENCE).until(() -> asynchronous.started.getCount() == 0);
      assertThat(client.send(b, "set:seen:news").status()).isEqualTo(200);
      assertThat(client.send(a, "set:m:1").status()).isEqualTo(200);
      asynchronous.gate.countDown();
      assertThat(slow.join().line()).isEqualTo("news");
      assertThat(client.send(b, "get:seen").line()).isEqualTo("dispatched");
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  @Tag("G3")
  void aRequestThatIsForwardedOrIncludedGoesOnWithItsSession(Kind kind) throws Exception {
    use(kind);
    try (TomcatNode node = start("serializeTimeout", "5")) {
      client.send(node, "set:n:1");
      assertThat(client.send(at(node, "/dispatch/forward/"), "get:n").line()).isEqualTo("1");
      assertThat(client.send(at(node, "/dispatch/include/"), "get:n").line()).isEqualTo("1");
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  @Tag("G3")
  void requestsThatDispatchIntoEachOthersContextsDoNotWaitForEachOther(Kind kind) throws Exception {
    use(kind);
    SojournManager second = manager("serializeTimeout", "5");
    second.setApplication(application + "-second");
    try (TomcatNode node =
        TomcatNode.start(
            manager("serializeTimeout", "5"),
            (tomcat, context) -> {
              addServlets(context);
              context.setSessionCookiePath("/");
            })) {
      ContainerNode other = node.deploy("second", second, this::addServlets);
      client.send(node, "set:n:1");
      Threads.run(
          4,
          thread -> {
            ContainerNode from =
                at(
                    thread % 2 == 0 ? node : other,
                    thread % 2 == 0 ? "/dispatch/second/" : "/second/dispatch/root/");
            for (int i = 0; i < 5; i++) {
              assertThat(client.send(from, "set:n:" + thread).status()).isEqualTo(200);
            }
          });
      other.close();
    }
  }

  private static void awaitWaiting(ContainerNode node, String gate) {
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
                .getRequestDispatcher("/")
                .include(request, response);
        default ->
            getServletContext()
                .getContext("/")
                .getRequestDispatcher("/")
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
