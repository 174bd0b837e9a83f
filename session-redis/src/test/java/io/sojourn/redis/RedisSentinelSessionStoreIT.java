package io.sojourn.redis;

import io.sojourn.testkit.server.RedisSentinels;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract of stores on a primary that sentinels name. */
class RedisSentinelSessionStoreIT extends RedisStoreContract {

  private static RedisSentinels sentinels;

  @BeforeAll
  static void startSentinels() {
    sentinels = RedisSentinels.start();
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
    return "redis-sentinel://127.0.0.1:1/sojourn";
  }
}
