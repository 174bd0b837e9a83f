package io.sojourn.redis;

import static io.sojourn.redis.Sessions.created;
import static io.sojourn.redis.Sessions.found;
import static io.sojourn.redis.Sessions.newKey;
import static io.sojourn.redis.Sessions.newKeyFor;
import static io.sojourn.redis.Sessions.set;
import static io.sojourn.redis.Sessions.value;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.lettuce.core.AclSetuserArgs;
import io.lettuce.core.KillArgs;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.protocol.CommandType;
import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.LoadResult;
import io.sojourn.SessionDelta;
import io.sojourn.SessionException;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.StoredAttribute;
import io.sojourn.testkit.CuttingProxy;
import io.sojourn.testkit.Threads;
import io.sojourn.testkit.server.RedisServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server that is gone, hangs, refuses or comes back. */
class RedisOutageIT {

  /** For calls that must be answered, however slow the machine is. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** For calls that wait in vain. */
  private static final Duration TIMEOUT = Duration.ofMillis(500);

  /** For calls that take longer than this, with never as long a pause within the answer. */
  private static final Duration LONGEST_GAP = Duration.ofSeconds(2);

  private static final Duration CLAIM_TIME = Duration.ofMinutes(1);

  /** Up to Redis 6 it ends by the clock, which stands still in a script of later ones. */
  private static final String FOR_SOME_SECONDS =
      """
      local function seconds()
        local time = redis.call('TIME')
        return time[1] + time[2] / 1e6
      end
      local start = seconds()
      for i = 1, 500 do
        for j = 1, 1e6 do end
        if seconds() - start > 2.5 then
          break
        end
      end
      return redis.status_reply('done')""";

  private static final String LOADING = "-LOADING Redis is loading\r\n";

  private static RedisServer server;

  private final List<SessionStore> opened = new ArrayList<>();

  @BeforeAll
  static void startServer() {
    server = RedisServer.startPrivate();
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @AfterEach
  void closeStores() {
    opened.forEach(SessionStore::close);
    server.start();
  }

  private SessionStore open(String url) {
    return open(url, PATIENCE);
  }

  private SessionStore open(String url, Duration timeout) {
    SessionStore store =
        new RedisSessionStore(
            new StoreConfiguration(
                url, "shop", Map.of("timeout", timeout.toMillis() + "ms"), () -> Duration.ZERO));
    opened.add(store);
    return store;
  }

  private SessionStore open() {
    return open(server.url());
  }

  private SessionStore openHurried() {
    return open(server.url(), TIMEOUT);
  }

  /** Every operation fails as unavailable, without a long wait, and says so. */
  private static void assertUnavailable(SessionStore store, String... saying) {
    SessionKey key = newKey();
    List<Runnable> operations =
        List.of(
            () -> store.load(key, 1),
            () -> store.create(Sessions.session(key, "a", "secret")),
            () -> store.save(set(key, "a", "secret")),
            () -> store.save(SessionDelta.touch(key, Duration.ZERO)),
            () -> store.rename(key, newKeyFor(key)),
            () -> store.remove(key),
            () -> store.claimExpired(1, CLAIM_TIME),
            store::ping);
    for (Runnable operation : operations) {
      awaitUnavailable(operation, saying);
    }
  }

  /** It fails each time; but if it had no time to hear why, it says only that. */
  private static void awaitUnavailable(Runnable operation, String... saying) {
    await()
        .atMost(Sessions.PATIENCE)
        .pollDelay(Duration.ZERO)
        .until(() -> whyUnavailable(operation), why -> Stream.of(saying).allMatch(why::contains));
  }

  private static String whyUnavailable(Runnable operation) {
    long start = System.nanoTime();
    Throwable thrown = catchThrowable(operation::run);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(PATIENCE);
    assertThat(thrown)
        .isInstanceOf(StoreUnavailableException.class)
        .hasMessageStartingWith("Cannot ")
        .hasMessageContaining(" in redis://")
        .hasMessageNotContaining("secret");
    return String.valueOf(thrown.getMessage());
  }

  /** Does something to the server, from beside the store. */
  private static void administer(Consumer<RedisCommands<String, String>> work) {
    RedisClient client = RedisClient.create(server.url());
    try (StatefulRedisConnection<String, String> connection = client.connect()) {
      work.accept(connection.sync());
    } finally {
      client.shutdown(0, 2, TimeUnit.SECONDS);
    }
  }

  /** A store may be tried again 100 ms after it failed to connect. */
  @CanIgnoreReturnValue
  private static SessionKey awaitCreated(SessionStore store) {
    return await()
        .atMost(Sessions.PATIENCE)
        .ignoreExceptionsInstanceOf(StoreUnavailableException.class)
        .until(() -> created(store), any -> true);
  }

  // ---------------------------------------------------------------- gone

  @Test
  @Tag("G4")
  @Tag("R17")
  void aStoreOpenedBeforeItsServerServesOnceThatIsThere() {
    server.kill();
    SessionStore store = open();
    assertUnavailable(store, "Connection refused", "Does a Redis server listen there");
    server.start();
    awaitCreated(store);
  }

  @Test
  @Tag("G4")
  @Tag("R15")
  void aKilledServerIsUnavailableAndServesAgainWhenItIsBack() {
    SessionStore store = open();
    created(store);
    server.kill();
    assertUnavailable(store, "Connection refused");
    server.start();
    awaitCreated(store);
  }

  @Test
  @Tag("G4")
  void aRestartBetweenTwoCallsGoesUnnoticed() {
    SessionStore store = open();
    created(store);
    server.kill();
    server.start();
    assertThat(store.load(newKey(), 1)).isInstanceOf(LoadResult.Missing.class);
  }

  @Test
  void aConnectionClosedByTheServerIsOpenedAgain() {
    SessionStore store = open();
    SessionKey key = created(store);
    for (int i = 0; i < 20; i++) {
      administer(redis -> redis.clientKill(KillArgs.Builder.typeNormal().skipme()));
      assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Unchanged.class);
    }
  }

  // ---------------------------------------------------------------- lost answers

  /** Whether a call is done again or not, nobody's later write is lost by it. */
  @Test
  @Tag("G2")
  @Tag("G5")
  void aCallWhoseAnswerWasLostIsDoneOnce() throws IOException {
    SessionStore other = open();
    // The server is to know the scripts: what is lost must not be that it does not.
    SessionKey first = created(other);
    assertThat(other.save(set(first, "a", "2"))).hasValue(2);
    assertThat(other.rename(first, newKeyFor(first))).isTrue();
    try (CuttingProxy proxy = new CuttingProxy(server.url())) {
      SessionStore store = open(proxy.url());
      created(store);
      SessionKey key = newKey();
      Future<?> lost = proxy.loseAnswer(() -> assertThat(found(other, key).version()).isEqualTo(1));
      assertThat(store.create(Sessions.session(key, "a", "1"))).isTrue();
      assertThat(lost).succeedsWithin(PATIENCE);

      lost = proxy.loseAnswer(() -> assertThat(found(other, key).version()).isEqualTo(2));
      assertThat(store.save(set(key, "a", "2"))).hasValue(2);
      assertThat(lost).succeedsWithin(PATIENCE);

      lost =
          proxy.loseAnswer(
              () -> {
                for (int i = 4; i < 7; i++) {
                  assertThat(other.save(set(key, "a", "" + i))).hasValue(i);
                }
              });
      assertThat(store.save(set(key, "a", "3"))).as("its own, not the latest").hasValue(3);
      assertThat(lost).succeedsWithin(PATIENCE);
      assertThat(found(store, key).attributes())
          .containsEntry("a", new StoredAttribute(Sessions.value("6"), 6));

      SessionKey newKey = newKeyFor(key);
      lost = proxy.loseAnswer(() -> assertThat(found(other, newKey).version()).isEqualTo(6));
      assertThat(store.rename(key, newKey)).isTrue();
      assertThat(lost).succeedsWithin(PATIENCE);
    }
  }

  @Test
  @Tag("G4")
  @Tag("R16")
  void aConnectionThatBreaksWhileItIsOpenedIsOpenedOnceMore() throws IOException {
    try (CuttingProxy proxy = new CuttingProxy(server.url())) {
      SessionStore store = open(proxy.url());
      proxy.cut(CuttingProxy.Cut.REQUEST);
      SessionKey key = created(store);
      proxy.cut(CuttingProxy.Cut.NOW);
      proxy.cut(CuttingProxy.Cut.REQUEST);
      assertThat(found(store, key).version()).isEqualTo(1);
    }
  }

  // ---------------------------------------------------------------- hangs

  @Test
  @Tag("G4")
  @Tag("R16")
  @Tag("R18")
  @Tag("R83")
  void aHangingServerHoldsNobodyForLong() {
    SessionStore store = openHurried();
    SessionKey key = awaitCreated(store);
    server.suspend();
    try {
      Instant start = Instant.now();
      Threads.run(
          16,
          thread -> {
            for (int i = 0; i < 5; i++) {
              assertThatThrownBy(() -> store.load(key, 1))
                  .isInstanceOf(StoreUnavailableException.class)
                  .hasMessageContaining("no answer in time (timeout: 500 ms)");
            }
          });
      // Once for the answer, once or twice for another connection; the others learn from these.
      assertThat(Duration.between(start, Instant.now())).isLessThan(PATIENCE);
    } finally {
      server.resume();
    }
    awaitUnchanged(store, key, 1);
    await()
        .atMost(Sessions.PATIENCE)
        .untilAsserted(
            () ->
                administer(
                    redis ->
                        // One of them asks.
                        assertThat(redis.clientList().lines()).hasSizeLessThanOrEqualTo(1 + 4)));
  }

  @Test
  @Tag("R87")
  void whatIsLargeMayTakeAsLongAsItKeepsArriving() throws IOException {
    try (CuttingProxy proxy = new CuttingProxy(server.url())) {
      SessionStore store = open(proxy.url(), LONGEST_GAP);
      SessionKey key = awaitCreated(store);
      proxy.slowDown(1_000_000);
      Map<String, AttributeChange> large = new HashMap<>();
      for (int i = 0; i < 30; i++) {
        large.put("large" + i, new AttributeChange.Set(EncodedValue.of(new byte[100_000])));
      }
      // Both take 3 seconds.
      assertThat(store.save(new SessionDelta(key, large, Optional.empty(), Duration.ZERO)))
          .hasValue(2);
      assertThat(found(store, key).attributes()).hasSize(31);
      server.suspend();
      try {
        assertThatThrownBy(() -> store.load(key, SessionStore.NO_VERSION))
            .isInstanceOf(StoreUnavailableException.class)
            .hasMessageContaining("no answer in time");
      } finally {
        server.resume();
      }
    }
  }

  /** Whether the caller knew that it would be large, or asked only what has changed. */
  @Test
  @Tag("R87")
  void aSingleValueMayTakeAsLongAsItKeepsArrivingToo() throws IOException {
    SessionStore other = open();
    SessionKey key = created(other);
    EncodedValue large = EncodedValue.of(new byte[3_000_000]);
    Map<String, AttributeChange> change = Map.of("large", new AttributeChange.Set(large));
    assertThat(other.save(new SessionDelta(key, change, Optional.empty(), Duration.ZERO)))
        .hasValue(2);
    try (CuttingProxy proxy = new CuttingProxy(server.url())) {
      SessionStore store = open(proxy.url(), LONGEST_GAP);
      awaitUnchanged(store, key, 2);
      proxy.slowDown(1_000_000);
      // Each takes 3 seconds.
      assertThat(found(store, key).attributes())
          .containsEntry("large", new StoredAttribute(large, 2));
      assertThat(((LoadResult.Changed) store.load(key, 1)).set()).containsOnlyKeys("large");
    }
  }

  /** Nobody waits for ever, and the next has the connection for itself. */
  @Test
  @Tag("G4")
  @Tag("R87")
  void whatArrivesTooSlowlyIsGivenUp() throws IOException {
    SessionStore other = open();
    SessionKey key = created(other);
    Map<String, AttributeChange> large =
        Map.of("large", new AttributeChange.Set(EncodedValue.of(new byte[2_000_000])));
    assertThat(other.save(new SessionDelta(key, large, Optional.empty(), Duration.ZERO)))
        .hasValue(2);
    try (CuttingProxy proxy = new CuttingProxy(server.url())) {
      SessionStore store = open(proxy.url(), Duration.ofMillis(100));
      awaitUnchanged(store, key, 2);
      proxy.slowDown(100_000); // 20 seconds for it
      CompletableFuture<LoadResult> tooLarge =
          CompletableFuture.supplyAsync(() -> store.load(key, 1));
      assertThat(tooLarge)
          .failsWithin(Duration.ofSeconds(15))
          .withThrowableThat()
          .havingCause()
          .isInstanceOf(StoreUnavailableException.class)
          .withMessageContaining("no answer in time (timeout: 100 ms)");
      awaitUnchanged(store, key, 2);
    }
  }

  private static void awaitUnchanged(SessionStore store, SessionKey key, long version) {
    await()
        .atMost(Sessions.PATIENCE)
        .ignoreExceptionsInstanceOf(StoreUnavailableException.class)
        .until(() -> store.load(key, version) instanceof LoadResult.Unchanged);
  }

  @Test
  @Tag("G4")
  @Tag("R17")
  void aServerThatHangsFromTheBeginningHoldsNobodyForLong() {
    SessionStore store = openHurried();
    server.suspend();
    try {
      // The first attempt is patient.
      assertThatThrownBy(store::ping).isInstanceOf(StoreUnavailableException.class);
      assertUnavailable(store, "no answer in time (timeout: 500 ms)");
    } finally {
      server.resume();
    }
    awaitCreated(store);
  }

  @Test
  void aFewSlowAnswersDoNotCostTheConnection() {
    SessionStore store = open();
    SessionKey key = created(store);
    administer(
        redis -> {
          redis.clientPause(PATIENCE.toMillis() / 10);
          assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Unchanged.class);
        });
  }

  @Test
  @Tag("R16")
  void aServerBusyWithSomebodysScriptIsUnavailable() {
    SessionStore store = openHurried();
    awaitCreated(store);
    RedisClient client = RedisClient.create(server.url());
    try (StatefulRedisConnection<String, String> busy = client.connect()) {
      busy.sync().configSet("lua-time-limit", "50");
      var unused = busy.async().eval("while true do end", ScriptOutputType.STATUS);
      await()
          .atMost(Sessions.PATIENCE)
          .untilAsserted(
              () ->
                  assertThatThrownBy(store::ping)
                      .isInstanceOf(StoreUnavailableException.class)
                      .hasMessageContaining("BUSY"));
      assertUnavailable(store, "BUSY");
      administer(RedisCommands::scriptKill);
    } finally {
      client.shutdown(0, 2, TimeUnit.SECONDS);
    }
    awaitCreated(store);
  }

  /** While the server says BUSY, and while it says nothing at all. */
  @ParameterizedTest
  @ValueSource(ints = {50, 5_000})
  @Tag("G4")
  @Tag("R83")
  void aServerMadeSlowBySomebodysScriptServesThePatientAndKeepsSessionsWhole(int busyAfterMillis)
      throws Exception {
    SessionStore impatient = openHurried();
    SessionStore patient = open(server.url(), Duration.ofSeconds(30));
    SessionKey key = created(patient);
    awaitCreated(impatient);
    RedisClient client = RedisClient.create(server.url());
    try (StatefulRedisConnection<String, String> busy = client.connect()) {
      busy.sync().configSet("lua-time-limit", Integer.toString(busyAfterMillis));
      RedisFuture<Object> script = busy.async().eval(FOR_SOME_SECONDS, ScriptOutputType.STATUS);
      await()
          .untilAsserted(
              () ->
                  assertThatThrownBy(() -> impatient.load(key, 1))
                      .isInstanceOf(StoreUnavailableException.class));
      assertThatThrownBy(() -> impatient.save(set(key, "a", "2")))
          .isInstanceOf(StoreUnavailableException.class);
      assertThat(patient.save(set(key, "b", "2"))).isPresent();
      assertThat(script.get(30, TimeUnit.SECONDS)).isEqualTo("done");
    } finally {
      administer(redis -> redis.configSet("lua-time-limit", "5000"));
      client.shutdown(0, 2, TimeUnit.SECONDS);
    }
    awaitCreated(impatient);
    SessionRecord whole = found(patient, key);
    assertThat(whole.attributes()).containsOnlyKeys("a", "b");
    assertThat(patient.save(set(key, "c", "3"))).hasValue(whole.version() + 1);
    await()
        .atMost(Sessions.PATIENCE)
        .ignoreExceptionsInstanceOf(StoreUnavailableException.class)
        .until(() -> impatient.load(key, whole.version()) instanceof LoadResult.Changed);
  }

  /** Only a script that has not written yet can be killed, so it has done nothing. */
  @Test
  @Tag("G4")
  @Tag("R83")
  void aScriptThatIsKilledIsAnOutageAndNoMore() {
    SessionStore store = open(server.url(), Duration.ofSeconds(30));
    SessionKey key = created(store);
    Map<String, AttributeChange> many = new HashMap<>();
    for (int i = 0; i < 20_000; i++) {
      many.put("attribute" + i, new AttributeChange.Set(value("1")));
    }
    assertThat(store.save(new SessionDelta(key, many, Optional.empty(), Duration.ZERO)))
        .hasValue(2);
    administer(redis -> redis.configSet("lua-time-limit", "1"));
    AtomicInteger kills = new AtomicInteger();
    AtomicBoolean over = new AtomicBoolean();
    try {
      Threads.run(
          2,
          thread -> {
            if (thread == 0) {
              administer(redis -> killScripts(redis, kills, over));
              return;
            }
            try {
              for (int i = 0; i < 100 && kills.get() < 3; i++) {
                loadOrFailAsUnavailable(store, key);
              }
            } finally {
              over.set(true);
            }
          });
    } finally {
      administer(redis -> redis.configSet("lua-time-limit", "5000"));
    }
    assertThat(kills).as("scripts killed").hasPositiveValue();
    assertThat(found(store, key).attributes()).hasSize(20_001);
    assertThat(store.save(set(key, "a", "2"))).hasValue(3);
  }

  private static void killScripts(
      RedisCommands<String, String> redis, AtomicInteger kills, AtomicBoolean over) {
    while (!over.get()) {
      try {
        redis.scriptKill();
        kills.incrementAndGet();
      } catch (RedisCommandExecutionException e) {
        // None is running at the moment, or it has written.
      }
    }
  }

  private static void loadOrFailAsUnavailable(SessionStore store, SessionKey key) {
    try {
      assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Changed.class);
    } catch (StoreUnavailableException e) {
      // As it may be.
    }
  }

  // ---------------------------------------------------------------- refuses

  @Test
  @Tag("R16")
  void aServerThatIsLoadingIsUnavailable() throws IOException {
    try (ServerSocket loading = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      Thread serving = new Thread(() -> answerAll(loading, asked -> LOADING));
      serving.start();
      assertUnavailable(open("redis://127.0.0.1:" + loading.getLocalPort(), TIMEOUT), "LOADING");
    }
  }

  @Test
  @Tag("R16")
  void aServerThatHasLoadedInTimeIsNoOutage() throws IOException {
    try (ServerSocket loading = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      AtomicInteger left = new AtomicInteger(10);
      Thread serving =
          new Thread(
              () ->
                  answerAll(
                      loading,
                      asked ->
                          left.getAndDecrement() > 0
                              ? LOADING
                              : asked.contains("PING") ? "+PONG\r\n" : "-ERR unknown command\r\n"));
      serving.start();
      open("redis://127.0.0.1:" + loading.getLocalPort(), Duration.ofSeconds(30)).ping();
      assertThat(left).hasNegativeValue();
    }
  }

  private static void answerAll(ServerSocket serving, UnaryOperator<String> answer) {
    while (!serving.isClosed()) {
      try (Socket socket = serving.accept()) {
        byte[] buffer = new byte[10_000];
        for (int n = socket.getInputStream().read(buffer);
            n > 0;
            n = socket.getInputStream().read(buffer)) {
          for (String asked : new String(buffer, 0, n, UTF_8).split("\\*[0-9]+\r\n", -1)) {
            if (!asked.isEmpty()) {
              // As over a network: a connection that breaks before the driver is done with opening
              // it, breaks for another reason.
              LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
              socket.getOutputStream().write(answer.apply(asked).getBytes(UTF_8));
            }
          }
        }
      } catch (IOException e) {
        // The client hung up, or the test is over.
      }
    }
  }

  @Test
  @Tag("R16")
  void aWrongPasswordIsUnavailableAndNotShown() {
    administer(redis -> redis.configSet("requirepass", "right"));
    try {
      assertUnavailable(open(), "NOAUTH");
      assertUnavailable(open(server.url().replace("//", "//:secret@")), "WRONGPASS", "//***@");
      SessionStore store = open(server.url().replace("//", "//:right@"));
      created(store);
    } finally {
      RedisClient client = RedisClient.create(server.url().replace("//", "//:right@"));
      client.connect().sync().configSet("requirepass", "");
      client.shutdown(0, 2, TimeUnit.SECONDS);
    }
  }

  @Test
  @Tag("R16")
  void aUserWithoutTheRightsIsUnavailable() {
    administer(
        redis -> {
          redis.aclSetuser("none", AclSetuserArgs.Builder.on().addPassword("secret"));
          redis.aclSetuser(
              "timeless",
              AclSetuserArgs.Builder.on()
                  .addPassword("secret")
                  .keyPattern("sojourn:*")
                  .allCommands()
                  .removeCommand(CommandType.TIME));
        });
    SessionStore none = open(server.url().replace("//", "//none:secret@"));
    assertUnavailable(none, "Look at the user's ACL");
    SessionStore timeless = open(server.url().replace("//", "//timeless:secret@"));
    assertThatThrownBy(() -> timeless.load(newKey(), 1))
        .isInstanceOf(StoreUnavailableException.class)
        .hasMessageContaining("Look at the user's ACL");
  }

  @Test
  @Tag("R16")
  void aServerWithoutMemoryRefusesWritesAndKeepsServingReads() {
    SessionStore store = open();
    SessionKey key = created(store);
    administer(redis -> redis.configSet("maxmemory", "1"));
    try {
      assertThatThrownBy(() -> store.save(set(key, "a", "2")))
          .isInstanceOf(StoreUnavailableException.class)
          .hasMessageContaining("OOM")
          .hasMessageContaining("maxmemory");
      assertThatThrownBy(() -> created(store)).isInstanceOf(StoreUnavailableException.class);
      assertThatThrownBy(() -> store.rename(key, newKeyFor(key)))
          .isInstanceOf(StoreUnavailableException.class);
      assertThat(found(store, key).version()).isEqualTo(1);
      assertThat(store.remove(key)).isTrue();
    } finally {
      administer(redis -> redis.configSet("maxmemory", "0"));
    }
  }

  @Test
  @Tag("R19")
  @Tag("R20")
  void aDemotedServerIsUnavailableAndServesAgainOncePromoted() {
    SessionStore store = openHurried();
    SessionKey key = awaitCreated(store);
    administer(redis -> redis.replicaof("127.0.0.1", 1));
    try {
      awaitUnavailable(
          () -> store.save(set(key, "a", "2")), "READONLY", "let the URL name the primary");
      // It has all that the session had, but would not get what is saved elsewhere from now on.
      awaitUnavailable(() -> store.load(key, SessionStore.NO_VERSION), "replica");
      SessionStore later = openHurried();
      awaitUnavailable(() -> later.load(key, 1), "let the URL name the primary");
    } finally {
      administer(RedisCommands::replicaofNoOne);
    }
    assertThat(found(open(), key).version()).isEqualTo(1);
    Sessions.awaitSave(store, key, "2");
  }

  /** As a token that is used up. */
  @Test
  @Tag("R82")
  void aPasswordThatIsChangedIsAskedForAnew() {
    Passwords.current = "first";
    changePassword("first");
    SessionStore store =
        new RedisSessionStore(
            new StoreConfiguration(
                server.url(),
                "shop",
                Map.of("login", Passwords.class.getName(), "timeout", "10s"),
                () -> Duration.ZERO));
    opened.add(store);
    SessionKey key = created(store);
    changePassword("second");
    Passwords.current = "second";
    administer(redis -> redis.clientKill(KillArgs.Builder.typeNormal().skipme()));
    assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Unchanged.class);
  }

  private static void changePassword(String password) {
    administer(
        redis ->
            redis.aclSetuser(
                "changing",
                AclSetuserArgs.Builder.on()
                    .resetpass()
                    .addPassword(password)
                    .keyPattern("sojourn:*")
                    .allCommands()));
  }

  /** Knows what the password is at the time. */
  public static final class Passwords implements RedisLogin {

    private static volatile String current = "";

    /** For the store. */
    public Passwords() {}

    @Override
    public Credentials get() {
      return new Credentials("changing", current.toCharArray());
    }
  }

  @Test
  void aDatabaseHasItsNumberAndAClientItsName() {
    SessionStore third = open(server.url() + "/3?clientName=shop-1");
    SessionKey key = created(third);
    assertThat(open().load(key, 1)).isInstanceOf(LoadResult.Missing.class);
    assertThat(open(server.url() + "?database=3").load(key, 1))
        .isInstanceOf(LoadResult.Unchanged.class);
    administer(
        redis ->
            assertThat(redis.clientList().lines())
                .anySatisfy(line -> assertThat(line).contains(" name=shop-1 ", " db=3 ")));
  }

  @Test
  void whatIsUnexpectedIsNotTakenForAnOutage() {
    SessionStore store = open();
    SessionKey key = newKey();
    String name = new String(new RedisKeys("shop").of(key)[0], UTF_8);
    administer(redis -> redis.set(name, "not a hash"));
    assertThatThrownBy(() -> store.load(key, 1))
        .isExactlyInstanceOf(SessionException.class)
        .hasMessageContaining("WRONGTYPE");
  }

  // ---------------------------------------------------------------- several

  /** A mistake, which costs a call now and then and does not end in connecting alone. */
  @Test
  @Tag("R16")
  void mastersThatTakeTurnsBehindOneAddressAreConnectedToAFewTimes() throws IOException {
    try (RedisServer other = RedisServer.startPrivate();
        CuttingProxy proxy = new CuttingProxy(server.url());
        LoggedWarnings warnings = new LoggedWarnings(RedisLinks.class.getName())) {
      proxy.takeTurns(other.url());
      SessionStore store = open(proxy.url());
      LongAdder served = new LongAdder();
      Threads.run(
          8,
          thread -> {
            for (int i = 0; i < 200; i++) {
              try {
                assertThat(store.load(newKey(), 1)).isInstanceOf(LoadResult.Missing.class);
                served.increment();
              } catch (StoreUnavailableException lost) {
                // Its connection led to another server than the others, and was given up.
              }
            }
          });
      assertThat(served.sum()).isGreaterThan(1_000);
      assertThat(proxy.connections()).isLessThan(100);
      // Once, unless all connections have come to lead to one of them first.
      assertThat(warnings.messages())
          .hasSizeLessThanOrEqualTo(1)
          .allSatisfy(
              message -> assertThat(message).startsWith(proxy.url() + " leads to several servers"));
    }
  }

  // ---------------------------------------------------------------- this side

  @Test
  void anInterruptEndsTheCallAndStays() {
    SessionStore store = open();
    SessionKey key = created(store);
    server.suspend();
    try {
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> store.load(key, 1))
          .isInstanceOf(StoreUnavailableException.class)
          .hasMessageContaining("interrupted");
    } finally {
      server.resume();
    }
    assertThat(Thread.interrupted()).isTrue();
    assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Unchanged.class);
  }

  @Test
  @Tag("R23")
  void closingEndsTheThreadsAtOnce() {
    SessionStore used = open();
    created(used);
    SessionStore unused = open();
    SessionStore unreachable = open("redis://127.0.0.1:1");
    assertThatThrownBy(unreachable::ping).isInstanceOf(StoreUnavailableException.class);
    assertThat(driversThreads()).isNotEmpty();
    Instant start = Instant.now();
    opened.forEach(SessionStore::close);
    assertThat(Duration.between(start, Instant.now())).isLessThan(PATIENCE);
    await().atMost(Sessions.PATIENCE).until(() -> driversThreads().isEmpty());
    assertUnavailable(used, "the store has been closed");
    assertUnavailable(unused, "the store has been closed");
  }

  private static List<String> driversThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("sojourn-"))
        .toList();
  }
}
