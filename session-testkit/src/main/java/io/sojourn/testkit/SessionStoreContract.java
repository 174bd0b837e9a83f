package io.sojourn.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.PrincipalKey;
import io.sojourn.SessionBusyException;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.StoreUnavailableException;
import io.sojourn.StoredAttribute;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The contract of {@link SessionStore}, a test for each rule. A store's own test is a subclass that
 * says how to open it.
 *
 * <p>The tests pass the time by shifting the store's clock, never by waiting.
 */
public abstract class SessionStoreContract {

  private static final IdleTimeout HALF_AN_HOUR =
      IdleTimeout.of(Duration.ofMinutes(30), Duration.ofMinutes(1));
  private static final Duration CLAIM_TIME = Duration.ofMinutes(1);
  private static final Duration LEASE_TIME = Duration.ofSeconds(10);
  private static final int THREADS = 8;
  private static final PrincipalKey ALICE = PrincipalKey.of("contract", "alice");
  private static final PrincipalKey BOB = PrincipalKey.of("contract", "bob");

  private final AtomicReference<Duration> clockOffset = new AtomicReference<>(Duration.ZERO);
  private final List<SessionStore> opened = new ArrayList<>();
  private final String application = "contract-" + UUID.randomUUID();

  /** For subclasses. */
  protected SessionStoreContract() {}

  /**
   * Opens the store. Called several times for one application: each is a node of its own over the
   * same data.
   *
   * @param application whose sessions
   * @param clockOffset how far the store's clock is shifted, asked at every call
   */
  protected abstract SessionStore open(String application, Supplier<Duration> clockOffset);

  /** Opens a store of this kind whose server is not there. */
  protected abstract SessionStore openUnreachable();

  @AfterEach
  final void closeStores() {
    opened.forEach(SessionStore::close);
  }

  private SessionStore open() {
    return open(application);
  }

  private SessionStore open(String name) {
    SessionStore store = open(name, clockOffset::get);
    opened.add(store);
    return store;
  }

  private void passTime(Duration time) {
    clockOffset.updateAndGet(offset -> offset.plus(time));
  }

  // ---------------------------------------------------------------- create

  @Test
  void createRefusesATakenKey() {
    SessionStore store = open();
    SessionKey key = newKey();
    assertThat(store.create(session(key, Map.of("a", value("first"))))).isTrue();
    assertThat(store.create(session(key, Map.of("a", value("second"), "b", value("x"))))).isFalse();
    assertThat(attributes(store, key)).isEqualTo(Map.of("a", value("first")));
  }

  @Test
  void createRefusesAKeyThatSessionsHadBeforeTheyWereRenamed() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    assertThat(store.rename(key, newKeyFor(store, key))).isTrue();
    assertThat(store.create(session(key, Map.of()))).isFalse();
    assertThat(store.load(key, SessionStore.NO_VERSION)).isInstanceOf(LoadResult.Missing.class);
  }

  @Test
  void createSucceedsForExactlyOneOfManyThreads() {
    SessionStore one = open();
    SessionStore two = open();
    SessionKey key = newKey();
    List<Boolean> answers =
        Threads.call(
            THREADS, thread -> (thread % 2 == 0 ? one : two).create(session(key, Map.of())));
    assertThat(answers).containsOnlyOnce(true);
  }

  // ---------------------------------------------------------------- load

  @Test
  void loadOfAnUnknownKeyIsMissing() {
    SessionStore store = open();
    assertThat(store.load(newKey(), SessionStore.NO_VERSION)).isEqualTo(new LoadResult.Missing());
    assertThat(store.load(newKey(), 7)).isEqualTo(new LoadResult.Missing());
  }

  @Test
  void loadAnswersTheWholeSessionWhenNoVersionIsKnown() {
    SessionStore store = open();
    SessionKey key = newKey();
    Instant creationTime = Instant.parse("2026-02-03T04:05:06.789Z");
    assertThat(
            store.create(
                new NewSession(
                    key,
                    123_456_789,
                    creationTime,
                    HALF_AN_HOUR,
                    Map.of("a", value("1"), "b", value("2")))))
        .isTrue();
    SessionRecord record = found(open(), key);
    assertThat(record.key()).isEqualTo(key);
    assertThat(record.origin()).isEqualTo(key);
    assertThat(record.version()).isEqualTo(123_456_789);
    assertThat(record.creationTime()).isEqualTo(creationTime);
    assertThat(record.timeout()).isEqualTo(HALF_AN_HOUR);
    assertThat(record.attributes())
        .isEqualTo(
            Map.of(
                "a",
                new StoredAttribute(value("1"), 123_456_789),
                "b",
                new StoredAttribute(value("2"), 123_456_789)));
  }

  @Test
  void loadAnswersUnchangedForTheCurrentVersion() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of("a", value("1")));
    assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Unchanged.class);
    assertThat(save(store, key, Map.of("a", set("2")))).isEqualTo(2);
    assertThat(store.load(key, 2)).isInstanceOf(LoadResult.Unchanged.class);
  }

  @Test
  @Tag("G9")
  @Tag("R3")
  void loadAnswersExactlyWhatWasSetAndRemovedSinceAKnownVersion() {
    SessionStore store = open();
    SessionKey key =
        created(store, Map.of("kept", value("k"), "changed", value("c"), "gone", value("g")));
    save(store, key, Map.of("changed", set("c2")));
    save(store, key, Map.of("gone", new AttributeChange.Remove(), "added", set("a")));
    save(store, key, Map.of("changed", set("c4"), "never", new AttributeChange.Remove()));

    LoadResult.Changed sinceOne = changed(store, key, 1);
    assertThat(sinceOne.version()).isEqualTo(4);
    assertThat(sinceOne.timeout()).isEqualTo(HALF_AN_HOUR);
    assertThat(sinceOne.set())
        .isEqualTo(
            Map.of(
                "changed",
                new StoredAttribute(value("c4"), 4),
                "added",
                new StoredAttribute(value("a"), 3)));
    assertThat(sinceOne.removed()).containsEntry("gone", 3L);

    LoadResult.Changed sinceThree = changed(store, key, 3);
    assertThat(sinceThree.set()).isEqualTo(Map.of("changed", new StoredAttribute(value("c4"), 4)));
    assertThat(sinceThree.removed()).doesNotContainKey("gone");
  }

  @Test
  void anAttributeRemovedAndSetAgainIsAnsweredAsSet() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of("a", value("1")));
    save(store, key, Map.of("a", new AttributeChange.Remove()));
    save(store, key, Map.of("a", set("3")));
    LoadResult.Changed changed = changed(store, key, 1);
    assertThat(changed.set()).isEqualTo(Map.of("a", new StoredAttribute(value("3"), 3)));
    assertThat(changed.removed()).isEmpty();
    assertThat(found(store, key).attributes()).containsOnlyKeys("a");
  }

  @Test
  void removingTwiceLeavesTheLaterMark() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of("a", value("1")));
    save(store, key, Map.of("a", new AttributeChange.Remove()));
    save(store, key, Map.of("a", set("3")));
    save(store, key, Map.of("a", new AttributeChange.Remove()));
    assertThat(changed(store, key, 3).removed()).containsOnlyKeys("a");
    assertThat(found(store, key).attributes()).isEmpty();
  }

  @Test
  void loadAnswersTheWholeSessionWhenWhatChangedCanNoLongerBeTold() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of("kept", value("k"), "gone", value("g")));
    save(store, key, Map.of("gone", new AttributeChange.Remove()));
    for (int i = 0; i < SessionStore.REMOVAL_MARK_VERSIONS; i++) {
      save(store, key, Map.of("n" + (i % 3), set("v" + i), "m", new AttributeChange.Remove()));
    }
    long current = 2 + SessionStore.REMOVAL_MARK_VERSIONS;
    LoadResult whole = store.load(key, 1);
    assertThat(whole).isInstanceOf(LoadResult.Found.class);
    assertThat(((LoadResult.Found) whole).session().attributes())
        .containsOnlyKeys("kept", "n0", "n1", "n2");
    assertThat(changed(store, key, 2).version()).isEqualTo(current);
  }

  @Test
  void loadAnswersTheWholeSessionForAVersionThatTheStoreHasNotReached() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of("a", value("1")));
    assertThat(store.load(key, 5)).isInstanceOf(LoadResult.Found.class);
    assertThat(store.load(key, Long.MAX_VALUE)).isInstanceOf(LoadResult.Found.class);
    assertThat(store.load(key, -1)).isInstanceOf(LoadResult.Found.class);
  }

  /**
   * As when one is begun under an id that a client proposes: who has a copy of the earlier session
   * is not told that nothing has changed, nor only what changed, however many saves either has
   * seen.
   */
  @Test
  void aSessionThatBeginsAnewUnderAnOldIdIsNotTakenForTheEarlierOne() {
    SessionStore store = open();
    SessionKey key = newKey();
    Instant now = Instant.now();
    assertThat(store.create(new NewSession(key, now, HALF_AN_HOUR, Map.of("old", value("1")))))
        .isTrue();
    List<Long> known = new ArrayList<>(List.of(found(store, key).version()));
    for (int i = 0; i < 3; i++) {
      known.add(save(store, key, Map.of("old", set("old" + i))));
    }
    assertThat(store.remove(key)).isTrue();
    assertThat(
            store.create(
                new NewSession(key, now.plusMillis(1), HALF_AN_HOUR, Map.of("new", value("1")))))
        .isTrue();
    for (int i = 0; i < 6; i++) {
      for (long version : known) {
        LoadResult answer = store.load(key, version);
        assertThat(answer).isInstanceOf(LoadResult.Found.class);
        assertThat(((LoadResult.Found) answer).session().attributes()).containsOnlyKeys("new");
      }
      save(store, key, Map.of("new", set("new" + i)));
    }
  }

  // ---------------------------------------------------------------- save

  @Test
  void saveAnswersTheNextVersionAndAppliesTheWholeDelta() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of("a", value("1"), "b", value("2")));
    assertThat(
            save(
                store,
                key,
                Map.of("a", set("x"), "b", new AttributeChange.Remove(), "c", set("z"))))
        .isEqualTo(2);
    assertThat(attributes(open(), key)).isEqualTo(Map.of("a", value("x"), "c", value("z")));
  }

  @Test
  @Tag("R1")
  void aReplacementAppliesOnlyToTheVersionOfTheAttributeThatWasRead() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of("a", value("1"), "b", value("1"), "c", value("1")));
    save(store, key, Map.of("a", set("news"), "b", new AttributeChange.Remove()));
    long version =
        save(
            store,
            key,
            Map.of(
                "a", replacement("guess", 1),
                "b", replacement("guess", 1),
                "c", replacement("seen", 1),
                "d", replacement("guess", 0)));
    assertThat(version).isEqualTo(3);
    assertThat(found(store, key).attributes())
        .isEqualTo(
            Map.of(
                "a", new StoredAttribute(value("news"), 2),
                "c", new StoredAttribute(value("seen"), 3)));
  }

  @Test
  void aDeltaOfManyChangesDoesToEachAttributeWhatItSays() {
    SessionStore store = open();
    Map<String, EncodedValue> attributes = new HashMap<>();
    for (String kind : List.of("kept", "set", "removed", "replaced", "refused")) {
      numbered(kind).forEach(name -> attributes.put(name, value("1")));
    }
    SessionKey key = created(store, attributes);

    Map<String, AttributeChange> many = new HashMap<>();
    numbered("set").forEach(name -> many.put(name, set("2")));
    numbered("new").forEach(name -> many.put(name, set("2")));
    numbered("absent").forEach(name -> many.put(name, new AttributeChange.Remove()));
    numbered("removed").forEach(name -> many.put(name, new AttributeChange.Remove()));
    numbered("replaced").forEach(name -> many.put(name, replacement("2", 1)));
    numbered("refused").forEach(name -> many.put(name, replacement("2", 2)));
    assertThat(save(store, key, many)).isEqualTo(2);
    Set<String> written = new HashSet<>();
    List.of("set", "new", "replaced").forEach(kind -> written.addAll(numbered(kind)));
    numbered("removed").forEach(attributes::remove);
    written.forEach(name -> attributes.put(name, value("2")));
    assertThat(attributes(store, key)).isEqualTo(attributes);
    assertThat(changed(store, key, 1).set()).containsOnlyKeys(written);
    assertThat(changed(store, key, 1).removed().keySet()).containsAll(numbered("removed"));

    Map<String, AttributeChange> few =
        Map.of(
            "set1", set("3"),
            "removed1", set("3"),
            "new1", new AttributeChange.Remove(),
            "replaced1", replacement("3", 2),
            "refused1", replacement("3", 1));
    assertThat(save(store, key, few)).isEqualTo(3);
    assertThat(changed(store, key, 2).set())
        .containsOnlyKeys("set1", "removed1", "replaced1", "refused1");
    assertThat(changed(store, key, 2).removed()).containsOnlyKeys("new1");
  }

  private static List<String> numbered(String kind) {
    return IntStream.range(0, 25).mapToObj(number -> kind + number).toList();
  }

  private static AttributeChange replacement(String text, long expectedVersion) {
    return new AttributeChange.Replace(value(text), expectedVersion);
  }

  @Test
  @Tag("R30")
  void aNewTimeoutIsAChange() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    IdleTimeout shorter = IdleTimeout.of(Duration.ofSeconds(40), Duration.ofMinutes(1));
    OptionalLong version =
        store.save(new SessionDelta(key, Map.of(), Optional.of(shorter), Duration.ZERO));
    assertThat(version).hasValue(2);
    assertThat(changed(open(), key, 1).timeout()).isEqualTo(shorter);
    passTime(Duration.ofSeconds(51));
    assertThat(store.load(key, 2)).isInstanceOf(LoadResult.Missing.class);
    assertThat(claimedKeys(store.claimExpired(10, CLAIM_TIME))).containsExactly(key);
  }

  @Test
  @Tag("G2")
  @Tag("R2")
  void concurrentSaversOfDifferentAttributesMerge() {
    SessionStore one = open();
    SessionStore two = open();
    SessionKey key = created(one, Map.of());
    int rounds = 25;
    Threads.run(
        THREADS,
        thread -> {
          SessionStore store = thread % 2 == 0 ? one : two;
          for (int i = 0; i < rounds; i++) {
            save(store, key, Map.of("t" + thread + "-" + i, set("v" + i)));
          }
        });
    Map<String, EncodedValue> expected = new HashMap<>();
    for (int thread = 0; thread < THREADS; thread++) {
      for (int i = 0; i < rounds; i++) {
        expected.put("t" + thread + "-" + i, value("v" + i));
      }
    }
    assertThat(attributes(one, key)).isEqualTo(expected);
    assertThat(found(one, key).version()).isEqualTo(1 + (long) THREADS * rounds);
  }

  @Test
  @Tag("G2")
  @Tag("R49")
  void manyThreadsSavingTheSameNewAttributeNeverFail() {
    SessionStore one = open();
    SessionStore two = open();
    SessionKey key = created(one, Map.of());
    List<OptionalLong> versions =
        Threads.call(
            50,
            thread ->
                (thread % 2 == 0 ? one : two)
                    .save(
                        delta(key, Map.of("same", set("v" + thread), "twin", set("v" + thread)))));
    assertThat(versions)
        .extracting(OptionalLong::getAsLong)
        .containsExactlyInAnyOrderElementsOf(
            IntStream.rangeClosed(2, 51).mapToObj(i -> (long) i).toList());
    Map<String, StoredAttribute> stored = found(one, key).attributes();
    assertThat(stored).containsOnlyKeys("same", "twin");
    StoredAttribute last = requireNonNull(stored.get("same"));
    assertThat(last.version()).isEqualTo(51);
    assertThat(stored).containsEntry("twin", last);
  }

  @Test
  @Tag("G7")
  @Tag("R5")
  void saveNeverRevivesARemovedSession() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of("a", value("1")));
    assertThat(store.remove(key)).isTrue();
    assertThat(store.save(delta(key, Map.of("a", set("2"), "b", set("3"))))).isEmpty();
    assertThat(store.save(SessionDelta.touch(key, Duration.ZERO))).isEmpty();
    assertThat(store.load(key, SessionStore.NO_VERSION)).isInstanceOf(LoadResult.Missing.class);
    passTime(Duration.ofDays(2));
    assertThat(store.claimExpired(10, CLAIM_TIME)).isEmpty();
  }

  @Test
  @Tag("G7")
  void saveNeverRevivesASessionThatIsBeingRemoved() {
    SessionStore one = open();
    SessionStore two = open();
    for (int round = 0; round < 10; round++) {
      SessionKey key = created(one, Map.of("a", value("1")));
      Threads.run(
          4,
          thread -> {
            if (thread == 0) {
              assertThat(two.remove(key)).isTrue();
            } else {
              one.save(delta(key, Map.of("a" + thread, set("x"))));
            }
          });
      assertThat(one.load(key, SessionStore.NO_VERSION)).isInstanceOf(LoadResult.Missing.class);
      assertThat(one.save(delta(key, Map.of("a", set("2"))))).isEmpty();
    }
  }

  // ---------------------------------------------------------------- access and touch

  @Test
  void aTouchKeepsTheVersionAndMovesTheLastAccess() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of("a", value("1")));
    Instant before = found(store, key).lastAccessTime();
    passTime(Duration.ofSeconds(30));
    assertThat(store.save(SessionDelta.touch(key, Duration.ofSeconds(10)))).hasValue(1);
    assertThat(found(store, key).lastAccessTime())
        .isBetween(before.plusSeconds(20), before.plusSeconds(20).plus(slack()));
    assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Unchanged.class);
  }

  @Test
  @Tag("G6")
  void lastAccessNeverMovesBack() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    Instant before = found(store, key).lastAccessTime();
    store.save(SessionDelta.touch(key, Duration.ofMinutes(5)));
    save(store, key, Map.of("a", set("1")), Duration.ofMinutes(5));
    assertThat(found(store, key).lastAccessTime()).isEqualTo(before);
    passTime(Duration.ofMinutes(-5));
    store.save(SessionDelta.touch(key, Duration.ZERO));
    save(store, key, Map.of("a", set("2")));
    assertThat(found(store, key).lastAccessTime()).isEqualTo(before);
  }

  @Test
  @Tag("R78")
  void aLoadMovesTheLastAccessOnlyWhenTheTouchIntervalHasPassed() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    Instant created = found(store, key).lastAccessTime();
    passTime(Duration.ofSeconds(50));
    assertThat(unchanged(store, key, 1).lastAccessTime()).isEqualTo(created);
    assertThat(unchanged(store, key, 1).lastAccessTime()).isEqualTo(created);
    passTime(Duration.ofSeconds(11));
    assertThat(unchanged(store, key, 1).lastAccessTime()).isEqualTo(created);
    assertThat(unchanged(store, key, 1).lastAccessTime())
        .isBetween(created.plusSeconds(61), created.plusSeconds(61).plus(slack()));
  }

  /** Or else it could end while it is in use, by a caller who does not ask each time. */
  @Test
  @Tag("G6")
  @Tag("R26")
  void aLoadMovesTheLastAccessInTimeForACallerWhoWillNotAskAgainForAWhile() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of("a", value("1")));
    Instant created = found(store, key).lastAccessTime();
    Duration unasked = Duration.ofSeconds(5);
    passTime(Duration.ofSeconds(50));
    assertThat(store.load(key, 1, unasked)).isInstanceOf(LoadResult.Unchanged.class);
    assertThat(unchanged(store, key, 1).lastAccessTime()).isEqualTo(created);
    passTime(Duration.ofSeconds(6));
    assertThat(store.load(key, SessionStore.NO_VERSION, unasked))
        .isInstanceOf(LoadResult.Found.class);
    assertThat(unchanged(store, key, 1).lastAccessTime())
        .isBetween(created.plusSeconds(56), created.plusSeconds(56).plus(slack()));
  }

  // ---------------------------------------------------------------- lease

  @Test
  @Tag("G3")
  void aLeaseIsOneHoldersUntilItIsReleased() {
    SessionStore one = open();
    SessionStore two = open();
    SessionKey key = created(one, Map.of());
    assertThat(one.lease(key, 1, LEASE_TIME)).isEqualTo(SessionStore.Lease.TAKEN);
    assertThat(one.lease(key, 1, LEASE_TIME)).isEqualTo(SessionStore.Lease.TAKEN);
    assertThat(two.lease(key, 2, LEASE_TIME)).isEqualTo(SessionStore.Lease.BUSY);
    two.release(key, 2);
    assertThat(two.lease(key, 2, LEASE_TIME)).isEqualTo(SessionStore.Lease.BUSY);
    one.release(key, 1);
    assertThat(two.lease(key, 2, LEASE_TIME)).isEqualTo(SessionStore.Lease.TAKEN);
    assertThat(two.lease(newKey(), 2, LEASE_TIME)).isEqualTo(SessionStore.Lease.MISSING);
  }

  @Test
  @Tag("G3")
  @Tag("R53")
  void aLeaseThatIsNotRenewedEnds() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    assertThat(store.lease(key, 1, LEASE_TIME)).isEqualTo(SessionStore.Lease.TAKEN);
    passTime(LEASE_TIME.minusSeconds(1));
    assertThat(store.lease(key, 1, LEASE_TIME)).isEqualTo(SessionStore.Lease.TAKEN);
    passTime(LEASE_TIME.minusSeconds(1));
    assertThat(store.lease(key, 2, LEASE_TIME)).isEqualTo(SessionStore.Lease.BUSY);
    passTime(Duration.ofSeconds(2));
    assertThat(store.lease(key, 2, LEASE_TIME)).isEqualTo(SessionStore.Lease.TAKEN);
    assertThat(store.lease(key, 1, LEASE_TIME)).isEqualTo(SessionStore.Lease.BUSY);
  }

  @Test
  @Tag("G3")
  void whoWasRefusedFirstIsTheNextToHaveTheLease() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    assertThat(store.lease(key, 1, LEASE_TIME)).isEqualTo(SessionStore.Lease.TAKEN);
    assertThat(store.lease(key, 2, LEASE_TIME)).isEqualTo(SessionStore.Lease.BUSY);
    // A slow machine must not use up the turn.
    passTime(LEASE_TIME.dividedBy(2).negated());
    assertThat(store.lease(key, 3, LEASE_TIME)).isEqualTo(SessionStore.Lease.BUSY);
    assertThat(store.lease(key, 1, LEASE_TIME)).isEqualTo(SessionStore.Lease.TAKEN);
    store.release(key, 1);
    assertThat(store.lease(key, 3, LEASE_TIME)).isEqualTo(SessionStore.Lease.BUSY);
    assertThat(store.lease(key, 1, LEASE_TIME)).isEqualTo(SessionStore.Lease.BUSY);
    assertThat(store.lease(key, 2, LEASE_TIME)).isEqualTo(SessionStore.Lease.TAKEN);
    assertThat(store.lease(key, 1, LEASE_TIME)).isEqualTo(SessionStore.Lease.BUSY);
    store.release(key, 2);
    passTime(SessionStore.TURN_TIME.plusSeconds(1));
    assertThat(store.lease(key, 3, LEASE_TIME)).isEqualTo(SessionStore.Lease.TAKEN);
  }

  @Test
  @Tag("G3")
  void whoHasLostTheLeaseCannotSave() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    assertThat(store.lease(key, 1, LEASE_TIME)).isEqualTo(SessionStore.Lease.TAKEN);
    assertThat(store.save(delta(key, Map.of("a", set("first"))), 1)).hasValue(2);
    passTime(LEASE_TIME.plusSeconds(1));
    assertThat(store.lease(key, 2, LEASE_TIME)).isEqualTo(SessionStore.Lease.TAKEN);
    assertThatThrownBy(() -> store.save(delta(key, Map.of("a", set("late"))), 1))
        .isInstanceOf(SessionBusyException.class);
    assertThatThrownBy(() -> store.save(SessionDelta.touch(key, Duration.ZERO), 1))
        .isInstanceOf(SessionBusyException.class);
    assertThat(attributes(store, key)).isEqualTo(Map.of("a", value("first")));
    assertThat(store.save(delta(key, Map.of("a", set("second"))), 2)).hasValue(3);
    store.remove(key);
    assertThat(store.save(delta(key, Map.of("a", set("third"))), 2)).isEmpty();
  }

  @Test
  @Tag("G3")
  void aLeaseStaysWithARenamedSession() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    assertThat(store.lease(key, 1, LEASE_TIME)).isEqualTo(SessionStore.Lease.TAKEN);
    SessionKey newKey = newKeyFor(store, key);
    assertThat(store.rename(key, newKey)).isTrue();
    assertThat(store.lease(key, 2, LEASE_TIME)).isEqualTo(SessionStore.Lease.MISSING);
    assertThat(store.lease(newKey, 2, LEASE_TIME)).isEqualTo(SessionStore.Lease.BUSY);
    store.release(key, 1);
    assertThat(store.lease(newKey, 2, LEASE_TIME)).isEqualTo(SessionStore.Lease.TAKEN);
  }

  @Test
  @Tag("G3")
  void oneOfManyThreadsIsGivenTheLease() {
    SessionStore one = open();
    SessionStore two = open();
    SessionKey key = created(one, Map.of());
    List<SessionStore.Lease> answers =
        Threads.call(
            THREADS, thread -> (thread % 2 == 0 ? one : two).lease(key, 100L + thread, LEASE_TIME));
    assertThat(answers)
        .containsOnlyOnce(SessionStore.Lease.TAKEN)
        .doesNotContain(SessionStore.Lease.MISSING);
  }

  // ---------------------------------------------------------------- rename

  @Test
  @Tag("R51")
  @Tag("R62")
  void afterARenameTheOldKeyOpensNothingWhileASaveInFlightReachesTheSession() {
    SessionStore one = open();
    SessionStore two = open();
    SessionKey old = created(one, Map.of("a", value("1")));
    SessionKey renamed = newKeyFor(two, old);
    assertThat(two.rename(old, renamed)).isTrue();
    assertThat(one.load(old, 1)).isInstanceOf(LoadResult.Missing.class);
    assertThat(one.load(old, SessionStore.NO_VERSION)).isInstanceOf(LoadResult.Missing.class);

    assertThat(save(one, old, Map.of("b", set("2")))).isEqualTo(2);
    SessionRecord record = found(two, renamed);
    assertThat(record.key()).isEqualTo(renamed);
    assertThat(record.origin()).isEqualTo(old);
    assertThat(record.version()).isEqualTo(2);
    assertThat(record.attributes()).containsOnlyKeys("a", "b");
    assertThat(two.load(renamed, 2)).isInstanceOf(LoadResult.Unchanged.class);
    assertThat(one.load(old, SessionStore.NO_VERSION)).isInstanceOf(LoadResult.Missing.class);
  }

  @Test
  void aSessionIsRenamedManyTimes() {
    SessionStore store = open();
    SessionKey origin = created(store, Map.of("a", value("1")));
    SessionKey key = origin;
    for (int i = 0; i < 5; i++) {
      SessionKey next = newKeyFor(store, key);
      assertThat(store.rename(key, next)).isTrue();
      assertThat(store.load(key, SessionStore.NO_VERSION)).isInstanceOf(LoadResult.Missing.class);
      key = next;
    }
    assertThat(found(store, key).origin()).isEqualTo(origin);
    assertThat(store.remove(origin)).isTrue();
    assertThat(store.load(key, SessionStore.NO_VERSION)).isInstanceOf(LoadResult.Missing.class);
    assertThat(store.create(session(key, Map.of()))).isTrue();
  }

  @Test
  @Tag("R50")
  void aRenameIsAllOrNothing() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of("a", value("1")));
    SessionKey taken = newKeyFor(store, key);
    assertThat(store.create(session(taken, Map.of("b", value("2"))))).isTrue();
    assertThat(store.rename(key, taken)).isFalse();
    assertThat(attributes(store, key)).containsOnlyKeys("a");
    assertThat(attributes(store, taken)).containsOnlyKeys("b");

    SessionKey unknown = newKey();
    SessionKey free = newKeyFor(store, unknown);
    assertThat(store.rename(unknown, free)).isFalse();
    assertThat(store.load(free, SessionStore.NO_VERSION)).isInstanceOf(LoadResult.Missing.class);
    assertThat(store.create(session(free, Map.of()))).isTrue();
  }

  @Test
  @Tag("R50")
  void ofManyRenamesOfOneKeyExactlyOneSucceeds() {
    SessionStore one = open();
    SessionStore two = open();
    SessionKey key = created(one, Map.of("a", value("1")));
    List<SessionKey> wishes =
        IntStream.range(0, THREADS).mapToObj(i -> newKeyFor(one, key)).toList();
    List<Boolean> answers =
        Threads.call(
            THREADS, thread -> (thread % 2 == 0 ? one : two).rename(key, wishes.get(thread)));
    assertThat(answers).containsOnlyOnce(true);
    for (int i = 0; i < THREADS; i++) {
      LoadResult result = one.load(wishes.get(i), SessionStore.NO_VERSION);
      assertThat(result instanceof LoadResult.Found).isEqualTo(answers.get(i));
    }
  }

  // ---------------------------------------------------------------- remove

  @Test
  @Tag("G6")
  void removeSucceedsForExactlyOneCaller() {
    SessionStore one = open();
    SessionStore two = open();
    SessionKey key = created(one, Map.of("a", value("1")));
    List<Boolean> answers =
        Threads.call(THREADS, thread -> (thread % 2 == 0 ? one : two).remove(key));
    assertThat(answers).containsOnlyOnce(true);
    assertThat(one.remove(key)).isFalse();
  }

  // ---------------------------------------------------------------- expiry

  @Test
  @Tag("G6")
  void aSessionExpiresWhenItsTimeToLiveHasPassed() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    Duration timeToLive = HALF_AN_HOUR.timeToLive().orElseThrow();
    passTime(timeToLive.minus(slack()));
    assertThat(store.claimExpired(10, CLAIM_TIME)).isEmpty();
    assertThat(store.load(key, SessionStore.NO_VERSION)).isInstanceOf(LoadResult.Found.class);
    passTime(timeToLive.plusMillis(1));
    assertThat(store.load(key, SessionStore.NO_VERSION)).isInstanceOf(LoadResult.Missing.class);
    assertThat(store.rename(key, newKeyFor(store, key))).isFalse();
    assertThat(claimedKeys(store.claimExpired(10, CLAIM_TIME))).containsExactly(key);
  }

  @Test
  @Tag("G6")
  void eachExpiredSessionIsClaimedByExactlyOneCallerWithAllItHolds() {
    SessionStore one = open();
    SessionStore two = open();
    Set<SessionKey> keys = new HashSet<>();
    for (int i = 0; i < 60; i++) {
      keys.add(created(one, Map.of("n", value("v" + i), "big", EncodedValue.of(new byte[3000]))));
    }
    passTime(Duration.ofHours(1));
    List<List<SessionRecord>> claims =
        Threads.call(
            THREADS,
            thread -> {
              SessionStore store = thread % 2 == 0 ? one : two;
              List<SessionRecord> mine = new ArrayList<>();
              for (List<SessionRecord> batch = store.claimExpired(7, CLAIM_TIME);
                  !batch.isEmpty();
                  batch = store.claimExpired(7, CLAIM_TIME)) {
                assertThat(batch).hasSizeLessThanOrEqualTo(7);
                mine.addAll(batch);
              }
              return mine;
            });
    // A caller that found everything locked by others may have gone early; what it left is claimed
    // now.
    List<SessionRecord> all = new ArrayList<>();
    claims.forEach(all::addAll);
    for (List<SessionRecord> rest = one.claimExpired(100, CLAIM_TIME);
        !rest.isEmpty();
        rest = one.claimExpired(100, CLAIM_TIME)) {
      all.addAll(rest);
    }
    assertThat(claimedKeys(all)).containsExactlyInAnyOrderElementsOf(keys);
    assertThat(all).allSatisfy(r -> assertThat(r.attributes()).containsOnlyKeys("n", "big"));
  }

  // ---------------------------------------------------------------- find by principal

  @Test
  @Tag("R73")
  void aUsersSessionsAreFoundFromAnyNodeHoweverTheUserLoggedIn() {
    SessionStore store = open();
    SessionKey begunByTheLogin = newKey();
    SessionKey loggedInLater = created(store, Map.of("a", value("1")));
    SessionKey withoutAttributes = created(store, Map.of());
    SessionKey bobs = newKey();
    SessionKey nobodys = created(store, Map.of());
    assertThat(store.create(session(begunByTheLogin, ALICE, Map.of("login", value("x"))))).isTrue();
    assertThat(store.create(session(bobs, BOB, Map.of()))).isTrue();
    logIn(store, loggedInLater, ALICE, Map.of("login", set("x"), "a", set("2")));
    logIn(store, withoutAttributes, ALICE, Map.of());
    assertThat(open().findByPrincipal(ALICE, 10))
        .containsExactlyInAnyOrder(begunByTheLogin, loggedInLater, withoutAttributes);
    assertThat(open().findByPrincipal(BOB, 10)).containsExactly(bobs);
    assertThat(attributes(store, loggedInLater))
        .isEqualTo(Map.of("login", value("x"), "a", value("2")));
    assertThat(found(store, nobodys).attributes()).isEmpty();
  }

  @Test
  @Tag("R73")
  void aSessionIsItsUsersUntilSomebodyElseLogsInOrOut() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of("a", value("1")));
    logIn(store, key, ALICE, Map.of());
    save(store, key, Map.of("a", set("2")));
    save(store, key, Map.of("b", set("1")), Duration.ofMinutes(1));
    save(store, key, Map.of());
    IdleTimeout hour = IdleTimeout.of(Duration.ofHours(1), Duration.ofMinutes(1));
    store.save(new SessionDelta(key, Map.of(), Optional.of(hour), Duration.ZERO));
    assertThat(store.findByPrincipal(ALICE, 10)).as("whatever is saved").containsExactly(key);
    logIn(store, key, BOB, Map.of("a", set("3")));
    assertThat(store.findByPrincipal(ALICE, 10)).isEmpty();
    assertThat(store.findByPrincipal(BOB, 10)).containsExactly(key);
    logIn(store, key, PrincipalKey.NOBODY, Map.of("a", new AttributeChange.Remove()));
    assertThat(store.findByPrincipal(BOB, 10)).isEmpty();
    logIn(store, key, ALICE, Map.of());
    logIn(store, key, PrincipalKey.NOBODY, Map.of());
    assertThat(store.findByPrincipal(ALICE, 10)).isEmpty();
  }

  @Test
  @Tag("R73")
  void aLoginRaisesTheVersionAndMaySetTheTimeoutAsWell() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    assertThat(logIn(store, key, ALICE, Map.of())).isEqualTo(SessionStore.FIRST_VERSION + 1);
    Optional<IdleTimeout> hour =
        Optional.of(IdleTimeout.of(Duration.ofHours(1), Duration.ofMinutes(1)));
    assertThat(store.save(new SessionDelta(key, Map.of(), hour, Optional.of(BOB), Duration.ZERO)))
        .hasValue(SessionStore.FIRST_VERSION + 2);
    assertThat(
            store.save(
                new SessionDelta(
                    key, Map.of("a", set("1")), hour, Optional.of(ALICE), Duration.ZERO)))
        .hasValue(SessionStore.FIRST_VERSION + 3);
    assertThat(found(store, key).timeout()).isEqualTo(hour.orElseThrow());
    assertThat(store.findByPrincipal(ALICE, 10)).containsExactly(key);
    passTime(Duration.ofMinutes(45));
    assertThat(store.findByPrincipal(ALICE, 10)).containsExactly(key);
  }

  @Test
  @Tag("R73")
  void aRenamedSessionIsFoundByItsPresentKey() {
    SessionStore store = open();
    SessionKey origin = created(store, Map.of());
    SessionKey first = newKeyFor(store, origin);
    assertThat(store.rename(origin, first)).isTrue();
    logIn(store, origin, ALICE, Map.of());
    assertThat(store.findByPrincipal(ALICE, 10)).containsExactly(first);
    SessionKey second = newKeyFor(store, first);
    assertThat(store.rename(first, second)).isTrue();
    assertThat(store.findByPrincipal(ALICE, 10)).containsExactly(second);
  }

  @Test
  @Tag("R73")
  void whatHasEndedOrExpiredIsNobodys() {
    SessionStore store = open();
    SessionKey removed = created(store, Map.of());
    SessionKey expiring = created(store, Map.of());
    logIn(store, removed, ALICE, Map.of());
    logIn(store, expiring, ALICE, Map.of("a", set("1")));
    assertThat(store.remove(removed)).isTrue();
    assertThat(store.findByPrincipal(ALICE, 10)).containsExactly(expiring);
    passTime(Duration.ofHours(1));
    assertThat(store.findByPrincipal(ALICE, 10)).isEmpty();
    assertThat(claimedKeys(store.claimExpired(10, CLAIM_TIME))).containsExactly(expiring);
    assertThat(store.findByPrincipal(ALICE, 10)).isEmpty();
    assertThat(
            store.save(
                new SessionDelta(
                    expiring,
                    Map.of("a", set("2")),
                    Optional.empty(),
                    Optional.of(BOB),
                    Duration.ZERO)))
        .as("claimed")
        .isEmpty();
    assertThat(store.remove(expiring)).isTrue();
    assertThat(store.create(session(expiring, Map.of()))).isTrue();
    assertThat(store.findByPrincipal(ALICE, 10)).as("another session of this key").isEmpty();
    assertThat(store.findByPrincipal(BOB, 10)).isEmpty();
  }

  @Test
  @Tag("R73")
  void aSaveWhoseLeaseIsLostLogsNobodyIn() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    SessionDelta login =
        new SessionDelta(
            key, Map.of("a", set("1")), Optional.empty(), Optional.of(ALICE), Duration.ZERO);
    assertThat(store.lease(key, 1, LEASE_TIME)).isEqualTo(SessionStore.Lease.TAKEN);
    assertThatThrownBy(() -> store.save(login, 2)).isInstanceOf(SessionBusyException.class);
    assertThat(store.findByPrincipal(ALICE, 10)).isEmpty();
    assertThat(store.save(login, 1)).isPresent();
    assertThat(store.findByPrincipal(ALICE, 10)).containsExactly(key);
  }

  @Test
  @Tag("R63")
  @Tag("R73")
  void aUserOfAnotherApplicationIsAnother() {
    SessionStore store = open();
    SessionStore another = open("another-" + application);
    SessionKey key = created(store, Map.of());
    logIn(store, key, ALICE, Map.of());
    assertThat(another.findByPrincipal(ALICE, 10)).isEmpty();
    assertThat(PrincipalKey.of("another-" + application, "alice"))
        .isNotEqualTo(PrincipalKey.of(application, "alice"));
  }

  @Test
  @Tag("R73")
  void noMoreSessionsAreFoundThanAskedForAndAllOfThemInTheEnd() {
    SessionStore store = open();
    Set<SessionKey> sessions = new HashSet<>();
    for (int i = 0; i < 30; i++) {
      SessionKey key = newKey();
      assertThat(store.create(session(key, i % 10 == 0 ? BOB : ALICE, Map.of()))).isTrue();
      if (i % 10 != 0) {
        sessions.add(key);
      }
    }
    assertThat(store.findByPrincipal(ALICE, 100)).containsExactlyInAnyOrderElementsOf(sessions);
    while (!sessions.isEmpty()) {
      List<SessionKey> some = store.findByPrincipal(ALICE, 4);
      assertThat(some).hasSize(Math.min(4, sessions.size())).doesNotHaveDuplicates();
      assertThat(sessions.removeAll(some)).isTrue();
      some.forEach(store::remove);
    }
    assertThat(store.findByPrincipal(ALICE, 4)).isEmpty();
  }

  @Test
  @Tag("R73")
  void nobodysSessionsCannotBeLookedUp() {
    SessionStore store = open();
    SessionKey unused = created(store, Map.of());
    assertThatThrownBy(() -> store.findByPrincipal(PrincipalKey.NOBODY, 10))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void itIsEmptyWhenTheLastSessionHasBeenRemovedAndNotWhenItHasExpired() {
    SessionStore store = open();
    assertThat(store.isEmpty()).isTrue();
    assertThat(open("another-" + application).create(session(newKey(), Map.of()))).isTrue();
    assertThat(store.isEmpty()).as("another application has one").isTrue();
    SessionKey key = created(store, Map.of("a", value("1")));
    assertThat(store.isEmpty()).isFalse();
    passTime(Duration.ofDays(1));
    assertThat(store.isEmpty()).as("its listeners have not been told").isFalse();
    assertThat(claimedKeys(store.claimExpired(10, CLAIM_TIME))).containsExactly(key);
    assertThat(store.isEmpty()).isFalse();
    assertThat(store.remove(key)).isTrue();
    assertThat(store.isEmpty()).isTrue();
    SessionKey forEver = created(store, Map.of());
    store.save(new SessionDelta(forEver, Map.of(), Optional.of(IdleTimeout.NEVER), Duration.ZERO));
    passTime(Duration.ofDays(3650));
    assertThat(store.isEmpty()).as("it never expires").isFalse();
    assertThat(store.remove(forEver)).isTrue();
    assertThat(store.isEmpty()).isTrue();
  }

  @Test
  void claimsHonourTheirLimit() {
    SessionStore store = open();
    for (int i = 0; i < 5; i++) {
      created(store, Map.of("a", value("1"), "b", value("2")));
    }
    passTime(Duration.ofHours(1));
    assertThat(store.claimExpired(2, CLAIM_TIME)).hasSize(2);
    assertThat(store.claimExpired(2, CLAIM_TIME)).hasSize(2);
    assertThat(store.claimExpired(2, CLAIM_TIME)).hasSize(1);
    assertThat(store.claimExpired(2, CLAIM_TIME)).isEmpty();
  }

  @Test
  @Tag("G6")
  @Tag("R32")
  void aLapsedClaimIsClaimedAgain() {
    SessionStore dying = open();
    SessionStore other = open();
    SessionKey key = created(dying, Map.of("a", value("1")));
    passTime(Duration.ofHours(1));
    assertThat(claimedKeys(dying.claimExpired(10, CLAIM_TIME))).containsExactly(key);
    passTime(CLAIM_TIME.minus(slack()));
    assertThat(other.claimExpired(10, CLAIM_TIME)).isEmpty();
    passTime(CLAIM_TIME);
    List<SessionRecord> again = other.claimExpired(10, CLAIM_TIME);
    assertThat(claimedKeys(again)).containsExactly(key);
    assertThat(again.get(0).attributes()).containsOnlyKeys("a");
    assertThat(other.remove(key)).isTrue();
    passTime(CLAIM_TIME.multipliedBy(2));
    assertThat(dying.claimExpired(10, CLAIM_TIME)).isEmpty();
    assertThat(dying.remove(key)).isFalse();
  }

  @Test
  @Tag("G7")
  void aClaimedSessionIsMissingAndTakesNoSave() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    passTime(Duration.ofHours(1));
    assertThat(store.claimExpired(1, CLAIM_TIME)).hasSize(1);
    assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Missing.class);
    assertThat(store.save(delta(key, Map.of("a", set("1"))))).isEmpty();
    assertThat(store.save(SessionDelta.touch(key, Duration.ZERO))).isEmpty();
    assertThat(store.rename(key, newKeyFor(store, key))).isFalse();
    assertThat(store.create(session(key, Map.of()))).isFalse();
    passTime(CLAIM_TIME.multipliedBy(2));
    assertThat(store.save(delta(key, Map.of("a", set("1"))))).isEmpty();
    assertThat(store.claimExpired(1, CLAIM_TIME)).hasSize(1);
  }

  @Test
  @Tag("G6")
  @Tag("R26")
  void aSessionTouchedMeanwhileIsSpared() {
    SessionStore store = open();
    SessionKey loaded = created(store, Map.of());
    SessionKey touched = created(store, Map.of());
    SessionKey saved = created(store, Map.of());
    SessionKey idle = created(store, Map.of());
    passTime(Duration.ofMinutes(20));
    store.load(loaded, 1);
    store.save(SessionDelta.touch(touched, Duration.ZERO));
    save(store, saved, Map.of("a", set("1")));
    passTime(Duration.ofMinutes(20));
    assertThat(claimedKeys(store.claimExpired(10, CLAIM_TIME))).containsExactly(idle);
    assertThat(store.remove(idle)).isTrue();
    passTime(Duration.ofMinutes(12));
    assertThat(claimedKeys(store.claimExpired(10, CLAIM_TIME)))
        .containsExactlyInAnyOrder(loaded, touched, saved);
  }

  @Test
  @Tag("G6")
  void aRunningRequestsTouchSparesASessionThatHasExpiredUnclaimed() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    passTime(Duration.ofHours(1));
    assertThat(store.save(SessionDelta.touch(key, Duration.ZERO))).hasValue(1);
    assertThat(store.claimExpired(10, CLAIM_TIME)).isEmpty();
    assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Unchanged.class);
  }

  @Test
  @Tag("R29")
  void aSessionWithoutTimeoutNeverExpiresAndCanBeRemoved() {
    SessionStore store = open();
    List<IdleTimeout> forEver =
        List.of(
            IdleTimeout.NEVER,
            IdleTimeout.of(Duration.ofSeconds(-1), Duration.ofMinutes(1)),
            IdleTimeout.of(Duration.ofSeconds(Integer.MAX_VALUE), Duration.ofMinutes(1)));
    List<SessionKey> keys = new ArrayList<>();
    for (IdleTimeout timeout : forEver) {
      SessionKey key = newKey();
      keys.add(key);
      assertThat(
              store.create(
                  new NewSession(
                      key, SessionStore.FIRST_VERSION, Instant.now(), timeout, Map.of())))
          .isTrue();
    }
    passTime(Duration.ofDays(3650));
    assertThat(store.claimExpired(10, CLAIM_TIME)).isEmpty();
    for (int i = 0; i < keys.size(); i++) {
      assertThat(save(store, keys.get(i), Map.of("a", set("1")))).isEqualTo(2);
      assertThat(found(store, keys.get(i)).timeout()).isEqualTo(forEver.get(i));
      assertThat(store.remove(keys.get(i))).isTrue();
    }
  }

  @Test
  @Tag("R29")
  @Tag("R30")
  void aTimeoutMayBecomeNeverAndBack() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    store.save(new SessionDelta(key, Map.of(), Optional.of(IdleTimeout.NEVER), Duration.ZERO));
    passTime(Duration.ofDays(100));
    assertThat(store.claimExpired(10, CLAIM_TIME)).isEmpty();
    assertThat(found(store, key).timeout()).isEqualTo(IdleTimeout.NEVER);
    store.save(new SessionDelta(key, Map.of(), Optional.of(HALF_AN_HOUR), Duration.ZERO));
    passTime(Duration.ofHours(1));
    assertThat(claimedKeys(store.claimExpired(10, CLAIM_TIME))).containsExactly(key);
  }

  // ---------------------------------------------------------------- data

  /** Texts that mean something to some store, protocol or language. */
  static List<String> awkwardTexts() {
    return List.of(
        "",
        " ",
        "a",
        "A",
        "a ",
        "'; DROP TABLE sessions; --",
        "\"quoted\" `back` \\slash",
        "100%_%s%d",
        "{braces}{0}${x}#{y}",
        "line\nfeed\r\n\ttab",
        "nul\u0000and\u0001control",
        "\uD83D\uDE00 emoji e\u0301 \u00e9 \u4e2d\u6587",
        "x".repeat(1024));
  }

  @ParameterizedTest
  @MethodSource("awkwardTexts")
  void idsAreData(String id) {
    SessionStore store = open();
    SessionKey key = SessionKey.of(id + UUID.randomUUID());
    assertThat(store.create(session(key, Map.of("a", value("1"))))).isTrue();
    assertThat(attributes(store, key)).containsOnlyKeys("a");
    assertThat(store.remove(key)).isTrue();
  }

  @Test
  @Tag("R86")
  void attributeNamesAreData() {
    SessionStore store = open();
    Map<String, EncodedValue> all = new HashMap<>();
    awkwardTexts().forEach(name -> all.put(name, value("of " + name)));
    SessionKey key = created(store, all);
    assertThat(attributes(open(), key)).isEqualTo(all);

    Map<String, AttributeChange> changes = new HashMap<>();
    all.replaceAll((name, old) -> value("new " + name));
    all.forEach((name, changed) -> changes.put(name, new AttributeChange.Set(changed)));
    save(store, key, changes);
    assertThat(attributes(open(), key)).isEqualTo(all);

    for (String name : awkwardTexts()) {
      save(store, key, Map.of(name, new AttributeChange.Remove()));
      all.remove(name);
      assertThat(attributes(store, key)).isEqualTo(all);
    }
    assertThat(changed(store, key, 2).removed()).containsOnlyKeys(awkwardTexts());
  }

  @Test
  @Tag("R87")
  void valuesReturnByteForByte() {
    Random random = new Random(42);
    byte[] megabyte = new byte[1 << 20];
    random.nextBytes(megabyte);
    byte[] everyByte = new byte[256];
    for (int i = 0; i < 256; i++) {
      everyByte[i] = (byte) i;
    }
    Map<String, EncodedValue> values =
        Map.of(
            "empty", EncodedValue.of(new byte[0]),
            "zero", EncodedValue.of(new byte[] {0}),
            "every", EncodedValue.of(everyByte),
            "megabyte", EncodedValue.of(megabyte));
    SessionStore store = open();
    SessionKey whenCreated = created(store, values);
    assertThat(attributes(open(), whenCreated)).isEqualTo(values);

    SessionKey whenSaved = created(store, Map.of());
    Map<String, AttributeChange> changes = new HashMap<>();
    values.forEach((name, saved) -> changes.put(name, new AttributeChange.Set(saved)));
    save(store, whenSaved, changes);
    assertThat(attributes(open(), whenSaved)).isEqualTo(values);
    assertThat(changed(store, whenSaved, 1).set()).containsOnlyKeys(values.keySet());
  }

  @Test
  void aSessionHoldsManyAttributes() {
    SessionStore store = open();
    Map<String, EncodedValue> many = new HashMap<>();
    for (int i = 0; i < 500; i++) {
      many.put("attribute-" + i, value("value-" + i));
    }
    SessionKey key = created(store, many);
    assertThat(attributes(store, key)).isEqualTo(many);
    save(store, key, Map.of("attribute-250", set("new")));
    assertThat(changed(store, key, 1).set()).containsOnlyKeys("attribute-250");
  }

  @Test
  @Tag("R63")
  void applicationsDoNotSeeEachOther() {
    List<String> names =
        List.of("prod", "prod2", "PROD", "prod%", "{prod}", "prod:1", "pro_", "/", "", "x'\"\n");
    String unique = UUID.randomUUID().toString();
    Map<String, SessionStore> stores = new HashMap<>();
    names.forEach(name -> stores.put(name, open(unique + name)));
    SessionKey key = newKey();
    for (String name : names) {
      assertThat(store(stores, name).create(session(key, Map.of("of", value(name))))).isTrue();
    }
    for (String name : names) {
      assertThat(attributes(store(stores, name), key)).isEqualTo(Map.of("of", value(name)));
    }
    assertThat(store(stores, "prod").remove(key)).isTrue();
    SessionStore prod2 = store(stores, "prod2");
    assertThat(prod2.rename(key, newKeyFor(prod2, key))).isTrue();
    passTime(Duration.ofHours(1));
    assertThat(store(stores, "prod").claimExpired(100, CLAIM_TIME)).isEmpty();
    assertThat(store(stores, "prod2").claimExpired(100, CLAIM_TIME)).hasSize(1);
    assertThat(store(stores, "{prod}").claimExpired(100, CLAIM_TIME)).hasSize(1);
    assertThat(store(stores, "prod%").claimExpired(100, CLAIM_TIME)).hasSize(1);
  }

  // ---------------------------------------------------------------- failure

  @Test
  @Tag("G4")
  void anUnavailableStoreThrows() {
    SessionStore store = openUnreachable();
    opened.add(store);
    SessionKey key = newKey();
    List<ThrowingCallable> calls =
        List.of(
            () -> store.create(session(key, Map.of())),
            () -> store.load(key, SessionStore.NO_VERSION),
            () -> store.load(key, 1),
            () -> store.save(delta(key, Map.of("a", set("1")))),
            () -> store.save(SessionDelta.touch(key, Duration.ZERO)),
            () -> store.rename(key, newKeyFor(store, key)),
            () -> store.remove(key),
            () -> store.claimExpired(1, CLAIM_TIME),
            store::ping);
    for (ThrowingCallable call : calls) {
      assertThatThrownBy(call).isInstanceOf(StoreUnavailableException.class);
    }
  }

  @Test
  void aClosedStoreThrowsAndClosesAgain() {
    SessionStore store = open();
    SessionKey key = created(store, Map.of());
    store.ping();
    store.close();
    store.close();
    assertThatThrownBy(() -> store.load(key, 1)).isInstanceOf(StoreUnavailableException.class);
    assertThatThrownBy(store::ping).isInstanceOf(StoreUnavailableException.class);
  }

  // ---------------------------------------------------------------- words used above

  /**
   * Real time that may pass between two calls: the store's clock runs on while a test shifts it.
   */
  private static Duration slack() {
    return Duration.ofSeconds(20);
  }

  private static SessionKey newKey() {
    return SessionKey.of(UUID.randomUUID().toString());
  }

  /** One that a session which goes by this key may go by. */
  private static SessionKey newKeyFor(SessionStore store, SessionKey key) {
    return Stream.generate(SessionStoreContract::newKey)
        .filter(newKey -> store.canRename(key, newKey))
        .findFirst()
        .orElseThrow();
  }

  private static EncodedValue value(String text) {
    return EncodedValue.of(text.getBytes(UTF_8));
  }

  private static AttributeChange set(String text) {
    return new AttributeChange.Set(value(text));
  }

  private static NewSession session(SessionKey key, Map<String, EncodedValue> attributes) {
    Instant now = Instant.now().truncatedTo(ChronoUnit.MILLIS);
    return new NewSession(key, SessionStore.FIRST_VERSION, now, HALF_AN_HOUR, attributes);
  }

  private static NewSession session(
      SessionKey key, PrincipalKey principal, Map<String, EncodedValue> attributes) {
    return new NewSession(key, Instant.now(), HALF_AN_HOUR, principal, attributes);
  }

  private static long logIn(
      SessionStore store,
      SessionKey origin,
      PrincipalKey principal,
      Map<String, AttributeChange> changes) {
    return store
        .save(
            new SessionDelta(
                origin, changes, Optional.empty(), Optional.of(principal), Duration.ZERO))
        .orElseThrow(() -> new AssertionError("The session is gone"));
  }

  private static SessionKey created(SessionStore store, Map<String, EncodedValue> attributes) {
    SessionKey key = newKey();
    assertThat(store.create(session(key, attributes))).isTrue();
    return key;
  }

  private static SessionDelta delta(SessionKey origin, Map<String, AttributeChange> changes) {
    return new SessionDelta(origin, changes, Optional.empty(), Duration.ZERO);
  }

  private static long save(
      SessionStore store, SessionKey origin, Map<String, AttributeChange> changes) {
    return save(store, origin, changes, Duration.ZERO);
  }

  private static long save(
      SessionStore store, SessionKey origin, Map<String, AttributeChange> changes, Duration idle) {
    return store
        .save(new SessionDelta(origin, changes, Optional.empty(), idle))
        .orElseThrow(() -> new AssertionError("The session is gone"));
  }

  private static SessionRecord found(SessionStore store, SessionKey key) {
    LoadResult result = store.load(key, SessionStore.NO_VERSION);
    assertThat(result).isInstanceOf(LoadResult.Found.class);
    return ((LoadResult.Found) result).session();
  }

  private static LoadResult.Changed changed(SessionStore store, SessionKey key, long known) {
    LoadResult result = store.load(key, known);
    assertThat(result).isInstanceOf(LoadResult.Changed.class);
    return (LoadResult.Changed) result;
  }

  private static LoadResult.Unchanged unchanged(SessionStore store, SessionKey key, long known) {
    LoadResult result = store.load(key, known);
    assertThat(result).isInstanceOf(LoadResult.Unchanged.class);
    return (LoadResult.Unchanged) result;
  }

  private static Map<String, EncodedValue> attributes(SessionStore store, SessionKey key) {
    Map<String, EncodedValue> values = new HashMap<>();
    found(store, key).attributes().forEach((name, stored) -> values.put(name, stored.value()));
    return values;
  }

  private static List<SessionKey> claimedKeys(List<SessionRecord> records) {
    return records.stream().map(SessionRecord::key).toList();
  }

  private static SessionStore store(Map<String, SessionStore> stores, String name) {
    return requireNonNull(stores.get(name));
  }
}
