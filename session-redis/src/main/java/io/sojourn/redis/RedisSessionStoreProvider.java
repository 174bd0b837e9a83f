package io.sojourn.redis;

import io.sojourn.SessionStore;
import io.sojourn.SessionStoreProvider;
import io.sojourn.StoreConfiguration;
import java.util.Set;

/**
 * Opens a {@link RedisSessionStore} for {@code redis://host:port/database}, and over TLS for {@code
 * rediss:}.
 *
 * <p>Options, beside the URL or behind its {@code ?}:
 *
 * <ul>
 *   <li>{@code timeout}: how long to wait for an answer, or for a connection, like {@code 1500ms};
 *       one second if not said
 *   <li>{@code database}: its number; 0 if not said
 *   <li>{@code username} and {@code password}
 * </ul>
 *
 * <p>Stateless and thread-safe.
 */
public final class RedisSessionStoreProvider implements SessionStoreProvider {

  /** For {@link java.util.ServiceLoader}. */
  public RedisSessionStoreProvider() {}

  @Override
  public Set<String> schemes() {
    return Set.of("redis", "rediss");
  }

  @Override
  public SessionStore open(StoreConfiguration configuration) {
    return new RedisSessionStore(configuration);
  }
}
