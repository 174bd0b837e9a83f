package io.sojourn.redis;

import io.sojourn.SessionStore;
import io.sojourn.SessionStoreProvider;
import io.sojourn.StoreConfiguration;
import java.util.Set;

/**
 * Opens a {@link RedisSessionStore} for {@code redis:}, {@code redis-sentinel:} and {@code
 * redis-cluster:} URLs, and over TLS for {@code rediss:} and so on. Options, beside the URL or
 * behind its {@code ?}: see docs/configuration.md.
 *
 * <p>Stateless and thread-safe.
 */
public final class RedisSessionStoreProvider implements SessionStoreProvider {

  /** For {@link java.util.ServiceLoader}. */
  public RedisSessionStoreProvider() {}

  @Override
  public Set<String> schemes() {
    return Set.of(
        "redis", "rediss", "redis-sentinel", "rediss-sentinel", "redis-cluster", "rediss-cluster");
  }

  @Override
  public SessionStore open(StoreConfiguration configuration) {
    return new RedisSessionStore(configuration);
  }
}
