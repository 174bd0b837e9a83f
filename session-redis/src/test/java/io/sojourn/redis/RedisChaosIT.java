package io.sojourn.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.KillArgs;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.sentinel.api.StatefulRedisSentinelConnection;
import io.lettuce.core.sentinel.api.sync.RedisSentinelCommands;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.CuttingProxy;
import io.sojourn.testkit.server.RedisClusterServers;
import io.sojourn.testkit.server.RedisSentinels;
import io.sojourn.testkit.server.RedisServer;
import io.sojourn.testkit.server.RedisSlotMove;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Connections that break and masters that fail under load, for {@code sojourn.test.chaosSeconds},
 * at random: {@code sojourn.test.seed} says how.
 *
 * <p>Redis replicates after it has answered. So a master that is killed takes with it what it has
 * just acknowledged, unless its replica has caught up, and nobody writes then. The same is true of
 * one that sentinels are asked to replace: it goes on taking writes until it is left. A cut loses
 * nothing, and nor does a failover that a cluster plans, since the master waits for its successor,
 * or a slot that moves.
 */
class RedisChaosIT {

  private static final Duration TIME =
      Duration.ofSeconds(Integer.getInteger("sojourn.test.chaosSeconds", 4));
  private static final int NODES = 2;

  /**
   * After how many milliseconds a master counts as dead. One that lives and only has to wait for
   * the processor must not: it would lose what its replica does not have yet.
   */
  private static final String PATIENCE = "4000";

  /** What the servers know the stores' connections by. */
  private static final String CLIENT = "chaos";

  private final long seed = Long.getLong("sojourn.test.seed", System.nanoTime());
  private final Random random = new Random(seed);
  private final List<SessionStore> opened = new ArrayList<>();
  private RedisClient client;
  private long end;

  @BeforeEach
  void begin() {
    client = RedisClient.create();
    end = System.nanoTime() + TIME.toNanos();
  }

  @AfterEach
  void closeAll() {
    opened.forEach(SessionStore::close);
    client.shutdown(0, 2, TimeUnit.SECONDS);
  }

  private SessionStore open(String url) {
    SessionStore store = new RedisSessionStore(StoreConfiguration.of(url, "shop"));
    opened.add(store);
    return store;
  }

  private ChaosLoad load(String url) {
    while (opened.size() < NODES) {
      open(url);
    }
    end = System.nanoTime() + TIME.toNanos();
    return new ChaosLoad(seed, opened);
  }

  private boolean isTimeLeft(ChaosLoad load) {
    return !load.isOver() && System.nanoTime() < end;
  }

  private void pause(int upToMillis) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1 + random.nextInt(upToMillis)));
  }

  /** Asks a server something, from beside the stores. */
  private <T> T ask(RedisServer server, Function<RedisCommands<String, String>, T> question) {
    try (StatefulRedisConnection<String, String> connection =
        client.connect(RedisURI.create(server.url()))) {
      return question.apply(connection.sync());
    }
  }

  private void makePatient(RedisServer sentinel) {
    String done =
        askSentinel(sentinel, asked -> asked.set("sojourn", "down-after-milliseconds", PATIENCE));
    assertThat(done).isEqualTo("OK");
  }

  private <T> T askSentinel(
      RedisServer sentinel, Function<RedisSentinelCommands<String, String>, T> question) {
    try (StatefulRedisSentinelConnection<String, String> connection =
        client.connectSentinel(RedisURI.create("127.0.0.1", sentinel.port()))) {
      return question.apply(connection.sync());
    }
  }

  private void cutAll(RedisServer server) {
    long unused = ask(server, redis -> redis.clientKill(KillArgs.Builder.typeNormal().skipme()));
  }

  /** Waits for the replica to have all that the master has. */
  private void awaitReplica(RedisServer master, String ownKey) {
    long replicas =
        ask(
            master,
            redis -> {
              redis.set(ownKey, "");
              return redis.waitForReplication(1, 10_000);
            });
    assertThat(replicas).as("replicas that have caught up").isEqualTo(1);
  }

  private static String name(SessionKey key) {
    return new String(new RedisKeys("shop").of(key)[0], UTF_8);
  }

  @Test
  @Tag("G2")
  @Tag("G4")
  @Tag("G5")
  void cutsLoseNothing() throws IOException {
    try (RedisServer server = RedisServer.startPrivate();
        CuttingProxy one = new CuttingProxy(server.url());
        CuttingProxy two = new CuttingProxy(server.url())) {
      open(one.url());
      open(two.url());
      ChaosLoad load = load(server.url());
      List<CuttingProxy> proxies = List.of(one, two);
      CuttingProxy.Cut[] cuts = CuttingProxy.Cut.values();
      load.during(
          () -> {
            while (isTimeLeft(load)) {
              pause(100);
              if (random.nextInt(10) == 0) {
                cutAll(server);
              } else {
                proxies.get(random.nextInt(NODES)).cut(cuts[random.nextInt(cuts.length)]);
              }
            }
          });
    }
  }

  @Test
  @Tag("G2")
  @Tag("G4")
  @Tag("G5")
  @Tag("R15")
  @Tag("R83")
  void mastersThatFailLoseNothingThatTheirReplicasHave() {
    try (RedisSentinels sentinels = RedisSentinels.start()) {
      sentinels.sentinels().forEach(this::makePatient);
      ChaosLoad load = load(sentinels.url() + "?clientName=" + CLIENT);
      List<Consumer<RedisServer>> failures = List.of(RedisServer::kill, RedisServer::suspend);
      load.during(
          () -> {
            do {
              RedisServer replaced = sentinels.master();
              load.whileNobodyWrites(() -> replace(replaced, sentinels));
              load.awaitProgress();
              replaced.kill();
              replaced.start();
              sentinels.awaitReplication();

              for (int i = 0; i < 8; i++) {
                pause(200);
                cutAll(sentinels.master());
              }
              RedisServer former = sentinels.master();
              load.whileNobodyWrites(
                  () -> {
                    awaitReplica(former, "caught up");
                    failures.get(random.nextInt(failures.size())).accept(former);
                  });
              sentinels.awaitFailover(former);
              load.awaitProgress();
              former.kill();
              former.start();
              sentinels.awaitReplication();
            } while (isTimeLeft(load));
          });
    }
  }

  /** As planned, by the sentinels. Both serve until all nodes have left. */
  private void replace(RedisServer master, RedisSentinels sentinels) {
    awaitReplica(master, "caught up");
    RedisServer unused = sentinels.replaceMaster();
    await()
        .atMost(Sessions.PATIENCE)
        .until(() -> !ask(master, RedisCommands::clientList).contains(" name=" + CLIENT + " "));
  }

  @Test
  @Tag("G2")
  @Tag("G4")
  @Tag("G5")
  @Tag("R16")
  @Tag("R83")
  void slotsThatMoveAndMastersThatGiveWayLoseNothingAndNorDoesOneWhoseReplicaHasAll() {
    try (RedisClusterServers cluster = RedisClusterServers.startWithReplicas()) {
      cluster
          .nodes()
          .forEach(node -> ask(node, redis -> redis.configSet("cluster-node-timeout", PATIENCE)));
      ChaosLoad load = load(cluster.url());
      load.during(
          () -> {
            do {
              String name = name(load.keys().get(random.nextInt(load.keys().size())));
              int slot = cluster.slot(name);
              RedisServer former = cluster.owner(slot);
              moveAway(slot, cluster, load);
              moveTo(former, slot, cluster, load);
              giveWay(former, slot, cluster);
              load.awaitProgress();
              cluster.awaitWhole();

              for (int i = 0; i < 8; i++) {
                pause(200);
                cluster.nodes().forEach(this::cutAll);
              }
              RedisServer killed = cluster.owner(slot);
              load.whileNobodyWrites(
                  () -> {
                    awaitReplica(killed, name + ":caught up");
                    killed.kill();
                  });
              cluster.awaitWhole();
              load.awaitProgress();
              killed.start();
              cluster.awaitWhole();
            } while (isTimeLeft(load));
          });
    }
  }

  private void moveAway(int slot, RedisClusterServers cluster, ChaosLoad load) {
    RedisServer owner = cluster.owner(slot);
    RedisServer other =
        IntStream.of(0, SlotHash.SLOT_COUNT / 2, SlotHash.SLOT_COUNT - 1)
            .mapToObj(cluster::owner)
            .filter(master -> master != owner)
            .findFirst()
            .orElseThrow();
    moveTo(other, slot, cluster, load);
  }

  /** Key by key, so that for a while what is asked is here and there. */
  private void moveTo(RedisServer target, int slot, RedisClusterServers cluster, ChaosLoad load) {
    RedisSlotMove move = cluster.beginMove(slot, target);
    while (move.moveKeys(1) > 0) {
      pause(50);
    }
    pause(100);
    move.finish();
    load.awaitProgress();
  }

  /** To its replica. One that Redis has given up after five seconds is begun again. */
  private void giveWay(RedisServer master, int slot, RedisClusterServers cluster) {
    await()
        .atMost(Sessions.PATIENCE)
        .ignoreExceptions()
        .until(
            () -> {
              if (cluster.owner(slot) == master) {
                String unused =
                    ask(replicaOf(master, cluster), redis -> redis.clusterFailover(false));
                await().atMost(Duration.ofSeconds(6)).until(() -> cluster.owner(slot) != master);
              }
              return true;
            });
  }

  private RedisServer replicaOf(RedisServer master, RedisClusterServers cluster) {
    return cluster.nodes().stream()
        .filter(
            node -> {
              List<Object> role = ask(node, RedisCommands::role);
              return role.get(0).equals("slave") && role.get(2).equals((long) master.port());
            })
        .findFirst()
        .orElseThrow();
  }
}
