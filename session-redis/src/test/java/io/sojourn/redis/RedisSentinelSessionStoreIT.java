package io.sojourn.redis;

import io.sojourn.testkit.server.RedisAccess;
import io.sojourn.testkit.server.RedisSentinels;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract of stores on a primary that sentinels name, as the users of docs/operations.md. */
class RedisSentinelSessionStoreIT extends RedisStoreContract {

  private static final RedisAccess ACCESS = RedisAccess.documented();

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
  Map<String, String> options() {
    return ACCESS.options(url());
  }

  @Override
  String unreachableUrl() {
    return "redis-sentinel://127.0.0.1:1/sojourn";
  }
}
