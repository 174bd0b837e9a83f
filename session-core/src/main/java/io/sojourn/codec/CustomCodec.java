package io.sojourn.codec;

import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import io.sojourn.SessionKey;
import java.util.BitSet;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * A codec of a user's beside others: it decodes what it has encoded, while what {@link KryoCodec},
 * {@link JavaCodec} or another one of the user's has stored is read by that. The first byte tells;
 * a user's are from 128 to 255. What is new is encoded by it, or by the others if it only reads.
 *
 * <p>Whatever a user's codec throws becomes an {@link EncodeException} or a {@link
 * DecodeException}. Thread-safe if the two codecs are.
 */
public final class CustomCodec implements AttributeCodec {

  private final AttributeCodec custom;
  private final AttributeCodec others;
  private final boolean writes;

  /** Those from 128 to 255 that it reads. */
  private final BitSet formats = new BitSet();

  private CustomCodec(AttributeCodec custom, AttributeCodec others, boolean writes) {
    this.custom = custom;
    this.others = others;
    this.writes = writes;
    for (int format = 128; format <= 255; format++) {
      formats.set(format, custom.reads((byte) format));
    }
  }

  /**
   * A codec of a user's that encodes.
   *
   * @param custom the user's
   * @param others what reads the rest
   */
  public static CustomCodec writing(AttributeCodec custom, AttributeCodec others) {
    return new CustomCodec(custom, others, true);
  }

  /**
   * A codec of a user's that only reads what it has encoded before.
   *
   * @param custom the user's
   * @param others what encodes, and reads the rest
   */
  public static CustomCodec reading(AttributeCodec custom, AttributeCodec others) {
    return new CustomCodec(custom, others, false);
  }

  private boolean isCustom(EncodedValue value) {
    return value.size() > 0 && formats.get(value.bytes()[0] & 0xFF);
  }

  @Override
  public EncodedValue encode(Object value) {
    if (!writes) {
      return others.encode(value);
    }
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
          custom.getClass().getName()
              + " must begin what it encodes with a byte from 128 to 255 that it reads",
          null);
    }
    return encoded;
  }

  @Override
  public EncodedValue encodeToCompare(Object value) {
    return writes ? encode(value) : others.encodeToCompare(value);
  }

  @Override
  public Object decode(EncodedValue value) {
    if (!isCustom(value)) {
      return others.decode(value);
    }
    return decoded(value, () -> custom.decode(value));
  }

  private <T> T decoded(EncodedValue value, Supplier<T> decoding) {
    try {
      return decoding.get();
    } catch (DecodeException e) {
      throw e;
    } catch (RuntimeException | StackOverflowError e) {
      throw new DecodeException(
          custom.getClass().getName() + " cannot decode " + value.size() + " bytes", e);
    }
  }

  @Override
  public EncodedValue seal(EncodedValue encoded, SessionKey origin, String attribute) {
    return (writes ? custom : others).seal(encoded, origin, attribute);
  }

  @Override
  public EncodedValue open(EncodedValue stored, SessionKey origin, String attribute) {
    if (!isCustom(stored)) {
      return others.open(stored, origin, attribute);
    }
    return decoded(stored, () -> custom.open(stored, origin, attribute));
  }

  @Override
  public Optional<BooleanSupplier> watch(Object value) {
    return (writes ? custom : others).watch(value);
  }

  @Override
  public boolean isImmutable(Object value) {
    return (writes ? custom : others).isImmutable(value);
  }

  @Override
  public Optional<String> refusal(Object value) {
    return (writes ? custom : others).refusal(value);
  }
}
