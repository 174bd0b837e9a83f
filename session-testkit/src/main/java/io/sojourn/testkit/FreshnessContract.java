package io.sojourn.testkit;

import static io.sojourn.testkit.ContractClient.redirectTo;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionPolicy;
import io.sojourn.testkit.ContractClient.Answer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What holds on every container where two servers do not ask the store at each request, whatever
 * makes them ask, with the default {@code maxStaleness}.
 */
public abstract class FreshnessContract extends TwoServers {

  static final Duration MAX_STALENESS = SessionPolicy.DEFAULT.maxStaleness();

  FreshnessContract(SessionPolicy.Freshness freshness) {
    super(freshness);
  }

  // ---------------------------------------------------------------- the client's own

  @Test
  @Tag("G1")
  @Tag("R12")
  void whatWasSetBeforeTheFirstByteIsSeenWhereTheClientGoesNext() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:n:begin");
    client.send(b(), "get:n");
    for (int i = 0; i < 20; i++) {
      Answer redirect = client.send(node(i), "set:n:" + i, redirectTo(node(i + 1), "get:n"));
      assertThat(client.follow(redirect).line()).isEqualTo(Integer.toString(i));
      for (String end : List.of("flush", "fill:50000", "error:404", "fill:10")) {
        client.send(node(i), "set:n:" + end + i, "add:cart:" + i, end);
        assertThat(client.send(node(i + 1), "get:n").line()).isEqualTo(end + i);
      }
    }
  }

  /** Six answers of one client are under way at once; whichever comes last must not set it back. */
  @Test
  @Tag("G1")
  void answersThatReachTheClientInAnotherOrderSetNothingBack() {
    Random random = new Random(8);
    ContractClient client = new ContractClient();
    client.send(a(), "begin");
    for (int round = 0; round < 40; round++) {
      List<Answer> answers = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        // One after the other, so that the last one is known; none of them knows of the others.
        String operation = "set:n:" + round + "." + i;
        answers.add(client.sendApart(node(random.nextInt(2)), operation).join());
      }
      while (!answers.isEmpty()) {
        client.keepCookies(answers.remove(random.nextInt(answers.size())).cookies());
      }
      assertThat(client.send(node(random.nextInt(2)), "get:n").line()).isEqualTo(round + ".5");
    }
  }

  @Test
  void aClientNeverSeesAnOlderStateThanItHasSeenOnAnotherServer() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:1");
    client.send(b(), "get:a");
    ContractClient device = new ContractClient();
    device.useSessionId(requireNonNull(client.sessionId()));
    device.send(a(), "set:a:2");
    assertThat(client.send(a(), "get:a").line()).isEqualTo("2");
    assertThat(client.send(b(), "get:a").line()).isEqualTo("2");
  }

  @Test
  @Tag("G7")
  @Tag("R7")
  void whoLogsOutOnOneServerIsLoggedOutOnTheOther() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:user:anna");
    client.send(b(), "get:user");
    String id = requireNonNull(client.sessionId());
    CompletableFuture<Answer> late = client.sendApart(a(), "get:user", "set:late:1");
    late.join();
    client.send(a(), "invalidate");
    client.keepCookies(late.join().cookies());
    client.useSessionId(id);
    assertThat(client.send(b(), "get:user").line()).isEqualTo("none");
    assertThat(client.send(a(), "get:user").line()).isEqualTo("none");
    client.send(b(), "set:user:bert");
    assertThat(client.send(a(), "get:user").line()).isEqualTo("bert");
    assertThat(client.send(b(), "get:user").line()).isEqualTo("bert");
  }

  // ---------------------------------------------------------------- who lies

  /**
   * Waits until this server has a copy of the client's session that it may use without asking, and
   * has heard of all that was written before.
   */
  abstract void awaitCopy(ContainerNode node, ContractClient client);

  @Test
  @Tag("G10")
  void aForgedVersionCostsOneLoadAndIsNotReflected() {
    ContractClient client = new ContractClient();
    client.send(a(), "set:a:1");
    awaitCopy(a(), client);
    String value = client.send(a(), "get:a").line();
    Map<String, String> good = client.otherCookies();
    String name = good.keySet().iterator().next();
    String beginning = name.substring(0, name.length() - 1);
    // What it holds up to the version.
    String tag = requireNonNull(good.get(name)).substring(0, 11);
    for (String forged :
        List.of(
            tag + "9223372036854775807",
            tag + "7777777777",
            tag + "99999999999999999999999999",
            tag + "-987650012345",
            tag + "forgery",
            tag,
            "forgery",
            "987650012345",
            "A".repeat(3000))) {
      for (String slot : List.of("0", "1", "9", "F")) {
        client.useOtherCookies(Map.of(beginning + slot, forged));
        takeCalls();
        Answer first = client.send(a(), "get:a");
        assertThat(first.line()).isEqualTo(value);
        assertThat(takeCalls()).as(forged).isEqualTo(Map.of("load", 1));
        assertNotReflected(first, forged, tag);
        assertThat(client.send(a(), "get:a").line()).isEqualTo(value);
        assertThat(takeCalls()).as("the next one after " + forged).isEmpty();
      }
    }
    client.useOtherCookies(
        Map.of(
            name, good.get(name) + "; " + name + "=" + tag + "7777777777; " + name + "=forgery"));
    Answer first = client.send(a(), "get:a");
    assertThat(first.line()).isEqualTo(value);
    assertThat(takeCalls()).as("three of one name").isEqualTo(Map.of("load", 1));
    assertNotReflected(first, tag + "7777777777", tag);
    assertNotReflected(first, "forgery", tag);
  }

  /** Neither in a header nor in the body. */
  private static void assertNotReflected(Answer answer, String forged, String tag) {
    // A tag alone is a part of what the client is told in its place.
    String own = forged.equals(tag) ? "=" + tag + ";" : forged.replace(tag, "");
    String all = answer.headers().map() + "\n" + answer.lines();
    assertThat(all).contains("=" + tag).doesNotContain(own);
  }

  // ---------------------------------------------------------------- expiry

  /**
   * By a server that seldom asks the store, while the other one has a copy that it does not use.
   */
  @Test
  @Tag("G6")
  @Tag("R26")
  void aSessionThatOneServerReadsWithoutAskingDoesNotExpire() {
    ContractClient client = new ContractClient();
    String marker = UUID.randomUUID().toString();
    client.send(a(), "add:cart:" + marker, "timeout:30");
    client.send(b(), "get:cart");
    for (int second = 1; second <= 300; second++) {
      setClock(Duration.ofSeconds(second));
      assertThat(client.send(a(), "get:cart").line()).isEqualTo(marker);
      if (second % 10 == 0) {
        b().scavenge();
      }
    }
    assertThat(destroyed(marker)).isZero();
    setClock(Duration.ofSeconds(300 + 29));
    b().scavenge();
    assertThat(destroyed(marker)).isZero();
    setClock(Duration.ofSeconds(300 + 38));
    b().scavenge();
    assertThat(destroyed(marker)).isEqualTo(1);
    assertThat(client.send(a(), "get:cart").line()).isEqualTo("none");
  }

  /** Whenever it was written last: a write does not ask, and need not move the session's end. */
  @Test
  @Tag("G6")
  @Tag("R26")
  void aSessionThatWasWrittenAndThenReadWithoutAskingDoesNotExpireEarly() {
    List<ContractClient> clients = new ArrayList<>();
    String marker = UUID.randomUUID().toString();
    for (int i = 0; i < 8; i++) {
      ContractClient client = new ContractClient();
      client.send(a(), "add:cart:" + marker, "timeout:30");
      clients.add(client);
    }
    for (int second = 1; second <= 20; second++) {
      setClock(Duration.ofSeconds(second));
      for (int i = 0; i < clients.size(); i++) {
        boolean writes = second == 11 + i;
        assertThat(clients.get(i).send(a(), writes ? "set:n:1" : "get:cart").status())
            .isEqualTo(200);
      }
    }
    setClock(Duration.ofSeconds(20 + 29));
    b().scavenge();
    assertThat(destroyed(marker)).isZero();
    setClock(Duration.ofSeconds(20 + 38));
    b().scavenge();
    assertThat(destroyed(marker)).isEqualTo(clients.size());
  }
}
