package io.sojourn;

import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** The codec as one session uses it: what is stored is sealed for this session. Thread-safe. */
final class SessionCodec {

  private final AttributeCodec codec;
  private final Supplier<SessionKey> origin;

  SessionCodec(AttributeCodec codec, Supplier<SessionKey> origin) {
    this.codec = codec;
    this.origin = origin;
  }

  EncodedValue encode(Object value) {
    return codec.encode(value);
  }

  /** The same for a value that may not have changed, to find that out. */
  EncodedValue encodeToCompare(Object value) {
    return codec.encodeToCompare(value);
  }

  /** What an encoded value becomes when it is decoded and encoded here, to compare with it. */
  EncodedValue reencodeToCompare(EncodedValue encoded) {
    return codec.reencodeToCompare(encoded);
  }

  Object decode(EncodedValue encoded) {
    return codec.decode(encoded);
  }

  /** What tells, without encoding it, that a value has not changed since; empty if nothing does. */
  Optional<BooleanSupplier> watch(Object value) {
    return codec.watch(value);
  }

  boolean isImmutable(Object value) {
    return codec.isImmutable(value);
  }

  /** An encoded value as it is stored. */
  EncodedValue seal(String attribute, EncodedValue encoded) {
    return codec.seal(encoded, origin.get(), attribute);
  }

  /**
   * A stored value as it was encoded.
   *
   * @throws DecodeException if it was not sealed for this attribute of this session
   */
  EncodedValue open(String attribute, EncodedValue stored) {
    return codec.open(stored, origin.get(), attribute);
  }

  /** The same, where one that cannot be opened is as good as none. */
  Optional<EncodedValue> tryOpen(String attribute, EncodedValue stored) {
    try {
      return Optional.of(open(attribute, stored));
    } catch (DecodeException e) {
      return Optional.empty();
    }
  }
}
