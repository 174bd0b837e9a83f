package io.sojourn.codec;

import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodedValue;
import io.sojourn.SessionKey;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;

/**
 * Compresses what another codec encodes, by LZ4, where that makes it smaller by an eighth or more.
 * It goes inside an {@link EncryptedCodec}, never around one: what is encrypted does not compress.
 *
 * <p>Reads what is compressed and what is not, whichever it writes itself, so compression can be
 * switched on and off under a running site. Needs the library {@code at.yawk.lz4:lz4-java}, which
 * is optional. Thread-safe. Belongs to one application, as the codec within does.
 */
public final class CompressedCodec implements AttributeCodec {

  /*
   * byte 0      format: 4
   * byte 1      flags, none defined
   * bytes 2-5   length of the value, big-endian
   * bytes 6-    a block of LZ4
   *
   * LZ4 makes 255 bytes of one at the most, so a length beyond that is refused before there is room
   * made for it, and so is one beyond what an attribute may have. The decompressor is the one in plain Java that checks every index: nothing native
   * is loaded, and a bad block can neither read nor write elsewhere.
   */

  static final byte FORMAT = 4;
  private static final int HEADER = 6;

  /** What the codecs within put in front of their payload at the most: a localization's. */
  private static final int HEADER_WITHIN = 7;

  private static final int SMALLEST = 4096;
  private static final int LARGEST_RATIO = 255;

  private final AttributeCodec codec;
  private final boolean compresses;
  private final int mostBytes;

  /** All that touches the library, which may not be there. */
  private static final class Lz4 {
    static final LZ4Factory FACTORY = LZ4Factory.safeInstance();

    /** How long it has become; 0 if there is no room for it. */
    static int compress(byte[] from, byte[] to) {
      try {
        return FACTORY
            .fastCompressor()
            .compress(from, 0, from.length, to, HEADER, to.length - HEADER);
      } catch (LZ4Exception noRoom) {
        return 0;
      }
    }

    static int decompress(byte[] from, byte[] to) {
      try {
        return FACTORY
            .safeDecompressor()
            .decompress(from, HEADER, from.length - HEADER, to, 0, to.length);
      } catch (LZ4Exception e) {
        throw new DecodeException("Its compressed part is damaged", e);
      }
    }
  }

  /**
   * Compresses, or only reads what others have compressed, with {@link CodecLimits#DEFAULT}.
   *
   * @param codec what encodes and decodes
   * @param compresses whether it compresses what it seals
   * @throws IllegalArgumentException if it is to compress and the library is not there
   */
  public CompressedCodec(AttributeCodec codec, boolean compresses) {
    this(codec, compresses, CodecLimits.DEFAULT);
  }

  /**
   * Compresses, or only reads what others have compressed.
   *
   * @param codec what encodes and decodes
   * @param compresses whether it compresses what it seals
   * @param limits how much what was compressed may be; those of the codec within, as a rule
   * @throws IllegalArgumentException if it is to compress and the library is not there
   */
  public CompressedCodec(AttributeCodec codec, boolean compresses, CodecLimits limits) {
    if (compresses && !isLibraryPresent()) {
      throw new IllegalArgumentException(
          "at.yawk.lz4:lz4-java is not on the class path beside session-core");
    }
    this.codec = codec;
    this.compresses = compresses;
    this.mostBytes = limits.bytes() + HEADER_WITHIN;
  }

  private static boolean isLibraryPresent() {
    try {
      return Lz4.FACTORY != null;
    } catch (LinkageError absent) {
      return false;
    }
  }

  @Override
  public EncodedValue encode(Object value) {
    return codec.encode(value);
  }

  @Override
  public EncodedValue encodeToCompare(Object value) {
    return codec.encodeToCompare(value);
  }

  @Override
  public Object decode(EncodedValue value) {
    return codec.decode(value);
  }

  @Override
  public Optional<BooleanSupplier> watch(Object value) {
    return codec.watch(value);
  }

  @Override
  public boolean isImmutable(Object value) {
    return codec.isImmutable(value);
  }

  @Override
  public Optional<String> refusal(Object value) {
    return codec.refusal(value);
  }

  @Override
  public EncodedValue seal(EncodedValue encoded, SessionKey origin, String attribute) {
    EncodedValue sealed = codec.seal(encoded, origin, attribute);
    int size = sealed.size();
    if (!compresses || size < SMALLEST || size > mostBytes) {
      // One that is too large, which a codec of the user's may make, would not be decompressed.
      return sealed;
    }
    // No room for more than is worth it: a block that does not fit is not finished.
    byte[] compressed = new byte[size - size / 8];
    int length = Lz4.compress(sealed.bytes(), compressed);
    if (length == 0) {
      return sealed;
    }
    compressed[0] = FORMAT;
    ByteBuffer.wrap(compressed).putInt(2, size);
    return EncodedValue.of(Arrays.copyOf(compressed, HEADER + length));
  }

  @Override
  public EncodedValue open(EncodedValue stored, SessionKey origin, String attribute) {
    byte[] bytes = stored.bytes();
    EncodedValue opened =
        bytes.length > 0 && bytes[0] == FORMAT ? EncodedValue.of(decompress(bytes)) : stored;
    return codec.open(opened, origin, attribute);
  }

  private byte[] decompress(byte[] bytes) {
    if (bytes.length < HEADER) {
      throw new DecodeException("It ends before its compressed part begins", null);
    }
    if (bytes[1] != 0) {
      throw new DecodeException(
          "Flags " + Integer.toHexString(bytes[1] & 0xFF) + " of compression are not known here",
          null);
    }
    int length = ByteBuffer.wrap(bytes).getInt(2);
    if (length > mostBytes) {
      throw new DecodeException(length + " bytes are more than an attribute may have", null);
    }
    if (length < 0 || length > (long) LARGEST_RATIO * (bytes.length - HEADER)) {
      throw new DecodeException("It declares a length that it cannot have", null);
    }
    if (!isLibraryPresent()) {
      throw new DecodeException(
          "It is compressed, and this node has no at.yawk.lz4:lz4-java to read it with", null);
    }
    byte[] value = new byte[length];
    if (Lz4.decompress(bytes, value) != length) {
      throw new DecodeException("Its compressed part is shorter than it says", null);
    }
    return value;
  }
}
