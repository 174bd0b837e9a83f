package io.sojourn.redis;

import io.sojourn.testkit.server.RedisServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract of stores on a server, by TLS. */
class RedisTlsSessionStoreIT extends RedisTlsStoreContract {

  private static RedisServer server;

  @BeforeAll
  static void startServer() {
    server = RedisServer.startPrivate(ACCESS);
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @Override
  String url() {
    return server.url();
  }

  @Override
  String unreachableUrl() {
    return "rediss://127.0.0.1:1";
  }
}
