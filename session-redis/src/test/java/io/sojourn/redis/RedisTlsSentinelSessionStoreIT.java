package io.sojourn.redis;

import static io.sojourn.redis.Sessions.awaitSave;
import static io.sojourn.redis.Sessions.created;
import static io.sojourn.redis.Sessions.found;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.testkit.server.RedisSentinels;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract of stores on a primary that sentinels name, by TLS to all of them. */
class RedisTlsSentinelSessionStoreIT extends RedisTlsStoreContract {

  private static RedisSentinels sentinels;

  @BeforeAll
  static void startSentinels() {
    sentinels = RedisSentinels.start(ACCESS);
  }

  @AfterAll
  static void stopSentinels() {
    sentinels.close();
  }

  @Override
  String url() {
    return sentinels.url();
  }

  @Override
  String unreachableUrl() {
    return "rediss-sentinel://127.0.0.1:1/sojourn";
  }

  @Test
  void aWrongPasswordForTheSentinelsIsRefused() {
    Map<String, String> options = new HashMap<>(options());
    options.put("sentinelPassword", "another");
    assertRefused(url(), options);
  }

  @Test
  @Tag("G4")
  @Tag("R15")
  @Tag("R83")
  void whenThePrimaryIsKilledItsSuccessorServes() {
    SessionStore store = open("failover", () -> Duration.ZERO);
    RedisServer former = sentinels.master();
    try {
      SessionKey key = created(store);
      sentinels.awaitReplication();
      former.kill();
      awaitSave(store, key, "2");
      assertThat(sentinels.master()).isNotEqualTo(former);
      assertThat(found(store, key).attributes()).containsOnlyKeys("a");
    } finally {
      store.close();
      former.start();
      sentinels.awaitReplication();
    }
  }
}
