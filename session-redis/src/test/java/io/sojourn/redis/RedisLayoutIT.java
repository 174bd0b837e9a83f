package io.sojourn.redis;

import static io.sojourn.redis.Sessions.HALF_AN_HOUR;
import static io.sojourn.redis.Sessions.created;
import static io.sojourn.redis.Sessions.found;
import static io.sojourn.redis.Sessions.isMissing;
import static io.sojourn.redis.Sessions.newKey;
import static io.sojourn.redis.Sessions.newKeyElsewhere;
import static io.sojourn.redis.Sessions.newKeyFor;
import static io.sojourn.redis.Sessions.set;
import static io.sojourn.redis.Sessions.timeout;
import static io.sojourn.redis.Sessions.value;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.lettuce.core.AclCategory;
import io.lettuce.core.AclSetuserArgs;
import io.lettuce.core.RedisClient;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.protocol.CommandType;
import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.PrincipalKey;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What lies in the server, what is sent to it and how often, seen from beside the store. */
class RedisLayoutIT {

  private static final Duration CLAIM_TIME = Duration.ofMinutes(1);
  private static final long DAY = Duration.ofDays(1).toMillis();
  private static final PrincipalKey ALICE = PrincipalKey.of("shop", "alice");

  private static RedisServer server;
  private static RedisClient client;
  private static StatefulRedisConnection<String, String> connection;
  private static RedisCommands<String, String> redis;

  private final AtomicReference<Duration> clockOffset = new AtomicReference<>(Duration.ZERO);
  private SessionStore store;

  @BeforeAll
  static void startServer() {
    server = RedisServer.startPrivate();
    client = RedisClient.create(server.url());
    connection = client.connect();
    redis = connection.sync();
  }

  @AfterAll
  static void stopServer() {
    connection.close();
    client.shutdown();
    server.close();
  }

  @BeforeEach
  void openStore() {
    redis.flushall();
    store = open(server.url());
  }

  @AfterEach
  void closeStore() {
    store.close();
  }

  private SessionStore open(String url) {
    return new RedisSessionStore(
        new StoreConfiguration(url, "shop", Map.of("timeout", "10s"), clockOffset::get));
  }

  private void passTime(Duration time) {
    clockOffset.updateAndGet(offset -> offset.plus(time));
  }

  // ---------------------------------------------------------------- commands

  @Test
  @Tag("G9")
  void eachOperationIsOneScript() {
    runEverything(); // so that the server knows the scripts
    SessionKey key = newKey();
    SessionKey newKey = newKeyFor(key);
    assertThat(evalshasOf(() -> store.create(Sessions.session(key, "a", "1")))).isEqualTo(1);
    assertThat(evalshasOf(() -> store.load(key, SessionStore.NO_VERSION))).isEqualTo(1);
    assertThat(evalshasOf(() -> store.load(key, 1))).isEqualTo(1);
    assertThat(evalshasOf(() -> store.save(set(key, "b", "2")))).isEqualTo(1);
    assertThat(evalshasOf(() -> store.load(key, 1))).isEqualTo(1);
    assertThat(evalshasOf(() -> store.save(SessionDelta.touch(key, Duration.ZERO)))).isEqualTo(1);
    assertThat(evalshasOf(() -> store.rename(key, newKey))).isEqualTo(1);
    passTime(Duration.ofMinutes(5));
    assertThat(evalshasOf(() -> store.load(newKey, 2))).isEqualTo(1);
    assertThat(evalshasOf(() -> store.remove(key))).isEqualTo(1);
    assertThat(evalshasOf(() -> store.claimExpired(10, CLAIM_TIME))).isEqualTo(64);
    assertThat(calls("eval")).isZero();
  }

  @Test
  void scriptsThatTheServerForgotAreSentAgain() {
    for (int i = 0; i < 3; i++) {
      redis.scriptFlush();
      runEverything();
    }
  }

  /** Every operation once, each asserted to have worked. */
  private void runEverything() {
    runEverything(store);
  }

  private void runEverything(SessionStore store) {
    SessionKey key = newKey();
    SessionKey newKey = newKeyFor(key);
    assertThat(store.create(Sessions.session(key, "a", "1"))).isTrue();
    assertThat(store.save(set(key, "b", "2"))).hasValue(2);
    assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Changed.class);
    assertThat(store.rename(key, newKey)).isTrue();
    assertThat(found(store, newKey).attributes()).containsOnlyKeys("a", "b");
    passTime(Duration.ofHours(1));
    assertThat(store.claimExpired(10, CLAIM_TIME)).hasSize(1);
    passTime(Duration.ofHours(-1));
    assertThat(store.remove(key)).isTrue();
    store.ping();
  }

  @Test
  @Tag("R82")
  void fewCommandsAreEnough() {
    redis.aclSetuser(
        "app",
        AclSetuserArgs.Builder.on()
            .addPassword("secret")
            .keyPattern("sojourn:*")
            .addCommand(CommandType.PING)
            .addCommand(CommandType.EVAL)
            .addCommand(CommandType.EVALSHA)
            .addCommand(CommandType.TIME)
            .addCategory(AclCategory.HASH)
            .addCategory(AclCategory.SORTEDSET)
            .addCategory(AclCategory.STRING)
            .addCategory(AclCategory.KEYSPACE)
            .removeCategory(AclCategory.DANGEROUS));
    SessionStore asUser = open(server.url().replace("//", "//app:secret@"));
    try {
      redis.scriptFlush();
      runEverything(asUser);
    } finally {
      asUser.close();
    }
  }

  @Test
  @Tag("G9")
  @Tag("R77")
  void aSmallChangeInALargeSessionIsASmallMessage() {
    Map<String, EncodedValue> attributes = new HashMap<>();
    for (int i = 0; i < 100; i++) {
      attributes.put("attribute-" + i, EncodedValue.of(new byte[10_000]));
    }
    SessionKey key = newKey();
    assertThat(
            store.create(
                new NewSession(
                    key, SessionStore.FIRST_VERSION, Instant.now(), HALF_AN_HOUR, attributes)))
        .isTrue();
    store.save(set(key, "attribute-0", "warm"));
    store.load(key, 1);

    // What a request moves that finds a change of the other node and makes one, and a request that
    // does neither.
    assertThat(
            bytesMovedBy(
                () -> {
                  assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Changed.class);
                  assertThat(store.save(set(key, "attribute-7", "0123456789"))).hasValue(3);
                }))
        .isLessThan(600);
    assertThat(
            bytesMovedBy(
                () -> assertThat(store.load(key, 3)).isInstanceOf(LoadResult.Unchanged.class)))
        .isLessThan(300);
  }

  /** Without what it takes to ask. */
  private static long bytesMovedBy(Runnable calls) {
    long first = bytesMoved();
    long second = bytesMoved();
    calls.run();
    long third = bytesMoved();
    return third - second - (second - first);
  }

  /** docs/operations.md says how much it is. */
  @ParameterizedTest
  @CsvSource({"5, 400, 1100", "5, 4000, 1800", "5, 40000, 6000", "50, 400, 6500"})
  void whatASessionTakesBesideItsAttributesIsLittle(int attributes, int size, long atMost) {
    Map<String, EncodedValue> values = new HashMap<>();
    for (int i = 0; i < attributes; i++) {
      values.put("attribute-" + i, EncodedValue.of(new byte[size]));
    }
    SessionKey key = newKey();
    assertThat(
            store.create(
                new NewSession(
                    key, SessionStore.FIRST_VERSION, Instant.now(), HALF_AN_HOUR, values)))
        .isTrue();
    for (int i = 0; i < 8; i++) {
      store.save(set(key, "attribute-0", "x".repeat(size)));
    }
    assertThat(memoryOf(name(key, 0)) - (long) attributes * size).isLessThan(atMost);
  }

  private static long memoryOf(String name) {
    return redis.eval(
        "return redis.call('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', 0)",
        ScriptOutputType.INTEGER,
        name);
  }

  @Test
  @Tag("G9")
  void aRefreshMovesOnlyWhatAnotherNodeChanged() {
    Map<String, EncodedValue> attributes = new HashMap<>();
    for (int i = 0; i < 20; i++) {
      attributes.put("attribute-" + i, EncodedValue.of(new byte[10_000]));
    }
    SessionKey key = newKey();
    SessionStore other = open(server.url());
    assertThat(
            store.create(
                new NewSession(
                    key, SessionStore.FIRST_VERSION, Instant.now(), HALF_AN_HOUR, attributes)))
        .isTrue();
    assertThat(other.load(key, 1)).isInstanceOf(LoadResult.Unchanged.class);
    assertThat(store.save(set(key, "attribute-7", "x".repeat(100)))).hasValue(2);
    // The observer's own are among them, and they are most of it.
    long before = bytesSent();
    assertThat(other.load(key, 1)).isInstanceOf(LoadResult.Changed.class);
    long moved = bytesSent() - before;
    before = bytesSent();
    long observers = bytesSent() - before;
    assertThat(moved - observers).isBetween(100L, 400L);
    other.close();
  }

  private static long bytesSent() {
    return figure(redis.info("stats"), "total_net_output_bytes:(\\d+)");
  }

  private static long bytesMoved() {
    String info = redis.info("stats");
    return figure(info, "total_net_input_bytes:(\\d+)")
        + figure(info, "total_net_output_bytes:(\\d+)");
  }

  private static long evalshasOf(Runnable operation) {
    redis.configResetstat();
    operation.run();
    return calls("evalsha");
  }

  private static long calls(String command) {
    return figure(redis.info("commandstats"), "cmdstat_" + command + ":calls=(\\d+)");
  }

  private static long figure(String info, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(info);
    return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
  }

  // ---------------------------------------------------------------- keys and their time

  @ParameterizedTest
  @ValueSource(longs = {0, -400, 400})
  @Tag("R28")
  void everyKeyHasATimeToLiveUnlessTheSessionNeverExpires(long days) {
    passTime(Duration.ofDays(days));
    long expected = Duration.ofMinutes(31).toMillis() + DAY;
    SessionKey key = created(store);
    assertThat(redis.keys("*")).hasSize(2).allSatisfy(name -> lives(name, expected));
    SessionKey newKey = newKeyFor(key);
    store.rename(key, newKey);
    assertThat(redis.keys("*")).hasSize(3).allSatisfy(name -> lives(name, expected));
    store.save(set(key, "b", "2"));
    store.load(newKey, 1);
    assertThat(redis.keys("*")).hasSize(3).allSatisfy(name -> lives(name, expected));

    store.save(timeout(key, IdleTimeout.NEVER));
    assertThat(redis.keys("*")).hasSize(3);
    assertThat(redis.keys("*{*:[sd]*")).hasSize(2).allSatisfy(name -> lives(name, -1));
    assertThat(redis.pttl(name(key, 1))).as("the queue").isGreaterThan(expected);
    store.save(timeout(key, HALF_AN_HOUR));
    assertThat(redis.keys("*{*:[sd]*")).hasSize(2).allSatisfy(name -> lives(name, expected));
  }

  @Test
  @Tag("R28")
  void aClaimKeepsTheSessionForItsTimeAndADay() {
    SessionKey key = created(store);
    passTime(Duration.ofDays(3));
    Duration claimTime = Duration.ofHours(2);
    assertThat(store.claimExpired(1, claimTime)).hasSize(1);
    long expected = claimTime.toMillis() + DAY;
    assertThat(redis.keys("*{*:session:*")).hasSize(1).allSatisfy(name -> lives(name, expected));
    assertThat(store.remove(key)).isTrue();
  }

  @Test
  @Tag("R28")
  void aSessionSavedLongAfterItExpiredIsStillThere() {
    SessionKey key = created(store);
    passTime(Duration.ofDays(40));
    assertThat(store.save(SessionDelta.touch(key, Duration.ofDays(39)))).hasValue(1);
    assertThat(store.claimExpired(1, CLAIM_TIME)).extracting(SessionRecord::key).contains(key);
  }

  @Test
  @Tag("R28")
  void nothingIsLeftOfARemovedSession() {
    SessionKey key = created(store);
    SessionKey second = newKeyFor(key);
    SessionKey third = newKeyFor(key);
    assertThat(store.rename(key, second)).isTrue();
    assertThat(store.rename(second, third)).isTrue();
    assertThat(redis.keys("*:door:*")).hasSize(1);
    assertThat(isMissing(store, key)).isTrue();
    assertThat(isMissing(store, second)).isTrue();
    SessionRecord record = found(store, third);
    assertThat(record.key()).isEqualTo(third);
    assertThat(record.origin()).isEqualTo(key);
    assertThat(store.remove(key)).isTrue();
    assertThat(redis.keys("*")).isEmpty();
  }

  @Test
  @Tag("R81")
  void aRenamedSessionStaysInItsBucket() {
    SessionKey key = created(store);
    SessionKey elsewhere = newKeyElsewhere(key);
    assertThat(store.canRename(key, elsewhere)).isFalse();
    assertThatIllegalArgumentException().isThrownBy(() -> store.rename(key, elsewhere));
    assertThat(store.rename(key, newKeyFor(key))).isTrue();
    assertThat(redis.keys("*").stream().map(SlotHash::getSlot).distinct()).hasSize(1);
  }

  @Test
  @Tag("R28")
  void removalMarksAreBounded() {
    SessionKey key = created(store);
    for (int i = 0; i < 3 * SessionStore.REMOVAL_MARK_VERSIONS; i++) {
      store.save(set(key, "n" + i, "v"));
      store.save(
          new SessionDelta(
              key, Map.of("n" + i, new AttributeChange.Remove()), Optional.empty(), Duration.ZERO));
    }
    assertThat(redis.hget(name(key, 0), "index").split("-", -1))
        .hasSizeLessThanOrEqualTo(2 + SessionStore.REMOVAL_MARK_VERSIONS);
  }

  @Test
  @Tag("R58")
  @Tag("G10")
  void noIdLiesInTheServer() {
    String id = "0123456789ABCDEF";
    SessionKey key = SessionKey.of(id);
    store.create(Sessions.session(key, "a", "1"));
    String newId =
        Stream.iterate(0, i -> i + 1)
            .map(i -> id + i)
            .filter(other -> store.canRename(key, SessionKey.of(other)))
            .findFirst()
            .orElseThrow();
    assertThat(store.rename(key, SessionKey.of(newId))).isTrue();
    assertThat(redis.keys("*" + id + "*")).isEmpty();
    assertThat(redis.hgetall(name(key, 0)).toString()).doesNotContain(id);
  }

  @Test
  @Tag("R28")
  @Tag("R61")
  @Tag("R73")
  void whoseASessionIsTakesNoKeyOfItsOwnAndNoNameLiesInTheServer() {
    SessionKey key = created(store);
    assertThat(store.save(login(key, ALICE))).isPresent();
    assertThat(redis.keys("*")).hasSize(2);
    assertThat(redis.zrange(name(key, 1), 0, -1)).containsExactly(key.hex(), "user:" + key.hex());
    assertThat(redis.hgetall(name(key, 0)).toString()).doesNotContain("alice");
    passTime(Duration.ofDays(40));
    assertThat(store.claimExpired(10, CLAIM_TIME)).hasSize(1);
    assertThat(store.claimExpired(10, CLAIM_TIME)).isEmpty();
    assertThat(store.remove(key)).isTrue();
    assertThat(redis.keys("*")).isEmpty();
    assertThat(store.isEmpty()).isTrue();
  }

  @Test
  @Tag("G8")
  @Tag("R73")
  void whatANodeThatKnowsOfNoUsersHasRemovedIsClearedAway() {
    SessionKey key = created(store);
    assertThat(store.save(login(key, ALICE))).isPresent();
    redis.del(name(key, 0));
    redis.zrem(name(key, 1), key.hex());
    assertThat(store.isEmpty()).isTrue();
    assertThat(store.findByPrincipal(ALICE, 10)).isEmpty();
    assertThat(redis.keys("*")).isEmpty();
  }

  @Test
  @Tag("R73")
  void usersWhoAreLookedUpInOnePlaceAreTwo() {
    SessionKey alices = created(store);
    SessionKey bobs = newKeyFor(alices);
    assertThat(store.create(Sessions.session(bobs, "a", "1"))).isTrue();
    assertThat(store.save(login(alices, ALICE))).isPresent();
    assertThat(store.save(login(bobs, PrincipalKey.of("shop", "bob")))).isPresent();
    double place = redis.zscore(name(alices, 1), "user:" + alices.hex());
    redis.zadd(name(bobs, 1), place, "user:" + bobs.hex());
    assertThat(store.findByPrincipal(ALICE, 10)).containsExactly(alices);
    assertThat(redis.zcard(name(bobs, 1))).isEqualTo(4);
  }

  private static SessionDelta login(SessionKey origin, PrincipalKey principal) {
    return new SessionDelta(
        origin, Map.of(), Optional.empty(), Optional.of(principal), Duration.ZERO);
  }

  private static void lives(String name, long expected) {
    long left = redis.pttl(name);
    if (expected < 0) {
      assertThat(left).as(name).isEqualTo(expected);
    } else {
      assertThat(left).as(name).isBetween(expected - 30_000, expected);
    }
  }

  /** The name of a key of the session: 0 its hash, 1 the expiry, 2 the door. */
  private static String name(SessionKey key, int which) {
    return new String(new RedisKeys("shop").of(key)[which], UTF_8);
  }

  // ---------------------------------------------------------------- damage

  @ParameterizedTest
  @ValueSource(strings = {"session", "index"})
  @Tag("R6")
  void halfARecordIsMissing(String field) {
    SessionKey key = created(store);
    redis.hdel(name(key, 0), field);
    assertMissingForAll(key);
  }

  @Test
  @Tag("R6")
  void attributesWithoutASessionAreMissing() {
    SessionKey key = newKey();
    redis.hset(name(key, 0), ":a", "1");
    assertMissingForAll(key);
  }

  private void assertMissingForAll(SessionKey key) {
    assertThat(isMissing(store, key)).isTrue();
    assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Missing.class);
    assertThat(store.save(set(key, "a", "2"))).isEqualTo(OptionalLong.empty());
    assertThat(store.rename(key, newKeyFor(key))).isFalse();
    assertThat(store.create(Sessions.session(key, "a", "1"))).isFalse();
    assertThat(store.remove(key)).isFalse();
    assertThat(redis.keys("*")).isEmpty();
    assertThat(store.create(Sessions.session(key, "a", "1"))).isTrue();
  }

  @Test
  void aLaterReleaseMayAddFields() {
    SessionKey key = created(store);
    redis.hset(name(key, 0), "later", "something");
    assertThat(store.save(set(key, "b", "2"))).hasValue(2);
    assertThat(found(store, key).attributes()).containsOnlyKeys("a", "b");
    assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Changed.class);
    assertThat(redis.hget(name(key, 0), "later")).isEqualTo("something");
  }

  @Test
  void aLaterReleaseMayAddToWhatASessionIs() {
    SessionKey key = created(store);
    String session = redis.hget(name(key, 0), "session") + " something";
    redis.hset(name(key, 0), "session", session);
    assertThat(store.save(set(key, "b", "2"))).hasValue(2);
    assertThat(found(store, key).attributes()).containsOnlyKeys("a", "b");
    assertThat(redis.hget(name(key, 0), "session")).startsWith("2 ").endsWith(" something");
  }

  @Test
  void manyAttributesAreWrittenAndFoundAtOnce() {
    Map<String, EncodedValue> many = new HashMap<>();
    Map<String, AttributeChange> changes = new HashMap<>();
    for (int i = 0; i < 10_000; i++) {
      many.put("attribute-" + i, value("1"));
      changes.put("attribute-" + i, new AttributeChange.Set(value("2")));
    }
    SessionKey key = newKey();
    assertThat(
            store.create(
                new NewSession(key, SessionStore.FIRST_VERSION, Instant.now(), HALF_AN_HOUR, many)))
        .isTrue();
    changes.put("attribute-7", new AttributeChange.Remove());
    assertThat(store.save(new SessionDelta(key, changes, Optional.empty(), Duration.ZERO)))
        .hasValue(2);
    LoadResult.Changed changed = (LoadResult.Changed) store.load(key, 1);
    assertThat(changed.set()).hasSize(9_999);
    assertThat(changed.removed()).containsOnlyKeys("attribute-7");
    assertThat(found(store, key).attributes()).isEqualTo(changed.set());
  }

  // ---------------------------------------------------------------- claims

  @Test
  @Tag("R36")
  void whatIsLeftOfVanishedSessionsNeverStopsAClaim() {
    SessionKey alive = newKey();
    String expiry = name(alive, 1);
    for (int i = 0; i < 3000; i++) {
      redis.zadd(expiry, i, newKeyFor(alive).hex());
    }
    store.create(Sessions.session(alive, "a", "1"));
    passTime(Duration.ofHours(1));
    assertThat(store.claimExpired(5, CLAIM_TIME)).extracting(SessionRecord::key).contains(alive);
    assertThat(redis.zcard(expiry)).isEqualTo(1);
  }

  @Test
  @Tag("G6")
  void sessionsTooLargeForOneAnswerAreClaimedInSeveral() {
    SessionKey first = newKey();
    List<SessionKey> keys = new ArrayList<>(List.of(first));
    for (int i = 1; i < 8; i++) {
      keys.add(i < 6 ? newKeyFor(first) : newKeyElsewhere(first));
    }
    Map<String, EncodedValue> large =
        Map.of("large", EncodedValue.of(new byte[700_000]), "small", value("1"));
    keys.forEach(
        key ->
            store.create(
                new NewSession(
                    key, SessionStore.FIRST_VERSION, Instant.now(), HALF_AN_HOUR, large)));
    passTime(Duration.ofHours(1));
    List<SessionRecord> six = store.claimExpired(6, CLAIM_TIME);
    List<SessionRecord> two = store.claimExpired(6, CLAIM_TIME);
    assertThat(six).hasSize(6);
    assertThat(two).hasSize(2);
    List<SessionRecord> all = new ArrayList<>(six);
    all.addAll(two);
    assertThat(all).extracting(SessionRecord::key).containsExactlyInAnyOrderElementsOf(keys);
    assertThat(all)
        .allSatisfy(record -> assertThat(record.attributes().keySet()).isEqualTo(large.keySet()));
  }
}
