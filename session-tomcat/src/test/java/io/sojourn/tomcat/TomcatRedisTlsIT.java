package io.sojourn.tomcat;

import io.sojourn.testkit.server.RedisServer;
import io.sojourn.testkit.server.TlsCertificates;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;

class TomcatRedisTlsIT extends TomcatRedisContract {

  private final TlsCertificates certificates = TlsCertificates.create();
  private final RedisServer redis = RedisServer.startPrivateTls(certificates);

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
    return Map.of(
        "trustStore", certificates.trustStore().toString(),
        "trustStorePassword", certificates.password());
  }
}
