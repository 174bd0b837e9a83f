package io.sojourn;

import java.time.Instant;
import java.util.Map;

/**
 * A whole session as a store keeps it, attributes still encoded.
 *
 * @param key the key that opens it now
 * @param origin the key that it was created under, by which {@link SessionStore#save save} and
 *     {@link SessionStore#remove remove} address it for good, whatever its id has become
 * @param version one more with each save; {@link SessionStore#FIRST_VERSION} or more
 * @param creationTime as given when it was created
 * @param lastAccessTime the last access the store knows of, by the store's clock, to the
 *     millisecond
 * @param timeout when it expires
 * @param attributes its attributes by name
 */
public record SessionRecord(
    SessionKey key,
    SessionKey origin,
    long version,
    Instant creationTime,
    Instant lastAccessTime,
    IdleTimeout timeout,
    Map<String, StoredAttribute> attributes) {

  /** Copies the map. */
  public SessionRecord {
    attributes = Map.copyOf(attributes);
  }
}
