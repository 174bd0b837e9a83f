package io.sojourn;

/**
 * An attribute as a store keeps it.
 *
 * @param value the encoded attribute
 * @param version the session's version that last wrote it, 1 or more
 */
public record StoredAttribute(EncodedValue value, long version) {}
