package io.sojourn.codec;

import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import io.sojourn.SessionKey;
import java.util.Optional;

/**
 * A codec of a user's beside ours: it encodes, and decodes what it has encoded, while what {@link
 * KryoCodec} or {@link JavaCodec} has stored before is still read. Its first byte tells; a user's
 * are from 128 to 255.
 *
 * <p>Whatever a user's codec throws becomes an {@link EncodeException} or a {@link
 * DecodeException}. Thread-safe if the two codecs are.
 */
public final class CustomCodec implements AttributeCodec {

  private final AttributeCodec custom;
  private final AttributeCodec ours;

  /**
   * Puts the two side by side.
   *
   * @param custom the user's
   * @param ours what reads the rest
   */
  public CustomCodec(AttributeCodec custom, AttributeCodec ours) {
    this.custom = custom;
    this.ours = ours;
  }

  private static boolean isCustom(EncodedValue value) {
    return value.size() > 0 && value.bytes()[0] < 0;
  }

  @Override
  public EncodedValue encode(Object value) {
    EncodedValue encoded;
    try {
      encoded = custom.encode(value);
    } catch (EncodeException e) {
      throw e;
    } catch (RuntimeException | StackOverflowError e) {
      throw new EncodeException(
          custom.getClass().getName() + " cannot encode a " + value.getClass().getName(), e);
    }
    if (!isCustom(encoded)) {
      throw new EncodeException(
          custom.getClass().getName() + " must begin what it encodes with a byte from 128 to 255",
          null);
    }
    return encoded;
  }

  @Override
  public Object decode(EncodedValue value) {
    if (!isCustom(value)) {
      return ours.decode(value);
    }
    try {
      return custom.decode(value);
    } catch (DecodeException e) {
      throw e;
    } catch (RuntimeException | StackOverflowError e) {
      throw new DecodeException(
          custom.getClass().getName() + " cannot decode " + value.size() + " bytes", e);
    }
  }

  @Override
  public EncodedValue seal(EncodedValue encoded, SessionKey origin, String attribute) {
    return custom.seal(encoded, origin, attribute);
  }

  @Override
  public EncodedValue open(EncodedValue stored, SessionKey origin, String attribute) {
    return isCustom(stored)
        ? custom.open(stored, origin, attribute)
        : ours.open(stored, origin, attribute);
  }

  @Override
  public boolean isImmutable(Object value) {
    return custom.isImmutable(value);
  }

  @Override
  public Optional<String> refusal(Object value) {
    return custom.refusal(value);
  }
}
