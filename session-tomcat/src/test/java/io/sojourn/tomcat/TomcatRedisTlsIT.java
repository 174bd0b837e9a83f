package io.sojourn.tomcat;

import io.sojourn.testkit.server.RedisAccess;
import io.sojourn.testkit.server.RedisServer;
import io.sojourn.testkit.server.TlsCertificates;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;

class TomcatRedisTlsIT extends TomcatRedisContract {

  private final TlsCertificates certificates = TlsCertificates.create();
  private final RedisAccess access = RedisAccess.documented(certificates);
  private final RedisServer redis = RedisServer.startPrivate(access);

  @AfterAll
  void stopServers() {
    redis.close();
    certificates.close();
  }

  @Override
  String url() {
    return redis.url();
  }

  @Override
  Map<String, String> options() {
    return access.options(url());
  }
}
