package io.sojourn.jetty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.sojourn.LoadResult;
import io.sojourn.SessionKey;
import io.sojourn.SessionRepository;
import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.ContractClient.Answer;
import io.sojourn.testkit.CountingStore;
import io.sojourn.testkit.FaultyStore;
import io.sojourn.testkit.Heap;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import jakarta.servlet.http.HttpSessionActivationListener;
import jakarta.servlet.http.HttpSessionBindingEvent;
import jakarta.servlet.http.HttpSessionBindingListener;
import jakarta.servlet.http.HttpSessionEvent;
import jakarta.servlet.http.HttpSessionIdListener;
import jakarta.servlet.http.HttpSessionListener;
import java.io.IOException;
import java.io.Serializable;
import java.lang.ref.WeakReference;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.security.auth.Subject;
import org.eclipse.jetty.security.UserIdentity;
import org.eclipse.jetty.security.authentication.SessionAuthentication;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.session.AbstractSessionManager;
import org.eclipse.jetty.session.DefaultSessionCacheFactory;
import org.eclipse.jetty.session.DefaultSessionIdManager;
import org.eclipse.jetty.session.FileSessionDataStore;
import org.eclipse.jetty.session.FileSessionDataStoreFactory;
import org.eclipse.jetty.session.HouseKeeper;
import org.eclipse.jetty.session.NullSessionCacheFactory;
import org.eclipse.jetty.session.NullSessionDataStore;
import org.eclipse.jetty.session.SessionCache;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What Jetty does with sessions in its own way. */
abstract class SessionsContract {

  private static final Duration LONG_AFTER = Duration.ofHours(2);

  private final String application = "jetty-" + UUID.randomUUID();
  private final AtomicReference<Duration> clock = new AtomicReference<>(Duration.ZERO);
  private final List<AutoCloseable> closeables = new ArrayList<>();

  abstract SessionStore open(String application, Supplier<Duration> clock);

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
  }

  private SessionStore store(String name) {
    SessionStore store = open(name, clock::get);
    closeables.add(store);
    return store;
  }

  private SojournSessionCacheFactory sessions(SessionStore store) {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setSessionStore(store);
    sessions.setAllowedClasses("io.sojourn.testkit.*, io.sojourn.jetty.*");
    return sessions;
  }

  private JettyNode node(SessionStore store) throws Exception {
    return node(store, "", node -> {});
  }

  private JettyNode node(SessionStore store, String worker, Consumer<JettyNode> preparation)
      throws Exception {
    JettyNode node = JettyNode.start(sessions(store), worker, preparation);
    closeables.add(0, node);
    return node;
  }

  /** A second application on a node, whose sessions are those of the same one on other nodes. */
  private ContainerNode second(JettyNode node, String path, SessionStore store) throws Exception {
    return second(node, path, sessions(store));
  }

  private static ContainerNode second(
      JettyNode node, String path, SojournSessionCacheFactory sessions) throws Exception {
    ServletContext context = JettyNode.context(path);
    context.sessions().setSessionPath("/");
    context.sessions().setSessionCache(sessions.getSessionCache(context.sessions()));
    node.add(context);
    return node.at(context);
  }

  private static String id(ContractClient client) {
    return requireNonNull(client.sessionId());
  }

  private static boolean isThere(SessionStore store, String id) {
    return !(store.load(SessionKey.of(id), SessionStore.NO_VERSION) instanceof LoadResult.Missing);
  }

  // ---------------------------------------------------------------- outage

  @Test
  @Tag("G4")
  @Tag("R17")
  void aServerStartsWithoutItsStoreAndServesWhatNeedsNone() throws Exception {
    FaultyStore faulty = new FaultyStore(store(application));
    faulty.failAll();
    JettyNode node = node(faulty);
    ContractClient client = new ContractClient();
    assertThat(client.send(node, "waiting:nobody").line()).isEqualTo("0");
    assertThat(client.send(node, "set:a:1").status()).isEqualTo(503);
    faulty.fail();
    client.send(node, "set:a:1");
    assertThat(client.send(node, "get:a").line()).isEqualTo("1");
  }

  @Test
  @Tag("G4")
  @Tag("R15")
  void anApplicationThatMakesThePageOfAnOutageKeepsItAndItsClientIsToldToTryAgain()
      throws Exception {
    FaultyStore faulty = new FaultyStore(store(application));
    JettyNode node =
        node(
            faulty,
            "",
            starting ->
                starting
                    .context()
                    .handler()
                    .setErrorHandler(
                        (request, response, callback) -> {
                          response.write(
                              true, java.nio.ByteBuffer.wrap("Our page".getBytes(UTF_8)), callback);
                          return true;
                        }));
    ContractClient client = new ContractClient();
    client.send(node, "set:user:anna");
    faulty.fail("load");
    Answer answer = client.send(node, "get:user");
    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.lines()).containsExactly("Our page");
    assertThat(answer.retryAfter()).isPresent();
    assertThat(answer.cookies()).isEmpty();
  }

  @Test
  @Tag("G4")
  void ofTwoCookiesTheOneThatOpensASessionCountsAndAnOutageIs503() throws Exception {
    FaultyStore faulty = new FaultyStore(store(application));
    JettyNode node = node(faulty);
    ContractClient client = new ContractClient();
    client.send(node, "set:user:anna");
    String both = "stale; JSESSIONID=" + id(client);
    ContractClient two = new ContractClient();
    two.useSessionId(both);
    assertThat(two.send(node, "get:user").line()).isEqualTo("anna");
    faulty.fail("load");
    Answer answer = two.send(node, "get:user", "begin", "set:user:stranger");
    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.cookies()).isEmpty();
    faulty.fail();
    assertThat(client.send(node, "get:user").line()).isEqualTo("anna");
  }

  @Test
  @Tag("G4")
  @Tag("G9")
  void aRequestThatBringsTwoCookiesAndWantsNoSessionAsksForNone() throws Exception {
    CountingStore counting = new CountingStore(store(application));
    JettyNode node = node(counting);
    ContractClient client = new ContractClient();
    client.send(node, "set:user:anna");
    String stale = "stale; JSESSIONID=" + id(client);
    client.useSessionId(stale);
    counting.takeCalls();
    assertThat(client.send(node, "waiting:nobody").line()).isEqualTo("0");
    assertThat(counting.takeCalls()).isEmpty();
    assertThat(client.send(node, "get:user").line()).isEqualTo("anna");
    assertThat(counting.takeCalls()).isEqualTo(Map.of("load", 2));
  }

  // ---------------------------------------------------------------- response styles

  @Test
  @Tag("G1")
  @Tag("R14")
  void whatAnAsynchronousRequestSetIsStoredBeforeItsClientHears() throws Exception {
    SessionStore store = store(application);
    JettyNode node = node(store, "", starting -> starting.context().add(new Later(), "/later"));
    JettyNode other = node(store(application));
    ContractClient client = new ContractClient();
    client.send(node, "set:a:0");
    for (int i = 1; i <= 50; i++) {
      get(node.uri().resolve("later?value=" + i), client);
      assertThat(client.send(other, "get:a").line()).isEqualTo(Integer.toString(i));
    }
  }

  private static void get(URI uri, ContractClient client) throws Exception {
    java.net.http.HttpResponse<String> answer =
        java.net.http.HttpClient.newHttpClient()
            .send(
                java.net.http.HttpRequest.newBuilder(uri)
                    .header("Cookie", "JSESSIONID=" + id(client))
                    .build(),
                java.net.http.HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
  }

  /** Sets an attribute on a thread of the application's, and completes. */
  private static final class Later extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) {
      HttpSession session = request.getSession();
      AsyncContext async = request.startAsync();
      String value = request.getParameter("value");
      new Thread(
              () -> {
                session.setAttribute("a", value);
                async.complete();
              })
          .start();
    }
  }

  /** What a servlet does. */
  private interface Work {
    void run(HttpServletRequest request, HttpServletResponse response) throws Exception;
  }

  private static HttpServlet servlet(Work work) {
    return new HttpServlet() {
      private static final long serialVersionUID = 1L;

      @Override
      protected void doGet(HttpServletRequest request, HttpServletResponse response) {
        try {
          work.run(request, response);
        } catch (Exception e) {
          throw new IllegalStateException(e);
        }
      }
    };
  }

  @Test
  @Tag("G1")
  @Tag("G5")
  void aSessionThatBeginsOnAThreadOfTheApplicationsIsStoredBeforeItsClientHears() throws Exception {
    SessionStore store = store(application);
    JettyNode node =
        node(
            store,
            "",
            starting -> {
              starting.context().add(servlet((r, s) -> beginLater(r, session -> {})), "/begin");
              starting
                  .context()
                  .add(servlet((r, s) -> beginLater(r, SessionsContract::addInPlace)), "/add");
            });
    JettyNode other = node(store(application));
    ContractClient client = new ContractClient();
    client.useSessionId(begunAt(node.uri().resolve("begin")));
    assertThat(isThere(store, id(client))).isTrue();
    client.useSessionId(begunAt(node.uri().resolve("add")));
    assertThat(client.send(other, "get:list").line()).isEqualTo("[x]");
  }

  private static void beginLater(HttpServletRequest request, Consumer<HttpSession> change) {
    AsyncContext async = request.startAsync();
    new Thread(
            () -> {
              change.accept(request.getSession());
              async.complete();
            })
        .start();
  }

  private static void addInPlace(HttpSession session) {
    List<String> list = new ArrayList<>();
    session.setAttribute("list", list);
    list.add("x");
  }

  /** The id in the cookie of the answer. */
  private static String begunAt(URI uri) throws Exception {
    java.net.http.HttpResponse<String> answer =
        java.net.http.HttpClient.newHttpClient()
            .send(
                java.net.http.HttpRequest.newBuilder(uri).build(),
                java.net.http.HttpResponse.BodyHandlers.ofString());
    return answer.headers().firstValue("Set-Cookie").orElseThrow().split("[=;]", -1)[1];
  }

  @Test
  @Tag("G1")
  void whatIsChangedInPlaceAfterTheLastByteIsSavedToo() throws Exception {
    JettyNode node =
        node(
            store(application),
            "",
            starting -> {
              starting.context().add(servlet((r, s) -> addInPlace(r.getSession())), "/add");
              starting
                  .context()
                  .add(
                      servlet(
                          (request, response) -> {
                            Object list = request.getSession().getAttribute("list");
                            response.setContentLength(1);
                            response.getOutputStream().write('x');
                            response.getOutputStream().close();
                            @SuppressWarnings("unchecked")
                            List<String> strings = (List<String>) list;
                            strings.add("y");
                          }),
                      "/late");
            });
    JettyNode other = node(store(application));
    ContractClient client = new ContractClient();
    client.useSessionId(begunAt(node.uri().resolve("add")));
    get(node.uri().resolve("late"), client);
    await().until(() -> client.send(other, "get:list").line().equals("[x, y]"));
  }

  @Test
  @Tag("R55")
  void aSessionThatOutlivesItsRequestReadsWhatIsThereAndSavesAtOnce() throws Exception {
    AtomicReference<@Nullable HttpSession> held = new AtomicReference<>();
    JettyNode node =
        node(
            store(application),
            "",
            starting ->
                starting
                    .context()
                    .add(
                        new HttpServlet() {
                          private static final long serialVersionUID = 1L;

                          @Override
                          protected void doGet(
                              HttpServletRequest request, HttpServletResponse response) {
                            held.set(request.getSession());
                          }
                        },
                        "/hold"));
    JettyNode other = node(store(application));
    ContractClient client = new ContractClient();
    client.send(node, "set:a:1");
    get(node.uri().resolve("hold"), client);
    HttpSession session = requireNonNull(held.get());
    client.send(other, "set:a:2");
    await().until(() -> "2".equals(session.getAttribute("a")));
    session.setAttribute("a", "3");
    assertThat(client.send(other, "get:a").line()).isEqualTo("3");
    client.send(other, "invalidate");
    assertThatThrownBy(() -> session.getAttribute("a")).isInstanceOf(IllegalStateException.class);
  }

  // ---------------------------------------------------------------- listeners

  /** Writes down what happens to it, and what the class loader was at its end. */
  static final class Witness
      implements HttpSessionActivationListener, HttpSessionBindingListener, Serializable {
    private static final long serialVersionUID = 1L;
    static final List<String> SEEN = new CopyOnWriteArrayList<>();
    static final List<ClassLoader> LOADERS = new CopyOnWriteArrayList<>();

    @Override
    public void sessionWillPassivate(HttpSessionEvent event) {
      SEEN.add("passivate");
    }

    @Override
    public void sessionDidActivate(HttpSessionEvent event) {
      SEEN.add("activate");
    }

    @Override
    public void valueUnbound(HttpSessionBindingEvent event) {
      SEEN.add("unbound");
      LOADERS.add(Thread.currentThread().getContextClassLoader());
    }
  }

  private static void addWitness(JettyNode node) {
    node.context()
        .add(
            new HttpServlet() {
              private static final long serialVersionUID = 1L;

              @Override
              protected void doGet(HttpServletRequest request, HttpServletResponse response) {
                request.getSession().setAttribute("witness", new Witness());
              }
            },
            "/witness");
  }

  @Test
  @Tag("R90")
  void requestsThatReadTellNoActivationListener() throws Exception {
    Witness.SEEN.clear();
    JettyNode node = node(store(application), "", SessionsContract::addWitness);
    ContractClient client = new ContractClient();
    client.send(node, "set:a:1");
    get(node.uri().resolve("witness"), client);
    assertThat(Witness.SEEN).containsExactly("passivate", "activate");
    for (int i = 0; i < 5; i++) {
      client.send(node, "get:a", "get:witness", "set:a:" + i);
    }
    assertThat(Witness.SEEN).containsExactly("passivate", "activate");
  }

  @Test
  @Tag("R50")
  void aListenerThatThrowsKeepsNoClientFromItsNewId() throws Exception {
    JettyNode node =
        node(
            store(application),
            "",
            starting ->
                starting
                    .context()
                    .add(
                        (HttpSessionIdListener)
                            (event, oldId) -> {
                              throw new IllegalStateException("The test made this listener throw");
                            }));
    ContractClient client = new ContractClient();
    client.send(node, "set:a:1");
    String old = id(client);
    assertThat(client.send(node, "changeId").status()).isEqualTo(200);
    assertThat(id(client)).isNotEqualTo(old);
    assertThat(client.send(node, "get:a").line()).isEqualTo("1");
  }

  @Test
  @Tag("G6")
  @Tag("R34")
  @Tag("R35")
  void aListenerThatThrowsKeepsNoSessionAliveAndHasItsApplicationsLoader() throws Exception {
    Witness.SEEN.clear();
    Witness.LOADERS.clear();
    SessionStore store = store(application);
    List<ClassLoader> loaders = new CopyOnWriteArrayList<>();
    JettyNode node =
        node(
            store,
            "",
            starting -> {
              addWitness(starting);
              starting
                  .context()
                  .add(
                      new HttpSessionListener() {
                        @Override
                        public void sessionDestroyed(HttpSessionEvent event) {
                          loaders.add(Thread.currentThread().getContextClassLoader());
                          throw new IllegalStateException("The test made this listener throw");
                        }
                      });
            });
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      ContractClient client = new ContractClient();
      client.send(node, "set:a:1");
      get(node.uri().resolve("witness"), client);
      ids.add(id(client));
    }
    clock.set(LONG_AFTER);
    // As Jetty's housekeeper does, from a thread of no application.
    CompletableFuture.runAsync(node::scavenge).join();
    clock.set(Duration.ZERO);
    assertThat(ids).noneMatch(id -> isThere(store, id));
    ClassLoader own = node.context().handler().getClassLoader();
    assertThat(loaders).hasSize(3).containsOnly(own);
    assertThat(Witness.LOADERS).hasSize(3).containsOnly(own);
  }

  @Test
  @Tag("G6")
  @Tag("R36")
  void theHousekeeperEndsInItsOwnTimeWhatNobodyHoldsAndAnotherNodesSessionsToo() throws Exception {
    SessionStore store = store(application);
    JettyNode dead = node(store);
    ContractClient client = new ContractClient();
    client.send(dead, "add:cart:x");
    dead.close();
    HouseKeeper housekeeper = new HouseKeeper();
    housekeeper.setIntervalSec(1);
    JettyNode node =
        node(
            store(application),
            "",
            starting ->
                requireNonNull(starting.server().getBean(DefaultSessionIdManager.class))
                    .setSessionHouseKeeper(housekeeper));
    clock.set(LONG_AFTER);
    await().until(() -> eventsOf(node).startsWith("destroyed with cart x"));
    clock.set(Duration.ZERO);
    assertThat(isThere(store, id(client))).isFalse();
  }

  @Test
  @Tag("G6")
  @Tag("R27")
  void aSessionThatTheNodesClockTakesForExpiredLivesAsLongAsTheStoresClockSays() throws Exception {
    JettyNode a = node(store(application));
    JettyNode b = node(store(application));
    ContractClient client = new ContractClient();
    client.send(a, "set:a:1", "timeout:1");
    // From now on the store's clock is far behind, however slow the machine is.
    clock.set(Duration.ofMinutes(-1));
    client.send(b, "get:a");
    long begin = System.currentTimeMillis();
    await().until(() -> System.currentTimeMillis() > begin + 1500);
    a.scavenge();
    b.scavenge();
    assertThat(client.send(b, "get:a").line()).isEqualTo("1");
    assertThat(client.send(a, "get:a").line()).isEqualTo("1");
    assertThat(eventsOf(a) + eventsOf(b)).doesNotContain("destroyed");
  }

  @Test
  @Tag("R63")
  void applicationsWhoseNamesBeginAlikeKnowNothingOfEachOther() throws Exception {
    SessionStore first = store(application);
    JettyNode node = node(first);
    JettyNode other = node(store(application + "2"));
    ContractClient client = new ContractClient();
    client.send(node, "set:a:1");
    ContractClient stranger = new ContractClient();
    stranger.useSessionId(id(client));
    assertThat(stranger.send(other, "get:a", "invalidate").lines()).containsExactly("none", "none");
    stranger.send(other, "set:a:2");
    clock.set(LONG_AFTER);
    other.scavenge();
    clock.set(Duration.ZERO);
    assertThat(eventsOf(other)).contains("destroyed");
    assertThat(client.send(node, "get:a").line()).isEqualTo("1");
  }

  @Test
  @Tag("G6")
  @Tag("G8")
  @Tag("R36")
  void aSessionThatCannotBeReadEndsInItsTimeAndSoDoTheOthers() throws Exception {
    SessionStore store = store(application);
    JettyNode rich = node(store);
    List<String> ids = new ArrayList<>();
    for (String operation : List.of("add:cart:1", "set:a:1", "add:cart:2")) {
      ContractClient client = new ContractClient();
      client.send(rich, operation);
      ids.add(id(client));
    }
    rich.close();
    SojournSessionCacheFactory poorSessions = new SojournSessionCacheFactory();
    poorSessions.setSessionStore(store);
    JettyNode poor = JettyNode.start(poorSessions, "", node -> {});
    closeables.add(0, poor);
    clock.set(LONG_AFTER);
    poor.scavenge();
    clock.set(Duration.ZERO);
    assertThat(ids).noneMatch(id -> isThere(store, id));
  }

  // ---------------------------------------------------------------- unreadable data

  @Test
  @Tag("G8")
  @Tag("R41")
  @Tag("R42")
  @Tag("R90")
  void whatCannotBeReadEndsNoSessionInAnyContext() throws Exception {
    SessionStore store = store(application);
    SessionStore others = store(application + "/other");
    JettyNode rich = node(store);
    ContractClient client = new ContractClient();
    client.send(rich, "add:cart:1", "set:a:1");

    SojournSessionCacheFactory poorSessions = new SojournSessionCacheFactory();
    poorSessions.setSessionStore(store);
    poorSessions.setOnDecodeFailure("absent");
    JettyNode poor = JettyNode.start(poorSessions, "", node -> {});
    closeables.add(0, poor);
    ContainerNode other = second(poor, "/other", others);
    client.send(other, "set:b:1");
    assertThat(client.send(poor, "get:cart", "get:a").lines()).containsExactly("null", "1");
    poor.scavenge();
    assertThat(client.send(other, "get:b").line()).isEqualTo("1");
    assertThat(client.send(rich, "get:cart").line()).isEqualTo("1");
  }

  // ---------------------------------------------------------------- several contexts

  @Test
  @Tag("R33")
  @Tag("R89")
  void contextsThatShareACookieHaveSessionsOfTheirOwnWithOneIdAlsoWhenTheyBeginAtOnce()
      throws Exception {
    SessionStore first = store(application);
    SessionStore secondary = store(application + "/other");
    JettyNode a = node(first);
    JettyNode b = node(store(application));
    List<ContainerNode> others =
        List.of(second(a, "/other", secondary), second(b, "/other", store(application + "/other")));
    for (int round = 0; round < 10; round++) {
      ContractClient client = new ContractClient();
      client.send(a, "set:where:first");
      String id = id(client);
      List<CompletableFuture<Answer>> answers = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        answers.add(client.sendLater(others.get(i % 2), "set:n" + i + ":" + i));
      }
      assertThat(answers).allSatisfy(later -> assertThat(later.join().status()).isEqualTo(200));
      assertThat(id(client)).isEqualTo(id);
      assertThat(client.send(others.get(round % 2), "names").line()).isEqualTo("n0,n1,n2,n3,n4,n5");
      assertThat(client.send(b, "names").line()).isEqualTo("where");
    }
    assertThat(
            others.stream()
                .flatMap(other -> List.of(eventsOf(other).split(";", -1)).stream())
                .filter("created"::equals))
        .hasSize(10);
  }

  private static String eventsOf(ContainerNode node) {
    return new ContractClient().send(node, "events").line();
  }

  @Test
  @Tag("R62")
  void aLogoutReachesANodeWhoseLoginCannotBeStored() throws Exception {
    String user = "org.eclipse.jetty.security.UserIdentity";
    JettyNode node =
        node(
            store(application),
            "",
            starting ->
                starting
                    .context()
                    .add(
                        servlet(
                            (request, response) ->
                                request
                                    .getSession()
                                    .setAttribute(
                                        user,
                                        new SessionAuthentication(
                                            "FORM",
                                            UserIdentity.from(new Subject(), () -> "anna"),
                                            null))),
                        "/login"));
    JettyNode other = node(store(application));
    ContractClient client = new ContractClient();
    client.send(node, "set:a:1");
    get(node.uri().resolve("login"), client);
    assertThat(client.send(node, "get:" + user).line()).isNotEqualTo("null");
    assertThat(client.send(other, "get:" + user).line()).isEqualTo("null");
    assertThat(client.send(node, "get:" + user).line()).isNotEqualTo("null");
    client.send(other, "remove:" + user);
    assertThat(client.send(node, "get:" + user).line()).isEqualTo("null");
  }

  @Test
  @Tag("R62")
  @Tag("R66")
  void aChangedIdAndALogoutReachTheOtherContextsOfTheServer() throws Exception {
    SessionStore first = store(application);
    SessionStore secondary = store(application + "/other");
    JettyNode node = node(first);
    ContainerNode other = second(node, "/other", secondary);
    ContractClient client = new ContractClient();
    client.send(node, "set:a:1");
    client.send(other, "set:b:1");
    String old = id(client);
    client.send(node, "changeId");
    assertThat(id(client)).isNotEqualTo(old);
    assertThat(client.send(other, "get:b").line()).isEqualTo("1");
    assertThat(isThere(secondary, old)).isFalse();
    client.send(node, "invalidate");
    assertThat(client.send(other, "get:b").line()).isEqualTo("none");
    assertThat(isThere(secondary, id(client))).isFalse();
    assertThat(new ContractClient().send(other, "events").line()).contains("destroyed");
  }

  @Test
  @Tag("G7")
  @Tag("R62")
  void aLogoutInOneContextIsOneInTheOthersOfEveryServerThatSeldomAsks() throws Exception {
    JettyNode a = JettyNode.start(causal(application), "", node -> {});
    closeables.add(0, a);
    JettyNode b = JettyNode.start(causal(application), "", node -> {});
    closeables.add(0, b);
    ContainerNode otherOfA = second(a, "/other", causal(application + "/other"));
    ContainerNode otherOfB = second(b, "/other", causal(application + "/other"));
    ContractClient client = new ContractClient();
    client.send(a, "set:a:1");
    client.send(b, "get:a");
    client.send(otherOfA, "set:b:1");
    assertThat(client.send(otherOfB, "get:b").line()).isEqualTo("1");
    client.send(a, "invalidate");
    assertThat(client.send(otherOfB, "get:b").line()).isEqualTo("none");
    assertThat(client.send(b, "get:a").line()).isEqualTo("none");
  }

  private SojournSessionCacheFactory causal(String name) {
    SojournSessionCacheFactory sessions = sessions(store(name));
    sessions.setFreshness("causal");
    return sessions;
  }

  @Test
  @Tag("G9")
  void anUnknownCookieCostsALoadAndWhatTheOtherContextsAnswer() throws Exception {
    CountingStore counting = new CountingStore(store(application));
    CountingStore secondary = new CountingStore(store(application + "/other"));
    JettyNode node = node(counting);
    second(node, "/other", secondary);
    ContractClient client = new ContractClient();
    client.useSessionId("nobodysid");
    client.send(node, "set:a:1");
    assertThat(counting.takeCalls()).isEqualTo(Map.of("load", 1, "create", 1));
    assertThat(secondary.takeCalls()).isEqualTo(Map.of("load", 1));
    assertThat(id(client)).isNotEqualTo("nobodysid");
  }

  @Test
  @Tag("G4")
  void aContextThatHasNotStartedHasNoSessionAndIsInNobodysWay() throws Exception {
    ServletContext starting = JettyNode.context("/other");
    SessionStore store = store(application);
    assertThat(sessions(store).getSessionCache(starting.sessions()).exists("anid")).isFalse();
  }

  // ---------------------------------------------------------------- worker names, cookies, reload

  @Test
  @Tag("R70")
  void aSessionIsFoundUnderAnyWorkersNameAndItsCookieFollows() throws Exception {
    JettyNode one = node(store(application), "one", node -> {});
    JettyNode two = node(store(application), "two", node -> {});
    ContractClient client = new ContractClient();
    client.send(one, "set:a:1");
    String id = id(client);
    assertThat(id).endsWith(".one");
    assertThat(client.send(two, "waiting:nobody").cookies()).isEmpty();
    Answer moved = client.send(two, "get:a");
    assertThat(moved.line()).isEqualTo("1");
    assertThat(moved.cookies()).hasSize(1);
    assertThat(id(client)).isEqualTo(id.replace(".one", ".two"));
    assertThat(client.send(two, "get:a").cookies()).isEmpty();
  }

  @Test
  @Tag("R50")
  @Tag("R70")
  void aRequestThatSawAnotherOneChangeTheIdSendsNoCookie() throws Exception {
    JettyNode one = node(store(application), "one", node -> {});
    JettyNode two = node(store(application), "two", node -> {});
    ContractClient slow = new ContractClient();
    slow.send(one, "set:a:1");
    ContractClient quick = new ContractClient();
    quick.useSessionId(id(slow));
    String gate = UUID.randomUUID().toString();
    CompletableFuture<Answer> later = slow.sendLater(two, "get:a", "await:" + gate);
    await().until(() -> new ContractClient().send(two, "waiting:" + gate).line().equals("1"));
    quick.send(two, "changeId");
    new ContractClient().send(two, "open:" + gate);
    assertThat(later.join().cookies()).isEmpty();
    assertThat(quick.send(two, "get:a").line()).isEqualTo("1");
  }

  @Test
  @Tag("R70")
  void anAddressMayBringTheId() throws Exception {
    JettyNode one = node(store(application), "one", JettyNode::trackByAddress);
    JettyNode two = node(store(application), "two", JettyNode::trackByAddress);
    ContractClient client = new ContractClient();
    String id = client.send(one, "set:a:1", "id").line();
    assertThat(client.sessionId()).isNull();
    for (JettyNode node : List.of(one, two)) {
      java.net.http.HttpResponse<String> answer =
          java.net.http.HttpClient.newHttpClient()
              .send(
                  java.net.http.HttpRequest.newBuilder(
                          node.uri().resolve(";jsessionid=" + id + ".one?op=get:a"))
                      .build(),
                  java.net.http.HttpResponse.BodyHandlers.ofString());
      assertThat(answer.body()).isEqualTo("1\n");
    }
  }

  @Test
  void aCookieOfLimitedAgeIsRenewedNotMoreOftenThanConfigured() throws Exception {
    JettyNode node =
        node(
            store(application),
            "",
            starting -> {
              starting.context().sessions().setMaxCookieAge(600);
              starting.context().sessions().setRefreshCookieAge(60);
            });
    JettyNode other =
        node(
            store(application),
            "",
            starting -> {
              starting.context().sessions().setMaxCookieAge(600);
              starting.context().sessions().setRefreshCookieAge(60);
            });
    ContractClient client = new ContractClient();
    assertThat(client.send(node, "set:a:1").cookies()).hasSize(1);
    assertThat(client.send(node, "get:a").cookies()).isEmpty();
    assertThat(client.send(other, "get:a").cookies()).hasSize(1);
    assertThat(client.send(other, "get:a").cookies()).isEmpty();
  }

  @Test
  @Tag("R39")
  void aContextIsStoppedAndStartedAndItsSessionsAreThere() throws Exception {
    JettyNode node = node(store(application));
    ContractClient client = new ContractClient();
    client.send(node, "set:a:1", "add:cart:1");
    for (int i = 0; i < 3; i++) {
      node.context().handler().stop();
      node.context().handler().start();
      assertThat(client.send(node, "get:a", "get:cart", "set:n:" + i).lines())
          .containsExactly("1", "1");
    }
  }

  @Test
  @Tag("G5")
  @Tag("R23")
  void whatWasAnsweredWhileTheServerStopsIsStored() throws Exception {
    JettyNode node = node(store(application));
    JettyNode other = node(store(application));
    List<ContractClient> clients = new ArrayList<>();
    List<CompletableFuture<Integer>> acknowledged = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      ContractClient client = new ContractClient();
      client.send(node, "set:n:0");
      clients.add(client);
      acknowledged.add(CompletableFuture.supplyAsync(() -> setUntilItIsGone(node, client)));
    }
    await().until(() -> clients.stream().allMatch(client -> number(other, client) > 5));
    node.close();
    for (int i = 0; i < clients.size(); i++) {
      // One more may have been stored and not answered.
      int last = acknowledged.get(i).join();
      assertThat(number(other, clients.get(i))).isBetween(last, last + 1);
    }
  }

  private static int number(JettyNode node, ContractClient client) {
    return Integer.parseInt(client.send(node, "get:n").line());
  }

  /** Sets higher numbers, and answers the last one that was answered 200. */
  private static int setUntilItIsGone(JettyNode node, ContractClient client) {
    int n = 0;
    try {
      while (client.send(node, "set:n:" + (n + 1)).status() == 200) {
        n++;
      }
    } catch (CompletionException e) {
      // Its connections have gone.
    }
    return n;
  }

  @Test
  @Tag("R39")
  void nothingOfAnUndeployedApplicationStaysBehind() throws Exception {
    JettyNode node = node(store(application));
    WeakReference<ClassLoader> loader = deployAndUndeploy(node);
    // Jetty keeps with each connection what its last request was for, and with each selector the
    // connection that it saw last.
    node.closeConnections();
    await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () -> {
              node.connect();
              System.gc();
              return loader.get() == null;
            });
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> assertThat(Heap.threads()).doesNotContainKey("sojourn /other"));
  }

  private WeakReference<ClassLoader> deployAndUndeploy(JettyNode node) throws Exception {
    ServletContext context = JettyNode.context("/other");
    WeakReference<ClassLoader> loader =
        new WeakReference<>(requireNonNull(context.handler().getClassLoader()));
    context
        .sessions()
        .setSessionCache(
            sessions(store(application + "/other")).getSessionCache(context.sessions()));
    node.add(context);
    assertThat(Heap.threads()).containsKey("sojourn /other");
    ContainerNode other = node.at(context);
    ContractClient client = new ContractClient();
    client.send(other, "add:cart:1", "set:a:1");
    assertThat(client.send(other, "get:cart").line()).isEqualTo("1");
    other.close();
    return loader;
  }

  @Test
  @Tag("R89")
  void threeServersAreRestartedOneAfterTheOtherAndNoSessionIsLost() throws Exception {
    List<JettyNode> nodes = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      nodes.add(node(store(application)));
    }
    List<ContractClient> clients = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      ContractClient client = new ContractClient();
      client.send(nodes.get(i % 3), "set:n:" + i);
      clients.add(client);
    }
    for (int restarted = 0; restarted < 3; restarted++) {
      nodes.get(restarted).close();
      nodes.set(restarted, node(store(application)));
      for (int i = 0; i < clients.size(); i++) {
        assertThat(clients.get(i).send(nodes.get((i + restarted) % 3), "get:n").line())
            .isEqualTo(Integer.toString(i));
      }
    }
  }

  // ---------------------------------------------------------------- what is refused

  @Test
  @Tag("R43")
  void whatCannotBeStoredIsRefusedWhenItIsSet() throws Exception {
    List<String> said = Collections.synchronizedList(new ArrayList<>());
    JettyNode node =
        node(
            store(application),
            "",
            starting ->
                starting
                    .context()
                    .add(
                        new HttpServlet() {
                          private static final long serialVersionUID = 1L;

                          @Override
                          protected void doGet(
                              HttpServletRequest request, HttpServletResponse response)
                              throws IOException {
                            HttpSession session = request.getSession();
                            for (Object value : List.of(new Object(), Thread.currentThread())) {
                              try {
                                session.setAttribute("bad", value);
                              } catch (IllegalArgumentException e) {
                                said.add(String.valueOf(e.getMessage()));
                              }
                            }
                            session.setAttribute("good", "1");
                          }
                        },
                        "/bad"));
    ContractClient client = new ContractClient();
    client.send(node, "set:a:1");
    get(node.uri().resolve("bad"), client);
    assertThat(said).hasSize(2).allMatch(text -> text.contains("'bad'"));
    assertThat(client.send(node, "names").line()).isEqualTo("a,good");
  }

  // ---------------------------------------------------------------- settings of Jetty's caches

  private static SessionRepository repository(JettyNode node) {
    node.awaitIdle();
    return ((SojournSessionCache) node.context().sessions().getSessionCache()).repository();
  }

  @Test
  @Tag("R90")
  void withEvictionOnExitNoCopyOutlivesItsLastRequestAndNothingIsMissed() throws Exception {
    SojournSessionCacheFactory sessions = sessions(store(application));
    sessions.setEvictionPolicy("0");
    JettyNode node = JettyNode.start(sessions, "", starting -> {});
    closeables.add(0, node);
    JettyNode other = node(store(application));
    ContractClient client = new ContractClient();
    client.send(node, "set:a:1", "add:cart:x");
    assertThat(repository(node).size()).isZero();
    assertThat(client.send(node, "changeId", "get:a", "add:cart:y").lines().get(1)).isEqualTo("1");
    assertThat(repository(node).size()).isZero();
    assertThat(client.send(other, "get:cart").line()).isEqualTo("x,y");
    assertThat(repository(other).size()).isOne();
    assertThat(client.send(node, "get:cart").line()).isEqualTo("x,y");
    assertThat(repository(node).nearCacheStatistics().misses()).isEqualTo(2);
    client.send(node, "invalidate");
    assertThat(client.send(other, "get:a").line()).isEqualTo("none");
  }

  @Test
  @Tag("R90")
  void withEvictionAfterSomeSecondsAnIdleCopyLeavesInItsTime() throws Exception {
    AtomicReference<Duration> idle = new AtomicReference<>(Duration.ZERO);
    SojournSessionCacheFactory sessions = sessions(store(application));
    sessions.setClockOffset(idle::get);
    JettyNode node =
        JettyNode.start(
            sessions,
            "",
            starting -> {
              AbstractSessionManager manager = starting.context().sessions();
              SessionCache cache = sessions.getSessionCache(manager);
              cache.setEvictionPolicy(60);
              manager.setSessionCache(cache);
            });
    closeables.add(0, node);
    SessionCache cache = node.context().sessions().getSessionCache();
    assertThatThrownBy(() -> cache.setEvictionPolicy(SessionCache.EVICT_ON_SESSION_EXIT))
        .hasMessageContaining("too late");
    ContractClient client = new ContractClient();
    client.send(node, "set:a:1");
    repository(node).maintain();
    assertThat(repository(node).size()).isOne();
    idle.set(Duration.ofSeconds(61));
    repository(node).maintain();
    assertThat(repository(node).size()).isZero();
    assertThat(repository(node).nearCacheStatistics().evictions()).isOne();
    assertThat(client.send(node, "get:a").line()).isEqualTo("1");
  }

  @Test
  @Tag("R71")
  @Tag("R90")
  void aNewSessionIsStoredAtOnceIfSaveOnCreateSaysSo() throws Exception {
    for (boolean atOnce : new boolean[] {false, true}) {
      SessionStore store = store(application + atOnce);
      SojournSessionCacheFactory sessions = sessions(store);
      sessions.setSaveOnCreate(Boolean.toString(atOnce));
      List<Boolean> stored = new CopyOnWriteArrayList<>();
      JettyNode node =
          JettyNode.start(
              sessions,
              "",
              starting ->
                  starting
                      .context()
                      .add(
                          servlet(
                              (request, response) -> {
                                HttpSession session = request.getSession();
                                stored.add(isThere(store, session.getId()));
                                session.invalidate();
                              }),
                          "/begin"));
      closeables.add(0, node);
      java.net.http.HttpResponse<Void> answer =
          java.net.http.HttpClient.newHttpClient()
              .send(
                  java.net.http.HttpRequest.newBuilder(node.uri().resolve("begin")).build(),
                  java.net.http.HttpResponse.BodyHandlers.discarding());
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(stored).containsExactly(atOnce);
    }
  }

  @Test
  @Tag("R71")
  @Tag("R90")
  void soTheyAreWhereNobodyHasNamedTheServer() {
    SessionStore store = store(application);
    SojournSessionCacheFactory sessions = sessions(store);
    ServletContext context = JettyNode.context("/");
    SessionCache cache = sessions.getSessionCache(context.sessions());
    cache.setSessionDataStore(new NullSessionDataStore());
    assertThatThrownBy(() -> cache.setSessionDataStore(new FileSessionDataStore()))
        .hasMessageContaining("FileSessionDataStore");
    Server server = new Server();
    server.addBean(sessions);
    server.addBean(new NullSessionCacheFactory());
    server.setHandler(context.handler());
    assertThatThrownBy(() -> sessions.getSessionCache(context.sessions()))
        .hasMessageContaining("NullSessionCacheFactory");
  }

  @Test
  @Tag("R71")
  @Tag("R90")
  void jettysOwnCachesAndStoresBesideItAreRefused() {
    SessionStore store = store(application);
    for (Object jettys :
        List.of(
            new DefaultSessionCacheFactory(),
            new NullSessionCacheFactory(),
            new FileSessionDataStoreFactory())) {
      assertThatThrownBy(
              () -> JettyNode.start(sessions(store), "", node -> node.server().addBean(jettys)))
          .hasMessageContaining(jettys.getClass().getSimpleName());
    }
  }
}
