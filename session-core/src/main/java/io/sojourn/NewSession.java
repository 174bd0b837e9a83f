package io.sojourn;

import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A session that a store is to create.
 *
 * @param key its key
 * @param version its version to begin with, {@link SessionStore#FIRST_VERSION} or more
 * @param creationTime when the container made it, by the container's clock; kept to the millisecond
 * @param timeout when it expires
 * @param principal who is logged in, {@link PrincipalKey#NOBODY} if nobody is
 * @param attributes its attributes by name; names are data, of any content, "" included
 */
public record NewSession(
    SessionKey key,
    long version,
    Instant creationTime,
    IdleTimeout timeout,
    PrincipalKey principal,
    Map<String, EncodedValue> attributes) {

  /** The range of versions to begin with: nine digits at the most. */
  private static final long VERSIONS = 1_000_000_000;

  /** Copies the map. */
  public NewSession {
    attributes = Map.copyOf(attributes);
  }

  /**
   * One in which nobody is logged in.
   *
   * @param key its key
   * @param version its version to begin with
   * @param creationTime when the container made it, by the container's clock; kept to the
   *     millisecond
   * @param timeout when it expires
   * @param attributes its attributes by name
   */
  public NewSession(
      SessionKey key,
      long version,
      Instant creationTime,
      IdleTimeout timeout,
      Map<String, EncodedValue> attributes) {
    this(key, version, creationTime, timeout, PrincipalKey.NOBODY, attributes);
  }

  /**
   * One in which nobody is logged in and whose version is a random number.
   *
   * @param key its key
   * @param creationTime when the container made it, by the container's clock; kept to the
   *     millisecond
   * @param timeout when it expires
   * @param attributes its attributes by name
   */
  public NewSession(
      SessionKey key,
      Instant creationTime,
      IdleTimeout timeout,
      Map<String, EncodedValue> attributes) {
    this(key, creationTime, timeout, PrincipalKey.NOBODY, attributes);
  }

  /**
   * One whose version is a random number: a key may be that of an earlier session, of which nodes
   * still have copies. None of them has a version from which what changed since could seem to be
   * known.
   *
   * @param key its key
   * @param creationTime when the container made it, by the container's clock; kept to the
   *     millisecond
   * @param timeout when it expires
   * @param principal who is logged in, {@link PrincipalKey#NOBODY} if nobody is
   * @param attributes its attributes by name; names are data, of any content, "" included
   */
  public NewSession(
      SessionKey key,
      Instant creationTime,
      IdleTimeout timeout,
      PrincipalKey principal,
      Map<String, EncodedValue> attributes) {
    this(
        key,
        SessionStore.FIRST_VERSION + ThreadLocalRandom.current().nextLong(VERSIONS),
        creationTime,
        timeout,
        principal,
        attributes);
  }
}
