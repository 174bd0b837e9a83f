package io.sojourn.redis;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.testkit.server.RedisAccess;
import io.sojourn.testkit.server.RedisClusterServers;
import io.sojourn.testkit.server.RedisSentinels;
import io.sojourn.testkit.server.RedisServer;
import io.sojourn.testkit.server.TlsCertificates;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Servers whose certificates name localhost, and not the address 127.0.0.1 that some announce. */
@Tag("R82")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RedisTlsNamesIT {

  private final TlsCertificates certificates = TlsCertificates.createForLocalhost();
  private final RedisAccess access = RedisAccess.documented(certificates);

  @AfterAll
  void deleteCertificates() {
    certificates.close();
  }

  private void ping(String url, String verify) {
    Map<String, String> options = new HashMap<>(access.options(url));
    options.put("verify", verify);
    options.put("timeout", "5s");
    SessionStore store =
        new RedisSessionStore(new StoreConfiguration(url, "shop", options, () -> Duration.ZERO));
    try {
      store.ping();
    } finally {
      store.close();
    }
  }

  private void assertNamesAreChecked(String url) {
    assertThatThrownBy(() -> ping(url, "full"))
        .isInstanceOf(StoreUnavailableException.class)
        .hasMessageContaining("No subject alternative names matching IP address 127.0.0.1")
        .hasMessageContaining("Look at the server's certificate");
    assertThatCode(() -> ping(url, "ca")).doesNotThrowAnyException();
  }

  private static String byName(String url) {
    return url.replace("127.0.0.1", "localhost");
  }

  @Test
  void aServersNameIsChecked() {
    try (RedisServer server = RedisServer.startPrivate(access)) {
      assertNamesAreChecked(server.url());
      ping(byName(server.url()), "full");
    }
  }

  @Test
  void theNameThatSentinelsGiveThePrimaryIsChecked() {
    try (RedisSentinels sentinels = RedisSentinels.start(access)) {
      assertNamesAreChecked(byName(sentinels.url()));
    }
  }

  @Test
  void theNamesThatAClustersNodesGiveEachOtherAreChecked() {
    try (RedisClusterServers cluster = RedisClusterServers.start(access)) {
      assertNamesAreChecked(byName(cluster.url()));
    }
  }
}
