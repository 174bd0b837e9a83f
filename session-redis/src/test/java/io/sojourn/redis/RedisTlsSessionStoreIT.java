package io.sojourn.redis;

import static io.sojourn.redis.Sessions.created;
import static io.sojourn.redis.Sessions.found;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The contract of stores on a server, by TLS. */
class RedisTlsSessionStoreIT extends RedisTlsStoreContract {

  private static RedisServer server;

  @BeforeAll
  static void startServer() {
    server = RedisServer.startPrivate(ACCESS);
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @Override
  String url() {
    return server.url();
  }

  @Override
  String unreachableUrl() {
    return "rediss://127.0.0.1:1";
  }

  @Test
  void aServerThatAsksForNoCertificateServesAnybodyWhoTrustsIt() {
    Map<String, String> options = new HashMap<>(options());
    options.keySet().removeIf(name -> !name.startsWith("trustStore"));
    try (RedisServer open = RedisServer.startPrivateTls(CERTIFICATES)) {
      SessionStore store = open(open.url(), options, "anybody", () -> Duration.ZERO);
      assertThat(found(store, created(store)).attributes()).containsOnlyKeys("a");
      store.close();
    }
  }
}
