package io.sojourn.testkit.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RedisClusterServersIT {

  private RedisClusterServers cluster;

  @BeforeAll
  void start() {
    cluster = RedisClusterServers.start();
  }

  @AfterAll
  void close() {
    cluster.close();
    cluster.close();
  }

  @Test
  void theAddressNamesAllNodes() {
    assertThat(cluster.url())
        .matches("redis-cluster://127\\.0\\.0\\.1:\\d+(,127\\.0\\.0\\.1:\\d+){2}");
    assertThat(cluster.nodes())
        .hasSize(3)
        .allSatisfy(node -> assertThat(cluster.url()).contains(":" + node.port()));
  }

  @Test
  void theSlotOfAKeyIsThatOfItsUtf8() {
    assertThat(cluster.slot("foo")).isEqualTo(12_182);
    assertThat(cluster.slot("\u00e9")).isEqualTo(crc16(0xc3, 0xa9) % 16_384);
  }

  @Test
  void eachNodeServesItsSlotsAndRedirectsTheOthers() throws IOException {
    RedisServer owner = cluster.owner(cluster.slot("key"));
    write(owner, "key");
    for (RedisServer node : cluster.nodes()) {
      if (node != owner) {
        assertThatThrownBy(() -> write(node, "key"))
            .isInstanceOf(RedisConnection.Refusal.class)
            .hasMessage("MOVED " + cluster.slot("key") + " 127.0.0.1:" + owner.port());
      }
    }
    assertThatThrownBy(() -> cluster.owner(16_384)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aSlotMovesStepByStepWithItsKeys() throws IOException {
    int slot = cluster.slot("{moving}");
    RedisServer source = cluster.owner(slot);
    RedisServer target = someOther(source);
    write(source, "{moving}1");
    write(source, "{moving}2");
    write(source, "{moving}3");

    RedisSlotMove move = cluster.beginMove(slot, target);
    assertThat(move.source()).isSameAs(source);
    assertThat(move.target()).isSameAs(target);
    assertThat(move.moveKeys(1)).isEqualTo(1);

    assertThat(cluster.owner(slot)).isSameAs(source);
    assertThat(RedisConnection.ask(source, "CLUSTER", "COUNTKEYSINSLOT", "" + slot)).isEqualTo("2");
    assertThat(RedisConnection.ask(target, "CLUSTER", "COUNTKEYSINSLOT", "" + slot)).isEqualTo("1");
    assertThatThrownBy(() -> RedisConnection.ask(source, "GET", "{moving}new"))
        .hasMessage("ASK " + slot + " 127.0.0.1:" + target.port());
    try (RedisConnection asking = RedisConnection.open(target)) {
      assertThat(asking.text("ASKING")).isEqualTo("OK");
      assertThatThrownBy(() -> asking.text("EXISTS", "{moving}1", "{moving}2", "{moving}3"))
          .hasMessageStartingWith("TRYAGAIN");
    }

    move.finish();

    assertThat(cluster.owner(slot)).isSameAs(target);
    assertThat(RedisConnection.ask(target, "EXISTS", "{moving}1", "{moving}2", "{moving}3"))
        .isEqualTo("3");
    assertThatThrownBy(() -> RedisConnection.ask(source, "GET", "{moving}1"))
        .hasMessageStartingWith("MOVED");
    cluster.awaitWhole();
    assertThatThrownBy(() -> cluster.beginMove(slot, target))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aNodeKeepsItsSlotsOverAKillAndTheOthersGoOn() throws IOException {
    int slot = cluster.slot("lost");
    RedisServer owner = cluster.owner(slot);
    RedisServer other = someOther(owner);
    write(owner, "lost");

    owner.kill();
    await().until(() -> RedisConnection.ask(other, "CLUSTER", "NODES").contains("master,fail "));
    assertThat(RedisConnection.ask(other, "CLUSTER", "INFO")).contains("cluster_state:ok");
    assertThat(cluster.owner(slot)).isSameAs(owner);

    owner.start();
    cluster.awaitWhole();
    assertThat(cluster.owner(slot)).isSameAs(owner);
    assertThat(RedisConnection.ask(owner, "EXISTS", "lost")).isEqualTo("0");
  }

  @Test
  void aReplicaTakesTheMastersPlace() throws IOException {
    try (RedisClusterServers withReplicas = RedisClusterServers.startWithReplicas()) {
      int slot = withReplicas.slot("kept");
      RedisServer master = withReplicas.owner(slot);
      RedisServer replica = withReplicas.nodes().get(withReplicas.nodes().indexOf(master) + 3);
      write(master, "kept");
      await().until(() -> RedisConnection.ask(replica, "DBSIZE").equals("1"));

      master.kill();
      withReplicas.awaitWhole();
      assertThat(withReplicas.owner(slot)).isSameAs(replica);
      assertThat(RedisConnection.ask(replica, "EXISTS", "kept")).isEqualTo("1");

      master.start();
      withReplicas.awaitWhole();
      assertThat(RedisConnection.ask(master, "INFO", "replication")).contains("role:slave");
    }
  }

  private RedisServer someOther(RedisServer node) {
    return cluster.nodes().get((cluster.nodes().indexOf(node) + 1) % 3);
  }

  private static void write(RedisServer server, String key) throws IOException {
    assertThat(RedisConnection.ask(server, "SET", key, "value")).isEqualTo("OK");
  }

  /** The checksum that decides on slots, bit by bit. */
  private static int crc16(int... bytes) {
    int crc = 0;
    for (int value : bytes) {
      crc ^= value << 8;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 0x8000) == 0 ? crc << 1 : crc << 1 ^ 0x1021;
      }
      crc &= 0xffff;
    }
    return crc;
  }
}
