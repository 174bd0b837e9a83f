package io.sojourn.tomcat;

import io.sojourn.testkit.server.RedisAccess;
import io.sojourn.testkit.server.RedisSentinels;
import io.sojourn.testkit.server.TlsCertificates;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;

class TomcatRedisTlsSentinelIT extends TomcatRedisContract {

  private final TlsCertificates certificates = TlsCertificates.create();
  private final RedisAccess access = RedisAccess.documented(certificates);
  private final RedisSentinels sentinels = RedisSentinels.start(access);

  @AfterAll
  void stopServers() {
    sentinels.close();
    certificates.close();
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
