package io.sojourn.redis;

import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.SessionStoreContract;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;

/** The contract of stores on Redis servers of some shape. */
abstract class RedisStoreContract extends SessionStoreContract {

  /** Where the servers are. */
  abstract String url();

  /** The same with ports that are nobody's, such as 1. */
  abstract String unreachableUrl();

  @Override
  protected SessionStore open(String application, Supplier<Duration> clockOffset) {
    return new RedisSessionStore(
        new StoreConfiguration(url(), application, Map.of("timeout", "10s"), clockOffset));
  }

  @Override
  protected final SessionStore openUnreachable() {
    return new RedisSessionStore(StoreConfiguration.of(unreachableUrl(), "unreachable"));
  }
}
