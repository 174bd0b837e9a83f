package io.sojourn.testkit;

import static io.sojourn.testkit.ContractClient.redirectTo;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.EncodedValue;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.SessionKey;
import io.sojourn.SessionPolicy;
import io.sojourn.SessionStore;
import io.sojourn.StoredAttribute;
import io.sojourn.testkit.ContractClient.Answer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What holds on every container: two servers on the loopback address over one store, seen through
 * HTTP only. A container's own test is a subclass that says how to start a server and how to open
 * the store.
 */
public abstract class ContainerContract extends TwoServers {

  private static final int TIMEOUT_SECONDS = 1800;

  private static final int REDIRECTS = Integer.getInteger("sojourn.test.redirects", 200);

  /** For subclasses. */
  protected ContainerContract() {
    super(SessionPolicy.Freshness.STRICT);
  }

  @Override
  final Duration promised() {
    return Duration.ZERO;
  }

  // ---------------------------------------------------------------- read your writes

  @Test
  @Tag("G1")
  @Tag("R11")
  void whatARequestSetIsSeenOnTheOtherServer() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:1");
    assertThat(client.send(b(), "get:a").line()).isEqualTo("1");
    client.send(b(), "set:a:2", "set:b:3");
    assertThat(client.send(a(), "get:a", "get:b", "names").lines())
        .containsExactly("2", "3", "a,b");
  }

  /** {@code -Dsojourn.test.redirects=10000} is the long form. */
  @Test
  @Tag("G1")
  @Tag("R12")
  void whatWasSetBeforeARedirectIsSeenWhereItLeads() {
    ContractClient client = new ContractClient();
    for (int i = 0; i < REDIRECTS; i++) {
      Answer redirect = client.post(node(i), "set:n:" + i, redirectTo(node(i + 1), "get:n"));
      assertThat(redirect.status()).isEqualTo(302);
      assertThat(client.follow(redirect).line()).isEqualTo(Integer.toString(i));
    }
  }

  @Test
  @Tag("G1")
  @Tag("R12")
  void whatWasSetBeforeAFlushIsStoredWhenItsFirstByteArrives() {
    ContractClient client = new ContractClient();
    String gate = newGate();
    ContractClient.StreamedAnswer answer =
        client.stream(a(), "set:a:1", "add:cart:x", "flush", "await:" + gate);
    assertThat(answer.read()).isEqualTo('f');
    assertThat(client.send(b(), "get:a", "get:cart").lines()).containsExactly("1", "x");
    open(a(), gate);
    answer.finish();
  }

  @Test
  @Tag("G1")
  @Tag("R12")
  void whatWasSetBeforeABodyOutgrewTheBufferIsStoredWhenItsFirstByteArrives() {
    ContractClient client = new ContractClient();
    String gate = newGate();
    ContractClient.StreamedAnswer answer =
        client.stream(a(), "set:a:1", "fill:50000", "await:" + gate);
    assertThat(answer.read()).isEqualTo('x');
    assertThat(client.send(b(), "get:a").line()).isEqualTo("1");
    open(a(), gate);
    answer.finish();
  }

  @Test
  @Tag("R13")
  void whatIsSetAfterTheResponseHasBegunIsStoredByTheRequestsEnd() {
    ContractClient client = new ContractClient();
    client.send(a(), "begin");
    client.send(a(), "flush", "set:late:1", "add:cart:x");
    assertThat(client.send(b(), "get:late", "get:cart").lines()).containsExactly("1", "x");
    client.send(a(), "get:cart", "flush", "add:cart:y");
    assertThat(client.send(b(), "get:cart").line()).isEqualTo("x,y");
  }

  @Test
  @Tag("G1")
  @Tag("R12")
  void whatWasSetBeforeAnErrorIsStored() {
    ContractClient client = new ContractClient();
    assertThat(client.send(a(), "set:a:1", "error:404").status()).isEqualTo(404);
    assertThat(client.send(b(), "get:a").line()).isEqualTo("1");
  }

  // ---------------------------------------------------------------- no lost update

  @Test
  @Tag("G2")
  @Tag("R1")
  void aRequestThatOnlyReadsWritesNothingBack() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:text:old", "add:cart:old");
    String gate = newGate();
    CompletableFuture<Answer> reader =
        client.sendLater(a(), "get:text", "get:cart", "await:" + gate);
    awaitWaiting(a(), gate);
    client.send(b(), "set:text:new", "add:cart:new");
    takeCalls();
    open(a(), gate);
    assertThat(reader.join().lines()).containsExactly("old", "old");
    assertThat(takeCalls()).doesNotContainKey("save");
    assertThat(client.send(b(), "get:text", "get:cart").lines()).containsExactly("new", "old,new");
    assertThat(client.send(a(), "get:text", "get:cart").lines()).containsExactly("new", "old,new");
  }

  @Test
  @Tag("G2")
  void aRequestThatSawACartDoesNotOverwriteItsNewsWithAGuess() {
    ContractClient client = new ContractClient();
    // On b: the end of a request on a could save what the slow one has changed by then.
    client.send(b(), "add:cart:1");
    String gate = newGate();
    CompletableFuture<Answer> slow =
        client.sendLater(a(), "add:cart:2", "await:" + gate, "get:cart");
    awaitWaiting(a(), gate);
    client.send(b(), "add:cart:3");
    open(a(), gate);
    assertThat(slow.join().line()).isEqualTo("1,2");
    // Both changed the cart in place; the first to be saved stays, whole.
    assertThat(client.send(a(), "get:cart").line()).isEqualTo("1,3");
    assertThat(client.send(b(), "get:cart").line()).isEqualTo("1,3");
  }

  @Test
  @Tag("G2")
  @Tag("R49")
  void manyRequestsThatSetTheSameNewAttributeAllSucceed() {
    ContractClient client = new ContractClient();
    client.send(a(), "begin");
    List<CompletableFuture<Answer>> answers = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      answers.add(client.sendLater(a(), "set:same:a" + i));
      answers.add(client.sendLater(b(), "set:same:b" + i));
    }
    for (CompletableFuture<Answer> answer : answers) {
      assertThat(answer.join().status()).isEqualTo(200);
    }
    String seen = client.send(a(), "get:same").line();
    assertThat(seen).matches("[ab]\\d+");
    assertThat(client.send(b(), "get:same").line()).isEqualTo(seen);
  }

  @Test
  @Tag("R3")
  void aRemovedAttributeIsGoneOnTheOtherServerWhileOthersAreSaved() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:1", "set:b:1");
    client.send(b(), "get:a");
    String gate = newGate();
    CompletableFuture<Answer> other = client.sendLater(b(), "get:a", "await:" + gate, "set:c:1");
    awaitWaiting(b(), gate);
    client.send(a(), "remove:a");
    open(b(), gate);
    assertThat(other.join().status()).isEqualTo(200);
    assertThat(client.send(b(), "get:a", "names").lines()).containsExactly("null", "b,c");
    assertThat(client.send(a(), "get:a", "names").lines()).containsExactly("null", "b,c");
  }

  @Test
  @Tag("R4")
  void everyOrderOfSetsAndRemovalsInOneRequestEndsAsInMemory() {
    Random random = new Random(4);
    ContractClient client = new ContractClient();
    client.send(a(), "begin");
    Map<String, String> model = new TreeMap<>();
    for (int round = 0; round < 60; round++) {
      List<String> operations = new ArrayList<>();
      for (int i = 0; i < 1 + random.nextInt(5); i++) {
        String name = "n" + random.nextInt(2);
        if (random.nextBoolean()) {
          operations.add("set:" + name + ":" + round + "." + i);
          model.put(name, round + "." + i);
        } else {
          operations.add("remove:" + name);
          model.remove(name);
        }
      }
      client.send(node(round), operations.toArray(String[]::new));
      assertThat(client.send(node(round + 1), "get:n0", "get:n1", "names").lines())
          .as("after %s", operations)
          .containsExactly(
              String.valueOf(model.get("n0")),
              String.valueOf(model.get("n1")),
              String.join(",", model.keySet()));
    }
  }

  @Test
  @Tag("R9")
  void anObjectChangedInPlaceIsSavedWithoutBeingSetAgain() {
    ContractClient client = new ContractClient();
    client.send(a(), "add:cart:1");
    for (int i = 2; i <= 20; i++) {
      client.send(node(i), "add:cart:" + i);
    }
    String all =
        IntStream.rangeClosed(1, 20).mapToObj(String::valueOf).collect(Collectors.joining(","));
    assertThat(client.send(a(), "get:cart").line()).isEqualTo(all);
    assertThat(client.send(b(), "get:cart").line()).isEqualTo(all);
  }

  @Test
  @Tag("R10")
  void twoReadsInOneRequestGiveTheSameObject() {
    ContractClient client = new ContractClient();
    client.send(a(), "add:cart:1");
    assertThat(client.send(b(), "same:cart").line()).isEqualTo("true");
  }

  // ---------------------------------------------------------------- end of a session

  @Test
  @Tag("G7")
  @Tag("R10")
  void afterInvalidationANewSessionHasAnotherIdAndNothingOfTheOld() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:1");
    String old = requireNonNull(client.sessionId());
    Answer answer = client.send(b(), "invalidate", "get:a", "begin", "get:a", "new");
    assertThat(answer.lines()).containsExactly("none", "null", "true");
    assertThat(client.sessionId()).isNotNull().isNotEqualTo(old);
    client.useSessionId(old);
    assertThat(client.send(a(), "get:a").line()).isEqualTo("none");
    assertThat(client.send(b(), "get:a").line()).isEqualTo("none");
  }

  @Test
  @Tag("G7")
  @Tag("R5")
  @Tag("R7")
  void aSlowRequestDoesNotBringAnInvalidatedSessionBack() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:1", "add:cart:1");
    String id = requireNonNull(client.sessionId());
    String gate = newGate();
    CompletableFuture<Answer> slow =
        client.sendLater(a(), "get:a", "await:" + gate, "set:a:2", "add:cart:2", "get:a");
    awaitWaiting(a(), gate);
    assertThat(client.send(b(), "invalidate").status()).isEqualTo(200);
    open(a(), gate);
    Answer answer = slow.join();
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.lines()).containsExactly("1", "2");
    assertThat(answer.cookies()).isEmpty();
    assertThat(client.send(a(), "get:a").line()).isEqualTo("none");
    assertThat(client.send(b(), "get:a").line()).isEqualTo("none");
    assertThat(storeA().load(SessionKey.of(id), SessionStore.NO_VERSION))
        .isInstanceOf(LoadResult.Missing.class);
  }

  @Test
  @Tag("G6")
  @Tag("R32")
  void anExpiredSessionEndsOnceWithItsListenersToldOnOneServer() {
    ContractClient client = new ContractClient();
    String marker = UUID.randomUUID().toString();
    client.send(a(), "add:cart:" + marker);
    client.send(b(), "get:cart");
    setClock(Duration.ofSeconds(TIMEOUT_SECONDS - 10));
    scavengeBoth();
    assertThat(destroyed(marker)).isZero();
    setClock(Duration.ofSeconds(2L * TIMEOUT_SECONDS));
    scavengeBoth();
    assertThat(destroyed(marker)).isEqualTo(1);
    assertThat(client.send(a(), "get:cart").line()).isEqualTo("none");
    assertThat(client.send(b(), "get:cart").line()).isEqualTo("none");
    scavengeBoth();
    assertThat(destroyed(marker)).isEqualTo(1);
  }

  @Test
  @Tag("G6")
  @Tag("R26")
  void aSessionInUseOnOneServerIsNotEndedByTheOtherThatHasAnIdleCopy() {
    ContractClient client = new ContractClient();
    String marker = UUID.randomUUID().toString();
    client.send(a(), "add:cart:" + marker, "timeout:60");
    client.send(b(), "get:cart");
    for (int seconds = 40; seconds <= 320; seconds += 40) {
      setClock(Duration.ofSeconds(seconds));
      assertThat(client.send(a(), "get:cart").line()).isEqualTo(marker);
      scavengeBoth();
    }
    assertThat(destroyed(marker)).isZero();
    assertThat(client.send(b(), "get:cart").line()).isEqualTo(marker);
  }

  private void scavengeBoth() {
    Threads.run(2, number -> node(number).scavenge());
  }

  // ---------------------------------------------------------------- identity

  @Test
  void theOtherServerKnowsWhatTheFirstOneSaidOfTheSession() {
    ContractClient client = new ContractClient();
    List<String> first = client.send(a(), "begin", "id", "created", "timeout", "new").lines();
    assertThat(first).element(2).isEqualTo(Integer.toString(TIMEOUT_SECONDS));
    assertThat(first).element(3).isEqualTo("true");
    List<String> other = client.send(b(), "id", "created", "timeout", "new").lines();
    assertThat(other.subList(0, 3)).isEqualTo(first.subList(0, 3));
    assertThat(other).element(3).isEqualTo("false");
    client.send(b(), "timeout:77");
    assertThat(client.send(a(), "timeout").line()).isEqualTo("77");
  }

  @Test
  @Tag("R29")
  @Tag("R30")
  void aSessionThatIsNeverToExpireLivesUntilItIsInvalidatedOnEitherServer() {
    List<String> intervals = List.of("0", "-1", Integer.toString(Integer.MAX_VALUE));
    for (int i = 0; i < intervals.size(); i++) {
      String interval = intervals.get(i);
      ContractClient client = new ContractClient();
      client.send(node(i), "set:a:1", "timeout:60");
      client.send(node(i + 1), "timeout:" + interval);
      assertThat(client.send(node(i), "timeout").line()).isEqualTo(interval);
      setClock(Duration.ofDays(3650));
      scavengeBoth();
      assertThat(client.send(node(i), "get:a", "timeout").lines()).containsExactly("1", interval);
      assertThat(client.send(node(i + 1), "invalidate").status()).isEqualTo(200);
      assertThat(client.send(node(i), "get:a").line()).isEqualTo("none");
      setClock(Duration.ZERO);
    }
  }

  @Test
  @Tag("R29")
  @Tag("R30")
  void aSessionMayBecomeOneThatExpiresOnTheOtherServer() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:1", "timeout:-1");
    client.send(b(), "timeout:60");
    setClock(Duration.ofHours(1));
    assertThat(client.send(a(), "get:a").line()).isEqualTo("none");
    assertThat(client.send(b(), "get:a").line()).isEqualTo("none");
  }

  @Test
  @Tag("R62")
  void anIdThatTheServersDidNotGiveOpensNothing() {
    ContractClient client = new ContractClient();
    client.useSessionId("0123456789ABCDEF0123456789ABCDEF");
    assertThat(client.send(a(), "get:a").line()).isEqualTo("none");
    client.send(a(), "set:a:1");
    assertThat(client.sessionId()).isNotEqualTo("0123456789ABCDEF0123456789ABCDEF");
    assertThat(client.send(b(), "get:a").line()).isEqualTo("1");
  }

  @Test
  @Tag("R51")
  @Tag("R62")
  void aChangedIdKeepsTheSessionAndTheOldIdOpensNothing() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:1");
    client.send(b(), "get:a");
    String old = requireNonNull(client.sessionId());
    String gate = newGate();
    CompletableFuture<Answer> slow = client.sendLater(a(), "get:a", "await:" + gate, "set:b:2");
    awaitWaiting(a(), gate);
    client.send(b(), "changeId");
    String changed = requireNonNull(client.sessionId());
    assertThat(changed).isNotEqualTo(old);
    open(a(), gate);
    assertThat(slow.join().status()).isEqualTo(200);

    ContractClient thief = new ContractClient();
    thief.useSessionId(old);
    assertThat(thief.send(a(), "get:a").line()).isEqualTo("none");
    assertThat(thief.send(b(), "get:a").line()).isEqualTo("none");

    client.useSessionId(changed);
    assertThat(client.send(a(), "get:a", "get:b").lines()).containsExactly("1", "2");
    assertThat(client.send(b(), "get:a", "get:b").lines()).containsExactly("1", "2");
  }

  @Test
  @Tag("R50")
  @Tag("R62")
  void ofTwoChangesOfAnIdAtOnceOneHoldsAndTheOtherIsNoServerError() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:1");
    String gate = newGate();
    CompletableFuture<Answer> slow =
        client.sendLater(a(), "get:a", "await:" + gate, "changeId", "set:a:2");
    awaitWaiting(a(), gate);
    client.send(b(), "changeId");
    String changed = client.sessionId();
    open(a(), gate);
    assertRefused(slow.join());
    assertThat(client.sessionId()).isEqualTo(changed);
    assertThat(client.send(a(), "get:a").line()).isEqualTo("1");
    assertThat(client.send(b(), "get:a", "changeId", "get:a").lines()).first().isEqualTo("1");
  }

  @Test
  @Tag("G7")
  @Tag("R50")
  void anIdThatIsChangedWhileTheSessionEndsIsNoServerErrorAndBringsNothingBack() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:1");
    String gate = newGate();
    CompletableFuture<Answer> slow =
        client.sendLater(a(), "get:a", "await:" + gate, "changeId", "set:a:2");
    awaitWaiting(a(), gate);
    client.send(b(), "invalidate");
    open(a(), gate);
    assertRefused(slow.join());
    assertThat(client.send(a(), "get:a").line()).isEqualTo("none");
    assertThat(client.send(b(), "get:a").line()).isEqualTo("none");
  }

  /** To be tried again: it was another request's turn. */
  private static void assertRefused(Answer answer) {
    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.retryAfter()).isPresent();
    assertThat(answer.cookies()).isEmpty();
  }

  // ---------------------------------------------------------------- outage

  @Test
  @Tag("G4")
  @Tag("R15")
  void aStoreThatCannotBeAskedIsAnswered503AndLogsNobodyOut() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:user:anna");
    String id = client.sessionId();
    serverA().control().failAll();
    serverB().control().failAll();
    for (int i = 0; i < 4; i++) {
      Answer answer = client.send(node(i), "get:user", "begin", "set:user:stranger");
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.retryAfter()).isPresent();
      assertThat(answer.cookies()).isEmpty();
    }
    assertThat(client.sessionId()).isEqualTo(id);
    assertThat(new ContractClient().send(a(), "waiting:nobody").line()).isEqualTo("0");
    serverA().control().fail();
    serverB().control().fail();
    assertThat(client.send(a(), "get:user").line()).isEqualTo("anna");
    assertThat(client.send(b(), "get:user").line()).isEqualTo("anna");
  }

  @Test
  @Tag("G4")
  @Tag("R22")
  void aFailedSaveIsAnswered503AndSavedWithTheNextRequest() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:1", "add:cart:1");
    serverA().control().fail("save");
    assertThat(client.send(a(), "set:a:2", "add:cart:2").status()).isEqualTo(503);
    serverA().control().fail();
    assertThat(client.send(a(), "get:a", "get:cart").lines()).containsExactly("2", "1,2");
    assertThat(client.send(b(), "get:a", "get:cart").lines()).containsExactly("2", "1,2");
  }

  @Test
  @Tag("G4")
  void aSessionThatCannotBeCreatedIsAnswered503WithoutItsCookie() {
    serverA().control().fail("create");
    ContractClient client = new ContractClient();
    Answer answer = client.send(a(), "set:a:1");
    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.cookies()).isEmpty();
  }

  // ---------------------------------------------------------------- rolling deploys, hostile bytes

  @Test
  @Tag("G8")
  @Tag("R36")
  @Tag("R42")
  void aServerThatCannotDecodeAnAttributeLeavesItAndServesTheRest() throws Exception {
    ContractClient client = new ContractClient();
    client.send(a(), "add:cart:1", "set:a:1");
    Map<String, StoredAttribute> rows = stored(client);
    assertThat(rows).containsKeys("a", "cart");
    ContractClient ending = new ContractClient();
    ending.send(a(), "add:cart:2", "timeout:60");
    ContractClient endingToo = new ContractClient();
    endingToo.send(a(), "set:a:2", "timeout:60");
    Server poor = startServer("poor", "");
    try (ContainerNode node = poor.node()) {
      assertThat(client.send(node, "get:cart").status()).isEqualTo(500);
      assertThat(client.send(node, "get:a", "names").lines()).containsExactly("1", "a,cart");
      setClock(Duration.ofMinutes(5));
      poor.control().setClock(Duration.ofMinutes(5));
      node.scavenge();
      setClock(Duration.ZERO);
      poor.control().setClock(Duration.ZERO);
      assertThat(stored(client)).as("served and scavenged").isEqualTo(rows);
      assertThat(stored(ending)).as("expired").isEmpty();
      assertThat(stored(endingToo)).as("expired in the same round").isEmpty();

      assertThat(client.send(node, "set:b:2", "names").line()).isEqualTo("a,b,cart");
      assertThat(stored(client)).as("saved").containsAllEntriesOf(rows);
      assertThat(client.send(a(), "get:cart", "get:b").lines()).containsExactly("1", "2");
      client.send(node, "remove:cart");
      assertThat(client.send(a(), "names").line()).isEqualTo("a,b");
    }
  }

  /** What the store has of a client's session, to the byte; nothing if it is gone. */
  private Map<String, StoredAttribute> stored(ContractClient client) {
    SessionKey key = SessionKey.of(requireNonNull(client.sessionId()).split("\\.", 2)[0]);
    return storeA().load(key, SessionStore.NO_VERSION) instanceof LoadResult.Found found
        ? found.session().attributes()
        : Map.of();
  }

  @Test
  @Tag("G10")
  void damagedBytesInTheStoreCostOneErrorAndNotTheSession() {
    ContractClient client = new ContractClient();
    String id = UUID.randomUUID().toString();
    assertThat(
            storeA()
                .create(
                    new NewSession(
                        SessionKey.of(id),
                        Instant.now(),
                        io.sojourn.IdleTimeout.of(Duration.ofMinutes(30), Duration.ofMinutes(1)),
                        Map.of(
                            "bad", EncodedValue.of("rubbish".getBytes(StandardCharsets.UTF_8))))))
        .isTrue();
    client.useSessionId(id);
    assertThat(client.send(a(), "get:bad").status()).isEqualTo(500);
    assertThat(client.send(a(), "set:good:1", "names").line()).isEqualTo("bad,good");
    client.send(b(), "set:bad:mended");
    assertThat(client.send(a(), "get:bad", "get:good").lines()).containsExactly("mended", "1");
  }

  private SessionStore storeA() {
    return serverA().store();
  }

  // ---------------------------------------------------------------- cost

  @Test
  @Tag("G9")
  void requestsCostTheStoreCallsThatTheyMust() {
    ContractClient client = new ContractClient();
    client.send(a(), "add:cart:1", "set:a:1");
    assertThat(takeCalls()).isEqualTo(Map.of("create", 1));

    client.send(a(), "waiting:nobody");
    client.send(b(), "fill:100000");
    assertThat(takeCalls()).as("a request that ignores its session").isEmpty();

    client.send(b(), "get:a");
    assertThat(takeCalls()).as("a first read on a server").isEqualTo(Map.of("load", 1));

    client.send(b(), "get:a", "get:cart", "names", "same:cart", "flush");
    assertThat(takeCalls()).as("a request that only reads").isEqualTo(Map.of("load", 1));

    client.send(b(), "set:a:2", "remove:nothing", "add:cart:2", "set:b:1");
    assertThat(takeCalls()).as("a request that writes").isEqualTo(Map.of("load", 1, "save", 1));

    client.send(a(), "set:a:2");
    assertThat(takeCalls()).as("a set that changes nothing").isEqualTo(Map.of("load", 1));

    new ContractClient().send(a(), "begin");
    assertThat(takeCalls()).as("a new session").isEqualTo(Map.of("create", 1));

    client.send(a(), "invalidate");
    assertThat(takeCalls()).as("a logout").isEqualTo(Map.of("load", 1, "remove", 1));
  }

  @Test
  @Tag("G9")
  @Tag("R78")
  void requestsThatOnlyReadCostOneCallEachWhetherTheyAreATouchOrNot() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:1");
    takeCalls();
    for (int i = 0; i < 10; i++) {
      client.send(node(i), "get:a");
    }
    assertThat(takeCalls()).isEqualTo(Map.of("load", 10));
    setClock(Duration.ofMinutes(2));
    for (int i = 0; i < 10; i++) {
      client.send(a(), "get:a");
    }
    assertThat(takeCalls()).isEqualTo(Map.of("load", 10));
  }
}
