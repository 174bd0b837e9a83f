package io.sojourn.tomcat;

import io.sojourn.testkit.server.RedisSentinels;
import org.junit.jupiter.api.AfterAll;

class TomcatRedisSentinelIT extends TomcatRedisContract {

  private final RedisSentinels sentinels = RedisSentinels.start();

  @AfterAll
  void stopServers() {
    sentinels.close();
  }

  @Override
  String url() {
    return sentinels.url();
  }
}
