package io.sojourn.tomcat;

import io.sojourn.testkit.server.RedisAccess;
import io.sojourn.testkit.server.RedisClusterServers;
import io.sojourn.testkit.server.TlsCertificates;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;

class TomcatRedisTlsClusterIT extends TomcatRedisContract {

  private final TlsCertificates certificates = TlsCertificates.create();
  private final RedisAccess access = RedisAccess.documented(certificates);
  private final RedisClusterServers cluster = RedisClusterServers.start(access);

  @AfterAll
  void stopServers() {
    cluster.close();
    certificates.close();
  }

  @Override
  String url() {
    return cluster.url();
  }

  @Override
  Map<String, String> options() {
    return access.options(url());
  }
}
