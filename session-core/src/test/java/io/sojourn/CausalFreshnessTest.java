package io.sojourn;

import static java.util.Objects.requireNonNull;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nodes that ask the store only for what their client may have seen. */
class CausalFreshnessTest {

  private static final Duration HALF_AN_HOUR = Duration.ofMinutes(30);
  private static final Duration MAX_STALENESS = Duration.ofSeconds(5);

  private Duration time = Duration.ZERO;
  private final InMemorySessionStore memory = new InMemorySessionStore(() -> time);
  private final SessionPolicy policy =
      SessionPolicy.DEFAULT.with(SessionPolicy.Freshness.CAUSAL, MAX_STALENESS);
  private final TextCodec codec = new TextCodec();
  private final SessionRepository a = node(policy);
  private final SessionRepository b = node(policy);
  private long callsTaken;

  private SessionRepository node(SessionPolicy itsPolicy) {
    return new SessionRepository(memory, codec, itsPolicy, () -> time);
  }

  /** How often both nodes have asked the store since this was asked last. */
  private long takeCalls() {
    long calls = a.statistics().calls() + b.statistics().calls();
    long taken = calls - callsTaken;
    callsTaken = calls;
    return taken;
  }

  /** What a client does: it is told a version by each answer, and tells the highest. */
  private static final class Client {
    final String id;
    long seen;

    Client(String id) {
      this.id = id;
    }

    @Nullable LiveSession open(SessionRepository node) {
      LiveSession session = node.open(id, copy -> seen);
      if (session != null) {
        seen = Math.max(seen, session.seenVersion());
      }
      return session;
    }

    LiveSession opened(SessionRepository node) {
      return requireNonNull(open(node));
    }

    void set(SessionRepository node, String name, String value) {
      LiveSession session = opened(node);
      session.setAttribute(name, value);
      assertThat(node.flush(session)).isTrue();
      seen = Math.max(seen, session.seenVersion());
    }

    @Nullable Object get(SessionRepository node, String name) {
      return opened(node).attribute(name);
    }
  }

  private Client begin(SessionRepository node) {
    LiveSession session = node.create("s", HALF_AN_HOUR);
    session.setAttribute("text", "one");
    node.flush(session);
    Client client = new Client("s");
    client.seen = session.seenVersion();
    long unused = takeCalls();
    return client;
  }

  private void pass(Duration duration) {
    time = time.plus(duration);
  }

  @Test
  @Tag("G9")
  void anUnchangedSessionIsReadWithoutAskingTheStore() {
    Client client = begin(a);
    for (int i = 0; i < 10; i++) {
      assertThat(client.get(a, "text")).isEqualTo("one");
    }
    assertThat(takeCalls()).isZero();
    for (int i = 0; i < 10; i++) {
      assertThat(client.get(b, "text")).isEqualTo("one");
    }
    assertThat(takeCalls()).isEqualTo(1);
    assertThat(a.nearCacheStatistics().hits()).isEqualTo(10);
    assertThat(b.nearCacheStatistics().hits()).isEqualTo(9);
    assertThat(b.nearCacheStatistics().misses()).isEqualTo(1);
  }

  @Test
  @Tag("G1")
  @Tag("R8")
  void aClientReadsItsOwnWritesOnEveryNode() {
    Client client = begin(a);
    client.get(b, "text");
    for (int i = 0; i < 100; i++) {
      SessionRepository writer = i % 2 == 0 ? a : b;
      client.set(writer, "n", Integer.toString(i));
      assertThat(client.get(i % 2 == 0 ? b : a, "n")).isEqualTo(Integer.toString(i));
    }
  }

  @Test
  void whatSomebodyElseDidIsSeenWhenTheStoreHasNotBeenAskedForTheMaxStaleness() {
    Client client = begin(a);
    client.get(b, "text");
    Client other = new Client("s");
    other.set(a, "text", "two");
    assertThat(client.get(b, "text")).isEqualTo("one");
    pass(MAX_STALENESS.plusMillis(1));
    assertThat(client.get(b, "text")).isEqualTo("two");
    assertThat(client.get(b, "text")).isEqualTo("two");
  }

  /** What a client was shown on one node it is shown on all others, whoever did it. */
  @Test
  void aClientNeverSeesAnOlderStateThanItHasSeen() {
    Client client = begin(a);
    client.get(b, "text");
    new Client("s").set(a, "text", "two");
    assertThat(client.get(a, "text")).isEqualTo("two");
    assertThat(client.get(b, "text")).isEqualTo("two");
  }

  @Test
  void aClientThatDoesNotSayWhatItHasSeenIsServedFromTheStore() {
    begin(a);
    for (int i = 0; i < 5; i++) {
      assertThat(a.open("s")).isNotNull();
    }
    assertThat(takeCalls()).isEqualTo(5);
  }

  @Test
  void aVersionThatTheStoreDoesNotHaveCostsALoad() {
    Client client = begin(a);
    client.seen = Long.MAX_VALUE;
    assertThat(client.get(a, "text")).isEqualTo("one");
    assertThat(takeCalls()).isEqualTo(1);
    client.seen = -5;
    assertThat(client.get(a, "text")).isEqualTo("one");
  }

  /** As after a fail-over that has lost writes, or when a backup was played back. */
  @Test
  @Tag("R81")
  void aStoreThatHasGoneBackIsNoticedByTheNextLoad() {
    Client client = begin(a);
    for (int i = 0; i < 5; i++) {
      client.set(a, "n", Integer.toString(i));
    }
    client.get(b, "n");
    SessionRecord whole =
        ((LoadResult.Found) memory.load(SessionKey.of("s"), SessionStore.NO_VERSION)).session();
    memory.remove(whole.origin());
    memory.create(
        new NewSession(
            whole.key(),
            whole.version() - 5,
            whole.creationTime(),
            whole.timeout(),
            Map.of("text", requireNonNull(whole.attributes().get("text")).value())));
    pass(MAX_STALENESS.plusMillis(1));
    LiveSession session = client.opened(b);
    assertThat(session.attribute("n")).isNull();
    assertThat(session.seenVersion()).isEqualTo(whole.version() - 5);
    client.seen = session.seenVersion();
    assertThat(takeCalls()).isPositive();
    assertThat(client.get(b, "text")).isEqualTo("one");
    assertThat(takeCalls()).isZero();
  }

  @Test
  void aSessionThatEndedElsewhereIsMissedNoLaterThanTheMaxStaleness() {
    Client client = begin(a);
    client.get(b, "text");
    assertThat(a.invalidate(client.opened(a))).isTrue();
    assertThat(client.open(a)).isNull();
    pass(MAX_STALENESS.plusMillis(1));
    assertThat(client.open(b)).isNull();
  }

  @Test
  @Tag("G7")
  void whatIsWrittenToASessionThatHasEndedElsewhereIsLostAndThenItIsGone() {
    Client client = begin(a);
    client.get(b, "text");
    assertThat(a.invalidate(client.opened(a))).isTrue();
    LiveSession onB = client.opened(b);
    onB.setAttribute("text", "late");
    assertThat(b.flush(onB)).isFalse();
    assertThat(client.open(b)).isNull();
    assertThat(client.open(a)).isNull();
  }

  /** A save that comes back as more than one more tells that somebody else has written. */
  @Test
  @Tag("G2")
  void whoLearnsBySavingThatItIsNotUpToDateAsksAtTheNextOpening() {
    Client client = begin(a);
    client.get(b, "text");
    new Client("s").set(a, "other", "1");
    client.set(b, "mine", "1");
    assertThat(client.get(b, "other")).isEqualTo("1");
    assertThat(client.get(a, "mine")).isEqualTo("1");
    client.seen = 1;
    new Client("s").set(a, "other", "2");
    client.set(b, "mine", "2");
    client.seen = 1;
    assertThat(client.get(b, "other")).as("told by the save alone").isEqualTo("2");
  }

  /** By this node's copy nothing changes; by the store's it does. */
  @Test
  @Tag("G1")
  @Tag("G2")
  void aSetThatLooksNeedlessByAnOlderCopyIsNot() {
    Client client = begin(a);
    client.get(b, "text");
    Client phone = new Client("s");
    phone.set(a, "text", "two");
    client.set(b, "text", "one");
    assertThat(client.get(a, "text")).isEqualTo("one");
    assertThat(new Client("s").get(b, "text")).isEqualTo("one");
    assertThat(phone.get(a, "text")).isEqualTo("one");
  }

  @Test
  @Tag("G1")
  @Tag("R3")
  void aRemovalThatLooksNeedlessByAnOlderCopyIsNot() {
    Client client = begin(a);
    client.get(b, "text");
    new Client("s").set(a, "added", "1");
    LiveSession onB = client.opened(b);
    assertThat(onB.removeAttribute("added")).isNull();
    assertThat(b.flush(onB)).isTrue();
    assertThat(new Client("s").get(a, "added")).isNull();
    assertThat(new Client("s").get(b, "added")).isNull();
    assertThat(onB.attributeNames()).containsExactly("text");
  }

  @Test
  @Tag("G9")
  void whatIsNeedlessCostsAQuestionAndNoSave() {
    Client client = begin(a);
    LiveSession session = client.opened(a);
    session.setAttribute("text", "one");
    session.removeAttribute("nothing");
    assertThat(a.flush(session)).isTrue();
    assertThat(takeCalls()).isEqualTo(1);
    assertThat(session.seenVersion()).isEqualTo(client.seen);
    assertThat(session.attributeNames()).containsExactly("text");
  }

  /** The later one wins, whole, as of two sets. */
  @Test
  @Tag("G1")
  void aChangeInPlaceOfAnOlderCopyIsTheClientsOwnWriteToo() {
    LiveSession begun = a.create("s", HALF_AN_HOUR);
    begun.setAttribute("list", new ArrayList<>(List.of("x")));
    a.flush(begun);
    Client client = new Client("s");
    client.seen = 1;
    client.opened(b);
    change(new Client("s"), a, "phone");
    change(client, b, "laptop");
    assertThat(list(client, a)).containsExactly("x", "laptop");
    assertThat(list(client, b)).containsExactly("x", "laptop");
  }

  /** It asks the store because it has also set something that looks needless. */
  @Test
  @Tag("G1")
  @Tag("G2")
  void aChangeInPlaceOfAnOlderCopyOutlivesAQuestionOfItsOwnRequest() {
    Client client = beginWithList();
    change(new Client("s"), a, "phone");
    LiveSession session = client.opened(b);
    b.beginUse(session);
    listOf(session).add("laptop");
    session.setAttribute("text", "one");
    assertThat(b.flush(session)).isTrue();
    b.endUse(session);
    assertThat(list(new Client("s"), a)).containsExactly("x", "laptop");
    assertThat(list(new Client("s"), b)).containsExactly("x", "laptop");
  }

  /** Whether it was changed before that or after. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @Tag("G1")
  @Tag("G2")
  void aChangeInPlaceOfAnOlderCopyOutlivesARefreshByAnotherRequest(boolean before) {
    Client client = beginWithList();
    Client phone = new Client("s");
    change(phone, a, "phone");
    LiveSession session = client.opened(b);
    b.beginUse(session);
    List<String> handedOut = listOf(session);
    if (before) {
      handedOut.add("laptop");
    }
    assertThat(list(phone, b)).containsExactly("x", "phone");
    if (!before) {
      handedOut.add("laptop");
    }
    assertThat(b.flush(session)).isTrue();
    b.endUse(session);
    assertThat(list(new Client("s"), a)).containsExactly("x", "laptop");
    assertThat(list(new Client("s"), b)).containsExactly("x", "laptop");
  }

  /** The refresh comes while the change is being encoded. */
  @Test
  @Tag("G1")
  @Tag("G2")
  void aChangeInPlaceOfAnOlderCopyOutlivesARefreshWhileItIsEncoded() {
    Client client = beginWithList();
    Client phone = new Client("s");
    change(phone, a, "phone");
    LiveSession session = client.opened(b);
    b.beginUse(session);
    listOf(session).add("laptop");
    codec.whileEncoding = () -> assertThat(phone.opened(b)).isSameAs(session);
    assertThat(b.flush(session)).isTrue();
    b.endUse(session);
    assertThat(list(new Client("s"), a)).containsExactly("x", "laptop");
    assertThat(list(new Client("s"), b)).containsExactly("x", "laptop");
  }

  /** What was only looked at is no reason to write what others have written over. */
  @Test
  @Tag("G2")
  void whatAnOlderCopyOnlyHandedOutIsNotSavedAfterARefresh() {
    Client client = beginWithList();
    Client phone = new Client("s");
    change(phone, a, "phone");
    LiveSession session = client.opened(b);
    b.beginUse(session);
    assertThat(listOf(session)).containsExactly("x");
    assertThat(list(phone, b)).containsExactly("x", "phone");
    assertThat(b.flush(session)).isTrue();
    b.endUse(session);
    assertThat(list(new Client("s"), a)).containsExactly("x", "phone");
    assertThat(list(new Client("s"), b)).containsExactly("x", "phone");
  }

  /** What it does when it is told that it is here is no change either. */
  @Test
  @Tag("G2")
  void whatAnOlderCopyHandedOutAndActivatedIsNotSavedAfterARefresh() {
    Client client = beginWithList();
    client.opened(b).attach("nothing", new ListActivation());
    Client phone = new Client("s");
    change(phone, a, "phone");
    LiveSession session = client.opened(b);
    b.beginUse(session);
    assertThat(listOf(session)).containsExactly("x", "active");
    assertThat(list(phone, b)).containsExactly("x", "phone", "active");
    assertThat(b.flush(session)).isTrue();
    b.endUse(session);
    assertThat(list(new Client("s"), a)).containsExactly("x", "phone");
  }

  /** Lists have one entry more while they are here. */
  private static final class ListActivation implements AttributeActivation {
    @Override
    public boolean isWanted(Object value) {
      return value instanceof List;
    }

    @Override
    @SuppressWarnings("unchecked")
    public void didActivate(Object value) {
      ((List<String>) value).add("active");
    }

    @Override
    public void willPassivate(Object value) {
      ((List<?>) value).remove("active");
    }
  }

  /** Each refresh during a long request takes the place of one more object. */
  @Test
  void whatALongRequestHasBeenHandedOutIsNotKeptForEver() {
    Client client = beginWithList();
    LiveSession session = client.opened(b);
    b.beginUse(session);
    for (int i = 0; i < 50; i++) {
      change(new Client("s"), a, "item " + i);
      assertThat(list(client, b)).isNotEmpty();
      pass(MAX_STALENESS.plusMillis(1));
      assertThat(list(client, b)).contains("item " + i);
    }
    long checks = codec.encoded.get();
    assertThat(b.flush(session)).isTrue();
    assertThat(codec.encoded.get() - checks).isLessThan(20);
    b.endUse(session);
  }

  /** It would write into a session that is no more, and be told that all is well. */
  @Test
  @Tag("G7")
  void whoWaitsForASaveThatFindsNoSessionFindsNoneEither() throws Exception {
    CountDownLatch sent = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    SessionRepository node = new SessionRepository(late(sent, answer), codec, policy, () -> time);
    LiveSession session = node.create("s", HALF_AN_HOUR);
    assertThat(node.flush(session)).isTrue();
    Client client = new Client("s");
    client.seen = session.seenVersion();
    assertThat(memory.remove(SessionKey.of("s"))).isTrue();
    session.setAttribute("text", "late");
    FutureTask<Boolean> saving = new FutureTask<>(() -> node.flush(session));
    new Thread(saving).start();
    assertThat(sent.await(30, SECONDS)).isTrue();
    FutureTask<@Nullable LiveSession> opening = new FutureTask<>(() -> client.open(node));
    Thread opener = new Thread(opening);
    opener.start();
    while (opener.getState() != Thread.State.TIMED_WAITING) {
      assertThat(opener.isAlive()).as("it waits").isTrue();
      Thread.onSpinWait();
    }
    answer.countDown();
    assertThat(saving.get()).isFalse();
    assertThat(opening.get()).isNull();
  }

  /** Else it could be shown the older one again by another node. */
  @Test
  @Tag("G1")
  void whatIsShownOfARefreshThatIsUnderWayIsToldAsItsVersion() throws Exception {
    Client client = begin(a);
    client.set(a, "slow", "slow");
    CountDownLatch decoding = new CountDownLatch(1);
    CountDownLatch decoded = new CountDownLatch(1);
    SessionRepository node =
        new SessionRepository(memory, slow(decoding, decoded), policy, () -> time);
    LiveSession session = client.opened(node);
    LiveSession changed = new Client("s").opened(a);
    changed.setAttribute("text", "two");
    changed.removeAttribute("slow");
    assertThat(a.flush(changed)).isTrue();
    // What is being decoded keeps the refresh from taking its place.
    new Thread(() -> session.attribute("slow")).start();
    assertThat(decoding.await(30, SECONDS)).isTrue();
    FutureTask<@Nullable LiveSession> refreshing = new FutureTask<>(() -> node.open("s"));
    Thread refresher = new Thread(refreshing);
    refresher.start();
    while (!requireNonNull(session.attribute("text")).equals("two")) {
      assertThat(refresher.isAlive()).isTrue();
      Thread.onSpinWait();
    }
    FutureTask<Long> told = new FutureTask<>(session::seenVersion);
    Thread teller = new Thread(told);
    teller.start();
    while (teller.isAlive() && teller.getState() != Thread.State.BLOCKED) {
      Thread.onSpinWait();
    }
    decoded.countDown();
    assertThat(told.get()).isEqualTo(changed.seenVersion());
    assertThat(refreshing.get()).isSameAs(session);
  }

  /** A codec whose decoding of "slow" takes its time. */
  private AttributeCodec slow(CountDownLatch decoding, CountDownLatch decoded) {
    return late(
        AttributeCodec.class,
        codec,
        (method, result) -> method.equals("decode") && "slow".equals(result),
        decoding,
        decoded);
  }

  /** The store, whose answer to a save takes its time. */
  private SessionStore late(CountDownLatch sent, CountDownLatch answer) {
    return late(
        SessionStore.class, memory, (method, result) -> method.equals("save"), sent, answer);
  }

  /**
   * The same, but some of its answers take their time.
   *
   * @param which by the method's name and the answer
   * @param ready counted down when there is such an answer
   * @param leaves awaited before it is given
   */
  private static <T> T late(
      Class<T> type,
      T target,
      BiPredicate<String, @Nullable Object> which,
      CountDownLatch ready,
      CountDownLatch leaves) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              Object answer = method.invoke(target, arguments);
              if (which.test(method.getName(), answer)) {
                ready.countDown();
                leaves.await();
              }
              return answer;
            }));
  }

  /** What another one has removed meanwhile is there again: the later one wins. */
  @Test
  @Tag("G1")
  @Tag("G2")
  void aChangeInPlaceOfAnOlderCopyOutlivesARemovalElsewhere() {
    Client client = beginWithList();
    Client phone = new Client("s");
    LiveSession onA = phone.opened(a);
    onA.removeAttribute("list");
    assertThat(a.flush(onA)).isTrue();
    phone.seen = onA.seenVersion();
    LiveSession session = client.opened(b);
    b.beginUse(session);
    List<String> handedOut = listOf(session);
    assertThat(phone.get(b, "list")).isNull();
    handedOut.add("laptop");
    assertThat(b.flush(session)).isTrue();
    b.endUse(session);
    assertThat(list(new Client("s"), a)).containsExactly("x", "laptop");
    assertThat(list(new Client("s"), b)).containsExactly("x", "laptop");
  }

  /** Both nodes have it. */
  private Client beginWithList() {
    LiveSession begun = a.create("s", HALF_AN_HOUR);
    begun.setAttribute("list", new ArrayList<>(List.of("x")));
    begun.setAttribute("text", "one");
    assertThat(a.flush(begun)).isTrue();
    Client client = new Client("s");
    client.seen = begun.seenVersion();
    assertThat(listOf(client.opened(b))).containsExactly("x");
    return client;
  }

  @SuppressWarnings("unchecked")
  private static List<String> listOf(LiveSession session) {
    return (List<String>) requireNonNull(session.attribute("list"));
  }

  private static void change(Client client, SessionRepository node, String item) {
    list(client, node).add(item);
    LiveSession session = client.opened(node);
    assertThat(node.flush(session)).isTrue();
    client.seen = Math.max(client.seen, session.seenVersion());
  }

  private static List<String> list(Client client, SessionRepository node) {
    return listOf(client.opened(node));
  }

  /** A refresh that comes while a request of this node has changes that are not saved. */
  @Test
  @Tag("G2")
  void whatWaitsToBeSavedOutlivesARefresh() {
    Client client = begin(a);
    LiveSession slow = client.opened(b);
    b.beginUse(slow);
    slow.setAttribute("text", "mine");
    client.set(a, "other", "1");
    assertThat(client.get(b, "other")).isEqualTo("1");
    assertThat(slow.attribute("text")).isEqualTo("mine");
    b.flush(slow);
    b.endUse(slow);
    assertThat(new Client("s").get(a, "text")).isEqualTo("mine");
  }

  /** They share one copy, which neither of them reads behind the other's back. */
  @Test
  void twoRequestsOfASessionOnOneNodeSeeEachOtherAndSaveEachItsOwn() {
    Client client = begin(a);
    LiveSession one = client.opened(a);
    a.beginUse(one);
    LiveSession two = client.opened(a);
    a.beginUse(two);
    assertThat(two).isSameAs(one);
    one.setAttribute("one", "1");
    assertThat(two.attribute("one")).isEqualTo("1");
    two.setAttribute("two", "2");
    assertThat(a.flush(two)).isTrue();
    a.endUse(two);
    assertThat(a.flush(one)).isTrue();
    a.endUse(one);
    assertThat(takeCalls()).as("one save has both").isEqualTo(1);
    assertThat(client.get(b, "one")).isEqualTo("1");
    assertThat(client.get(b, "two")).isEqualTo("2");
  }

  @Test
  @Tag("G6")
  @Tag("R26")
  void aSessionThatIsReadWithoutAskingLivesOn() {
    Duration life = Duration.ofSeconds(30);
    Duration touch = IdleTimeout.of(life, policy.touchInterval()).touchInterval();
    for (int reads = 1; reads <= 60; reads++) {
      String id = "read" + reads;
      SessionKey key = SessionKey.of(id);
      LiveSession session = a.create(id, life);
      a.flush(session);
      Client client = new Client(id);
      client.seen = session.seenVersion();
      for (int i = 0; i < reads; i++) {
        pass(Duration.ofMillis(700));
        if (i == reads / 2) {
          client.set(a, "n", "1");
        }
        assertThat(client.open(a)).isNotNull();
      }
      // Nobody tells the store of the last reads: this node dies.
      pass(life.minusMillis(100));
      assertThat(memory.claimExpired(10, HALF_AN_HOUR)).as("after %s reads", reads).isEmpty();
      pass(touch.plusMillis(200));
      assertThat(memory.claimExpired(10, HALF_AN_HOUR))
          .as("after %s reads", reads)
          .extracting(SessionRecord::key)
          .containsExactly(key);
      assertThat(memory.remove(key)).isTrue();
    }
  }

  /**
   * A checker that finds nothing in a store that loses nothing has to be able to find something.
   */
  @Test
  @Tag("G1")
  void clientsReadTheirOwnWritesAndNeverGoBackAndTheCheckFailsWithoutTheVersion() {
    long seed = Long.getLong("sojourn.test.seed", System.nanoTime());
    assertThat(violations(seed, true)).as("seed " + seed).isEmpty();
    assertThat(violations(seed, false)).as("with the version ignored").isNotEmpty();
  }

  /**
   * Three clients of one session on three nodes, each of which writes an attribute of its own and
   * reads all: its own must be what it wrote last, others never older than it has seen, nor than
   * the maximal staleness allows.
   */
  private List<String> violations(long seed, boolean heeded) {
    Random random = new Random(seed);
    time = Duration.ZERO;
    List<String> found = new ArrayList<>();
    String id = "model" + heeded + seed;
    List<SessionRepository> nodes = List.of(node(policy), node(policy), node(policy));
    LiveSession begun = nodes.get(0).create(id, HALF_AN_HOUR);
    nodes.get(0).flush(begun);
    List<Client> clients = List.of(new Client(id), new Client(id), new Client(id));
    int[][] shown = new int[clients.size()][clients.size()];
    Map<Integer, List<Written>> written = new HashMap<>();
    for (int step = 1; step <= 3000; step++) {
      int who = random.nextInt(clients.size());
      Client client = clients.get(who);
      SessionRepository node = nodes.get(random.nextInt(nodes.size()));
      long before = client.seen;
      if (!heeded) {
        client.seen = 1;
      }
      if (random.nextInt(3) == 0) {
        client.set(node, "of" + who, Integer.toString(step));
        written.computeIfAbsent(who, key -> new ArrayList<>()).add(new Written(step, time));
        shown[who][who] = step;
      } else {
        LiveSession session = client.opened(node);
        for (int other = 0; other < clients.size(); other++) {
          Object value = session.attribute("of" + other);
          int saw = value == null ? 0 : Integer.parseInt((String) value);
          if (saw < Math.max(shown[who][other], mustBeSeen(written.get(other)))) {
            found.add("step " + step + ": client " + who + " saw " + saw + " of " + other);
          }
          shown[who][other] = Math.max(saw, shown[who][other]);
        }
      }
      client.seen = Math.max(before, client.seen);
      pass(Duration.ofMillis(random.nextInt(400)));
    }
    return found;
  }

  private int mustBeSeen(@Nullable List<Written> all) {
    int latest = 0;
    for (Written one : all == null ? List.<Written>of() : all) {
      if (one.at.plus(MAX_STALENESS).compareTo(time) < 0) {
        latest = one.step;
      }
    }
    return latest;
  }

  private record Written(int step, Duration at) {}
}
