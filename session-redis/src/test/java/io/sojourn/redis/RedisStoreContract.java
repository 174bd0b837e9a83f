package io.sojourn.redis;

import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.SessionStoreContract;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/** The contract of stores on Redis servers of some shape. */
abstract class RedisStoreContract extends SessionStoreContract {

  /** Where the servers are. */
  abstract String url();

  /** The same with ports that are nobody's, such as 1. */
  abstract String unreachableUrl();

  /** What a store has to know besides. */
  Map<String, String> options() {
    return Map.of();
  }

  @Override
  protected final SessionStore open(String application, Supplier<Duration> clockOffset) {
    return open(url(), options(), application, clockOffset);
  }

  static SessionStore open(
      String url, Map<String, String> options, String application, Supplier<Duration> clockOffset) {
    Map<String, String> all = new HashMap<>(options);
    all.put("timeout", "10s");
    return new RedisSessionStore(new StoreConfiguration(url, application, all, clockOffset));
  }

  @Override
  protected final SessionStore openUnreachable() {
    return new RedisSessionStore(StoreConfiguration.of(unreachableUrl(), "unreachable"));
  }
}
