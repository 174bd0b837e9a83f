package io.sojourn.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.SessionPolicy;
import io.sojourn.SessionPolicy.Freshness;
import io.sojourn.SessionStore;
import io.sojourn.testkit.ContractClient.Answer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What holds on every container in each mode of freshness, of two servers that each test starts for
 * itself. On one database and one Redis.
 */
public abstract class EachFreshnessContract {

  private static final int DEFAULT_SIZE = SessionPolicy.DEFAULT.nearCacheSize();

  /** For subclasses. */
  protected EachFreshnessContract() {}

  /**
   * Starts a server, as for {@link TwoServers}.
   *
   * @throws Exception if it does not start
   */
  protected abstract ContainerNode start(NodeSettings settings) throws Exception;

  /** Opens the store, as for {@link TwoServers}. */
  protected abstract SessionStore open(String application, Supplier<Duration> clock);

  /** How many rows or keys the store has, of whichever application. */
  protected abstract long entries() throws Exception;

  /** Whether the store tells of changes. */
  protected abstract boolean tells();

  private interface Check {
    void of(Servers servers) throws Exception;
  }

  private record Servers(
      ContainerNode a, ControlledStore storeA, ContainerNode b, ControlledStore storeB) {

    void setClock(Duration offset) {
      storeA.setClock(offset);
      storeB.setClock(offset);
    }
  }

  private void withServers(Freshness freshness, int nearCacheSize, Check check) throws Exception {
    String application = "each-" + UUID.randomUUID();
    ControlledStore storeA = new ControlledStore(clock -> open(application, clock));
    try (SessionStore ofA = storeA.store()) {
      ControlledStore storeB = new ControlledStore(clock -> open(application, clock));
      try (SessionStore ofB = storeB.store();
          ContainerNode a =
              start(settings("A", application, ofA, storeA, freshness, nearCacheSize));
          ContainerNode b =
              start(settings("B", application, ofB, storeB, freshness, nearCacheSize))) {
        check.of(new Servers(a, storeA, b, storeB));
      }
    }
  }

  private static NodeSettings settings(
      String name,
      String application,
      SessionStore store,
      ControlledStore control,
      Freshness freshness,
      int nearCacheSize) {
    return new NodeSettings(
        name,
        application,
        store,
        "io.sojourn.testkit.*",
        freshness,
        nearCacheSize,
        control::clockOffset);
  }

  /** A near cache for one session, while one request is slow and many others come. */
  @ParameterizedTest
  @EnumSource
  @Tag("R56")
  void aSessionThatIsEvictedWhileItIsInUseLacksNothing(Freshness freshness) throws Exception {
    withServers(
        freshness,
        1,
        servers -> {
          ContainerNode a = servers.a;
          ContainerNode b = servers.b;
          ContractClient client = new ContractClient();
          client.send(a, "set:a:1", "add:cart:1");
          String gate = TwoServers.newGate();
          CompletableFuture<Answer> slow =
              client.sendApart(
                  a, "get:a", "await:" + gate, "get:a", "add:cart:2", "get:cart", "same:cart");
          TwoServers.awaitWaiting(a, gate);
          for (int i = 0; i < 20; i++) {
            new ContractClient().send(a, "set:a:other");
          }
          assertThat(client.send(a, "get:a", "set:b:1", "add:cart:beside", "get:cart").lines())
              .as("another request of this node's works on the same objects")
              .containsExactly("1", "1,beside");
          TwoServers.open(a, gate);
          assertThat(slow.join().lines()).containsExactly("1", "1", "1,beside,2", "true");
          client.keepCookies(slow.join().cookies());
          for (ContainerNode node : List.of(b, a)) {
            assertThat(client.send(node, "get:a", "get:b", "get:cart").lines())
                .containsExactly("1", "1", "1,beside,2");
          }
          long seed = TwoServers.seed();
          Threads.run(4, thread -> ModelClient.compare(a, b, 25, seed + thread));
        });
  }

  @ParameterizedTest
  @EnumSource
  @Tag("R80")
  void sessionsThatHaveEndedLeaveNothingInTheStore(Freshness freshness) throws Exception {
    withServers(
        freshness,
        DEFAULT_SIZE,
        servers -> {
          ContainerNode a = servers.a;
          ContainerNode b = servers.b;
          // A store may make its tables when it is first asked.
          ContractClient first = new ContractClient();
          first.send(a, "set:a:1");
          first.send(a, "invalidate");
          long before = entries();
          for (int i = 0; i < 24; i++) {
            ContainerNode one = i % 2 == 0 ? a : b;
            ContainerNode other = i % 2 == 0 ? b : a;
            ContractClient client = new ContractClient();
            client.send(one, "set:a:1", "set:b:1", "add:cart:1", "timeout:60");
            client.send(other, "remove:a", "add:cart:2");
            if (i % 3 == 0) {
              client.send(one, "changeId", "set:c:1");
            }
            if (i % 4 == 0) {
              client.send(other, "invalidate");
            } else {
              assertThat(client.send(one, "get:cart").line()).isEqualTo("1,2");
            }
          }
          assertThat(entries()).isGreaterThan(before);
          servers.setClock(Duration.ofHours(1));
          a.scavenge();
          b.scavenge();
          assertThat(entries()).isEqualTo(before);
        });
  }

  /** If the store does not tell of changes, the log says so once and it works as causal. */
  @Test
  void trackedDoesWithoutAStoreThatTells() throws Exception {
    List<String> warnings = Collections.synchronizedList(new ArrayList<>());
    Handler handler = collecting(warnings);
    Logger root = Logger.getLogger("");
    root.addHandler(handler);
    try {
      withServers(
          Freshness.TRACKED,
          DEFAULT_SIZE,
          servers -> {
            assertThat(warnings).as("one for each server").hasSize(tells() ? 0 : 2);
            checkAsCausal(servers);
            assertThat(warnings).hasSize(tells() ? 0 : 2);
          });
    } finally {
      root.removeHandler(handler);
    }
  }

  private void checkAsCausal(Servers servers) {
    ContainerNode a = servers.a;
    ContainerNode b = servers.b;
    ControlledStore storeB = servers.storeB;
    ContractClient client = new ContractClient();
    client.send(a, "set:a:0");
    for (int i = 1; i <= 20; i++) {
      ContainerNode one = i % 2 == 0 ? a : b;
      client.send(one, "set:a:" + i);
      assertThat(client.send(one == a ? b : a, "get:a").line()).isEqualTo(Integer.toString(i));
    }
    await()
        .until(
            () -> {
              storeB.takeCalls();
              return client.send(b, "get:a").status() == 200 && storeB.takeCalls().isEmpty();
            });
    ContractClient device = new ContractClient();
    device.useSessionId(client.send(a, "id").line());
    device.send(a, "set:a:new");
    if (!tells()) {
      assertThat(client.send(b, "get:a").line()).isEqualTo("20");
      assertThat(storeB.takeCalls()).isEmpty();
    }
    servers.setClock(TrackedContract.LONG_STALENESS.plusMillis(1));
    assertThat(client.send(b, "get:a").line()).isEqualTo("new");
    assertThat(storeB.takeCalls()).isEqualTo(Map.of("load", 1));
  }

  private static Handler collecting(List<String> warnings) {
    return new Handler() {
      @Override
      public void publish(LogRecord logged) {
        if (logged.getMessage().contains("freshness=\"tracked\"")) {
          warnings.add(logged.getMessage());
        }
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
  }
}
