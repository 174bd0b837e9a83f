package io.sojourn.redis;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.KillArgs;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.sojourn.LiveSession;
import io.sojourn.SessionKey;
import io.sojourn.SessionPolicy;
import io.sojourn.SessionRepository;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.codec.ClassFilter;
import io.sojourn.codec.KryoCodec;
import io.sojourn.testkit.CuttingProxy;
import io.sojourn.testkit.ObservedStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisClusterServers;
import io.sojourn.testkit.server.RedisSentinels;
import io.sojourn.testkit.server.RedisServer;
import io.sojourn.testkit.server.RedisSlotMove;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two nodes that the servers tell of changes. They need not ask for ten minutes, so what one sees
 * of the other it sees because it was told.
 */
@ExtendWith(RealServers.class)
class RedisTrackingIT {

  private static final SessionPolicy POLICY =
      new SessionPolicy(
              Duration.ofMinutes(30),
              SessionPolicy.DirtyCheck.READ,
              SessionPolicy.Undecodable.FAIL,
              100)
          .with(SessionPolicy.Freshness.TRACKED, Duration.ofMinutes(10));

  private final String application = "tracked-" + UUID.randomUUID();
  private final String id = UUID.randomUUID().toString();
  private final List<AutoCloseable> closeables = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
  }

  private SessionRepository node(String url) {
    return node(store(url, application, Map.of()));
  }

  /** Waits for answers for as long as a slow machine may take, unless the options say otherwise. */
  private static SessionStore store(String url, String application, Map<String, String> options) {
    Map<String, String> all = new HashMap<>(PatientStores.options(url));
    all.putAll(options);
    return new RedisSessionStore(
        new StoreConfiguration(url, application, all, () -> Duration.ZERO));
  }

  private SessionRepository node(SessionStore store) {
    closeables.add(store);
    ClassLoader loader = getClass().getClassLoader();
    return new SessionRepository(
        store, new KryoCodec(loader, ClassFilter.ofApplication(loader, "")), POLICY);
  }

  private void begin(SessionRepository node) {
    LiveSession session = node.create(id, Duration.ofHours(4));
    session.setAttribute("n", "0");
    session.setAttribute("large", "x".repeat(50_000));
    assertThat(node.flush(session)).isTrue();
  }

  private void set(SessionRepository node, String value) {
    LiveSession session = requireNonNull(node.open(id));
    session.setAttribute("n", value);
    assertThat(node.flush(session)).isTrue();
  }

  /** As a client that has seen nothing but the session's beginning. */
  private String get(SessionRepository node) {
    LiveSession session =
        requireNonNull(node.open(id, key -> SessionStore.FIRST_VERSION), "no session");
    return String.valueOf(session.attribute("n"));
  }

  /** Waits until it is told of changes and has the session: then it needs not ask. */
  private void awaitHit(SessionRepository node) {
    await()
        .atMost(Sessions.PATIENCE)
        .ignoreExceptionsInstanceOf(StoreUnavailableException.class)
        .until(
            () -> {
              long before = node.statistics().calls();
              return !get(node).isEmpty() && node.statistics().calls() == before;
            });
  }

  private void awaitSeen(SessionRepository node, String value) {
    await()
        .atMost(Sessions.PATIENCE)
        .pollInterval(Duration.ofMillis(1))
        .ignoreExceptionsInstanceOf(StoreUnavailableException.class)
        .until(() -> get(node).equals(value));
  }

  /** Waits until it knows that it is not told of changes, and asks in vain. */
  private void awaitOutage(SessionRepository node) {
    await()
        .atMost(Sessions.PATIENCE)
        .untilAsserted(
            () ->
                assertThatThrownBy(() -> get(node)).isInstanceOf(StoreUnavailableException.class));
  }

  /** The first that it shows at all: for when it cannot be told, and so has to ask. */
  private String firstShown(SessionRepository node) {
    return await()
        .atMost(Sessions.PATIENCE)
        .pollDelay(Duration.ZERO)
        .ignoreExceptionsInstanceOf(StoreUnavailableException.class)
        .until(() -> get(node), any -> true);
  }

  // ---------------------------------------------------------------- what it costs

  @Test
  void aChangeMadeElsewhereCostsOneLoadThatMovesOnlyWhatChanged(RedisServer redis) {
    SessionRepository a = node(redis.url());
    SessionRepository b = node(redis.url());
    begin(a);
    awaitHit(b);
    for (int i = 1; i <= 20; i++) {
      set(a, Integer.toString(i));
      long calls = b.statistics().calls();
      long bytes = b.statistics().bytesLoaded();
      awaitSeen(b, Integer.toString(i));
      for (int j = 0; j < 20; j++) {
        assertThat(get(b)).isEqualTo(Integer.toString(i));
      }
      assertThat(b.statistics().calls() - calls).isEqualTo(1);
      assertThat(b.statistics().bytesLoaded() - bytes).isLessThan(100);
    }
  }

  @Test
  void aLogoutOrANewIdElsewhereIsTold(RedisServer redis) {
    SessionRepository a = node(redis.url());
    SessionRepository b = node(redis.url());
    begin(a);
    awaitHit(b);
    LiveSession session = requireNonNull(a.open(id));
    String newId = id;
    while (newId.equals(id) || !a.canRename(session, newId)) {
      newId = UUID.randomUUID().toString();
    }
    assertThat(a.rename(session, newId)).isTrue();
    await()
        .atMost(Sessions.PATIENCE)
        .until(() -> b.open(id, key -> SessionStore.FIRST_VERSION) == null);
    String renamed = newId;
    assertThat(b.open(renamed)).isNotNull();
    await()
        .atMost(Sessions.PATIENCE)
        .until(
            () -> {
              long before = b.statistics().calls();
              return b.open(renamed, key -> SessionStore.FIRST_VERSION) != null
                  && b.statistics().calls() == before;
            });
    assertThat(a.invalidate(session)).isTrue();
    await()
        .atMost(Sessions.PATIENCE)
        .until(() -> b.open(renamed, key -> SessionStore.FIRST_VERSION) == null);
  }

  @Test
  void anotherApplicationsChangesAreNotTold(RedisServer redis) {
    SessionRepository a = node(redis.url());
    begin(a);
    awaitHit(a);
    try (SessionStore other = store(redis.url(), application + "2", Map.of())) {
      for (int i = 0; i < 100; i++) {
        assertThat(other.create(Sessions.session(SessionKey.of(id + i), "a", "1"))).isTrue();
      }
      assertThat(other.create(Sessions.session(SessionKey.of(id), "a", "1"))).isTrue();
    }
    long calls = a.statistics().calls();
    assertThat(get(a)).isEqualTo("0");
    assertThat(a.statistics().calls()).isEqualTo(calls);
  }

  // ---------------------------------------------------------------- what goes wrong

  @Test
  void aConnectionThatIsLostIsNoticedAndOpenedAgain() {
    try (RedisServer redis = RedisServer.startPrivate()) {
      SessionRepository a = node(redis.url());
      SessionRepository b = node(redis.url());
      begin(a);
      awaitHit(a);
      awaitHit(b);
      killWatches(redis);
      // What it has is of no use any more, until it is told of changes again.
      long calls = b.statistics().calls();
      await()
          .atMost(Sessions.PATIENCE)
          .pollInterval(Duration.ofMillis(1))
          .until(() -> !get(b).isEmpty() && b.statistics().calls() > calls);
      set(a, "1");
      awaitSeen(b, "1");
      awaitHit(b);
      set(a, "2");
      awaitSeen(b, "2");
    }
  }

  /** As all connections do that tell of changes, B for broadcast. */
  private static void killWatches(RedisServer redis) {
    RedisClient client = RedisClient.create(RedisURI.create(redis.url()));
    try (StatefulRedisConnection<String, String> connection = client.connect()) {
      RedisCommands<String, String> commands = connection.sync();
      int killed = 0;
      for (String line : commands.clientList().split("\n", -1)) {
        if (line.matches(".* flags=[A-Za-z]*B[A-Za-z]* .*")) {
          long number = Long.parseLong(line.replaceAll("^id=(\\d+) .*$", "$1").strip());
          commands.clientKill(KillArgs.Builder.id(number));
          killed++;
        }
      }
      assertThat(killed).isEqualTo(2);
    } finally {
      client.shutdown(0, 2, TimeUnit.SECONDS);
    }
  }

  @Test
  void aServerThatIsStartedAgainIsWatchedAgain() {
    try (RedisServer redis = RedisServer.startPrivate("--appendonly", "yes")) {
      SessionRepository a = node(redis.url());
      SessionRepository b = node(redis.url());
      begin(a);
      awaitHit(b);
      redis.kill();
      awaitOutage(b);
      redis.start();
      await()
          .atMost(Sessions.PATIENCE)
          .ignoreExceptionsInstanceOf(StoreUnavailableException.class)
          .until(
              () -> {
                set(a, "1");
                return true;
              });
      assertThat(firstShown(b)).isEqualTo("1");
      awaitHit(b);
    }
  }

  /** It says nothing, not even that it is gone, until the heartbeat misses it. */
  @Test
  @Tag("R83")
  void aServerThatHangsIsNoticedAndWatchedAgainWhenItGoesOn() {
    try (RedisServer redis = RedisServer.startPrivate()) {
      SessionRepository a = node(redis.url());
      SessionRepository b = node(store(redis.url(), application, Map.of("timeout", "800ms")));
      begin(a);
      awaitHit(b);
      redis.suspend();
      try {
        awaitOutage(b);
      } finally {
        redis.resume();
      }
      await()
          .atMost(Sessions.PATIENCE)
          .ignoreExceptionsInstanceOf(StoreUnavailableException.class)
          .until(
              () -> {
                set(a, "1");
                return true;
              });
      assertThat(firstShown(b)).isEqualTo("1");
      awaitHit(b);
      set(a, "2");
      awaitSeen(b, "2");
    }
  }

  /** It works as causal, and says so once. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "-NOPROTO unsupported protocol version",
        "-ERR unknown command 'HELLO'",
        "-ERR unknown command `HELLO`, with args beginning with: `3`,"
      })
  void aProxyThatSpeaksAnOlderProtocolOnlyIsReportedOnce(String refusal, RedisServer redis)
      throws Exception {
    try (CuttingProxy proxy = new CuttingProxy(redis.url());
        LoggedWarnings warnings = warnings()) {
      proxy.refuseHello(refusal);
      SessionRepository a = node(proxy.url());
      SessionRepository b = node(proxy.url());
      begin(a);
      await().atMost(Sessions.PATIENCE).until(() -> warnings.messages().size() == 2);
      awaitHit(a);
      awaitHit(b);
      LiveSession session = requireNonNull(a.open(id));
      session.setAttribute("n", "1");
      assertThat(a.flush(session)).isTrue();
      long calls = b.statistics().calls();
      assertThat(get(b)).as("nobody has told").isEqualTo("0");
      assertThat(b.statistics().calls()).isEqualTo(calls);
      LiveSession seen = requireNonNull(b.open(id, copy -> session.seenVersion()));
      assertThat(seen.attribute("n")).as("the client's own").isEqualTo("1");
      assertThat(warnings.messages())
          .as("once for each node")
          .hasSize(2)
          .allSatisfy(message -> assertThat(message).contains("works as \"causal\"", "RESP3"));
    }
  }

  /** It works as causal, and says so once. */
  @Test
  @Tag("R82")
  void aServerThatDoesNotLetUsWatchIsReportedOnce() throws Exception {
    try (RedisServer redis = RedisServer.startPrivate();
        LoggedWarnings warnings = warnings()) {
      addUser(redis, documentedRights());
      SessionRepository a = node(store(redis.url(), application, USER));
      begin(a);
      awaitHit(a);
      assertThat(warnings.messages())
          .singleElement()
          .asString()
          .contains("works as \"causal\"", "NOPERM");
    }
  }

  @Test
  @Tag("R82")
  void theRightsOfTheDocumentationAreEnough() throws Exception {
    try (RedisServer redis = RedisServer.startPrivate();
        LoggedWarnings warnings = warnings()) {
      addUser(redis, documentedRights() + " " + documentedRightsToWatch());
      SessionRepository a = node(store(redis.url(), application, USER));
      SessionRepository b = node(store(redis.url(), application, USER));
      begin(a);
      awaitHit(b);
      set(a, "1");
      awaitSeen(b, "1");
      assertThat(warnings.messages()).isEmpty();
    }
  }

  private static final Map<String, String> USER = Map.of("username", "u", "password", "secret");

  private static String documentedRights() throws IOException {
    return inOperations("(?m)^user \\S+ on >\\S+ (.*)$");
  }

  private static String documentedRightsToWatch() throws IOException {
    return inOperations("`freshness=\"tracked\"` `([^`]*)`");
  }

  private static String inOperations(String pattern) throws IOException {
    String text = Files.readString(Path.of("..", "docs", "operations.md"));
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    assertThat(matcher.find()).isTrue();
    return matcher.group(1);
  }

  private static void addUser(RedisServer redis, String rights) {
    RedisClient client = RedisClient.create(RedisURI.create(redis.url()));
    try (StatefulRedisConnection<String, String> connection = client.connect()) {
      CommandArgs<String, String> args =
          new CommandArgs<>(StringCodec.UTF8).add("SETUSER").add("u").add("on").add(">secret");
      for (String right : rights.split(" ", -1)) {
        args.add(right);
      }
      assertThat(
              connection
                  .sync()
                  .dispatch(CommandType.ACL, new StatusOutput<>(StringCodec.UTF8), args))
          .isEqualTo("OK");
    } finally {
      client.shutdown(0, 2, TimeUnit.SECONDS);
    }
  }

  /** What is said of servers that do not tell of changes. */
  private static LoggedWarnings warnings() {
    return new LoggedWarnings("io.sojourn.Tracking");
  }

  @Test
  void aPrimaryThatFailsIsLeftForItsSuccessor() {
    try (RedisSentinels sentinels = RedisSentinels.start()) {
      SessionRepository a = node(sentinels.url());
      SessionRepository b = node(sentinels.url());
      begin(a);
      awaitHit(b);
      sentinels.awaitReplication();
      sentinels.master().kill();
      await()
          .atMost(Sessions.PATIENCE)
          .ignoreExceptionsInstanceOf(StoreUnavailableException.class)
          .until(
              () -> {
                set(a, "1");
                return true;
              });
      assertThat(firstShown(b)).isEqualTo("1");
      awaitHit(b);
      set(a, "2");
      awaitSeen(b, "2");
    }
  }

  @Test
  @Tag("R83")
  void inAClusterEachMasterIsWatchedAndASlotThatMovesIsNotForgotten() throws Exception {
    try (RedisClusterServers cluster = RedisClusterServers.start()) {
      SessionRepository a = node(cluster.url());
      ObservedStore observed = observed(cluster.url());
      SessionRepository b = node(observed);
      begin(a);
      awaitHit(b);
      set(a, "1");
      awaitSeen(b, "1");
      awaitHit(b);
      RedisServer owner = cluster.owner(slot(cluster));
      moveSlot(
          cluster,
          cluster.nodes().stream().filter(node -> node != owner).findFirst().orElseThrow(),
          observed);
      set(a, "2");
      assertThat(get(b)).as("the first that is shown after the move").isEqualTo("2");
      awaitHit(b);
      set(a, "3");
      awaitSeen(b, "3");
    }
  }

  @Test
  @Tag("R83")
  void aMasterThatJoinsTheClusterAndTakesOverSlotsIsWatchedToo() throws Exception {
    try (RedisClusterServers cluster = RedisClusterServers.start()) {
      SessionRepository a = node(cluster.url());
      ObservedStore observed = observed(cluster.url());
      SessionRepository b = node(observed);
      begin(a);
      awaitHit(b);
      moveSlot(cluster, cluster.join(), observed);
      set(a, "1");
      assertThat(get(b)).as("the first that is shown after the move").isEqualTo("1");
      // What was shown before it is watched is not shown unasked once it is.
      set(a, "2");
      awaitSeen(b, "2");
      awaitHit(b);
      for (int i = 3; i <= 5; i++) {
        set(a, Integer.toString(i));
        awaitSeen(b, Integer.toString(i));
        awaitHit(b);
      }
    }
  }

  private ObservedStore observed(String url) {
    return new ObservedStore(store(url, application, Map.of()));
  }

  private int slot(RedisClusterServers cluster) {
    byte[] name = new RedisKeys(application).of(SessionKey.of(id))[0];
    return cluster.slot(new String(name, StandardCharsets.UTF_8));
  }

  /** Who gives the slot away tells that its keys are gone, before another one has it. */
  private void moveSlot(RedisClusterServers cluster, RedisServer target, ObservedStore observed)
      throws InterruptedException {
    CountDownLatch told = new CountDownLatch(1);
    observed.observe(
        what -> {
          if (what.equals("changed")) {
            told.countDown();
          }
        });
    RedisSlotMove move = cluster.beginMove(slot(cluster), target);
    while (move.moveKeys(10) > 0) {}
    assertThat(told.await(Sessions.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    move.finish();
  }
}
