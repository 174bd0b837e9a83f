package io.sojourn.testkit;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.EncodedValue;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.SessionKey;
import io.sojourn.SessionPolicy;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.testkit.ContractClient.Answer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What {@code freshness="causal"} promises on every container, with the default {@code
 * maxStaleness}: two servers that ask the store only for what their client may have seen.
 */
public abstract class CausalContract extends FreshnessContract {

  /** For subclasses. */
  protected CausalContract() {
    super(SessionPolicy.Freshness.CAUSAL);
  }

  @Override
  final Duration promised() {
    return MAX_STALENESS;
  }

  @Override
  final void awaitCopy(ContainerNode node, ContractClient client) {
    client.send(node, "get:a");
  }

  // ---------------------------------------------------------------- cost

  @Test
  @Tag("G9")
  void anUnchangedSessionIsReadWithoutAskingTheStore() {
    ContractClient client = new ContractClient();
    client.send(a(), "add:cart:1", "set:a:1");
    assertThat(takeCalls()).isEqualTo(Map.of("create", 1));
    for (int i = 0; i < 5; i++) {
      Answer answer = client.send(a(), "get:a", "get:cart", "names");
      assertThat(answer.lines()).containsExactly("1", "1", "a,cart");
      assertThat(answer.cookies()).as("nothing new").isEmpty();
    }
    assertThat(takeCalls()).isEmpty();

    assertThat(client.send(b(), "get:a").line()).isEqualTo("1");
    assertThat(takeCalls()).as("a first read on a server").isEqualTo(Map.of("load", 1));
    assertThat(client.send(b(), "get:a", "get:cart", "flush").cookies()).isEmpty();
    assertThat(client.send(a(), "get:a").line()).isEqualTo("1");
    assertThat(takeCalls()).isEmpty();

    client.send(b(), "set:a:2", "add:cart:2");
    assertThat(takeCalls()).as("a request that writes").isEqualTo(Map.of("save", 1));
    assertThat(client.send(b(), "get:a").line()).isEqualTo("2");
    assertThat(takeCalls()).as("on the server that wrote").isEmpty();
    assertThat(client.send(a(), "get:a").line()).isEqualTo("2");
    assertThat(takeCalls()).as("on the other one").isEqualTo(Map.of("load", 1));
    assertThat(client.otherCookies()).hasSize(1);
  }

  @Test
  void theStoreIsAskedAgainAfterTheMaxStaleness() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:1");
    client.send(b(), "get:a");
    ContractClient device = new ContractClient();
    device.useSessionId(requireNonNull(client.sessionId()));
    device.send(a(), "set:a:2");
    takeCalls();
    assertThat(client.send(b(), "get:a").line()).isEqualTo("1");
    assertThat(takeCalls()).isEmpty();
    setClock(MAX_STALENESS.plusMillis(1));
    assertThat(client.send(b(), "get:a").line()).isEqualTo("2");
    assertThat(client.send(b(), "get:a").line()).isEqualTo("2");
    assertThat(takeCalls()).isEqualTo(Map.of("load", 1));
  }

  // ---------------------------------------------------------------- the client's own

  /**
   * Where what was seen does not count, the check of {@link TwoServers} finds a client that does
   * not see what it has written itself.
   */
  @Test
  @Timeout(60)
  void theCheckFindsAStaleOwnReadWhenTheVersionIsNotHeeded() {
    long seed = seed();
    boolean found = false;
    // The timeout interrupts.
    while (!found && !Thread.currentThread().isInterrupted()) {
      found =
          violations(seed, 1000, false).stream()
              .anyMatch(OverlappingClients.Violation::isOfItsOwnWrite);
      seed++;
    }
    assertThat(found).isTrue();
  }

  @Test
  @Tag("R51")
  @Tag("R62")
  void aChangedIdLeadsToALoad() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:1");
    client.send(b(), "get:a");
    String old = requireNonNull(client.sessionId());
    client.send(a(), "changeId");
    takeCalls();
    assertThat(client.send(b(), "get:a").line()).isEqualTo("1");
    assertThat(takeCalls()).isEqualTo(Map.of("load", 1));
    ContractClient thief = new ContractClient();
    thief.useSessionId(old);
    assertThat(thief.send(a(), "get:a").line()).isEqualTo("none");
    assertThat(thief.send(b(), "get:a").line()).isEqualTo("none");
  }

  // ---------------------------------------------------------------- who says nothing, or lies

  @Test
  void aClientThatKeepsOnlyItsSessionCookieIsServedFromTheStore() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:1");
    client.useOtherCookies(Map.of());
    takeCalls();
    for (int i = 0; i < 3; i++) {
      assertThat(client.send(a(), "get:a").line()).isEqualTo("1");
      client.useOtherCookies(Map.of());
    }
    assertThat(takeCalls()).isEqualTo(Map.of("load", 3));
  }

  /** It says nothing of what it has seen, and is not told either. */
  @Test
  @Tag("R70")
  void aClientThatSendsItsSessionIdInTheAddressIsServedFromTheStore() {
    ContractClient other = new ContractClient();
    String id = other.send(a(), "set:a:0", "id").line();
    other.send(b(), "get:a");
    takeCalls();
    for (int i = 0; i < 6; i++) {
      Answer answer = ContractClient.sendByAddress(node(i), id, "get:a");
      assertThat(answer.line()).isEqualTo("0");
      assertThat(answer.cookies()).isEmpty();
    }
    assertThat(takeCalls()).isEqualTo(Map.of("load", 6));

    for (int i = 0; i < 6; i++) {
      String value = "other" + i;
      other.send(node(i), "set:a:" + value);
      assertThat(ContractClient.sendByAddress(node(i + 1), id, "get:a").line()).isEqualTo(value);
      value = "own" + i;
      ContractClient.sendByAddress(node(i), id, "set:a:" + value);
      assertThat(ContractClient.sendByAddress(node(i + 1), id, "get:a").line()).isEqualTo(value);
    }
    other.send(a(), "invalidate");
    assertThat(ContractClient.sendByAddress(b(), id, "get:a").line()).isEqualTo("none");
  }

  @Test
  void theCookiesOfTheVersionAreLikeTheSessions() {
    List<String> cookies = new ContractClient().send(a(), "set:a:1").cookies();
    assertThat(cookies).hasSize(2);
    List<String> rests = cookies.stream().map(cookie -> cookie.split(";", 2)[1]).toList();
    assertThat(rests.get(0)).isEqualTo(rests.get(1)).contains("HttpOnly").contains("Path=/");
    assertThat(cookies.stream().map(cookie -> cookie.split("=", 2)[0]).sorted())
        .satisfiesExactly(
            name -> assertThat(name).isEqualTo("JSESSIONID"),
            name -> assertThat(name).matches("JSESSIONID_V[0-9A-V]"));
  }

  // ---------------------------------------------------------------- another store

  /**
   * The servers are pointed at another store, to which an operator has copied the sessions a while
   * ago, or has not.
   */
  @Test
  void whatAClientHasSeenInAnotherStoreLeadsToALoadAndNeverToAWrongAnswer() throws Exception {
    String another = "moved-" + UUID.randomUUID();
    Server movedA = startServer("movedA", "", another);
    Server movedB = startServer("movedB", "", another);
    try (ContainerNode newA = movedA.node();
        ContainerNode newB = movedB.node()) {
      ContractClient stranger = new ContractClient();
      stranger.send(a(), "set:a:1");
      assertThat(stranger.send(newA, "get:a").line()).isEqualTo("none");
      stranger.send(newB, "set:a:2");
      assertThat(stranger.send(newA, "get:a").line()).isEqualTo("2");

      // Which the copy's version is, seen from the last one that the client has been told.
      for (long distance : List.of(-40L, -16L, -3L, -1L, 0L, 1L, 7L, 8L, 1000L)) {
        ContractClient client = new ContractClient();
        client.send(a(), "set:a:copied");
        SessionRecord copied = stored(client);
        client.send(b(), "set:a:later");
        copy(copied, Math.max(1, stored(client).version() + distance), movedA.store());
        movedA.control().takeCalls();
        assertThat(client.send(newA, "get:a").line()).isEqualTo("copied");
        assertThat(client.send(newA, "get:a").line()).isEqualTo("copied");
        assertThat(movedA.control().takeCalls()).as("%s", distance).isEqualTo(Map.of("load", 1));
        assertThat(client.otherCookies()).hasSize(1);
        for (int i = 0; i < 6; i++) {
          ContainerNode writing = i % 2 == 0 ? newB : newA;
          ContainerNode reading = i % 2 == 0 ? newA : newB;
          client.send(writing, "set:a:" + i);
          assertThat(client.send(reading, "get:a").line()).isEqualTo(Integer.toString(i));
        }
      }
    }
  }

  private SessionRecord stored(ContractClient client) {
    SessionKey key = SessionKey.of(requireNonNull(client.sessionId()));
    return ((LoadResult.Found) serverA().store().load(key, SessionStore.NO_VERSION)).session();
  }

  private static void copy(SessionRecord session, long version, SessionStore to) {
    Map<String, EncodedValue> values = new TreeMap<>();
    session.attributes().forEach((name, stored) -> values.put(name, stored.value()));
    assertThat(
            to.create(
                new NewSession(
                    session.key(), version, session.creationTime(), session.timeout(), values)))
        .isTrue();
  }

  // ---------------------------------------------------------------- outage

  /**
   * As long as a server may serve what it has, an outage of the store is not noticed by readers.
   */
  @Test
  @Tag("G4")
  void anOutageLogsNobodyOutAndIsNotNoticedByReadersForAWhile() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:user:anna");
    serverA().control().failAll();
    serverB().control().failAll();
    assertThat(client.send(a(), "get:user").line()).isEqualTo("anna");
    assertThat(client.send(b(), "get:user").status()).isEqualTo(503);
    Answer write = client.send(a(), "set:a:1");
    assertThat(write.status()).isEqualTo(503);
    assertThat(write.cookies()).isEmpty();
    setClock(MAX_STALENESS.plusMillis(1));
    assertThat(client.send(a(), "get:user").status()).isEqualTo(503);
    serverA().control().fail();
    serverB().control().fail();
    assertThat(client.send(a(), "get:user").line()).isEqualTo("anna");
    assertThat(client.send(b(), "get:user").line()).isEqualTo("anna");
  }
}
