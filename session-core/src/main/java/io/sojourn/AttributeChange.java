package io.sojourn;

/** What a {@link SessionDelta} does to one attribute. */
public sealed interface AttributeChange {

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
