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
class RedisSentinelsIT {

  private RedisSentinels servers;

  @BeforeAll
  void start() {
    servers = RedisSentinels.start();
  }

  @AfterAll
  void close() {
    servers.close();
    servers.close();
  }

  @Test
  void theAddressNamesAllSentinelsAndTheMaster() {
    assertThat(servers.url())
        .matches("redis-sentinel://127\\.0\\.0\\.1:\\d+(,127\\.0\\.0\\.1:\\d+){2}/sojourn");
    assertThat(servers.sentinels())
        .allSatisfy(sentinel -> assertThat(servers.url()).contains(":" + sentinel.port()));
  }

  @Test
  void theReplicaTakesTheMastersPlaceAndTheOldOneFollowsIt() throws IOException {
    RedisServer old = servers.master();
    RedisServer replica = servers.replica();
    write(old, "before");
    await().until(() -> RedisConnection.ask(replica, "EXISTS", "before").equals("1"));

    old.kill();
    assertThat(servers.awaitFailover(old)).isSameAs(replica).isSameAs(servers.master());
    write(replica, "between");

    old.start();
    servers.awaitReplication();
    assertThat(servers.replica()).isSameAs(old);
    assertThat(RedisConnection.ask(old, "EXISTS", "before", "between")).isEqualTo("2");
    assertThatThrownBy(() -> write(old, "after"))
        .isInstanceOf(RedisConnection.Refusal.class)
        .hasMessageStartingWith("READONLY");
  }

  @Test
  void twoSentinelsAreEnoughForAMasterThatStandsStill() {
    RedisServer sentinel = servers.sentinels().get(0);
    sentinel.kill();
    RedisServer old = servers.master();
    old.suspend();

    assertThat(servers.awaitFailover(old)).isNotSameAs(old);

    old.kill(); // rather than wait for the Sentinels to convince it
    old.start();
    sentinel.start();
    servers.awaitReplication();
  }

  private static void write(RedisServer server, String key) throws IOException {
    assertThat(RedisConnection.ask(server, "SET", key, "value")).isEqualTo("OK");
  }
}
