package io.sojourn.tomcat;

import io.sojourn.testkit.server.RedisServer;
import java.util.UUID;

/** The stores of tests for which one database and one Redis are enough. */
enum StoreKind {
  H2,
  REDIS;

  /** Where it is: a new database, or the Redis that all tests share. */
  String url(RedisServer redis) {
    return switch (this) {
      case H2 -> "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
      case REDIS -> redis.url();
    };
  }
}
