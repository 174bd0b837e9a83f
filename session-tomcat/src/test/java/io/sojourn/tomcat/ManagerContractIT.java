package io.sojourn.tomcat;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.sojourn.IdleTimeout;
import io.sojourn.NewSession;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.CountingStore;
import io.sojourn.testkit.FaultyStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import jakarta.servlet.http.HttpSessionAttributeListener;
import jakarta.servlet.http.HttpSessionBindingEvent;
import jakarta.servlet.http.HttpSessionBindingListener;
import jakarta.servlet.http.HttpSessionEvent;
import jakarta.servlet.http.HttpSessionListener;
import java.io.IOException;
import java.io.Serializable;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.management.Attribute;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanParameterInfo;
import javax.management.MBeanServer;
import org.apache.catalina.Session;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.session.StandardManager;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.util.SessionIdGeneratorBase;
import org.apache.catalina.util.StandardSessionIdGenerator;
import org.apache.catalina.valves.CrawlerSessionManagerValve;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What Tomcat asks of a manager beside the servlet contract: lists of sessions, operations and
 * figures for JMX, and the settings that all managers have; over two nodes.
 */
@ExtendWith(RealServers.class)
class ManagerContractIT {

  private final RedisServer redis;
  private final String application = "manager-" + UUID.randomUUID();
  private final ContractClient client = new ContractClient();
  private final List<AutoCloseable> closeables = new ArrayList<>();
  private final AtomicReference<Duration> clock = new AtomicReference<>(Duration.ZERO);
  private String url;

  ManagerContractIT(RedisServer redis) {
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
  private record Node(
      TomcatNode tomcat,
      SojournManager manager,
      CountingStore store,
      FaultyStore faulty,
      Probe probe)
      implements ContainerNode {

    @Override
    public URI uri() {
      return tomcat.uri();
    }

    @Override
    public void scavenge() {
      tomcat.scavenge();
    }

    @Override
    public void close() {
      tomcat.close();
    }

    /** What its listeners were told. */
    List<String> events() {
      String told = new ContractClient().send(this, "events").line();
      return told.isEmpty() ? List.of() : List.of(told.split(";", -1));
    }

    /** An attribute of its MBean. */
    Object attribute(String name) {
      try {
        return server().getAttribute(manager.getObjectName(), name);
      } catch (JMException e) {
        throw new AssertionError(name, e);
      }
    }

    /** Sets an attribute of its MBean. */
    void set(String name, Object value) throws JMException {
      server().setAttribute(manager.getObjectName(), new Attribute(name, value));
    }

    /** What an operation of its MBean answers, all of whose parameters are text. */
    Object invoke(String name, String... parameters) {
      String[] types = new String[parameters.length];
      Arrays.fill(types, String.class.getName());
      try {
        return server().invoke(manager.getObjectName(), name, parameters, types);
      } catch (JMException e) {
        throw new AssertionError(name, e);
      }
    }

    private static MBeanServer server() {
      return ManagementFactory.getPlatformMBeanServer();
    }

    /** The session with this id, as the manager application finds it. */
    Session listed(String id) {
      for (Session session : manager.findSessions()) {
        if (id.equals(session.getId())) {
          return session;
        }
      }
      throw new AssertionError("Not listed");
    }
  }

  /** Starts a node whose manager has these attributes, given as names and values in turn. */
  private Node start(String name, String... attributes) throws Exception {
    return start(name, ManagerElement.of(attributes));
  }

  private Node start(String name, SojournManager manager) throws Exception {
    SessionStore opened = PatientStores.open(url, application, clock::get);
    FaultyStore faulty = new FaultyStore(opened);
    CountingStore store = new CountingStore(faulty);
    manager.setSessionStore(store);
    manager.setAllowedClasses("io.sojourn.tomcat.*");
    Probe probe = new Probe();
    TomcatNode tomcat =
        TomcatNode.start(
            manager,
            (server, context) -> {
              server.getEngine().setName(name + application);
              server.getEngine().setJvmRoute(name);
              probe.addTo(context);
            });
    closeables.add(0, opened);
    closeables.add(0, tomcat);
    return new Node(tomcat, manager, store, faulty, probe);
  }

  private static String key(String id) {
    return SessionKey.of(SojournManager.withoutRoute(id)).hex();
  }

  private String id() {
    return requireNonNull(client.sessionId());
  }

  // ---------------------------------------------------------------- lists

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R27")
  void toLookAtSessionsIsNoAccessAndAsksTheStoreNothing(StoreKind kind) throws Exception {
    url = kind.url(redis);
    Node a = start("a", "touchInterval", "0");
    client.send(a, "set:fruit:apple", "set:nut:hazel");
    a.store().takeCalls();
    Session listed = a.listed(id());
    assertThat(listed.getSession().getAttribute("fruit")).isEqualTo("apple");
    assertThat(Collections.list(listed.getSession().getAttributeNames()))
        .containsExactlyInAnyOrder("fruit", "nut");
    assertThat(listed.getSession().getAttribute("missing")).isNull();
    assertThat(listed.getCreationTime()).isPositive();
    assertThat(listed.getLastAccessedTime()).isPositive();
    assertThat(listed.getIdleTimeInternal()).isNotNegative();
    assertThat(listed.getMaxInactiveInterval()).isEqualTo(1800);
    assertThat(a.manager().getActiveSessions()).isEqualTo(1);
    assertThat(a.store().takeCalls()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R32")
  void aSessionThatIsInvalidatedInAListIsGoneOnBothNodesAndListenersAreToldOnce(StoreKind kind)
      throws Exception {
    url = kind.url(redis);
    Node a = start("a");
    Node b = start("b");
    client.send(a, "set:fruit:apple");
    client.send(b, "get:fruit");
    b.listed(id()).getSession().invalidate();
    assertThat(b.events()).contains("destroyed with cart null");
    assertThat(events(a, b)).containsOnlyOnce("destroyed with cart null", "removed fruit");
    assertThat(client.send(a, "get:fruit").line()).isEqualTo("none");
    assertThat(client.send(b, "get:fruit").line()).isEqualTo("none");
    assertThat(b.manager().findSessions()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  void anAttributeThatIsRemovedInAListIsGoneOnTheOtherNode(StoreKind kind) throws Exception {
    url = kind.url(redis);
    Node a = start("a");
    Node b = start("b");
    client.send(a, "set:fruit:apple", "set:nut:hazel");
    client.send(b, "get:fruit");
    b.listed(id()).getSession().removeAttribute("fruit");
    assertThat(client.send(a, "names").line()).isEqualTo("nut");
    assertThat(events(a, b)).containsOnlyOnce("removed fruit");
  }

  /** As the manager application does when it is told to expire what has been idle for so long. */
  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R26")
  void aSessionThatIsIdleHereButInUseElsewhereIsNotEndedForThat(StoreKind kind) throws Exception {
    url = kind.url(redis);
    Node a = start("a");
    Node b = start("b");
    client.send(a, "set:fruit:apple");
    Session busy = a.listed(id());
    ContractClient gone = new ContractClient();
    gone.send(a, "set:fruit:pear");
    Session idle = a.listed(requireNonNull(gone.sessionId()));
    clock.set(Duration.ofMinutes(5));
    client.send(b, "get:fruit");
    clock.set(Duration.ZERO);
    for (Session session : List.of(busy, idle)) {
      assertThat(session.getIdleTimeInternal()).isNotNegative();
      session.expire();
    }
    assertThat(client.send(b, "get:fruit").line()).isEqualTo("apple");
    assertThat(gone.send(b, "get:fruit").line()).isEqualTo("none");
  }

  // ---------------------------------------------------------------- JMX

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R58")
  void theOperationsForJmxReachSessionsThatThisNodeHasNeverSeen(StoreKind kind) throws Exception {
    url = kind.url(redis);
    Node a = start("a");
    Node b = start("b");
    client.send(a, "set:fruit:apple", "set:nut:hazel");
    String id = id();
    assertThat(a.invoke("listSessionIds").toString().trim()).isEqualTo(key(id));
    assertThat(b.invoke("listSessionIds")).isEqualTo("");
    for (Node node : List.of(a, b)) {
      for (String session : List.of(id, key(id))) {
        assertThat(node.invoke("getSession", session))
            .isEqualTo(Map.of("fruit", "apple", "nut", "hazel"));
        assertThat(node.invoke("getSessionAttribute", session, "nut")).isEqualTo("hazel");
        assertThat((Long) node.invoke("getCreationTimestamp", session)).isPositive();
        assertThat((Long) node.invoke("getLastAccessedTimestamp", session)).isPositive();
      }
    }
    assertThat(b.invoke("listSessionIds")).isEqualTo("");
    b.invoke("expireSession", key(id));
    assertThat(b.events()).contains("destroyed with cart null");
    assertThat(events(a, b)).containsOnlyOnce("destroyed with cart null", "removed fruit");
    assertThat(client.send(a, "get:fruit").line()).isEqualTo("none");
    assertThat(b.invoke("getSession", id)).isNull();
    b.invoke("expireSession", "unheard-of");
  }

  /** Of the one on the class path; {@code pathname} is the file that sessions are in. */
  @Test
  @Tag("R72")
  void theMBeanHasWhatThatOfTomcatsOwnManagerHas() throws Exception {
    Node a = start("a");
    MBeanInfo ours = Node.server().getMBeanInfo(a.manager().getObjectName());
    StandardManager own = new StandardManager();
    MBeanInfo tomcats;
    try (TomcatNode node =
        TomcatNode.start(
            own, (tomcat, context) -> tomcat.getEngine().setName("own" + application))) {
      assertThat(node.uri()).isNotEqualTo(a.uri());
      tomcats = Node.server().getMBeanInfo(own.getObjectName());
    }
    assertThat(attributes(tomcats)).hasSizeGreaterThan(20);
    assertThat(attributes(ours))
        .containsAll(
            attributes(tomcats).stream().filter(name -> !name.contains(" pathname ")).toList());
    assertThat(operations(tomcats)).hasSizeGreaterThan(5);
    assertThat(operations(ours)).containsAll(operations(tomcats));
    for (MBeanAttributeInfo attribute : ours.getAttributes()) {
      Object unused = a.attribute(attribute.getName());
    }
  }

  private static List<String> attributes(MBeanInfo bean) {
    return Arrays.stream(bean.getAttributes())
        .map(
            attribute ->
                (attribute.isReadable() ? "r" : "-")
                    + (attribute.isWritable() ? "w " : "- ")
                    + attribute.getName()
                    + " "
                    + attribute.getType())
        .toList();
  }

  private static List<String> operations(MBeanInfo bean) {
    return Arrays.stream(bean.getOperations())
        .map(
            operation ->
                operation.getReturnType()
                    + " "
                    + operation.getName()
                    + Arrays.stream(operation.getSignature())
                        .map(MBeanParameterInfo::getType)
                        .toList())
        .toList();
  }

  @Test
  @Tag("R71")
  void whatIsSetByJmxWhileTheManagerRunsHoldsAtOnceOrIsRefused() throws Exception {
    Node a = start("a", "nearCacheSize", "2");
    Node b = start("b");
    client.send(a, "set:n:1");
    a.set("maxActiveSessions", 1);
    assertThat(new ContractClient().send(a, "set:n:2").status()).isEqualTo(500);
    a.set("sessionAttributeNameFilter", "shop");
    client.send(a, "set:shop:1", "set:cache:1");
    assertThat(client.send(b, "names").line()).isEqualTo("n,shop");
    a.set("processExpiresFrequency", 1);
    a.store().takeCalls();
    a.invoke("backgroundProcess");
    assertThat(a.store().takeCalls()).isEqualTo(Map.of("claimExpired", 1));
    assertThatThrownBy(() -> a.set("maxActiveSessions", 3))
        .hasStackTraceContaining("maxActiveSessions=\"3\" can never be reached");
    assertThatThrownBy(() -> a.set("processExpiresFrequency", 0))
        .hasStackTraceContaining("processExpiresFrequency=\"0\" must be 1 or more");
    assertThatThrownBy(() -> a.set("sessionAttributeNameFilter", "["))
        .hasStackTraceContaining("sessionAttributeNameFilter=\"[\" must be a regular expression");
    assertThat(a.attribute("maxActiveSessions")).isEqualTo(1);
    assertThat(a.attribute("processExpiresFrequency")).isEqualTo(1);
    assertThat(a.attribute("sessionAttributeNameFilter")).isEqualTo("shop");
    a.manager().getContext().reload();
    assertThat(a.attribute("stateName")).isEqualTo("STARTED");
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R72")
  void theFiguresAreThoseOfWhatThisNodeHasDone(StoreKind kind) throws Exception {
    url = kind.url(redis);
    Node a = start("a");
    Node b = start("b");
    ContractClient other = new ContractClient();
    client.send(a, "set:fruit:apple");
    other.send(a, "set:fruit:pear");
    client.send(b, "get:fruit");
    assertThat(a.attribute("sessionCounter")).isEqualTo(2L);
    assertThat(b.attribute("sessionCounter")).isEqualTo(0L);
    assertThat(a.attribute("activeSessions")).isEqualTo(2);
    assertThat(b.attribute("activeSessions")).isEqualTo(1);
    assertThat(a.attribute("maxActive")).isEqualTo(2);
    assertThat(b.attribute("maxActive")).isEqualTo(1);
    client.send(b, "invalidate");
    other.send(b, "get:fruit");
    other.send(a, "invalidate");
    other.send(b, "get:fruit");
    client.send(a, "get:fruit");
    for (Node node : List.of(a, b)) {
      assertThat(node.attribute("expiredSessions")).isEqualTo(1L);
      assertThat(node.attribute("activeSessions")).isEqualTo(0);
    }
    assertThat(a.attribute("maxActive")).isEqualTo(2);
    assertThat(a.attribute("rejectedSessions")).isEqualTo(0);
    assertThat((Integer) a.attribute("sessionCreateRate")).isPositive();
    assertThat((Integer) a.attribute("sessionExpireRate")).isPositive();
    assertThat(a.attribute("stateName")).isEqualTo("STARTED");
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R72")
  void theFiguresOfTheStoreAreThoseOfItsCalls(StoreKind kind) throws Exception {
    url = kind.url(redis);
    Node a = start("a");
    Node b = start("b");
    client.send(a, "set:fruit:apple");
    client.send(b, "get:fruit");
    client.send(b, "get:fruit", "set:fruit:pear");
    assertThat(a.attribute("storeCalls")).isEqualTo(1L);
    assertThat(b.attribute("storeCalls")).isEqualTo(3L);
    assertThat((Long) a.attribute("bytesSaved")).isPositive().isEqualTo(b.attribute("bytesLoaded"));
    assertThat(a.attribute("bytesLoaded")).isEqualTo(0L);
    assertThat((Long) b.attribute("bytesSaved")).isPositive();
    assertThat(b.attribute("storeFailures")).isEqualTo(0L);
    assertThat((Long) b.attribute("storeTime")).isNotNegative();
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R72")
  void lostRacesAndSavesThatCameTooLateAreCounted(StoreKind kind) throws Exception {
    url = kind.url(redis);
    Node a = start("a");
    Node b = start("b");
    client.send(a, "set:fruit:apple");
    client.send(b, "set:fruit:pear");
    CompletableFuture<ContractClient.Answer> slow = held(a, "race", "set:nut:hazel");
    client.send(b, "set:fruit:plum");
    release(a, "race");
    slow.join();
    client.send(b, "set:fruit:fig");
    assertThat(client.send(a, "get:fruit", "get:nut").lines()).containsExactly("fig", "hazel");
    assertThat(a.attribute("lostRaces")).isEqualTo(1L);
    assertThat(b.attribute("lostRaces")).isEqualTo(0L);
    slow = held(a, "late", "set:nut:pecan");
    client.send(b, "invalidate");
    release(a, "late");
    slow.join();
    assertThat(a.attribute("refusedSaves")).isEqualTo(1L);
    assertThat(b.attribute("refusedSaves")).isEqualTo(0L);
    assertThat(a.attribute("lostRaces")).isEqualTo(1L);
  }

  /** A request that has opened its session, and goes on when the gate is opened. */
  private CompletableFuture<ContractClient.Answer> held(Node node, String gate, String then) {
    CompletableFuture<ContractClient.Answer> held =
        client.sendLater(node, "get:fruit", "await:" + gate, then);
    ContractClient watcher = new ContractClient();
    await().until(() -> !watcher.send(node, "waiting:" + gate).line().equals("0"));
    return held;
  }

  private static void release(Node node, String gate) {
    new ContractClient().send(node, "open:" + gate);
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R72")
  void theFiguresOfTheNearCacheSayWhatItIsGoodFor(StoreKind kind) throws Exception {
    url = kind.url(redis);
    Node a = start("a", "freshness", "causal", "nearCacheSize", "2");
    client.send(a, "set:fruit:apple");
    for (int i = 0; i < 3; i++) {
      client.send(a, "get:fruit");
    }
    assertThat(a.attribute("freshness")).isEqualTo("causal");
    assertThat(a.attribute("nearCacheHits")).isEqualTo(3L);
    assertThat(a.attribute("nearCacheMisses")).isEqualTo(0L);
    assertThat(a.attribute("nearCacheBytesHeld")).isEqualTo(a.attribute("bytesSaved"));
    Node b = start("b");
    client.send(b, "get:fruit");
    client.send(b, "get:fruit");
    assertThat(b.attribute("nearCacheHits")).isEqualTo(0L);
    assertThat(b.attribute("nearCacheMisses")).isEqualTo(1L);
    assertThat(b.attribute("nearCacheRefreshes")).isEqualTo(1L);
    for (int i = 0; i < 5; i++) {
      new ContractClient().send(a, "set:fruit:pear");
    }
    assertThat((Long) a.attribute("nearCacheEvictions")).isPositive();
  }

  /** Each of a session that this node has not begun. */
  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R72")
  void howLongSessionsLivedIsCountedWhereTheyEnd(StoreKind kind) throws Exception {
    url = kind.url(redis);
    Node a = start("a");
    Node b = start("b");
    endOneOf(Duration.ofHours(2), a, b);
    // The test may take a while.
    assertThat((Integer) b.attribute("sessionMaxAliveTime")).isBetween(7200, 7800);
    assertThat((Integer) b.attribute("sessionAverageAliveTime")).isBetween(7200, 7800);
    endOneOf(Duration.ofHours(3), a, b);
    endOneOf(Duration.ofHours(1), a, b);
    assertThat((Integer) b.attribute("sessionMaxAliveTime")).isBetween(10800, 11400);
    assertThat(a.attribute("sessionMaxAliveTime")).isEqualTo(0);
    assertThat(a.attribute("sessionAverageAliveTime")).isEqualTo(0);
  }

  /** Ends a session of this age on b. */
  private static void endOneOf(Duration age, Node a, Node b) {
    String id = "0123456789ABCDEF-" + age;
    NewSession old =
        new NewSession(
            SessionKey.of(id),
            Instant.now().minus(age),
            IdleTimeout.of(Duration.ofMinutes(30), Duration.ofMinutes(1)),
            Map.of());
    assertThat(a.store().create(old)).isTrue();
    ContractClient user = new ContractClient();
    user.useSessionId(id);
    assertThat(user.send(b, "invalidate").status()).isEqualTo(200);
  }

  // ---------------------------------------------------------------- work in the background

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("G6")
  @Tag("R31")
  void aSessionLivesAsLongAsALongRequestAndThenEndsOnce(StoreKind kind) throws Exception {
    url = kind.url(redis);
    Node a = start("a", "touchInterval", "0");
    Node b = start("b", "touchInterval", "0");
    client.send(a, "set:fruit:apple", "timeout:60");
    client.send(b, "get:fruit");
    CompletableFuture<ContractClient.Answer> slow = held(a, "long", "get:fruit");
    for (int seconds = 40; seconds <= 200; seconds += 40) {
      clock.set(Duration.ofSeconds(seconds));
      a.manager().backgroundProcess();
      b.scavenge();
      a.scavenge();
    }
    assertThat(events(a, b)).noneMatch(event -> event.startsWith("destroyed"));
    release(a, "long");
    assertThat(slow.join().lines()).containsExactly("apple", "apple");
    assertThat(client.send(b, "get:fruit").line()).isEqualTo("apple");
    a.tomcat().awaitIdle();
    b.tomcat().awaitIdle();
    clock.set(Duration.ofSeconds(400));
    a.manager().backgroundProcess();
    b.scavenge();
    a.scavenge();
    assertThat(events(a, b)).containsOnlyOnce("destroyed with cart null", "removed fruit");
    assertThat(client.send(a, "get:fruit").line()).isEqualTo("none");
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R22")
  @Tag("R75")
  void whatCouldNotBeSavedWhenItsAnswerHadLeftIsSavedInTheBackground(StoreKind kind)
      throws Exception {
    url = kind.url(redis);
    Node a = start("a");
    Node b = start("b");
    client.send(a, "set:fruit:apple");
    a.faulty().fail("save");
    try (LogRecords log = new LogRecords()) {
      assertThat(client.send(a, "flush", "set:fruit:pear").status()).isEqualTo(200);
      a.tomcat().awaitIdle();
      assertThat(log.warnings())
          .singleElement()
          .satisfies(
              line -> {
                assertThat(line.getMessage()).startsWith("A response had begun when");
                assertThat(line.getThrown()).isNull();
              });
    }
    assertThat(client.send(b, "get:fruit").line()).isEqualTo("apple");
    a.faulty().fail();
    a.manager().backgroundProcess();
    assertThat(client.send(b, "get:fruit").line()).isEqualTo("pear");
  }

  /** What the listeners of all these nodes were told. */
  private static List<String> events(Node... nodes) {
    return Arrays.stream(nodes).flatMap(node -> node.events().stream()).toList();
  }

  // ---------------------------------------------------------------- listeners at a session's end

  /** How a session ends. */
  private enum End {
    INVALIDATION,
    EXPIRY
  }

  private void end(End how, Node a, Node b) {
    if (how == End.INVALIDATION) {
      client.send(a, "invalidate");
    } else {
      clock.set(Duration.ofHours(1));
    }
    a.scavenge();
    b.scavenge();
    a.scavenge();
  }

  @ParameterizedTest
  @CsvSource({"H2, INVALIDATION", "H2, EXPIRY", "REDIS, INVALIDATION", "REDIS, EXPIRY"})
  @Tag("G6")
  @Tag("R32")
  @Tag("R34")
  void whatIsToldOfASessionsEndOnTwoNodesIsWhatTomcatTellsOnOne(StoreKind kind, End how)
      throws Exception {
    url = kind.url(redis);
    List<String> plain = new CopyOnWriteArrayList<>();
    StandardManager own = new StandardManager();
    Probe probe = new Probe();
    probe.told = plain;
    probe.next = Probe::bindTwo;
    try (TomcatNode node = TomcatNode.start(own, (tomcat, context) -> probe.addTo(context))) {
      client.send(node.at("/probe/"));
      plain.clear();
      Session only = own.findSessions()[0];
      if (how == End.INVALIDATION) {
        only.getSession().invalidate();
      } else {
        only.expire();
      }
    }
    assertThat(plain).hasSize(5);
    client.useSessionId("none");
    List<String> told = new CopyOnWriteArrayList<>();
    Node a = start("a");
    Node b = start("b");
    a.probe().told = told;
    b.probe().told = told;
    a.probe().next = Probe::bindTwo;
    client.send(a.at("/probe/"));
    b.probe().next = session -> session.getAttribute("first");
    client.send(b.at("/probe/"));
    told.clear();
    end(how, a, b);
    assertThat(told).containsExactlyInAnyOrderElementsOf(plain);
    assertThat(told.get(0)).isEqualTo(plain.get(0));
  }

  @ParameterizedTest
  @CsvSource({"H2, INVALIDATION", "H2, EXPIRY", "REDIS, INVALIDATION", "REDIS, EXPIRY"})
  @Tag("R35")
  void aListenerThatThrowsKeepsNeitherASessionAliveNorTheOthersFromBeingTold(
      StoreKind kind, End how) throws Exception {
    url = kind.url(redis);
    List<String> told = new CopyOnWriteArrayList<>();
    Node a = start("a");
    Node b = start("b");
    for (Node node : List.of(a, b)) {
      node.probe().told = told;
      node.probe().throwing = true;
    }
    a.probe().next =
        session -> {
          Probe.bindTwo(session);
          session.setAttribute("third", "3");
        };
    client.send(a.at("/probe/"));
    ContractClient other = new ContractClient();
    other.send(a, "set:fruit:pear");
    told.clear();
    end(how, a, b);
    assertThat(told)
        .containsOnlyOnce("unbound first", "unbound second")
        .containsOnlyOnce("removed first", "removed second", "removed third");
    long ended = how == End.INVALIDATION ? 1 : 2;
    assertThat(told).filteredOn("destroyed"::equals).hasSize((int) ended);
    assertThat(events(a, b)).containsOnlyOnce("removed third");
    assertThat(events(a, b))
        .filteredOn(event -> event.startsWith("destroyed"))
        .hasSize((int) ended);
    for (Node node : List.of(a, b)) {
      assertThat(client.send(node, "get:first").line()).isEqualTo("none");
    }
    assertThat(other.send(b, "get:fruit").line())
        .isEqualTo(how == End.INVALIDATION ? "pear" : "none");
    assertThat((Long) a.attribute("expiredSessions") + (Long) b.attribute("expiredSessions"))
        .isEqualTo(ended);
  }

  /** Tomcat's own session tells no attribute listener then, and has the request fail. */
  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R34")
  @Tag("R35")
  void aValueThatThrowsAsItIsUnboundIsInTheWayOfNoListenerNorOfTheSave(StoreKind kind)
      throws Exception {
    url = kind.url(redis);
    List<String> told = new CopyOnWriteArrayList<>();
    Node a = start("a");
    Node b = start("b");
    for (Node node : List.of(a, b)) {
      node.probe().told = told;
      node.probe().throwing = true;
    }
    a.probe().next = Probe::bindTwo;
    client.send(a.at("/probe/"));
    told.clear();
    ContractClient.Answer removal = client.send(b, "remove:first", "set:fruit:apple");
    assertThat(removal.status()).isEqualTo(200);
    assertThat(told).containsExactly("unbound first", "removed first");
    assertThat(b.events()).containsOnlyOnce("removed first", "added fruit");
    assertThat(client.send(a, "names").line()).isEqualTo("fruit,second");
    assertThat(client.send(a, "set:second:text").status()).isEqualTo(200);
    assertThat(told).endsWith("unbound second");
    assertThat(a.events()).containsOnlyOnce("replaced second");
    assertThat(client.send(b, "get:second").line()).isEqualTo("text");
  }

  // ---------------------------------------------------------------- settings of all managers

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  void noMoreSessionsAreBegunThanANodeMayHold(StoreKind kind) throws Exception {
    url = kind.url(redis);
    Node a = start("a", "maxActiveSessions", "2");
    Node b = start("b");
    ContractClient elsewhere = new ContractClient();
    client.send(a, "set:n:1");
    new ContractClient().send(a, "set:n:2");
    assertThat(new ContractClient().send(a, "set:n:3").status()).isEqualTo(500);
    assertThat(a.attribute("rejectedSessions")).isEqualTo(1);
    assertThat(a.attribute("sessionCounter")).isEqualTo(2L);
    elsewhere.send(b, "set:n:4");
    assertThat(elsewhere.send(a, "get:n").line()).isEqualTo("4");
    assertThat(client.send(a, "get:n", "invalidate").lines()).containsExactly("1");
    elsewhere.send(a, "invalidate");
    assertThat(new ContractClient().send(a, "set:n:5").status()).isEqualTo(200);
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  void anAttributeWhoseNameTheFilterDoesNotMatchStaysOnItsNode(StoreKind kind) throws Exception {
    url = kind.url(redis);
    Node a = start("a", "sessionAttributeNameFilter", "shop\\..*");
    Node b = start("b", "sessionAttributeNameFilter", "shop\\..*");
    client.send(a, "set:shop.cart:apple", "set:cache:1");
    assertThat(client.send(b, "names").line()).isEqualTo("shop.cart");
    assertThat(client.send(a, "get:cache", "names").lines())
        .containsExactly("1", "cache,shop.cart");
    assertThat(client.send(b, "set:cache:2", "get:cache").line()).isEqualTo("2");
    assertThat(client.send(a, "get:cache", "remove:cache", "names").lines())
        .containsExactly("1", "shop.cart");
    assertThat(client.send(b, "get:cache", "names").lines())
        .containsExactly("2", "cache,shop.cart");
    for (Node node : List.of(a, b)) {
      assertThat(node.events()).containsOnlyOnce("added cache");
    }
    assertThat(a.events()).containsOnlyOnce("removed cache");
    assertThat(b.events()).doesNotContain("removed cache");
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  void anAttributeWhoseClassTheFilterDoesNotMatchStaysOnItsNodeAndNeedNotBeSerializable(
      StoreKind kind) throws Exception {
    url = kind.url(redis);
    String filter = "java\\.lang\\.String";
    Node a = start("a", "sessionAttributeValueClassNameFilter", filter);
    Node b = start("b", "sessionAttributeValueClassNameFilter", filter);
    client.send(a, "set:thing:text");
    assertThat(client.send(b, "get:thing").line()).isEqualTo("text");
    a.probe().next = session -> session.setAttribute("thing", new Object());
    client.send(a.at("/probe/"));
    assertThat(client.send(b, "get:thing").line()).isEqualTo("null");
    assertThat(client.send(a, "get:thing").line()).startsWith("java.lang.Object@");
    client.send(a, "set:thing:again");
    assertThat(client.send(b, "get:thing").line()).isEqualTo("again");
  }

  @ParameterizedTest
  @CsvSource({"H2, false", "H2, true", "REDIS, false", "REDIS, true"})
  void listenersAreToldOfAValueThatIsSetAgainAsTheSettingsSay(StoreKind kind, boolean told)
      throws Exception {
    url = kind.url(redis);
    String[] settings = {
      "notifyBindingListenerOnUnchangedValue", Boolean.toString(told),
      "notifyAttributeListenerOnUnchangedValue", Boolean.toString(told)
    };
    Node a = start("a", settings);
    Node b = start("b", settings);
    a.probe().next = session -> session.setAttribute("bound", new Bound());
    client.send(a, "begin");
    client.send(a.at("/probe/"));
    int times = told ? 1 : 0;
    for (Node node : List.of(a, b)) {
      node.probe().next = session -> session.setAttribute("bound", session.getAttribute("bound"));
      int bound = Bound.COUNT.get();
      client.send(node.at("/probe/"));
      assertThat(Bound.COUNT.get() - bound).isEqualTo(times);
      assertThat(node.probe().replaced.get()).isEqualTo(times);
    }
    assertThat(a.probe().replaced.get()).isEqualTo(times);
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  void expiredSessionsAreClaimedAtEveryNthRoundOfBackgroundWork(StoreKind kind) throws Exception {
    url = kind.url(redis);
    Node a = start("a", "processExpiresFrequency", "3");
    a.store().takeCalls();
    for (int i = 0; i < 6; i++) {
      a.manager().backgroundProcess();
    }
    assertThat(a.store().takeCalls()).isEqualTo(Map.of("claimExpired", 2));
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  void idsAreAsLongAsTheGeneratorsElementSays(StoreKind kind) throws Exception {
    url = kind.url(redis);
    SojournManager manager = new SojournManager();
    StandardSessionIdGenerator generator = new StandardSessionIdGenerator();
    generator.setSessionIdLength(32);
    manager.setSessionIdGenerator(generator);
    Node a = start("a", manager);
    client.send(a, "set:n:1");
    assertThat(id()).matches("[0-9A-F]{64}\\.a");
    assertThat(client.send(start("b"), "get:n").line()).isEqualTo("1");
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  void aGeneratorOfOnesOwnMakesTheIds(StoreKind kind) throws Exception {
    url = kind.url(redis);
    SojournManager manager = new SojournManager();
    manager.setSessionIdGenerator(new Named());
    manager.setSecureRandomAlgorithm("NativePRNGNonBlocking");
    Node a = start("a", manager);
    client.send(a, "set:n:1");
    assertThat(id()).startsWith("shop-").endsWith(".a");
    String before = id();
    client.send(a, "changeId");
    assertThat(id()).startsWith("shop-").endsWith(".a").isNotEqualTo(before);
    assertThat(client.send(start("b"), "get:n").line()).isEqualTo("1");
  }

  /** Makes ids as somebody may want them. */
  public static final class Named extends SessionIdGeneratorBase {
    @Override
    public String generateSessionId(String route) {
      byte[] random = new byte[16];
      getRandomBytes(random);
      return "shop-" + UUID.nameUUIDFromBytes(random) + "." + getJvmRoute();
    }
  }

  /** It keeps an object of Tomcat's own in the session, which nobody could store. */
  @Test
  @Tag("R48")
  void crawlersShareASession() throws Exception {
    Node a = start("a");
    a.manager().getContext().getParent().getPipeline().addValve(new CrawlerSessionManagerValve());
    HttpClient http = HttpClient.newHttpClient();
    HttpRequest request =
        HttpRequest.newBuilder(a.uri().resolve("?op=begin&op=id"))
            .header("User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1)")
            .build();
    String first = http.send(request, BodyHandlers.ofString()).body();
    assertThat(first).isNotBlank();
    assertThat(http.send(request, BodyHandlers.ofString()).body()).isEqualTo(first);
    assertThat(a.attribute("sessionCounter")).isEqualTo(1L);
  }

  // ---------------------------------------------------------------- the web application

  /** What a test does with a session. */
  private interface Deed {
    void on(HttpSession session);
  }

  private static final class Probe extends HttpServlet
      implements HttpSessionListener, HttpSessionAttributeListener {
    private static final long serialVersionUID = 1L;

    final transient AtomicInteger replaced = new AtomicInteger();
    transient volatile Deed next = session -> {};
    transient volatile List<String> told = new CopyOnWriteArrayList<>();
    transient volatile boolean throwing;

    void addTo(StandardContext context) {
      Tomcat.addServlet(context, "probe", this).setLoadOnStartup(1);
      context.addServletMappingDecoded("/probe/*", "probe");
      context.addApplicationEventListener(this);
      context.addApplicationLifecycleListener(this);
    }

    @Override
    public void init() {
      getServletContext().setAttribute("probe", this);
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      next.on(request.getSession());
    }

    static void bindTwo(HttpSession session) {
      session.setAttribute("first", new Unbound());
      session.setAttribute("second", new Unbound());
    }

    static void tell(HttpSession session, String what) {
      ((Probe) session.getServletContext().getAttribute("probe")).tell(what);
    }

    private void tell(String what) {
      told.add(what);
      if (throwing) {
        throw new IllegalStateException("The test's listener of " + what);
      }
    }

    @Override
    public void sessionDestroyed(HttpSessionEvent event) {
      tell("destroyed");
    }

    @Override
    public void attributeRemoved(HttpSessionBindingEvent event) {
      tell("removed " + event.getName());
    }

    @Override
    public void attributeReplaced(HttpSessionBindingEvent event) {
      replaced.incrementAndGet();
    }
  }

  /** Tells where it is unbound. */
  private static final class Unbound implements HttpSessionBindingListener, Serializable {
    private static final long serialVersionUID = 1L;

    @Override
    public void valueUnbound(HttpSessionBindingEvent event) {
      Probe.tell(event.getSession(), "unbound " + event.getName());
    }
  }

  /** Counts how often one is bound. */
  private static final class Bound implements HttpSessionBindingListener, Serializable {
    private static final long serialVersionUID = 1L;
    static final AtomicInteger COUNT = new AtomicInteger();

    @Override
    public void valueBound(HttpSessionBindingEvent event) {
      COUNT.incrementAndGet();
    }
  }
}
