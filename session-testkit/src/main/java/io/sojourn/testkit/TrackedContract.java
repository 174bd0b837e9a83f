package io.sojourn.testkit;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.SessionPolicy;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What {@code freshness="tracked"} promises on every container, over a store that tells of changes:
 * all that causal does, and that what others did is seen as soon as the server has been told.
 */
public abstract class TrackedContract extends FreshnessContract {

  /**
   * What the servers are to be started with as {@code maxStaleness}, so that what is seen is seen
   * because they were told.
   */
  public static final Duration LONG_STALENESS = Duration.ofMinutes(10);

  /** For subclasses. */
  protected TrackedContract() {
    super(SessionPolicy.Freshness.TRACKED);
  }

  /** What is seen sooner is seen because the server was told, which nobody promises when. */
  @Override
  final Duration promised() {
    return LONG_STALENESS;
  }

  /** What is written elsewhere is seen only when this server has been told, and has asked then. */
  @Override
  final void awaitCopy(ContainerNode node, ContractClient client) {
    ContractClient device = new ContractClient();
    device.useSessionId(requireNonNull(client.sessionId()));
    ContainerNode other = node == a() ? b() : a();
    String value = UUID.randomUUID().toString();
    awaitHit(node, client);
    device.send(other, "set:a:" + value);
    await().until(() -> client.send(node, "get:a").line().equals(value));
    awaitHit(node, client);
  }

  /** Waits until a server needs not ask any more. */
  private void awaitHit(ContainerNode node, ContractClient client) {
    await()
        .until(
            () -> {
              takeCalls();
              return client.send(node, "get:a").status() == 200 && takeCalls().isEmpty();
            });
  }

  @Test
  @Tag("G9")
  void anUnchangedSessionCostsNothingAndOneThatAnotherServerHasChangedOneLoad() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:0", "add:cart:1");
    awaitHit(a(), client);
    awaitHit(b(), client);
    ContractClient device = new ContractClient();
    device.useSessionId(requireNonNull(client.sessionId()));
    for (int i = 1; i <= 10; i++) {
      String value = Integer.toString(i);
      device.send(a(), "set:a:" + value);
      takeCalls();
      await()
          .pollInterval(Duration.ofMillis(1))
          .until(() -> client.send(b(), "get:a").line().equals(value));
      for (int j = 0; j < 5; j++) {
        assertThat(client.send(b(), "get:a").line()).isEqualTo(value);
      }
      assertThat(takeCalls()).isEqualTo(Map.of("load", 1));
    }
  }

  @Test
  @Tag("G7")
  void aLogoutOnAnotherDeviceIsSeenAsSoonAsTheServerIsTold() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:0");
    awaitHit(b(), client);
    ContractClient device = new ContractClient();
    device.useSessionId(requireNonNull(client.sessionId()));
    device.send(a(), "invalidate");
    await().until(() -> client.send(b(), "get:a").line().equals("none"));
  }
}
