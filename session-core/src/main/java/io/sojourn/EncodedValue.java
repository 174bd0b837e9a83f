package io.sojourn;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of one encoded attribute.
 *
 * <p>The array is shared, not copied, so that a value can go from codec to driver as it is: neither
 * who makes an encoded value nor who reads it may change the array afterwards. Equal when the bytes
 * are. Thread-safe under that rule.
 */
public final class EncodedValue {

  private final byte[] bytes;

  private EncodedValue(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * Wraps these bytes.
   *
   * @param bytes the encoded attribute, possibly empty; owned by the result from now on
   */
  public static EncodedValue of(byte[] bytes) {
    return new EncodedValue(bytes);
  }

  /** The bytes themselves; not to be changed. */
  public byte[] bytes() {
    return bytes;
  }

  /** How many bytes there are. */
  public int size() {
    return bytes.length;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof EncodedValue that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /** The size; never the content. */
  @Override
  public String toString() {
    return bytes.length + " bytes";
  }
}
