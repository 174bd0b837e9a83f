package io.sojourn.testkit;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.SessionPolicy;
import io.sojourn.SessionStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;

/**
 * Two servers on the loopback address over one store, seen through HTTP only. They are started once
 * for the class.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class TwoServers {

  private static final String CART_ALLOWED = "io.sojourn.testkit.*";

  private final String application = "container-" + UUID.randomUUID();
  private final SessionPolicy.Freshness freshness;
  private final AtomicReference<Duration> clockOffset = new AtomicReference<>(Duration.ZERO);
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
   * for all paths and its {@link SessionEvents} as listener.
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

  /** A server with what a test needs of its store. */
  record Server(ContainerNode node, CountingStore counting, FaultyStore faulty) {}

  @BeforeAll
  final void startServers() throws Exception {
    serverA = startServer("A", CART_ALLOWED);
    serverB = startServer("B", CART_ALLOWED);
  }

  final Server startServer(String name, String allowedClasses) throws Exception {
    SessionStore store = open(application, clockOffset::get);
    closeables.add(store);
    FaultyStore faulty = new FaultyStore(store);
    CountingStore counting = new CountingStore(faulty);
    ContainerNode node =
        start(new NodeSettings(name, counting, allowedClasses, freshness, clockOffset::get));
    closeables.add(0, node);
    return new Server(node, counting, faulty);
  }

  @AfterAll
  final void stopServers() throws Exception {
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
  }

  @BeforeEach
  final void allIsWell() {
    clockOffset.set(Duration.ZERO);
    serverA().faulty.fail();
    serverB().faulty.fail();
    takeCalls();
  }

  /** Moves the clocks of the store and of the servers. */
  final void setClock(Duration offset) {
    clockOffset.set(offset);
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
    Map<String, Integer> calls = new TreeMap<>(serverA().counting.takeCalls());
    serverB().counting.takeCalls().forEach((name, n) -> calls.merge(name, n, Integer::sum));
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
}
