package io.sojourn.testkit.server;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Servers that want TLS, a certificate and a login. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RedisAccessIT {

  private TlsCertificates certificates;
  private RedisAccess access;

  @BeforeAll
  void makeCertificates() {
    certificates = TlsCertificates.create();
    access = RedisAccess.documented(certificates);
  }

  @AfterAll
  void close() {
    certificates.close();
  }

  /** As a client does it that comes from elsewhere. */
  private RedisConnection connect(RedisServer server) throws IOException {
    return RedisConnection.open(RedisAccess.byTls(certificates), server.port());
  }

  private void logIn(RedisConnection connection, String username, String password)
      throws IOException {
    Map<String, String> options = access.options("redis-sentinel://");
    String[] words = {
      "AUTH", requireNonNull(options.get(username)), requireNonNull(options.get(password))
    };
    assertThat(connection.text(words)).isEqualTo("OK");
  }

  private static void assertRefused(RedisConnection connection, String reason, String... command) {
    assertThatThrownBy(() -> connection.text(command))
        .isInstanceOf(RedisConnection.Refusal.class)
        .hasMessageStartingWith(reason);
  }

  @Test
  void usersOfAClusterHaveTheirRightsAndSlotsMove() throws IOException {
    try (RedisClusterServers cluster = RedisClusterServers.start(access)) {
      assertThat(cluster.url()).startsWith("rediss-cluster://");
      String key = "sojourn:{k}";
      int slot = cluster.slot(key);
      RedisServer owner = cluster.owner(slot);
      try (RedisConnection connection = connect(owner)) {
        assertRefused(connection, "NOAUTH", "GET", key);
        logIn(connection, "username", "password");
        assertThat(connection.text("SET", key, "v")).isEqualTo("OK");
        assertRefused(connection, "NOPERM", "SET", "other", "v");
        assertRefused(connection, "NOPERM", "FLUSHALL");
      }
      RedisServer target = cluster.nodes().get((cluster.nodes().indexOf(owner) + 1) % 3);
      cluster.beginMove(slot, target).finish();
      assertThat(RedisConnection.ask(target, "GET", key)).isEqualTo("v");
    }
  }

  @Test
  void usersUnderSentinelsHaveTheirRightsAndTheReplicaTakesTheMastersPlace() throws IOException {
    try (RedisSentinels servers = RedisSentinels.start(access)) {
      assertThat(servers.url()).startsWith("rediss-sentinel://");
      RedisServer sentinel = servers.sentinels().get(0);
      try (RedisConnection connection = connect(sentinel)) {
        assertRefused(connection, "NOAUTH", "PING");
        logIn(connection, "sentinelUsername", "sentinelPassword");
        assertThat(connection.texts("SENTINEL", "get-master-addr-by-name", "sojourn"))
            .containsExactly("127.0.0.1", Integer.toString(servers.master().port()));
        assertRefused(connection, "NOPERM", "SENTINEL", "MASTERS");
      }
      RedisServer old = servers.master();
      old.kill();
      sentinel.kill();
      servers.awaitFailover(old);
      old.start();
      sentinel.start();
      servers.awaitReplication();
      // Not "old" for certain: if the machine stood still for a while, the Sentinels changed again.
      try (RedisConnection connection = connect(servers.replica())) {
        assertRefused(connection, "NOAUTH", "GET", "sojourn:k");
        logIn(connection, "username", "password");
        assertRefused(connection, "READONLY", "SET", "sojourn:k", "v");
      }
    }
  }
}
