package io.sojourn;

import java.util.Set;

/**
 * Opens stores of one kind. Found by {@link java.util.ServiceLoader}; stateless and thread-safe.
 */
public interface SessionStoreProvider {

  /** The URL schemes that it serves, in lower case, without the colon. */
  Set<String> schemes();

  /**
   * Opens a store. Does not wait for a server: one that is down is found out at the first call.
   *
   * @throws IllegalArgumentException if the URL or an option is wrong; the message names it and
   *     says what is allowed
   */
  SessionStore open(StoreConfiguration configuration);
}
