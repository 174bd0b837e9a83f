package io.sojourn;

import java.time.Instant;
import java.util.Map;

/**
 * A session that a store is to create, as version {@link SessionStore#FIRST_VERSION}.
 *
 * @param key its key
 * @param creationTime when the container made it, by the container's clock; kept to the millisecond
 * @param timeout when it expires
 * @param attributes its attributes by name; names are data, of any content, "" included
 */
public record NewSession(
    SessionKey key,
    Instant creationTime,
    IdleTimeout timeout,
    Map<String, EncodedValue> attributes) {

  /** Copies the map. */
  public NewSession {
    attributes = Map.copyOf(attributes);
  }
}
