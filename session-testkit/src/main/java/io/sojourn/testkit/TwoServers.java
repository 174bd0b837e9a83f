package io.sojourn.testkit;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.SessionPolicy;
import io.sojourn.SessionStore;
import io.sojourn.testkit.ContractClient.Answer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Two servers on the loopback address over one store, seen through HTTP only, and what holds of
 * them whenever they ask the store. They are started once for the class.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class TwoServers {

  private static final String CART_ALLOWED = "io.sojourn.testkit.*";

  private static final int FRESHNESS_SECONDS =
      Integer.getInteger("sojourn.test.freshnessSeconds", 0);

  private final String application = "container-" + UUID.randomUUID();
  private final SessionPolicy.Freshness freshness;
  private final List<AutoCloseable> closeables = new ArrayList<>();

  private @Nullable Server serverA;
  private @Nullable Server serverB;

  /**
   * For subclasses.
   *
   * @param freshness when the servers ask the store whether a session has changed
   */
  TwoServers(SessionPolicy.Freshness freshness) {
    this.freshness = freshness;
  }

  /**
   * Starts a server on a free port of 127.0.0.1 with one web application: a {@link ContractServlet}
   * for all paths and its {@link SessionEvents} as listener. In another process, where the store
   * that it is given is of no use, it opens one of the same place and says how to steer that.
   *
   * @throws Exception if it does not start
   */
  protected abstract ContainerNode start(NodeSettings settings) throws Exception;

  /**
   * Opens the store. Called once for each server.
   *
   * @param application whose sessions
   * @param clock how far the store's clock is shifted, asked at every call
   */
  protected abstract SessionStore open(String application, Supplier<Duration> clock);

  /**
   * A server.
   *
   * @param opened its store, or in another process one of the same place
   */
  record Server(ContainerNode node, ControlledStore opened) {

    SessionStore store() {
      return opened.store();
    }

    /** What steers the store that the server works with. */
    StoreControl control() {
      return node.storeControl().orElse(opened);
    }
  }

  @BeforeAll
  final void startServers() throws Exception {
    serverA = startServer("A", CART_ALLOWED);
    serverB = startServer("B", CART_ALLOWED);
  }

  final Server startServer(String name, String allowedClasses) throws Exception {
    return startServer(name, allowedClasses, application);
  }

  /**
   * Starts a server whose store is another one if the application is.
   *
   * @param of whose sessions the store has
   */
  final Server startServer(String name, String allowedClasses, String of) throws Exception {
    ControlledStore controlled = new ControlledStore(clock -> open(of, clock));
    closeables.add(controlled.store());
    ContainerNode node =
        start(
            new NodeSettings(
                name,
                of,
                controlled.store(),
                allowedClasses,
                freshness,
                SessionPolicy.DEFAULT.nearCacheSize(),
                controlled::clockOffset));
    closeables.add(0, node);
    return new Server(node, controlled);
  }

  @AfterAll
  final void stopServers() throws Exception {
    Exception first = null;
    for (AutoCloseable closeable : closeables) {
      try {
        closeable.close();
      } catch (Exception e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }

  @BeforeEach
  final void allIsWell() {
    setClock(Duration.ZERO);
    serverA().control().fail();
    serverB().control().fail();
    takeCalls();
  }

  /** Moves the clocks of the store and of the servers. */
  final void setClock(Duration offset) {
    serverA().control().setClock(offset);
    serverB().control().setClock(offset);
  }

  final Server serverA() {
    return requireNonNull(serverA);
  }

  final Server serverB() {
    return requireNonNull(serverB);
  }

  final ContainerNode a() {
    return serverA().node;
  }

  final ContainerNode b() {
    return serverB().node;
  }

  final ContainerNode node(int number) {
    return number % 2 == 0 ? a() : b();
  }

  /** The store calls of both servers since the last time this was asked. */
  final Map<String, Integer> takeCalls() {
    Map<String, Integer> calls = new TreeMap<>(serverA().control().takeCalls());
    serverB().control().takeCalls().forEach((name, n) -> calls.merge(name, n, Integer::sum));
    return calls;
  }

  static void awaitWaiting(ContainerNode node, String gate) {
    ContractClient watcher = new ContractClient();
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> !watcher.send(node, "waiting:" + gate).line().equals("0"));
  }

  static void open(ContainerNode node, String gate) {
    assertThat(new ContractClient().send(node, "open:" + gate).status()).isEqualTo(200);
  }

  static String newGate() {
    return UUID.randomUUID().toString();
  }

  /**
   * How often the listeners of both servers were told that the session with this cart had ended.
   */
  final long destroyed(String marker) {
    ContractClient watcher = new ContractClient();
    return List.of(a(), b()).stream()
        .flatMap(node -> List.of(watcher.send(node, "events").line().split(";")).stream())
        .filter(event -> event.startsWith("destroyed") && event.contains(marker))
        .count();
  }

  // ---------------------------------------------------------------- whatever the freshness

  @Test
  @Tag("G1")
  @Tag("R8")
  void thousandAlternationsShowNoStaleValue() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:n:0");
    for (int i = 1; i <= 1000; i++) {
      assertThat(client.send(node(i), "get:n", "set:n:" + i).line())
          .isEqualTo(Integer.toString(i - 1));
    }
  }

  @Test
  @Tag("G2")
  @Tag("R2")
  void requestsOnTwoServersThatSetDifferentAttributesBothLast() {
    ContractClient client = new ContractClient();
    client.send(a(), "begin");
    for (int i = 0; i < 200; i++) {
      CompletableFuture<Answer> one = client.sendLater(a(), "set:a" + i + ":1");
      CompletableFuture<Answer> two = client.sendLater(b(), "set:b" + i + ":1");
      assertThat(one.join().status()).isEqualTo(200);
      assertThat(two.join().status()).isEqualTo(200);
    }
    String names =
        IntStream.range(0, 200)
            .boxed()
            .flatMap(i -> List.of("a" + i, "b" + i).stream())
            .sorted()
            .collect(Collectors.joining(","));
    assertThat(client.send(a(), "names").line()).isEqualTo(names);
    assertThat(client.send(b(), "names").line()).isEqualTo(names);
  }

  @Test
  @Tag("G1")
  @Tag("G2")
  @Tag("G7")
  void whateverClientsDoOnAlternatingServersIsWhatAModelSays() {
    ModelClient.compare(a(), b(), 600, seed());
  }

  /**
   * Several clients of one session, several requests of each at once, the same attributes: in the
   * build for some hundred requests, with {@code sojourn.test.freshnessSeconds} for that long.
   */
  @Test
  @Tag("G1")
  @Tag("G2")
  final void whatRequestsThatOverlapSeeIsWhatTheirFreshnessPromises() {
    long seed = seed();
    long end = System.nanoTime() + Duration.ofSeconds(FRESHNESS_SECONDS).toNanos();
    do {
      assertThat(violations(seed, 250, true)).as("-Dsojourn.test.seed=" + seed).isEmpty();
      seed++;
    } while (System.nanoTime() - end < 0);
  }

  /**
   * What was not as promised.
   *
   * @param heeded false if the clients go on telling the first version that they were told
   */
  final List<OverlappingClients.Violation> violations(long seed, int requests, boolean heeded) {
    List<Server> servers = List.of(serverA(), serverB());
    servers.forEach(server -> server.control().delay(true));
    try {
      List<ContainerNode> nodes = List.of(a(), b());
      return new OverlappingClients(nodes, promised(), this::setClock, heeded, seed).run(requests);
    } finally {
      servers.forEach(server -> server.control().delay(false));
    }
  }

  /** How much older than what was answered may be what somebody else is shown. */
  abstract Duration promised();

  /** What random tests do follows from it; the log has it. */
  static long seed() {
    long seed = Long.getLong("sojourn.test.seed", System.nanoTime());
    System.getLogger(TwoServers.class.getName())
        .log(System.Logger.Level.INFO, "Seed: -Dsojourn.test.seed=" + seed);
    return seed;
  }
}
