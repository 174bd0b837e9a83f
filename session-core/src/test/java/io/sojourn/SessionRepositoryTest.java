package io.sojourn;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two nodes, A and B, each with a repository of its own over one store. */
class SessionRepositoryTest {

  private static final Duration HALF_AN_HOUR = Duration.ofMinutes(30);

  private final AtomicReference<Duration> clockOffset = new AtomicReference<>(Duration.ZERO);
  private final WatchedStore store = new WatchedStore(new InMemorySessionStore(clockOffset::get));
  private final TextCodec codec = new TextCodec();
  private final SessionRepository a = new SessionRepository(store, codec, SessionPolicy.DEFAULT);
  private final SessionRepository b = new SessionRepository(store, codec, SessionPolicy.DEFAULT);

  /** Keeps the calls, and fails when told to. */
  private static final class WatchedStore implements SessionStore {
    final SessionStore inner;
    final Map<String, Integer> calls = new ConcurrentSkipListMap<>();
    final List<SessionDelta> deltas = Collections.synchronizedList(new ArrayList<>());
    final Semaphore leased = new Semaphore(0);
    final AtomicInteger refusedLeases = new AtomicInteger();
    Runnable beforeAnswer = () -> {};
    volatile boolean slow;
    boolean down;
    String refused = "";

    WatchedStore(SessionStore inner) {
      this.inner = inner;
    }

    private void called(String name) {
      calls.merge(name, 1, Integer::sum);
      if (down) {
        throw new StoreUnavailableException("down", null);
      }
      linger();
    }

    /** Has answers overtake each other. */
    private void linger() {
      if (slow) {
        LockSupport.parkNanos(ThreadLocalRandom.current().nextInt(500_000));
      }
    }

    @Override
    public boolean create(NewSession session) {
      called("create");
      return inner.create(session);
    }

    @Override
    public LoadResult load(SessionKey key, long knownVersion, Duration unasked) {
      called("load");
      LoadResult answer = inner.load(key, knownVersion, unasked);
      linger();
      return answer;
    }

    @Override
    public OptionalLong save(SessionDelta delta) {
      called("save");
      deltas.add(delta);
      OptionalLong answer = inner.save(delta);
      Runnable before = beforeAnswer;
      beforeAnswer = () -> {};
      before.run();
      linger();
      return answer;
    }

    @Override
    public OptionalLong save(SessionDelta delta, long holder) {
      called("save");
      return inner.save(delta, holder);
    }

    /** Not counted: leases are renewed by another thread. */
    @Override
    public Lease lease(SessionKey key, long holder, Duration leaseTime) {
      Lease answer = inner.lease(key, holder, leaseTime);
      if (answer == Lease.BUSY) {
        refusedLeases.incrementAndGet();
      }
      leased.release();
      return answer;
    }

    /** Waits until a lease has been asked for from now on. */
    void awaitLease() {
      leased.drainPermits();
      leased.acquireUninterruptibly();
    }

    @Override
    public void release(SessionKey origin, long holder) {
      inner.release(origin, holder);
    }

    @Override
    public boolean rename(SessionKey key, SessionKey newKey) {
      called("rename");
      return inner.rename(key, newKey);
    }

    @Override
    public boolean remove(SessionKey origin) {
      called("remove");
      return inner.remove(origin);
    }

    @Override
    public List<SessionRecord> claimExpired(int limit, Duration claimTime) {
      called("claimExpired");
      return inner.claimExpired(limit, claimTime);
    }

    @Override
    public List<SessionKey> findByPrincipal(PrincipalKey principal, int limit) {
      called("findByPrincipal");
      List<SessionKey> answer = inner.findByPrincipal(principal, limit);
      Runnable before = beforeAnswer;
      beforeAnswer = () -> {};
      before.run();
      return answer;
    }

    @Override
    public Optional<String> refusal(String name, EncodedValue value) {
      return name.equals(refused) ? Optional.of("it is too large") : Optional.empty();
    }

    @Override
    public void ping() {
      called("ping");
    }

    @Override
    public void close() {
      inner.close();
    }

    Map<String, Integer> takeCalls() {
      Map<String, Integer> taken = Map.copyOf(calls);
      calls.clear();
      deltas.clear();
      return taken;
    }

    SessionDelta onlyDelta() {
      assertThat(deltas).hasSize(1);
      return deltas.get(0);
    }
  }

  private LiveSession created(SessionRepository node, String id) {
    LiveSession session = node.create(id, HALF_AN_HOUR);
    session.setAttribute("text", "one");
    session.setAttribute("list", new ArrayList<>(List.of("x")));
    node.flush(session);
    store.takeCalls();
    codec.decoded.set(0);
    return session;
  }

  private static LiveSession opened(SessionRepository node, String id) {
    return requireNonNull(node.open(id));
  }

  @SuppressWarnings("unchecked")
  private static List<String> list(LiveSession session) {
    return (List<String>) requireNonNull(session.attribute("list"));
  }

  private static EncodedValue bytes(String text) {
    return EncodedValue.of(text.getBytes(UTF_8));
  }

  // ---------------------------------------------------------------- a user's sessions

  private static final PrincipalKey ANNA = PrincipalKey.of("shop", "anna");

  @Test
  @Tag("G9")
  @Tag("R73")
  void whoIsLoggedInIsSavedWithTheLoginAndWithNothingElse() {
    LiveSession session = created(a, "id");
    session.setPrincipal(ANNA);
    session.setAttribute("text", "two");
    assertThat(a.flush(session)).isTrue();
    assertThat(store.onlyDelta().principal()).hasValue(ANNA);
    assertThat(store.onlyDelta().changes()).containsOnlyKeys("text");
    store.takeCalls();
    assertThat(a.flush(session)).isTrue();
    assertThat(store.takeCalls()).isEmpty();
    session.setAttribute("text", "three");
    assertThat(a.flush(session)).isTrue();
    assertThat(store.onlyDelta().principal()).isEmpty();
    assertThat(b.findByPrincipal(ANNA)).containsExactly(session.key());
    LiveSession begun = b.create("begun", HALF_AN_HOUR);
    begun.setPrincipal(ANNA);
    assertThat(b.flush(begun)).isTrue();
    assertThat(a.findByPrincipal(ANNA)).contains(begun.key(), session.key());
    store.takeCalls();
    assertThat(b.flush(begun)).isTrue();
    assertThat(store.takeCalls()).isEmpty();
  }

  @Test
  @Tag("G5")
  @Tag("R73")
  void aLoginThatCouldNotBeSavedIsSavedLater() {
    LiveSession session = created(a, "id");
    session.setPrincipal(ANNA);
    store.down = true;
    assertThatThrownBy(() -> a.flush(session)).isInstanceOf(StoreUnavailableException.class);
    store.down = false;
    assertThat(b.findByPrincipal(ANNA)).isEmpty();
    a.maintain();
    assertThat(b.findByPrincipal(ANNA)).containsExactly(session.key());
  }

  @Test
  @Tag("R73")
  void aUsersSessionsAreEndedThoughOneIsGivenAnotherIdMeanwhile() {
    LiveSession renamed = created(a, "one");
    LiveSession other = created(a, "two");
    LiveSession nobodys = created(a, "three");
    for (LiveSession session : List.of(renamed, other)) {
      session.setPrincipal(ANNA);
      assertThat(a.flush(session)).isTrue();
    }
    store.beforeAnswer = () -> assertThat(a.rename(renamed, "one more")).isTrue();
    List<SessionKey> told = new ArrayList<>();
    int ended =
        b.endSessionsOf(
            ANNA,
            session -> {
              assertThat(b.invalidate(session)).isTrue();
              told.add(session.key());
            });
    assertThat(ended).isEqualTo(2);
    assertThat(told).containsExactlyInAnyOrder(SessionKey.of("one more"), SessionKey.of("two"));
    assertThat(a.open("one more")).isNull();
    assertThat(a.open("two")).isNull();
    assertThat(a.open("three")).isSameAs(nobodys);
    assertThat(b.endSessionsOf(ANNA, session -> {})).isZero();
  }

  // ---------------------------------------------------------------- leases

  private static final String ID = "leased";

  /** Waits until the turn of those is over that were refused. */
  private static SessionLease leased(SessionRepository node) {
    return requireNonNull(node.lease(ID, Duration.ofSeconds(30)));
  }

  private static void assertBusy(SessionRepository node) {
    assertThatThrownBy(() -> node.lease(ID, Duration.ZERO))
        .isInstanceOf(SessionBusyException.class);
  }

  @Test
  @Tag("G3")
  void aLeasedSessionIsOneRequestsUntilItIsReleased() {
    created(a, ID);
    SessionLease lease = leased(a);
    assertBusy(a);
    assertBusy(b);
    lease.session().setAttribute("text", "two");
    assertThat(a.flush(lease.session())).isTrue();
    a.release(lease);
    a.release(lease);
    SessionLease next = leased(b);
    assertThat(next.session().attribute("text")).isEqualTo("two");
    b.release(next);
    assertThat(a.lease("nobody", Duration.ZERO)).isNull();
    assertThat(leased(a).session().attribute("text")).isEqualTo("two");
  }

  @Test
  @Tag("G3")
  void aSessionIsItsCreatorsFromTheFirstMomentThatTheStoreHasIt() {
    LiveSession session = a.create(ID, HALF_AN_HOUR);
    SessionLease lease = a.lease(session);
    session.setAttribute("text", "one");
    assertBusy(a);
    a.flush(session);
    assertBusy(a);
    assertBusy(b);
    a.release(lease);
    assertThat(leased(b).session().attribute("text")).isEqualTo("one");
  }

  /** Or else each would come late by as much as it had still to sleep. */
  @Test
  @Timeout(60)
  @Tag("G3")
  @Tag("R54")
  void requestsOfOneNodeThatWaitForEachOtherDoNotPollTheStore() throws Exception {
    created(a, ID);
    SessionLease first = leased(a);
    ExecutorService threads = Executors.newFixedThreadPool(20);
    List<Future<?>> ends = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      ends.add(threads.submit(() -> a.release(leased(a))));
    }
    a.release(first);
    for (Future<?> end : ends) {
      Object unused = end.get();
    }
    threads.shutdown();
    assertThat(store.refusedLeases).hasValue(0);
  }

  @Test
  @Tag("G3")
  void whatARequestChangedIsDroppedWhenItHasLostTheLease() {
    created(a, ID);
    SessionLease lost = leased(a);
    lost.session().setAttribute("text", "late");
    clockOffset.set(Duration.ofMinutes(1));
    SessionLease taken = leased(b);
    assertThatThrownBy(() -> a.flush(lost.session())).isInstanceOf(SessionBusyException.class);
    a.release(lost);
    a.maintain();
    taken.session().setAttribute("text", "two");
    b.flush(taken.session());
    b.release(taken);
    assertThat(leased(a).session().attribute("text")).isEqualTo("two");
  }

  @Test
  @Tag("G3")
  void whatCouldNotBeSavedUnderTheLeaseIsNotSavedWithoutIt() {
    created(a, ID);
    SessionLease lease = leased(a);
    lease.session().setAttribute("text", "unsaved");
    store.down = true;
    assertThatThrownBy(() -> a.flush(lease.session()))
        .isInstanceOf(StoreUnavailableException.class);
    a.release(lease);
    store.down = false;
    a.maintain();
    assertThat(leased(a).session().attribute("text")).isEqualTo("one");
  }

  @Test
  @Tag("G3")
  void aLeaseIsRenewedWhileItsRequestRuns() {
    created(a, ID);
    SessionLease lease = leased(a);
    LiveSession session = lease.session();
    // Altogether longer than a lease lasts that nobody renews.
    for (int i = 1; i <= 3; i++) {
      clockOffset.set(SessionLeases.LEASE_TIME.multipliedBy(i).dividedBy(2));
      store.awaitLease();
    }
    assertBusy(b);
    session.setAttribute("text", "two");
    assertThat(a.flush(session)).isTrue();
    a.release(lease);
    assertThat(leased(b).session().attribute("text")).isEqualTo("two");
  }

  // ---------------------------------------------------------------- reading

  @Test
  @Tag("G9")
  void openingAnUnchangedSessionIsOneCallAndDecodesNothing() {
    created(a, "s");
    LiveSession first = opened(b, "s");
    assertThat(first.attributeNames()).containsExactlyInAnyOrder("text", "list");
    assertThat(codec.decoded).hasValue(0);
    assertThat(store.takeCalls()).isEqualTo(Map.of("load", 1));

    assertThat(opened(b, "s")).isSameAs(first);
    assertThat(first.attribute("text")).isEqualTo("one");
    assertThat(codec.decoded).hasValue(1);
    b.flush(first);
    assertThat(store.takeCalls()).isEqualTo(Map.of("load", 1));
  }

  @Test
  void anObjectStaysTheSameUntilAnotherNodeChangesIt() {
    created(a, "s");
    LiveSession onB = opened(b, "s");
    Object list = onB.attribute("list");
    opened(a, "s").setAttribute("text", "two");
    a.flush(opened(a, "s"));
    assertThat(opened(b, "s").attribute("text")).isEqualTo("two");
    assertThat(onB.attribute("list")).isSameAs(list);

    list(opened(a, "s")).add("y");
    a.flush(opened(a, "s"));
    assertThat(list(opened(b, "s"))).containsExactly("x", "y").isNotSameAs(list);
  }

  @Test
  void anUnknownIdIsNoSession() {
    assertThat(a.open("nobody")).isNull();
  }

  @Test
  void lastAccessIsTheAccessBeforeThisOneAndNeverMovesBack() {
    created(a, "s");
    LiveSession onB = opened(b, "s");
    assertThat(onB.lastAccessTime())
        .isBetween(onB.creationTime(), onB.creationTime().plusSeconds(590));
    clockOffset.set(Duration.ofMinutes(10));
    opened(a, "s");
    opened(b, "s");
    assertThat(onB.lastAccessTime()).isAfter(onB.creationTime().plusSeconds(590));
    clockOffset.set(Duration.ZERO);
    opened(b, "s");
    assertThat(onB.lastAccessTime()).isAfter(onB.creationTime().plusSeconds(590));
  }

  // ---------------------------------------------------------------- deltas

  @Test
  @Tag("G9")
  @Tag("R77")
  void aSaveMovesOnlyWhatChanged() {
    LiveSession session = created(a, "s");
    session.setAttribute("other", "new");
    session.removeAttribute("text");
    a.flush(session);
    assertThat(store.onlyDelta().changes())
        .isEqualTo(
            Map.of(
                "other", new AttributeChange.Set(bytes("new")),
                "text", new AttributeChange.Remove()));
    store.takeCalls();
    a.flush(session);
    assertThat(store.takeCalls()).isEmpty();
  }

  @Test
  void aSetToTheSameBytesIsNoChange() {
    LiveSession session = created(a, "s");
    session.setAttribute("text", "one");
    session.setAttribute("list", new ArrayList<>(List.of("x")));
    a.flush(session);
    assertThat(store.takeCalls()).isEmpty();
  }

  @Test
  void whatIsSetAndRemovedBetweenTwoSavesCostsNothing() {
    LiveSession session = created(a, "s");
    session.setAttribute("flash", "x");
    session.removeAttribute("flash");
    assertThat(session.attribute("flash")).isNull();
    a.flush(session);
    assertThat(store.takeCalls()).isEmpty();
    session.setAttribute("flash", "y");
    a.flush(session);
    assertThat(store.onlyDelta().changes()).containsOnlyKeys("flash");
  }

  @Test
  @Tag("R9")
  void aListChangedInPlaceIsSavedOverTheVersionThatWasRead() {
    LiveSession session = created(a, "s");
    long read = session.knownVersion();
    list(session).add("y");
    a.flush(session);
    assertThat(store.onlyDelta().changes())
        .isEqualTo(Map.of("list", new AttributeChange.Replace(bytes("[x,y"), read)));
    assertThat(list(opened(b, "s"))).containsExactly("x", "y");
  }

  /** Whether the first save was applied it has not been told: somebody else had saved, too. */
  @Test
  @Tag("G1")
  @Tag("R9")
  void aListChangedInPlaceAgainIsSavedOverWhatThisNodeHasSavedItself() {
    created(a, "s");
    LiveSession onB = opened(b, "s");
    for (String item : List.of("y", "z", "last")) {
      opened(a, "s").setAttribute("other", item);
      assertThat(a.flush(opened(a, "s"))).isTrue();
      list(onB).add(item);
      assertThat(b.flush(onB)).isTrue();
    }
    assertThat(list(opened(a, "s"))).containsExactly("x", "y", "z", "last");
    assertThat(list(opened(b, "s"))).containsExactly("x", "y", "z", "last");
  }

  /** It yields to what somebody else has saved, however often it is tried. */
  @Test
  @Tag("G2")
  void aListChangedInPlaceAgainIsNotSavedOverWhatAnotherNodeHasSaved() {
    created(a, "s");
    LiveSession onB = opened(b, "s");
    list(opened(a, "s")).add("news");
    assertThat(a.flush(opened(a, "s"))).isTrue();
    for (String item : List.of("y", "z")) {
      list(onB).add(item);
      assertThat(b.flush(onB)).isTrue();
    }
    assertThat(list(opened(a, "s"))).containsExactly("x", "news");
    assertThat(list(opened(b, "s"))).containsExactly("x", "news");
  }

  @Test
  void aListThatEncodesDifferentlyAfterDecodingIsNotAChange() {
    LiveSession session = a.create("s", HALF_AN_HOUR);
    session.setAttribute("list", new ArrayList<>(List.of("restless")));
    a.flush(session);
    LiveSession onB = opened(b, "s");
    store.takeCalls();
    assertThat(list(onB)).containsExactly("restless");
    b.flush(onB);
    assertThat(store.takeCalls()).isEmpty();
    int before = codec.decoded.get();
    list(onB);
    b.flush(onB);
    assertThat(codec.decoded.get()).as("the second check compares at once").isEqualTo(before);
    list(onB).add("changed");
    b.flush(onB);
    assertThat(store.onlyDelta().changes()).containsOnlyKeys("list");
  }

  @Test
  void withoutDirtyCheckOnlySetsAreSaved() {
    SessionRepository node =
        new SessionRepository(
            store,
            codec,
            new SessionPolicy(
                Duration.ofMinutes(1),
                SessionPolicy.DirtyCheck.SET,
                SessionPolicy.Undecodable.FAIL,
                10));
    created(a, "s");
    LiveSession session = opened(node, "s");
    list(session).add("y");
    codec.encoded.set(0);
    node.flush(session);
    assertThat(codec.encoded).hasValue(0);
    assertThat(store.takeCalls()).doesNotContainKey("save");
    session.setAttribute("list", list(session));
    node.flush(session);
    assertThat(store.onlyDelta().changes()).containsOnlyKeys("list");
  }

  @Test
  @Tag("R43")
  void anAttributeThatCannotBeEncodedIsLeftOutAndTheOthersAreSaved() {
    LiveSession session = created(a, "s");
    session.setAttribute("bad", "unencodable");
    session.setAttribute("good", "g");
    assertThat(a.flush(session)).isTrue();
    assertThat(store.onlyDelta().changes()).containsOnlyKeys("good");
    assertThat(session.attribute("bad")).isEqualTo("unencodable");
    assertThat(opened(b, "s").attributeNames()).contains("good").doesNotContain("bad");
  }

  @Test
  @Tag("R87")
  void anAttributeThatTheStoreRefusesIsLeftOutAndTheOthersAreSaved() {
    LiveSession session = created(a, "s");
    store.refused = "big";
    session.setAttribute("big", "x".repeat(100));
    session.setAttribute("good", "g");
    assertThat(a.flush(session)).isTrue();
    assertThat(store.onlyDelta().changes()).containsOnlyKeys("good");
    assertThat(opened(b, "s").attributeNames()).contains("good").doesNotContain("big");

    LiveSession fresh = a.create("t", HALF_AN_HOUR);
    fresh.setAttribute("big", "x");
    fresh.setAttribute("good", "g");
    assertThat(a.flush(fresh)).isTrue();
    assertThat(opened(b, "t").attributeNames()).containsExactly("good");

    store.refused = "";
    session.setAttribute("big", "y");
    assertThat(a.flush(session)).isTrue();
    assertThat(opened(b, "s").attribute("big")).isEqualTo("y");
  }

  // ---------------------------------------------------------------- two nodes

  @Test
  @Tag("G2")
  void aRefreshKeepsWhatThisNodeHasNotSavedYet() {
    LiveSession onA = created(a, "s");
    LiveSession onB = opened(b, "s");
    onB.setAttribute("text", "mine");
    onB.removeAttribute("list");
    onA.setAttribute("text", "theirs");
    onA.setAttribute("list", new ArrayList<>(List.of("theirs")));
    onA.setAttribute("third", "theirs");
    a.flush(onA);
    opened(b, "s");
    assertThat(onB.attribute("text")).isEqualTo("mine");
    assertThat(onB.attribute("list")).isNull();
    assertThat(onB.attribute("third")).isEqualTo("theirs");
    b.flush(onB);
    opened(a, "s");
    assertThat(onA.attribute("text")).isEqualTo("mine");
    assertThat(onA.attributeNames()).containsExactlyInAnyOrder("text", "third");
  }

  @Test
  @Tag("G2")
  @Tag("R1")
  void aDetectedChangeGivesWayToAnotherNodesNews() {
    created(a, "s");
    LiveSession onB = opened(b, "s");
    list(onB).add("guess");
    list(opened(a, "s")).add("news");
    a.flush(opened(a, "s"));
    onB.setAttribute("text", "two");
    b.flush(onB);
    assertThat(list(opened(b, "s"))).containsExactly("x", "news");
    assertThat(list(opened(a, "s"))).containsExactly("x", "news");
    assertThat(opened(a, "s").attribute("text")).isEqualTo("two");
  }

  @Test
  void aSaveThatWasNotAloneLeavesTheCopyToBeRefreshed() {
    long first = created(a, "s").knownVersion();
    LiveSession onB = opened(b, "s");
    LiveSession onA = opened(a, "s");
    onA.setAttribute("a", "1");
    a.flush(onA);
    onB.setAttribute("b", "1");
    b.flush(onB);
    assertThat(onB.knownVersion()).isEqualTo(first);
    opened(b, "s");
    assertThat(onB.knownVersion()).isEqualTo(first + 2);
    assertThat(onB.attribute("a")).isEqualTo("1");
    assertThat(onB.attribute("b")).isEqualTo("1");
  }

  /** Another request of this node hears of it before the save is answered. */
  @ParameterizedTest
  @ValueSource(strings = {"set set", "set remove", "remove set", "change set", "change change"})
  @Tag("G2")
  void whatWasWrittenOverASaveThatHasNotBeenAnsweredYetIsNotForgotten(String writes) {
    created(a, "s");
    String[] both = writes.split(" ", -1);
    LiveSession onA = opened(a, "s");
    write(onA, both[0], "mine");
    store.beforeAnswer =
        () -> {
          LiveSession onB = opened(b, "s");
          write(onB, both[1], "later");
          assertThat(b.flush(onB)).isTrue();
          var unused = opened(a, "s");
        };
    assertThat(a.flush(onA)).isTrue();
    String expected = String.valueOf(opened(b, "s").attribute("list"));
    assertThat(String.valueOf(opened(a, "s").attribute("list"))).isEqualTo(expected);
    assertThat(a.flush(opened(a, "s"))).isTrue();
    assertThat(String.valueOf(opened(b, "s").attribute("list"))).isEqualTo(expected);
  }

  private static void write(LiveSession session, String how, String item) {
    switch (how) {
      case "set" -> session.setAttribute("list", new ArrayList<>(List.of(item)));
      case "remove" -> session.removeAttribute("list");
      default -> list(session).add(item);
    }
  }

  /** An answer that tells of an earlier save arrives before that of the one under way. */
  @Test
  @Tag("G1")
  @Tag("R9")
  void anAnswerThatTellsOfAnEarlierSaveSaysNothingOfTheOneUnderWay() {
    long first = created(a, "s").knownVersion();
    LiveSession onB = opened(b, "s");
    LoadResult.Changed slow = changedTwice(onB, first);
    list(onB).add("z");
    store.beforeAnswer = () -> onB.refresh(slow, 0);
    assertThat(b.flush(onB)).isTrue();
    list(onB).add("last");
    assertThat(b.flush(onB)).isTrue();
    assertThat(list(opened(a, "s"))).containsExactly("x", "y", "z", "last");
    assertThat(list(opened(b, "s"))).containsExactly("x", "y", "z", "last");
  }

  /** The same, and it arrives after it. */
  @Test
  @Tag("G1")
  @Tag("R9")
  void anAnswerThatTellsOfAnEarlierSaveSaysNothingOfALaterOne() {
    long first = created(a, "s").knownVersion();
    LiveSession onB = opened(b, "s");
    LoadResult.Changed slow = changedTwice(onB, first);
    list(onB).add("z");
    assertThat(b.flush(onB)).isTrue();
    onB.refresh(slow, 0);
    assertThat(list(onB)).containsExactly("x", "y", "z");
    list(onB).add("last");
    assertThat(b.flush(onB)).isTrue();
    assertThat(list(opened(a, "s"))).containsExactly("x", "y", "z", "last");
    assertThat(list(opened(b, "s"))).containsExactly("x", "y", "z", "last");
  }

  /** Saved beside another node's change, so that B does not know what became of its own. */
  private LoadResult.Changed changedTwice(LiveSession onB, long known) {
    opened(a, "s").setAttribute("other", "1");
    assertThat(a.flush(opened(a, "s"))).isTrue();
    list(onB).add("y");
    assertThat(b.flush(onB)).isTrue();
    return (LoadResult.Changed) store.load(SessionKey.of("s"), known);
  }

  /**
   * However answers overtake each other, a list that one node alone changes in place loses nothing;
   * and when another one writes it too, both see the same in the end.
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Tag("G1")
  @Tag("G2")
  @Tag("R9")
  void aListChangedInPlaceLosesNothingToAnswersThatOvertakeEachOther(boolean both) {
    for (int seed = 0; seed < 2000; seed++) {
      Random random = new Random(seed);
      String id = "s" + seed;
      created(a, id);
      LiveSession onB = opened(b, id);
      List<String> added = new ArrayList<>(List.of("x"));
      List<LoadResult> underWay = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        Runnable elsewhere =
            () -> {
              if (random.nextBoolean()) {
                LiveSession onA = opened(a, id);
                onA.setAttribute("other", "" + random.nextInt());
                if (both && random.nextInt(4) == 0) {
                  onA.setAttribute("list", new ArrayList<>(List.of("theirs")));
                }
                assertThat(a.flush(onA)).isTrue();
              }
              if (random.nextBoolean()) {
                underWay.add(store.load(SessionKey.of(id), onB.knownVersion()));
              }
              if (!underWay.isEmpty() && random.nextBoolean()) {
                LoadResult late = underWay.remove(random.nextInt(underWay.size()));
                if (late instanceof LoadResult.Changed changed) {
                  onB.refresh(changed, 0);
                }
              }
            };
        elsewhere.run();
        String item = "i" + i;
        if (random.nextInt(4) == 0 && added.size() > 1) {
          String last = added.remove(added.size() - 1);
          list(onB).remove(last);
        } else {
          added.add(item);
          list(onB).add(item);
        }
        if (random.nextInt(5) == 0) {
          onB.setAttribute("list", list(onB));
        }
        store.beforeAnswer = elsewhere;
        assertThat(b.flush(onB)).isTrue();
        if (random.nextInt(5) == 0) {
          assertThat(b.open(id)).isSameAs(onB);
        }
        if (!both) {
          assertThat(list(onB)).as("seed %d", seed).isEqualTo(added);
        }
      }
      List<String> inTheEnd = list(opened(a, id));
      assertThat(list(opened(b, id))).as("seed %d", seed).isEqualTo(inTheEnd);
      if (!both) {
        assertThat(inTheEnd).as("seed %d", seed).isEqualTo(added);
      }
    }
  }

  /** Requests of one node that share a list, beside those of another that write something else. */
  @Test
  @Tag("G1")
  @Tag("G2")
  @Tag("R9")
  void whatManyRequestsOfOneNodePutIntoAListLasts() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      for (int round = 0; round < 20; round++) {
        String id = "s" + round;
        created(a, id);
        store.slow = true;
        List<Future<?>> running = new ArrayList<>();
        for (int number = 1; number <= 3; number++) {
          String user = "user" + number;
          running.add(threads.submit(() -> putIntoList(id, user)));
        }
        for (int i = 0; i < 25; i++) {
          opened(a, id).setAttribute("other", "" + i);
          assertThat(a.flush(opened(a, id))).isTrue();
        }
        for (Future<?> each : running) {
          each.get();
        }
        store.slow = false;
        assertThat(list(opened(a, id))).hasSize(76).isEqualTo(list(opened(b, id)));
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private void putIntoList(String id, String user) {
    for (int i = 0; i < 25; i++) {
      String item = user + " " + i;
      LiveSession session = opened(b, id);
      b.beginUse(session);
      list(session).add(item);
      assertThat(b.flush(session)).isTrue();
      b.endUse(session);
      assertThat(list(opened(b, id))).contains(item);
    }
  }

  /** The store may have the change, or not: that it looks needless is no reason not to send it. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @Tag("G1")
  @Tag("R9")
  void aChangeBackToWhatWasReadIsSavedOverAnAttempt(boolean set) {
    created(a, "s");
    LiveSession onB = opened(b, "s");
    opened(a, "s").setAttribute("other", "1");
    assertThat(a.flush(opened(a, "s"))).isTrue();
    list(onB).add("y");
    assertThat(b.flush(onB)).isTrue();
    if (set) {
      onB.setAttribute("list", new ArrayList<>(List.of("x")));
    } else {
      list(onB).remove("y");
    }
    assertThat(b.flush(onB)).isTrue();
    assertThat(list(opened(a, "s"))).containsExactly("x");
    assertThat(list(opened(b, "s"))).containsExactly("x");
  }

  @Test
  void whatCouldNotBeSavedAndIsNeedlessBySomeLaterChangeNeedsNoSave() {
    created(a, "s");
    LiveSession session = opened(a, "s");
    session.setAttribute("text", "two");
    store.down = true;
    assertThatThrownBy(() -> a.flush(session)).isInstanceOf(StoreUnavailableException.class);
    store.down = false;
    assertThat(a.isInUse()).isTrue();
    session.setAttribute("text", "one");
    assertThat(a.flush(session)).isTrue();
    assertThat(a.isInUse()).isFalse();
  }

  /** It is no change of what the refresh has brought. */
  @Test
  @Tag("G2")
  @Tag("R1")
  void aListThatARefreshReplacesWhileItIsEncodedIsNotSavedOverTheNews() {
    created(a, "s");
    LiveSession onB = opened(b, "s");
    list(onB).add("guess");
    codec.whileEncoding =
        () -> {
          opened(a, "s").setAttribute("list", new ArrayList<>(List.of("news")));
          assertThat(a.flush(opened(a, "s"))).isTrue();
          assertThat(opened(b, "s")).isSameAs(onB);
        };
    assertThat(b.flush(onB)).isTrue();
    assertThat(list(opened(a, "s"))).containsExactly("news");
    assertThat(list(opened(b, "s"))).containsExactly("news");
  }

  /** Its request is answered after its own flush, and the other one's may come much later. */
  @Test
  @Tag("G1")
  void aSetIsSavedByItsRequestsFlushThoughAnotherOneComesWhileItIsEncoded() {
    created(a, "s");
    LiveSession onB = opened(b, "s");
    onB.setAttribute("text", "mine");
    codec.whileEncoding = () -> onB.setAttribute("text", "later");
    assertThat(b.flush(onB)).isTrue();
    assertThat(opened(a, "s").attribute("text")).isIn("mine", "later");
    assertThat(b.flush(onB)).isTrue();
    assertThat(opened(a, "s").attribute("text")).isEqualTo("later");
    assertThat(opened(b, "s").attribute("text")).isEqualTo("later");
  }

  @Test
  @Tag("G1")
  void aSetIsSavedByItsRequestsFlushThoughARemovalComesWhileItIsEncoded() {
    created(a, "s");
    LiveSession onB = opened(b, "s");
    onB.setAttribute("text", "mine");
    codec.whileEncoding = () -> onB.removeAttribute("text");
    assertThat(b.flush(onB)).isTrue();
    assertThat(opened(a, "s").attribute("text")).isIn("mine", null);
    assertThat(b.flush(onB)).isTrue();
    assertThat(opened(a, "s").attribute("text")).isNull();
    assertThat(opened(b, "s").attribute("text")).isNull();
  }

  @Test
  @Tag("G1")
  void whatHasBeenRemovedOnBothNodesWhileItIsEncodedIsNotThereAgain() {
    created(a, "s");
    LiveSession onB = opened(b, "s");
    onB.setAttribute("text", "mine");
    codec.whileEncoding =
        () -> {
          onB.removeAttribute("text");
          LiveSession onA = opened(a, "s");
          onA.removeAttribute("text");
          assertThat(a.flush(onA)).isTrue();
          assertThat(opened(b, "s")).isSameAs(onB);
        };
    assertThat(b.flush(onB)).isTrue();
    assertThat(opened(a, "s").attribute("text")).isNull();
    assertThat(opened(b, "s").attribute("text")).isNull();
  }

  @Test
  @Tag("G1")
  void aChangeInPlaceIsSavedByItsRequestsFlushThoughASetComesWhileItIsEncoded() {
    created(a, "s");
    LiveSession onB = opened(b, "s");
    list(onB).add("mine");
    codec.whileEncoding = () -> onB.setAttribute("list", new ArrayList<>(List.of("later")));
    assertThat(b.flush(onB)).isTrue();
    assertThat(list(opened(a, "s"))).containsAnyOf("mine", "later");
    assertThat(b.flush(onB)).isTrue();
    assertThat(list(opened(a, "s"))).containsExactly("later");
    assertThat(list(opened(b, "s"))).containsExactly("later");
  }

  @Test
  void whatThisNodeRemovedDoesNotComeBackWithAnOlderAnswer() {
    long first = created(a, "s").knownVersion();
    LiveSession onB = opened(b, "s");
    opened(a, "s").setAttribute("text", "two");
    a.flush(opened(a, "s"));
    LoadResult.Changed slow = (LoadResult.Changed) store.load(SessionKey.of("s"), first);
    onB.removeAttribute("text");
    b.flush(onB);
    onB.refresh(slow, 0);
    assertThat(onB.attribute("text")).isNull();
    assertThat(opened(b, "s").attributeNames()).containsExactly("list");
  }

  @Test
  void aStoreThatHasGoneBackIsFollowed() {
    LiveSession session = created(a, "s");
    SessionRecord before =
        ((LoadResult.Found) store.load(SessionKey.of("s"), SessionStore.NO_VERSION)).session();
    session.setAttribute("text", "lost");
    session.setAttribute("new", "lost");
    a.flush(session);
    session.refresh(before, before.version() + 1, 0);
    assertThat(session.attribute("text")).isEqualTo("one");
    assertThat(session.attributeNames()).containsExactlyInAnyOrder("text", "list");
    assertThat(session.knownVersion()).isEqualTo(before.version());
  }

  /** As when another application of the path "/" has the client propose it. */
  @Test
  @Tag("G7")
  void aCopyOfAnEarlierSessionIsNotUsedForTheOneThatHasBegunAnewUnderItsId() {
    created(a, "s");
    LiveSession old = opened(b, "s");
    assertThat(a.invalidate(opened(a, "s"))).isTrue();
    while (!Instant.now().truncatedTo(ChronoUnit.MILLIS).isAfter(old.creationTime())) {
      Thread.onSpinWait();
    }
    LiveSession begun = requireNonNull(a.createNow("s", Duration.ofMinutes(30)));
    begun.setAttribute("new", "1");
    a.flush(begun);
    LiveSession onB = opened(b, "s");
    assertThat(onB.attributeNames()).containsExactly("new");
    assertThat(onB.creationTime()).isEqualTo(begun.creationTime());
    onB.setAttribute("onB", "1");
    assertThat(b.flush(onB)).isTrue();
    assertThat(opened(a, "s").attribute("onB")).isEqualTo("1");
    assertThat(old.attribute("text")).isEqualTo("one");
  }

  @Test
  @Tag("R30")
  void aTimeoutSetOnOneNodeIsSeenOnTheOther() {
    LiveSession onA = created(a, "s");
    opened(b, "s");
    onA.setMaxInactiveInterval(Duration.ofSeconds(40));
    a.flush(onA);
    assertThat(store.onlyDelta().timeout())
        .isEqualTo(Optional.of(new IdleTimeout(Duration.ofSeconds(40), Duration.ofSeconds(10))));
    assertThat(opened(b, "s").maxInactiveInterval()).isEqualTo(Duration.ofSeconds(40));
    store.takeCalls();
    a.flush(onA);
    assertThat(store.takeCalls()).isEmpty();
  }

  @Test
  @Tag("G8")
  void anUndecodableAttributeFailsAloneAndCanBeReplaced() {
    LiveSession session = created(a, "s");
    session.setAttribute("bad", "undecodable");
    a.flush(session);
    LiveSession onB = opened(b, "s");
    assertThatThrownBy(() -> onB.attribute("bad"))
        .isInstanceOf(DecodeException.class)
        .hasMessageContaining("'bad'")
        .hasMessageContaining(session.key().toString());
    assertThat(onB.attribute("text")).isEqualTo("one");
    assertThat(onB.setAttribute("bad", "good")).isNull();
    b.flush(onB);
    assertThat(opened(a, "s").attribute("bad")).isEqualTo("good");
  }

  @Test
  @Tag("G9")
  void whatAnAdapterOnlyPeeksAtIsNotEncodedAgain() {
    created(a, "s");
    LiveSession onB = opened(b, "s");
    codec.encoded.set(0);
    Object list = onB.peek("list");
    assertThat(list).isEqualTo(List.of("x")).isSameAs(onB.peek("list"));
    b.flush(onB);
    assertThat(codec.encoded).hasValue(0);
    assertThat(onB.attribute("list")).isSameAs(list);
    opened(a, "s").removeAttribute("list");
    a.flush(opened(a, "s"));
    assertThat(opened(b, "s").peek("list")).isNull();
  }

  @Test
  @Tag("G8")
  void whatAnAdapterCannotDecodeSeemsNotToBeThere() {
    LiveSession session = created(a, "s");
    session.setAttribute("bad", "undecodable");
    a.flush(session);
    LiveSession onB = opened(b, "s");
    assertThat(onB.peek("bad")).isNull();
    assertThat(onB.peek("nothing")).isNull();
    assertThat(onB.hasAttribute("bad")).isTrue();
  }

  // ---------------------------------------------------------------- the end of a session

  @Test
  @Tag("G7")
  void aSessionInvalidatedElsewhereIsNotSavedAgain() {
    LiveSession onA = created(a, "s");
    LiveSession onB = opened(b, "s");
    onB.setAttribute("text", "late");
    assertThat(a.invalidate(onA)).isTrue();
    assertThat(b.flush(onB)).isFalse();
    assertThat(onB.isGone()).isTrue();
    assertThat(onB.attribute("text")).as("a running request keeps its copy").isEqualTo("late");
    assertThat(b.open("s")).isNull();
    assertThat(b.invalidate(onB)).isFalse();
  }

  @Test
  @Tag("G6")
  @Tag("R35")
  void expiredSessionsEndOnceWhateverAListenerDoes() {
    for (int i = 0; i < 120; i++) {
      created(i % 2 == 0 ? a : b, "s" + i);
    }
    clockOffset.set(Duration.ofHours(1));
    List<SessionKey> told = new ArrayList<>();
    int ended =
        a.scavenge(
            session -> {
              told.add(session.key());
              assertThat(session.attribute("text")).isEqualTo("one");
              throw new IllegalStateException("A listener fails");
            });
    ended += b.scavenge(session -> told.add(session.key()));
    assertThat(ended).isEqualTo(120);
    assertThat(told).doesNotHaveDuplicates().hasSize(120);
    assertThat(a.open("s1")).isNull();
  }

  /** Or else figures and memory would be full of sessions that have ended on other nodes. */
  @Test
  @Timeout(60)
  @Tag("R72")
  void aCopyThatNobodyHasUsedHereForAsLongAsASessionLivesIsDropped() throws InterruptedException {
    Instant now = Instant.now();
    SessionPolicy policy =
        new SessionPolicy(
            Duration.ZERO, SessionPolicy.DirtyCheck.READ, SessionPolicy.Undecodable.FAIL, 10);
    // By its clock, which stands still, the session lives on.
    try (InMemorySessionStore still =
            new InMemorySessionStore(() -> Duration.between(Instant.now(), now));
        SessionRepository node = new SessionRepository(still, codec, policy)) {
      LiveSession idle = node.create("idle", Duration.ofSeconds(1));
      LiveSession busy = node.create("busy", Duration.ofSeconds(1));
      node.beginUse(busy);
      node.flush(idle);
      node.flush(busy);
      while (node.size() > 1) {
        Thread.sleep(10);
        assertThat(node.scavenge(ended -> {})).isZero();
      }
      assertThat(node.sessions()).containsExactly(busy);
      assertThat(node.open("idle")).isNotNull();
    }
  }

  @Test
  @Tag("R72")
  void whatIsAskedOfTheStoreIsCounted() {
    LiveSession session = created(a, "s");
    assertThat(a.statistics().calls()).isEqualTo(1);
    long saved = a.statistics().bytesSaved();
    assertThat(saved).isPositive();
    assertThat(b.open("s")).isNotNull();
    assertThat(b.statistics().bytesLoaded()).isEqualTo(saved);
    store.down = true;
    session.setAttribute("text", "two");
    assertThatThrownBy(() -> a.flush(session)).isInstanceOf(StoreUnavailableException.class);
    assertThat(a.statistics().calls()).isEqualTo(2);
    assertThat(a.statistics().failures()).isEqualTo(1);
    assertThat(b.statistics().failures()).isZero();
  }

  @Test
  @Tag("G6")
  void listenersAreNotToldAgainWhenTheStoreFailsAfterwards() {
    created(a, "s");
    clockOffset.set(Duration.ofHours(1));
    List<SessionKey> told = new ArrayList<>();
    assertThatThrownBy(
            () ->
                a.scavenge(
                    session -> {
                      told.add(session.key());
                      store.down = true;
                    }))
        .isInstanceOf(StoreUnavailableException.class);
    store.down = false;
    clockOffset.set(Duration.ofHours(2));
    assertThat(a.scavenge(session -> told.add(session.key()))).isZero();
    assertThat(told).hasSize(1);
  }

  @Test
  @Tag("R31")
  void aSessionInUseByALongRequestIsKeptAlive() {
    SessionRepository node =
        new SessionRepository(
            store,
            codec,
            new SessionPolicy(
                Duration.ZERO, SessionPolicy.DirtyCheck.READ, SessionPolicy.Undecodable.FAIL, 10));
    LiveSession session = node.create("s", HALF_AN_HOUR);
    node.flush(session);
    node.beginUse(session);
    for (int minutes = 20; minutes <= 100; minutes += 20) {
      clockOffset.set(Duration.ofMinutes(minutes));
      node.maintain();
      assertThat(b.scavenge(ended -> {})).isZero();
    }
    node.endUse(session);
    clockOffset.set(Duration.ofMinutes(131));
    node.maintain();
    assertThat(b.scavenge(ended -> {})).isEqualTo(1);
  }

  @Test
  @Tag("G4")
  void oneThatCannotBeSavedLateKeepsNoOtherFromBeing() {
    store.down = true;
    for (int i = 0; i < 20; i++) {
      LiveSession session = a.create("session " + i, HALF_AN_HOUR);
      assertThatThrownBy(() -> a.flush(session)).isInstanceOf(StoreUnavailableException.class);
    }
    store.down = false;
    created(b, "session 7");
    a.maintain();
    for (int i = 0; i < 20; i++) {
      assertThat(b.open("session " + i)).isNotNull();
    }
    assertThat(opened(b, "session 7").attribute("text")).isEqualTo("one");
  }

  // ---------------------------------------------------------------- ids

  @Test
  @Tag("R51")
  void aRenamedSessionIsReachedByRequestsThatOpenedItBefore() {
    LiveSession onA = created(a, "old");
    LiveSession onB = opened(b, "old");
    assertThat(a.rename(onA, "new")).isTrue();
    onB.setAttribute("b", "1");
    assertThat(b.flush(onB)).isTrue();
    assertThat(b.open("old")).isNull();
    assertThat(opened(b, "new").attribute("b")).isEqualTo("1");
    assertThat(opened(a, "new")).isSameAs(onA);
    assertThat(onA.attribute("b")).isEqualTo("1");
    assertThat(b.rename(onB, "other")).isFalse();
  }

  @Test
  void aNewSessionIsRenamedWithoutTheStore() {
    LiveSession session = a.create("old", HALF_AN_HOUR);
    assertThat(a.rename(session, "new")).isTrue();
    assertThat(store.takeCalls()).isEmpty();
    a.flush(session);
    assertThat(b.open("new")).isNotNull();
    assertThat(b.open("old")).isNull();
  }

  @Test
  void anIdThatIsTakenOnAnotherNodeCannotBeCreatedNow() {
    LiveSession session = requireNonNull(a.createNow("proposed", HALF_AN_HOUR));
    assertThat(store.takeCalls()).isEqualTo(Map.of("create", 1));
    assertThat(session.isStored()).isTrue();
    session.setAttribute("text", "one");
    a.flush(session);
    assertThat(b.createNow("proposed", HALF_AN_HOUR)).isNull();
    assertThat(opened(b, "proposed").attribute("text")).isEqualTo("one");
    assertThat(opened(a, "proposed")).isSameAs(session);
  }

  /** Lists want to know. */
  private static AttributeActivation listsTold(List<String> told) {
    return new AttributeActivation() {
      @Override
      public boolean isWanted(Object value) {
        return value instanceof List;
      }

      @Override
      public void didActivate(Object value) {
        told.add("active " + value);
      }

      @Override
      public void willPassivate(Object value) {
        told.add("passive " + value);
      }
    };
  }

  @Test
  void aValueThatWasReadBeforeSomebodyTellsValuesIsToldWhenItIsReadNext() {
    created(a, "s");
    LiveSession session = opened(b, "s");
    list(session);
    List<String> told = new ArrayList<>();
    session.attach(this, listsTold(told));
    assertThat(told).isEmpty();
    list(session);
    assertThat(told).containsExactly("active [x]");
  }

  @Test
  void whatMayHaveBroughtAnAttributeIsCounted() {
    created(a, "s");
    LiveSession session = opened(b, "s");
    long first = session.arrivals();
    assertThat(session.attribute("text")).isEqualTo("one");
    session.removeAttribute("text");
    b.flush(session);
    assertThat(opened(b, "s").arrivals()).as("read, removed, opened").isEqualTo(first);
    LiveSession there = opened(a, "s");
    there.setAttribute("late", "x");
    assertThat(there.arrivals()).as("set").isNotZero();
    a.flush(there);
    assertThat(opened(b, "s").arrivals()).as("news").isNotEqualTo(first);
    assertThat(session.peek("late")).isEqualTo("x");
  }

  @Test
  void aNameThatCameFromTheStoreIsTheOneInTheApplicationsCode() {
    created(a, "s");
    assertThat(opened(b, "s").attributeNames())
        .filteredOn("text"::equals)
        .singleElement()
        .isSameAs("text");
  }

  @Test
  void aValueThatWantsToKnowIsToldWhenItComesFromTheStoreAndWhenItGoesThere() {
    List<String> told = new ArrayList<>();
    AttributeActivation lists = listsTold(told);
    created(a, "s");
    LiveSession session = opened(b, "s");
    session.attach(this, lists);
    assertThat(session.attribute("text")).isEqualTo("one");
    b.flush(session);
    assertThat(told).as("not read").isEmpty();
    list(session);
    list(session);
    b.flush(session);
    assertThat(told).containsExactly("active [x]");
    told.clear();
    list(session).add("y");
    b.flush(session);
    assertThat(told).containsExactly("passive [x, y]", "active [x, y]");
    told.clear();
    session.passivate();
    assertThat(told).containsExactly("passive [x, y]");
  }

  @Test
  void anIdThatIsTakenIsReported() {
    created(a, "s");
    LiveSession second = b.create("s", HALF_AN_HOUR);
    assertThatThrownBy(() -> b.flush(second)).isInstanceOf(SessionException.class);
    assertThat(opened(b, "s").attribute("text")).isEqualTo("one");
  }

  // ---------------------------------------------------------------- outage

  @Test
  @Tag("G4")
  void whatCouldNotBeSavedIsSavedByTheNextFlushOrInTheBackground() {
    LiveSession session = created(a, "s");
    a.beginUse(session);
    session.setAttribute("text", "two");
    list(session).add("y");
    store.down = true;
    assertThatThrownBy(() -> a.flush(session)).isInstanceOf(StoreUnavailableException.class);
    a.endUse(session);
    assertThatThrownBy(a::maintain).isInstanceOf(StoreUnavailableException.class);
    store.down = false;
    a.maintain();
    LiveSession onB = opened(b, "s");
    assertThat(onB.attribute("text")).isEqualTo("two");
    assertThat(list(onB)).containsExactly("x", "y");
    store.takeCalls();
    a.maintain();
    assertThat(store.takeCalls()).isEmpty();
  }

  @Test
  @Tag("G4")
  void anOutageWhenOpeningIsNoMissingSession() {
    created(a, "s");
    store.down = true;
    assertThatThrownBy(() -> a.open("s")).isInstanceOf(StoreUnavailableException.class);
    assertThatThrownBy(() -> b.open("s")).isInstanceOf(StoreUnavailableException.class);
    store.down = false;
    assertThat(opened(a, "s").attribute("text")).isEqualTo("one");
  }

  // ---------------------------------------------------------------- near cache

  @Test
  @Tag("R56")
  @Tag("R80")
  void theNearCacheIsBoundedAndSparesSessionsInUse() {
    SessionRepository node =
        new SessionRepository(
            store,
            codec,
            new SessionPolicy(
                Duration.ofMinutes(1),
                SessionPolicy.DirtyCheck.READ,
                SessionPolicy.Undecodable.FAIL,
                10));
    LiveSession used = created(node, "used");
    node.beginUse(used);
    for (int i = 0; i < 100; i++) {
      created(node, "s" + i);
      assertThat(node.sessions().size()).isLessThanOrEqualTo(11);
    }
    assertThat(opened(node, "used")).isSameAs(used);
    assertThat(opened(node, "s0").attribute("text")).isEqualTo("one");
  }

  @Test
  void anObjectHandedOutIsWatchedUntilItsLastUserEnds() {
    LiveSession session = created(a, "s");
    a.beginUse(session);
    a.beginUse(session);
    List<String> list = list(session);
    a.flush(session);
    a.endUse(session);
    list.add("after another request's end");
    a.flush(session);
    assertThat(store.onlyDelta().changes()).containsOnlyKeys("list");
    a.endUse(session);
    codec.encoded.set(0);
    a.flush(session);
    assertThat(codec.encoded).as("nobody holds it").hasValue(0);
  }
}
