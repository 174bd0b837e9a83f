package io.sojourn.redis;

import static io.sojourn.redis.Sessions.awaitSave;
import static io.sojourn.redis.Sessions.created;
import static io.sojourn.redis.Sessions.found;
import static io.sojourn.redis.Sessions.newKeyFor;
import static io.sojourn.redis.Sessions.set;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.KillArgs;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.sojourn.LiveSession;
import io.sojourn.LoadResult;
import io.sojourn.PrincipalKey;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionPolicy;
import io.sojourn.SessionRecord;
import io.sojourn.SessionRepository;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.codec.ClassFilter;
import io.sojourn.codec.KryoCodec;
import io.sojourn.testkit.CuttingProxy;
import io.sojourn.testkit.Threads;
import io.sojourn.testkit.server.RedisClusterServers;
import io.sojourn.testkit.server.RedisSentinels;
import io.sojourn.testkit.server.RedisServer;
import io.sojourn.testkit.server.RedisSlotMove;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A primary that fails or is demoted, and slots that move. */
class RedisFailoverIT {

  private static final int RENAMES = Integer.getInteger("sojourn.test.renames", 1_000);

  private final List<SessionStore> opened = new ArrayList<>();

  @AfterEach
  void closeStores() {
    opened.forEach(SessionStore::close);
  }

  private SessionStore open(String url, String timeout) {
    return open(url, Map.of("timeout", timeout));
  }

  private SessionStore open(String url, Map<String, String> options) {
    SessionStore store =
        new RedisSessionStore(new StoreConfiguration(url, "shop", options, () -> Duration.ZERO));
    opened.add(store);
    return store;
  }

  // ---------------------------------------------------------------- sentinels

  /** Nobody shows what it lacks, either. */
  @Test
  @Tag("G1")
  @Tag("G4")
  @Tag("R8")
  @Tag("R15")
  @Tag("R83")
  void whenThePrimaryIsKilledItsSuccessorServes() {
    try (RedisSentinels sentinels = RedisSentinels.start()) {
      SessionStore one = open(sentinels.url(), "10s");
      SessionStore two = open(sentinels.url(), "10s");
      SessionKey key = created(one);
      assertThat(one.save(set(key, "b", "2"))).hasValue(2);
      assertThat(found(two, key).version()).isEqualTo(2);
      Nodes nodes = new Nodes(sentinels.url());
      sentinels.awaitReplication();
      RedisServer former = sentinels.master();
      RedisServer replica = sentinels.replica();
      cutOff(replica, former);
      nodes.saveWhatWillBeLost();
      former.kill();
      replica.resume();
      awaitSave(one, key, "3");
      assertThat(sentinels.master()).isNotEqualTo(former);
      awaitSave(two, key, "4");
      assertThat(found(two, key).attributes()).containsOnlyKeys("a", "b");
      assertThat(one.load(key, 2)).isInstanceOf(LoadResult.Changed.class);
      nodes.assertNothingLostIsShown(sentinels.url());
    }
  }

  /**
   * It does not come to the caller's notice: the sentinels say so, and connections are opened anew,
   * to the successor. The former primary would go on for ten seconds.
   */
  @Test
  @Tag("R19")
  void whenThePrimaryIsDemotedItsSuccessorServes() {
    try (RedisSentinels sentinels = RedisSentinels.start()) {
      SessionStore store = open(sentinels.url(), "20s");
      SessionKey key = created(store);
      RedisServer unused = sentinels.replaceMaster();
      SessionStore later = open(sentinels.url(), "20s");
      await()
          .atMost(Duration.ofSeconds(9))
          .untilAsserted(
              () -> {
                assertThat(store.save(set(key, "b", "2"))).isPresent();
                assertThat(found(later, key).attributes()).containsOnlyKeys("a", "b");
              });
    }
  }

  /** Without a replica a change is not acknowledged, though it is done; with one it is safe. */
  @Test
  @Tag("G5")
  void aChangeIsAcknowledgedOnceTheReplicasHaveIt() {
    try (RedisSentinels sentinels = RedisSentinels.start()) {
      SessionStore store = open(sentinels.url(), Map.of("timeout", "6s", "replicas", "1"));
      SessionKey key = created(store);
      assertThat(store.save(set(key, "b", "2"))).hasValue(2);
      RedisServer replica = sentinels.replica();
      replica.suspend();
      assertThatThrownBy(() -> store.save(set(key, "b", "3")))
          .isInstanceOf(StoreUnavailableException.class)
          .hasMessageContaining("only 0 of 1 replicas have it");
      assertThat(found(store, key).version()).isEqualTo(3);
      replica.resume();
      awaitSave(store, key, "4");
      // No waiting for the replication: that is what the option is for.
      RedisServer former = sentinels.master();
      former.kill();
      await()
          .atMost(Sessions.PATIENCE)
          .ignoreExceptionsInstanceOf(StoreUnavailableException.class)
          .untilAsserted(
              () -> assertThat(found(store, key).attributes()).containsOnlyKeys("a", "b"));
      former.start();
      awaitSave(store, key, "5");
    }
  }

  // ---------------------------------------------------------------- what a failover has lost

  /** Nodes that have copies of what a failover loses. */
  private final class Nodes {

    private static final String EQUAL = "equal";
    private static final String HIGHER = "higher";
    private static final String READ = "read";

    final SessionRepository strict;
    private final SessionRepository causal;
    private final SessionRepository tracked;

    /** Sessions that lie in one slot of a cluster; each is called after what becomes of it. */
    private final Map<String, String> ids = new HashMap<>();

    private final Map<String, Long> lost = new HashMap<>();

    Nodes(String url) {
      strict = node(url, SessionPolicy.Freshness.STRICT);
      causal = node(url, SessionPolicy.Freshness.CAUSAL);
      tracked = node(url, SessionPolicy.Freshness.TRACKED);
      int bucket = RedisKeys.bucketOf(SessionKey.of(READ));
      for (String name : List.of(EQUAL, HIGHER, READ)) {
        String id =
            IntStream.iterate(0, i -> i + 1)
                .mapToObj(i -> name + i)
                .filter(any -> RedisKeys.bucketOf(SessionKey.of(any)) == bucket)
                .findFirst()
                .orElseThrow();
        LiveSession session = strict.create(id, Duration.ofHours(1));
        session.setAttribute("text", "kept");
        assertThat(strict.flush(session)).isTrue();
        ids.put(name, id);
      }
    }

    SessionKey key() {
      return key(READ);
    }

    private SessionKey key(String name) {
      return SessionKey.of(requireNonNull(ids.get(name)));
    }

    private SessionRepository node(String url, SessionPolicy.Freshness freshness) {
      ClassLoader loader = getClass().getClassLoader();
      return new SessionRepository(
          open(url, "10s"),
          new KryoCodec(loader, ClassFilter.ofApplication(loader, "")),
          SessionPolicy.DEFAULT.with(freshness, Duration.ofMinutes(10)));
    }

    /** What none but the primary will know. */
    void saveWhatWillBeLost() {
      for (String name : ids.keySet()) {
        save(strict, name, "text", "lost");
        lost.put(name, requireNonNull(causal.open(requireNonNull(ids.get(name)))).seenVersion());
      }
      awaitTold();
    }

    /** Waits until tracked would show each copy unasked. */
    void awaitTold() {
      ids.keySet().forEach(name -> awaitUnasked(name, "lost"));
    }

    private void save(SessionRepository node, String name, String attribute, String value) {
      LiveSession session = requireNonNull(node.open(requireNonNull(ids.get(name))));
      session.setAttribute(attribute, value);
      assertThat(node.flush(session)).isTrue();
    }

    /** Waits until tracked is told of changes, and shows this out of its copy. */
    private void awaitUnasked(String name, String value) {
      await()
          .atMost(Sessions.PATIENCE)
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(10))
          .ignoreExceptionsInstanceOf(StoreUnavailableException.class)
          .until(
              () -> {
                long calls = tracked.statistics().calls();
                return shown(tracked, name, SessionStore.FIRST_VERSION).equals(value)
                    && tracked.statistics().calls() == calls;
              });
    }

    private Object shown(SessionRepository node, String name, long seen) {
      LiveSession session =
          requireNonNull(node.open(requireNonNull(ids.get(name)), copy -> seen), "no session");
      return requireNonNull(session.attribute("text"));
    }

    /** The first that it shows at all, to a client who has seen this version. */
    private Object firstShown(SessionRepository node, String name, long seen) {
      return await()
          .atMost(Sessions.PATIENCE)
          .pollDelay(Duration.ZERO)
          .ignoreExceptionsInstanceOf(StoreUnavailableException.class)
          .until(() -> shown(node, name, seen), any -> true);
    }

    /** Others raise the versions to what the copies have, and beyond. */
    void assertNothingLostIsShown(String url) {
      SessionRepository other = node(url, SessionPolicy.Freshness.STRICT);
      assertThat(firstShown(other, READ, 0)).as("a failover that loses saves").isEqualTo("kept");
      save(other, EQUAL, "text", "new");
      save(other, HIGHER, "text", "new");
      save(other, HIGHER, "other", "new");
      assertThat(found(open(url, "10s"), key(EQUAL)).version()).isEqualTo(lost.get(EQUAL));
      assertThat(firstShown(strict, EQUAL, 0)).isEqualTo("new");
      assertThat(firstShown(strict, HIGHER, 0)).isEqualTo("new");
      assertThat(firstShown(strict, READ, 0)).isEqualTo("kept");
      // What the first of these has found out holds for the next, though it need not ask.
      assertThat(firstShown(causal, READ, 0)).isEqualTo("kept");
      assertThat(firstShown(tracked, READ, 0)).isEqualTo("kept");
      awaitUnasked(READ, "kept");
      for (SessionRepository node : List.of(causal, tracked)) {
        for (String name : List.of(EQUAL, HIGHER)) {
          assertThat(firstShown(node, name, requireNonNull(lost.get(name)))).isEqualTo("new");
        }
      }
    }
  }

  /** Has the replica hear no more than what its master has by now, until it is resumed. */
  private static void cutOff(RedisServer replica, RedisServer master) {
    RedisClient client = RedisClient.create();
    try (StatefulRedisConnection<String, String> ofMaster =
            client.connect(RedisURI.create(master.url()));
        StatefulRedisConnection<String, String> ofReplica =
            client.connect(RedisURI.create(replica.url()))) {
      await()
          .atMost(Sessions.PATIENCE)
          .until(
              () ->
                  offset(ofReplica, "slave_repl_offset") == offset(ofMaster, "master_repl_offset"));
      replica.suspend();
      assertThat(ofMaster.sync().clientKill(KillArgs.Builder.typeSlave())).isEqualTo(1);
    } finally {
      client.shutdown(0, 2, TimeUnit.SECONDS);
    }
  }

  private static long offset(StatefulRedisConnection<String, String> server, String name) {
    Matcher said = Pattern.compile(name + ":(\\d+)").matcher(server.sync().info("replication"));
    assertThat(said.find()).isTrue();
    return Long.parseLong(said.group(1));
  }

  /**
   * The replica lacks the last saves when it takes over, and others raise the versions there to
   * what the node's copies have.
   */
  @Test
  @Tag("R8")
  @Tag("G1")
  void noNodeShowsWhatAFailoverHasLost() throws Exception {
    RedisClient client = RedisClient.create();
    try (RedisServer primary = RedisServer.startPrivate();
        RedisServer replica = RedisServer.startPrivate();
        CuttingProxy proxy = new CuttingProxy(primary.url());
        StatefulRedisConnection<String, String> ofReplica =
            client.connect(RedisURI.create(replica.url()))) {
      Nodes nodes = new Nodes(proxy.url());
      ofReplica.sync().replicaof("127.0.0.1", primary.port());
      await()
          .atMost(Sessions.PATIENCE)
          .until(() -> ofReplica.sync().info("replication").contains("master_link_status:up"));
      assertThat(ofReplica.sync().replicaofNoOne()).isEqualTo("OK");
      nodes.saveWhatWillBeLost();
      // To connect anew to the same server means nothing. With its first replica it got a new id.
      proxy.cut(CuttingProxy.Cut.NOW);
      assertThat(nodes.shown(nodes.strict, Nodes.READ, 0)).isEqualTo("lost");
      long bytes = nodes.strict.statistics().bytesLoaded();
      proxy.cut(CuttingProxy.Cut.NOW);
      assertThat(nodes.shown(nodes.strict, Nodes.READ, 0)).isEqualTo("lost");
      assertThat(nodes.strict.statistics().bytesLoaded()).isEqualTo(bytes);
      nodes.awaitTold();

      proxy.leadTo(replica.url());
      nodes.assertNothingLostIsShown(replica.url());
    } finally {
      client.shutdown(0, 2, TimeUnit.SECONDS);
    }
  }

  // ---------------------------------------------------------------- clusters

  @Test
  @Tag("R81")
  void noRenameInAClusterFailsOrIsHalfDone() {
    try (RedisClusterServers cluster = RedisClusterServers.start()) {
      SessionStore store = open(cluster.url(), "10s");
      Set<Integer> owners = new HashSet<>();
      for (int i = 0; i < RENAMES / 10; i++) {
        SessionKey origin = created(store);
        SessionKey key = origin;
        for (int j = 0; j < 10; j++) {
          SessionKey next = newKeyFor(key);
          assertThat(store.rename(key, next)).isTrue();
          assertThat(Sessions.isMissing(store, key)).isTrue();
          key = next;
        }
        assertThat(found(store, key).origin()).isEqualTo(origin);
        owners.add(cluster.owner(slot(cluster, key)).port());
        assertThat(store.remove(origin)).isTrue();
      }
      assertThat(owners).hasSize(3);
    }
  }

  private static int slot(RedisClusterServers cluster, SessionKey key) {
    return cluster.slot(new String(new RedisKeys("shop").of(key)[0], UTF_8));
  }

  @Test
  @Tag("R16")
  @Tag("R83")
  void aSlotMovesUnderTheStore() throws Exception {
    try (RedisClusterServers cluster = RedisClusterServers.start()) {
      SessionStore store = open(cluster.url(), "20s");
      SessionStore other = open(cluster.url(), "20s");
      SessionKey key = created(store);
      SessionKey elsewhere = Sessions.newKeyElsewhere(key);
      assertThat(store.create(Sessions.session(elsewhere, "a", "1"))).isTrue();
      assertThat(found(other, key).attributes()).containsOnlyKeys("a");
      int slot = slot(cluster, key);
      RedisServer owner = cluster.owner(slot);
      RedisServer target =
          cluster.nodes().stream().filter(node -> node != owner).findFirst().orElseThrow();

      RedisSlotMove move = cluster.beginMove(slot, target);
      assertThat(move.moveKeys(1)).isEqualTo(1);
      CompletableFuture<?> saved =
          CompletableFuture.runAsync(() -> assertThat(store.save(set(key, "b", "2"))).hasValue(2));
      assertThat(store.save(set(elsewhere, "b", "2"))).hasValue(2);
      assertThat(saved).isNotDone();
      while (move.moveKeys(10) > 0) {}
      saved.get(Sessions.PATIENCE.toSeconds(), TimeUnit.SECONDS);
      // The owner sends every call on, for that time only.
      SessionStore later = open(cluster.url(), "10s");
      Threads.run(
          8,
          thread -> {
            for (int i = 0; i < 50; i++) {
              assertThat(later.save(set(key, "of " + thread, "" + i))).isPresent();
              assertThat(later.save(set(elsewhere, "of " + thread, "" + i))).isPresent();
            }
          });
      move.finish();
      assertThat(other.save(set(key, "c", "3"))).hasValue(2 + 8 * 50 + 1);
      assertThat(found(other, key).attributes()).hasSize(3 + 8);
    }
  }

  /** What lists the sessions is over there already, and they are not. */
  @Test
  @Tag("R16")
  void whoseASessionIsAndThatItEndsIsNotForgottenWhileItsSlotMoves() throws Exception {
    try (RedisClusterServers cluster = RedisClusterServers.start()) {
      SessionStore store = open(cluster.url(), "20s");
      SessionStore tomorrow =
          new RedisSessionStore(
              new StoreConfiguration(
                  cluster.url(), "shop", Map.of("timeout", "20s"), () -> Duration.ofDays(1)));
      opened.add(tomorrow);
      SessionKey key = created(store);
      PrincipalKey alice = PrincipalKey.of("shop", "alice");
      assertThat(
              store.save(
                  new SessionDelta(
                      key, Map.of(), Optional.empty(), Optional.of(alice), Duration.ZERO)))
          .hasValue(2);
      assertThat(store.findByPrincipal(alice, 10)).containsExactly(key);
      int slot = slot(cluster, key);
      RedisServer owner = cluster.owner(slot);
      RedisServer target =
          cluster.nodes().stream().filter(node -> node != owner).findFirst().orElseThrow();

      RedisSlotMove move = cluster.beginMove(slot, target);
      assertThat(move.moveKeys(1)).isEqualTo(1);
      CompletableFuture<List<SessionKey>> alices =
          CompletableFuture.supplyAsync(() -> store.findByPrincipal(alice, 10));
      CompletableFuture<List<SessionRecord>> due =
          CompletableFuture.supplyAsync(() -> tomorrow.claimExpired(10, Duration.ofMinutes(1)));
      assertThatThrownBy(() -> alices.get(500, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);
      assertThat(due).isNotDone();
      move.finish();
      assertThat(due.get(Sessions.PATIENCE.toSeconds(), TimeUnit.SECONDS))
          .extracting(SessionRecord::key)
          .containsExactly(key);
      assertThat(alices.get(Sessions.PATIENCE.toSeconds(), TimeUnit.SECONDS))
          .isSubsetOf(List.of(key));
    }
  }

  /** The source has given the slot away, and the target does not know yet. */
  @Test
  @Tag("R16")
  void nodesThatSendACallToEachOtherAreAnOutage() {
    try (RedisClusterServers cluster = RedisClusterServers.start()) {
      SessionStore store = open(cluster.url(), "10s");
      SessionKey key = created(store);
      int slot = slot(cluster, key);
      RedisServer owner = cluster.owner(slot);
      RedisServer target =
          cluster.nodes().stream().filter(node -> node != owner).findFirst().orElseThrow();
      RedisSlotMove move = cluster.beginMove(slot, target);
      while (move.moveKeys(10) > 0) {}
      RedisClient client = RedisClient.create();
      try (StatefulRedisConnection<String, String> ofOwner =
              client.connect(RedisURI.create(owner.url()));
          StatefulRedisConnection<String, String> ofTarget =
              client.connect(RedisURI.create(target.url()))) {
        ofTarget.sync().clusterSetSlotStable(slot);
        ofOwner.sync().clusterSetSlotNode(slot, ofTarget.sync().clusterMyId());
        assertThatThrownBy(() -> store.load(key, 1))
            .isInstanceOf(StoreUnavailableException.class)
            .hasMessageContaining("send the call to each other")
            .hasMessageContaining("CLUSTER SLOTS");
        ofTarget.sync().clusterSetSlotNode(slot, ofTarget.sync().clusterMyId());
      } finally {
        client.shutdown(0, 2, TimeUnit.SECONDS);
      }
      assertThat(store.load(key, 1)).isInstanceOf(LoadResult.Unchanged.class);
    }
  }

  /** Nobody shows what the replica lacks, either. */
  @Test
  @Tag("G1")
  @Tag("G4")
  @Tag("R8")
  @Tag("R83")
  void whenAMasterIsKilledItsReplicaServesAndTheOthersGoOn() {
    try (RedisClusterServers cluster = RedisClusterServers.startWithReplicas()) {
      SessionStore store = open(cluster.url(), "10s");
      Nodes nodes = new Nodes(cluster.url());
      SessionKey key = newKeyFor(nodes.key());
      assertThat(store.create(Sessions.session(key, "a", "1"))).isTrue();
      RedisServer owner = cluster.owner(slot(cluster, key));
      SessionKey survivor = key;
      while (cluster.owner(slot(cluster, survivor)) == owner) {
        survivor = created(store);
      }
      assertThat(store.save(set(key, "b", "2"))).hasValue(2);
      cluster.awaitWhole();
      RedisServer replica = cluster.nodes().get(cluster.nodes().indexOf(owner) + 3);
      cutOff(replica, owner);
      nodes.saveWhatWillBeLost();
      owner.kill();
      replica.resume();
      assertThat(store.save(set(survivor, "b", "2"))).hasValue(2);
      awaitSave(store, key, "3");
      assertThat(store.save(set(survivor, "b", "3"))).hasValue(3);
      assertThat(found(store, key).attributes()).containsOnlyKeys("a", "b");
      nodes.assertNothingLostIsShown(cluster.url());
    }
  }
}
