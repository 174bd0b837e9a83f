package io.sojourn;

import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Turns one attribute's value into bytes and back.
 *
 * <p>Thread-safe. A codec belongs to one web application, whose classes it finds through that
 * application's class loader, and is dropped with it.
 */
public interface AttributeCodec {

  /**
   * Encodes a value. The bytes begin with a format byte that says who wrote them: from 128 to 255
   * for a user's codec, below that for ours. A value that has not changed is to be encoded to the
   * same bytes, at the latest when it has been decoded once.
   *
   * @throws EncodeException if the value, or something that it refers to, cannot be encoded
   */
  EncodedValue encode(Object value);

  /**
   * Encodes a value that may not have changed, to find that out: as {@link #encode}, which it calls
   * by default.
   *
   * @throws EncodeException if the value, or something that it refers to, cannot be encoded
   */
  default EncodedValue encodeToCompare(Object value) {
    return encode(value);
  }

  /**
   * What an encoded value becomes when it is decoded and encoded here, to compare another one with
   * it.
   *
   * @throws DecodeException if it cannot be decoded
   * @throws EncodeException if what has been decoded cannot be encoded
   */
  default EncodedValue reencodeToCompare(EncodedValue encoded) {
    return encodeToCompare(decode(encoded));
  }

  /**
   * Whether a user's codec is the one that reads what begins with this format byte. No two codecs
   * of one application may read the same: who has two says so here. By default, all of a user's.
   *
   * @param format a format byte of a user's codec: from 128 to 255, which are negative as a byte
   */
  default boolean reads(byte format) {
    return true;
  }

  /**
   * Decodes what any codec of this application has encoded.
   *
   * @throws DecodeException for every kind of bad input
   */
  Object decode(EncodedValue value);

  /**
   * Makes an encoded value ready for the store: encrypts it, say. As it is, by default.
   *
   * <p>Values are compared before they are sealed, so sealing the same one twice may give different
   * bytes.
   *
   * @param origin the key that its session was created under, which stays when the session's id
   *     changes
   * @param attribute the attribute's name
   */
  default EncodedValue seal(EncodedValue encoded, SessionKey origin, String attribute) {
    return encoded;
  }

  /**
   * Undoes {@link #seal}.
   *
   * @throws DecodeException for every kind of bad input
   */
  default EncodedValue open(EncodedValue stored, SessionKey origin, String attribute) {
    return stored;
  }

  /**
   * What tells, without encoding it, that a value has not changed since it was asked for: while it
   * says {@code true}, encoding the value would give what it gave then, or something as good.
   * Empty, as it is by default, if only encoding tells.
   *
   * <p>Whoever asks for it asks before the value is encoded, and not for values that change often:
   * it takes about as long as encoding does. It refers to what the value consists of.
   */
  default Optional<BooleanSupplier> watch(Object value) {
    return Optional.empty();
  }

  /**
   * Whether nothing can change this value, so that having been read is no reason to check it for
   * changes. False is always safe.
   */
  boolean isImmutable(Object value);

  /**
   * Why this value can certainly not be encoded, as far as its own class tells; empty if it may be.
   * Cheap enough to be asked at every {@code setAttribute}.
   */
  Optional<String> refusal(Object value);
}
