package io.sojourn.redis;

import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import org.junit.jupiter.api.extension.ExtendWith;

/** The contract of stores on a real Redis. */
@ExtendWith(RealServers.class)
class RedisSessionStoreIT extends RedisStoreContract {

  private final RedisServer server;

  RedisSessionStoreIT(RedisServer server) {
    this.server = server;
  }

  @Override
  String url() {
    return server.url();
  }

  @Override
  String unreachableUrl() {
    return "redis://127.0.0.1:1";
  }
}
