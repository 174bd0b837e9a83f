package io.sojourn;

import java.util.Optional;

/** What a {@link SessionDelta} does to one attribute. */
public sealed interface AttributeChange {

  /** The value that it writes, if it writes one. */
  default Optional<EncodedValue> written() {
    if (this instanceof Set set) {
      return Optional.of(set.value());
    }
    return this instanceof Replace replace ? Optional.of(replace.value()) : Optional.empty();
  }

  /**
   * Writes the value, whatever is there. The later of two wins.
   *
   * @param value the encoded attribute
   */
  record Set(EncodedValue value) implements AttributeChange {}

  /**
   * Writes the value if the attribute is still the one that was read; otherwise leaves what is
   * there.
   *
   * @param value the encoded attribute
   * @param expectedVersion the version of the attribute that was read
   */
  record Replace(EncodedValue value, long expectedVersion) implements AttributeChange {}

  /** Removes the attribute, if it is there. */
  record Remove() implements AttributeChange {}
}
