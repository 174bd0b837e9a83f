package io.sojourn;

import java.util.Set;

/**
 * Opens an {@link InMemorySessionStore} for {@code memory:}; each opening is a store of its own.
 */
public final class InMemorySessionStoreProvider implements SessionStoreProvider {

  /** For {@link java.util.ServiceLoader}. */
  public InMemorySessionStoreProvider() {}

  @Override
  public Set<String> schemes() {
    return Set.of("memory");
  }

  @Override
  public SessionStore open(StoreConfiguration configuration) {
    if (!configuration.url().equals("memory:") || !configuration.options().isEmpty()) {
      throw new IllegalArgumentException(
          "store=\"" + configuration.printableUrl() + "\": memory: takes no further settings");
    }
    return new InMemorySessionStore(configuration.clockOffset());
  }
}
