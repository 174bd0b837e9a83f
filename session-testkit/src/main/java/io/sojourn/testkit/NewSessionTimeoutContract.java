package io.sojourn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sessions whose clients do not come back, on two servers. */
@ExtendWith(RealServers.class)
public abstract class NewSessionTimeoutContract {

  private final String application = "newcomers-" + UUID.randomUUID();
  private final AtomicReference<Duration> clock = new AtomicReference<>(Duration.ZERO);
  private final List<AutoCloseable> closeables = new ArrayList<>();
  private final RedisServer redis;
  private String url = "";

  /** For subclasses. */
  protected NewSessionTimeoutContract(RedisServer redis) {
    this.redis = redis;
  }

  /**
   * Starts a server with a {@link ContractServlet} for all paths and its {@link SessionEvents},
   * whose sessions may be idle for 1800 seconds.
   *
   * @param name a or b
   * @param store not its own to close
   * @param newSessionTimeout null for none
   * @throws Exception if it does not start
   */
  protected abstract ContainerNode start(
      String name, SessionStore store, @Nullable String newSessionTimeout) throws Exception;

  private void chooseStore(String kind) {
    url =
        kind.equals("redis")
            ? redis.url()
            : "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
  }

  private ContainerNode server(String name, @Nullable String newSessionTimeout) throws Exception {
    SessionStore store = PatientStores.open(url, application, clock::get);
    closeables.add(store);
    ContainerNode node = start(name, store, newSessionTimeout);
    closeables.add(0, node);
    return node;
  }

  @AfterEach
  final void stop() throws Exception {
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
  }

  private static List<String> events(ContainerNode node) {
    return List.of(new ContractClient().send(node, "events").line().split(";", -1));
  }

  private void pass(Duration time) {
    clock.updateAndGet(offset -> offset.plus(time));
  }

  @ParameterizedTest
  @ValueSource(strings = {"h2", "redis"})
  @Tag("R79")
  final void aSessionWhoseClientDoesNotComeBackLivesForAShortTimeOnly(String store)
      throws Exception {
    chooseStore(store);
    ContainerNode a = server("a", "60");
    ContainerNode b = server("b", "60");
    ContractClient bot = new ContractClient();
    bot.send(a, "set:fruit:apple");
    ContractClient shopper = new ContractClient();
    assertThat(shopper.send(a, "set:fruit:pear", "timeout", "timeout:3600", "timeout").lines())
        .containsExactly("1800", "3600");
    pass(Duration.ofSeconds(50));
    assertThat(shopper.send(b, "get:fruit", "timeout", "names").lines())
        .containsExactly("pear", "3600", "fruit");
    pass(Duration.ofMinutes(50));
    b.scavenge();
    a.scavenge();
    assertThat(events(b)).contains("destroyed with cart null");
    assertThat(Stream.concat(events(a).stream(), events(b).stream()))
        .containsOnlyOnce("destroyed with cart null");
    assertThat(shopper.send(a, "get:fruit", "timeout").lines()).containsExactly("pear", "3600");
    assertThat(bot.send(a, "get:fruit").line()).isEqualTo("none");
  }

  @ParameterizedTest
  @ValueSource(strings = "h2")
  @Tag("R79")
  final void aSessionIsNotPutOffLongerThanItMayBeIdle(String store) throws Exception {
    chooseStore(store);
    ContainerNode a = server("a", "60");
    ContainerNode b = server("b", null);
    ContractClient client = new ContractClient();
    client.send(a, "set:fruit:apple", "timeout:10");
    pass(Duration.ofSeconds(20));
    assertThat(client.send(b, "get:fruit").line()).isEqualTo("none");
    ContractClient undecided = new ContractClient();
    assertThat(
            undecided
                .send(a, "set:fruit:apple", "timeout:10", "timeout", "timeout:3600", "timeout")
                .lines())
        .containsExactly("10", "3600");
    pass(Duration.ofMinutes(5));
    assertThat(undecided.send(b, "get:fruit").line()).isEqualTo("none");
    ContractClient forEver = new ContractClient();
    forEver.send(a, "set:fruit:apple", "timeout:-1");
    assertThat(forEver.send(b, "timeout").line()).isEqualTo("-1");
    pass(Duration.ofDays(1));
    assertThat(forEver.send(a, "get:fruit").line()).isEqualTo("apple");
  }
}
