package io.sojourn;

import java.util.Set;

/**
 * Opens stores of one kind. Found by {@link java.util.ServiceLoader}; stateless and thread-safe.
 */
public interface SessionStoreProvider {

  /** The URL schemes that it serves, in lower case, without the colon. */
  Set<String> schemes();

  /**
   * Opens a store. Does not need a server that is up: one that is down is found out at the first
   * call, and is waited for here no longer than a request would wait for it.
   *
   * @throws IllegalArgumentException if the URL or an option is wrong, or if the server answers by
   *     now and is one that sessions cannot be kept in; the message names what is wrong and says
   *     what is allowed
   */
  SessionStore open(StoreConfiguration configuration);
}
