package io.sojourn.tomcat;

import io.sojourn.testkit.server.RedisAccess;
import io.sojourn.testkit.server.RedisSentinels;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;

class TomcatRedisSentinelIT extends TomcatRedisContract {

  private final RedisAccess access = RedisAccess.documented();
  private final RedisSentinels sentinels = RedisSentinels.start(access);

  @AfterAll
  void stopServers() {
    sentinels.close();
  }

  @Override
  String url() {
    return sentinels.url();
  }

  @Override
  Map<String, String> options() {
    return access.options(url());
  }
}
