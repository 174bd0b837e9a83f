package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.server.RedisServer;
import io.sojourn.testkit.server.TlsCertificates;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;

class TomcatRedisTlsIT extends TomcatContract {

  private final TlsCertificates certificates = TlsCertificates.create();
  private final RedisServer redis = RedisServer.startPrivateTls(certificates);

  @AfterAll
  void stopServers() {
    redis.close();
    certificates.close();
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clock) {
    return SessionStores.open(
        new StoreConfiguration(
            redis.url(),
            application,
            Map.of(
                "trustStore",
                certificates.trustStore().toString(),
                "trustStorePassword",
                certificates.password()),
            clock),
        getClass().getClassLoader());
  }
}
