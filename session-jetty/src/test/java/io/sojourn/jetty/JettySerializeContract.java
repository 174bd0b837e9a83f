package io.sojourn.jetty;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.ContractClient.Answer;
import io.sojourn.testkit.CountingStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.SerializeContract;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What {@code concurrency="serialize"} promises, on Jetty. */
abstract class JettySerializeContract extends SerializeContract {

  JettySerializeContract(String url) {
    super(url);
  }

  @Override
  protected final ContainerNode start(
      Map<String, String> settings, Map<String, HttpServlet> servlets) throws Exception {
    return JettyNode.start(factory(settings), "", node -> add(servlets, node.context()));
  }

  private static void add(Map<String, HttpServlet> servlets, ServletContext context) {
    servlets.forEach((path, servlet) -> context.add(servlet, path));
  }

  private static SojournSessionCacheFactory factory(Map<String, String> settings)
      throws ReflectiveOperationException {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    PatientStores.options(settings.getOrDefault("store", "")).forEach(sessions::setStoreOption);
    for (Map.Entry<String, String> setting : settings.entrySet()) {
      String name = setting.getKey();
      SojournSessionCacheFactory.class
          .getMethod(
              "set" + Character.toUpperCase(name.charAt(0)) + name.substring(1), String.class)
          .invoke(sessions, setting.getValue());
    }
    return sessions;
  }

  @Test
  @Tag("G3")
  void requestsThatDispatchIntoEachOthersContextsDoNotWaitForEachOther() throws Exception {
    try (JettyNode node =
        JettyNode.start(
            factory(settings("serializeTimeout", "5")),
            "",
            starting -> {
              add(servlets(), starting.context());
              share(starting.context());
            })) {
      ServletContext second = JettyNode.context("/second");
      add(servlets(), second);
      share(second);
      node.add(second);
      dispatchIntoEachOthersContexts(node, node.at(second));
    }
  }

  @Test
  @Tag("G3")
  @Tag("R54")
  void requestsOfOneServerThatWaitForEachOtherDoNotPollTheStore() throws Exception {
    Map<String, String> settings = settings();
    String url = requireNonNull(settings.remove("store"));
    String application = requireNonNull(settings.remove("application"));
    CountingStore store =
        new CountingStore(PatientStores.open(url, application, () -> Duration.ZERO));
    SojournSessionCacheFactory sessions = factory(settings);
    sessions.setSessionStore(store);
    try (store;
        JettyNode node = JettyNode.start(sessions, "", starting -> {})) {
      waitWithoutPolling(node, store, node::awaitRequests);
    }
  }

  /** Jetty runs such work for the request, on a thread of its own. */
  @Test
  @Tag("G3")
  @Tag("R55")
  void whatAnAsynchronousRequestHasJettyRunTakesItsTurn() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    HttpServlet later =
        new HttpServlet() {
          private static final long serialVersionUID = 1L;

          @Override
          protected void doGet(HttpServletRequest request, HttpServletResponse response) {
            HttpSession session = request.getSession();
            AsyncContext async = request.startAsync();
            async.start(
                () -> {
                  started.countDown();
                  try {
                    gate.await();
                    response.getWriter().write(session.getAttribute("seen") + "\n");
                    session.setAttribute("seen", "later");
                  } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                  } finally {
                    async.complete();
                  }
                });
          }
        };
    ContractClient client = new ContractClient();
    try (ContainerNode a = start(settings(), Map.of("/later/*", later));
        ContainerNode b = start(settings(), Map.of())) {
      client.send(a, "set:seen:nothing");
      CompletableFuture<Answer> slow = client.sendLater(a.at("/later/"));
      assertThat(started.await(30, TimeUnit.SECONDS)).isTrue();
      CompletableFuture<Answer> holder = client.sendLater(b, "get:n", "await:g", "set:seen:news");
      awaitWaiting(b, "g");
      gate.countDown();
      new ContractClient().send(b, "open:g");
      assertThat(holder.join().status()).isEqualTo(200);
      assertThat(slow.join().line()).isEqualTo("news");
      assertThat(client.send(b, "get:seen").line()).isEqualTo("later");
    }
  }

  /** Jetty does not tell it to leave, and would have its next request taken for a dispatch. */
  @Test
  @Tag("G3")
  void aThreadIsNotInAContextThatHasStopped() throws Exception {
    CompletableFuture<Boolean> left = new CompletableFuture<>();
    ServletContext second = JettyNode.context("/second");
    HttpServlet stopping =
        new HttpServlet() {
          private static final long serialVersionUID = 1L;

          @Override
          protected void doGet(HttpServletRequest request, HttpServletResponse response) {
            request.getSession().setAttribute("n", "1");
            boolean entered = RequestScope.current() != null;
            try {
              second.handler().stop();
              left.complete(entered && RequestScope.current() == null);
            } catch (Exception e) {
              left.completeExceptionally(e);
            }
          }
        };
    try (JettyNode node = JettyNode.start(factory(settings()), "", starting -> {})) {
      second.add(stopping, "/stop/*");
      node.add(second);
      var unused = new ContractClient().sendLater(node.at("/second/stop/"));
      assertThat(left.get(30, TimeUnit.SECONDS)).isTrue();
    }
  }

  private static void share(ServletContext context) {
    context.handler().setCrossContextDispatchSupported(true);
    context.sessions().setSessionPath("/");
  }
}
