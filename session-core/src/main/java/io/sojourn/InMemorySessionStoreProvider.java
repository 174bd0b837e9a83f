package io.sojourn;

import java.util.Set;
import java.util.TreeSet;

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
    if (!configuration.url().equals("memory:")) {
      throw new IllegalArgumentException(
          "store=\"" + configuration.printableUrl() + "\" must be memory: and no more");
    }
    if (!configuration.options().isEmpty()) {
      throw new IllegalArgumentException(
          String.join(", ", new TreeSet<>(configuration.options().keySet()))
              + ": no setting of store=\"memory:\", which has none");
    }
    return new InMemorySessionStore(configuration.clockOffset());
  }
}
