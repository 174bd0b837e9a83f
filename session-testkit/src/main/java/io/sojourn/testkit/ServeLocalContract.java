package io.sojourn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContractClient.Answer;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two servers that go on by themselves while the store cannot be asked. */
@ExtendWith(RealServers.class)
@Tag("G4")
public abstract class ServeLocalContract {

  private final String application = "local-" + UUID.randomUUID();
  private final List<AutoCloseable> closeables = new ArrayList<>();
  private final List<ControlledStore> stores = new ArrayList<>();
  private final RedisServer redis;
  private String url = "";

  /** For subclasses. */
  protected ServeLocalContract(RedisServer redis) {
    this.redis = redis;
  }

  /**
   * Starts a server with {@code onStoreFailure="serve-local"}, a {@link ContractServlet} for all
   * paths and its {@link SessionEvents}.
   *
   * @param store not its own to close
   * @param clock how much further its clock is
   * @throws Exception if it does not start
   */
  protected abstract ContainerNode start(SessionStore store, Supplier<Duration> clock)
      throws Exception;

  /** Waits until no request is under way on a node of {@link #start}. */
  protected abstract void awaitIdle(ContainerNode node);

  private void chooseStore(String kind) {
    url =
        kind.equals("redis")
            ? redis.url()
            : "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
  }

  private ContainerNode server() throws Exception {
    ControlledStore store =
        new ControlledStore(clock -> PatientStores.open(url, application, clock));
    stores.add(store);
    closeables.add(store.store());
    ContainerNode node = start(store.store(), store::clockOffset);
    closeables.add(0, node);
    return node;
  }

  @AfterEach
  final void stop() throws Exception {
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
  }

  private void storeIsAway() {
    stores.forEach(ControlledStore::failAll);
  }

  private void storeIsBack() {
    stores.forEach(ControlledStore::fail);
  }

  private static void assertRefused(Answer answer) {
    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.retryAfter()).isPresent();
    assertThat(answer.cookies()).isEmpty();
  }

  private static void assertServed(Answer answer) {
    assertThat(answer.status()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"h2", "redis"})
  final void aSessionGoesOnWhereItWasServedAndNothingThatWasAnsweredForIsLost(String store)
      throws Exception {
    chooseStore(store);
    ContainerNode a = server();
    ContainerNode b = server();
    ContractClient client = new ContractClient();
    client.send(a, "set:fruit:apple", "add:cart:1", "set:old:1");
    String id = client.sessionId();
    storeIsAway();
    assertThat(client.send(a, "get:fruit", "set:fruit:pear", "add:cart:2", "remove:old").line())
        .isEqualTo("apple");
    assertThat(client.send(a, "get:fruit", "get:cart", "names").lines())
        .containsExactly("pear", "1,2", "cart,fruit");
    assertRefused(client.send(b, "get:fruit"));
    assertRefused(client.send(a, "invalidate"));
    assertRefused(client.send(a, "changeId"));
    ContractClient stranger = new ContractClient();
    stranger.useSessionId("0123456789ABCDEF0123456789ABCDEF");
    assertRefused(stranger.send(a, "get:fruit"));
    assertThat(client.send(a, "get:cart", "timeout:600").line()).isEqualTo("1,2");
    assertThat(client.sessionId()).isEqualTo(id);
    storeIsBack();
    assertThat(client.send(a, "get:fruit").line()).isEqualTo("pear");
    assertThat(client.send(b, "get:fruit", "get:cart", "names", "timeout").lines())
        .containsExactly("pear", "1,2", "cart,fruit", "600");
    assertThat(client.sessionId()).isEqualTo(id);
  }

  @ParameterizedTest
  @ValueSource(strings = {"h2", "redis"})
  final void aSessionThatBeganMeanwhileIsStoredWhenAnybodyFindsTheStoreBack(String store)
      throws Exception {
    chooseStore(store);
    ContainerNode a = server();
    ContainerNode b = server();
    ContractClient other = new ContractClient();
    other.send(a, "set:fruit:apple");
    storeIsAway();
    ContractClient client = new ContractClient();
    assertThat(client.send(a, "set:fruit:pear", "add:cart:1", "get:fruit").line())
        .isEqualTo("pear");
    assertThat(client.sessionId()).isNotNull();
    assertThat(client.send(a, "add:cart:2", "new", "get:cart").lines())
        .containsExactly("false", "1,2");
    storeIsBack();
    assertThat(other.send(a, "get:fruit").line()).isEqualTo("apple");
    String id = client.sessionId();
    await()
        .untilAsserted(
            () -> {
              ContractClient same = new ContractClient();
              same.useSessionId(String.valueOf(id));
              assertThat(same.send(b, "get:fruit", "get:cart").lines())
                  .containsExactly("pear", "1,2");
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"h2", "redis"})
  final void anOutageThatBeginsInTheMiddleOfARequestFailsNothing(String store) throws Exception {
    chooseStore(store);
    ContainerNode a = server();
    ContainerNode b = server();
    ContractClient client = new ContractClient();
    client.send(a, "add:cart:1");
    String gate = TwoServers.newGate();
    CompletableFuture<Answer> slow =
        client.sendLater(a, "add:cart:2", "await:" + gate, "set:a:1", "flush", "set:b:1");
    TwoServers.awaitWaiting(a, gate);
    storeIsAway();
    TwoServers.open(a, gate);
    assertServed(slow.join());
    assertThat(client.send(a, "get:cart", "get:a", "get:b").lines())
        .containsExactly("1,2", "1", "1");
    storeIsBack();
    assertServed(client.send(a, "get:a"));
    assertThat(client.send(b, "get:cart", "get:a", "get:b").lines())
        .containsExactly("1,2", "1", "1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"h2", "redis"})
  @Tag("G2")
  @Tag("G7")
  final void whatTheOtherServerDidMeanwhileIsNotUndone(String store) throws Exception {
    chooseStore(store);
    ContainerNode a = server();
    ContainerNode b = server();
    ContractClient client = new ContractClient();
    client.send(a, "set:a:0", "set:b:0");
    ContractClient leaves = new ContractClient();
    leaves.send(a, "set:a:0");
    ControlledStore storeA = stores.get(0);
    storeA.failAll();
    assertServed(client.send(a, "set:a:1"));
    assertServed(client.send(b, "set:b:1", "remove:none"));
    assertServed(leaves.send(a, "set:a:1"));
    String left = leaves.sessionId();
    assertServed(leaves.send(b, "invalidate"));
    storeA.fail();
    assertThat(client.send(a, "get:a", "get:b").lines()).containsExactly("1", "1");
    assertThat(client.send(b, "get:a", "get:b").lines()).containsExactly("1", "1");
    for (ContainerNode node : List.of(a, b)) {
      ContractClient late = new ContractClient();
      late.useSessionId(String.valueOf(left));
      assertThat(late.send(node, "get:a").line()).isEqualTo("none");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"h2", "redis"})
  @Tag("G6")
  final void aCopyThatHasBeenIdleForTooLongIsNotServed(String store) throws Exception {
    chooseStore(store);
    ContainerNode a = server();
    ContractClient client = new ContractClient();
    client.send(a, "set:fruit:apple", "timeout:600");
    storeIsAway();
    stores.get(0).setClock(Duration.ofMinutes(9));
    assertServed(client.send(a, "set:fruit:pear"));
    stores.get(0).setClock(Duration.ofMinutes(18));
    assertThat(client.send(a, "get:fruit").line()).isEqualTo("pear");
    awaitIdle(a); // a session is in use until its request is over, which is after the answer
    stores.get(0).setClock(Duration.ofMinutes(30));
    assertRefused(client.send(a, "get:fruit"));
    assertRefused(client.send(a, "set:fruit:plum"));
    storeIsBack();
    assertThat(client.send(a, "get:fruit").line()).isEqualTo("none");
  }
}
