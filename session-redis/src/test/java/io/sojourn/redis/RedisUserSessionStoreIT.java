package io.sojourn.redis;

import io.sojourn.testkit.server.RedisAccess;
import io.sojourn.testkit.server.RedisServer;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** The contract of stores on a server, as the user of docs/operations.md. */
@Tag("R82")
class RedisUserSessionStoreIT extends RedisStoreContract {

  private static final RedisAccess ACCESS = RedisAccess.documented();

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
  Map<String, String> options() {
    return ACCESS.options(url());
  }

  @Override
  String unreachableUrl() {
    return "redis://127.0.0.1:1";
  }
}
