package io.sojourn.codec;

import com.esotericsoftware.kryo.kryo5.io.Input;
import io.sojourn.DecodeException;
import java.nio.charset.StandardCharsets;

/**
 * What a {@link Graph} reads from: it ends where it ends, and believes no length that it cannot
 * hold. Not thread-safe.
 */
final class GraphInput extends Input {
  private long unclaimed;

  void open(byte[] bytes, int offset, int count) {
    setBuffer(bytes, offset, count);
    unclaimed = count;
  }

  @Override
  protected int require(int required) {
    int remaining = limit - position;
    if (remaining < required) {
      throw new DecodeException("It ends too early", null);
    }
    return remaining;
  }

  /** The byte that will be read next, or -1 at the end. */
  int next() {
    return position < limit ? buffer[position] & 0xFF : -1;
  }

  /**
   * A number of elements.
   *
   * @param bytesEach how many bytes each takes at least
   */
  int length(int bytesEach) {
    return claim(readVarInt(true), bytesEach);
  }

  private int claim(int length, int bytesEach) {
    long bytes = (long) length * bytesEach;
    if (length < 0 || bytes > limit - position || bytes > unclaimed) {
      throw new DecodeException("It declares more elements than it has bytes", null);
    }
    unclaimed -= bytes;
    return length;
  }

  /** What {@link GraphOutput#text} wrote. */
  String text() {
    int header = readVarInt(true);
    int length = claim(header >>> 1, 1);
    if ((header & 1) == 0) {
      String text = new String(buffer, position, length, StandardCharsets.ISO_8859_1);
      position += length;
      return text;
    }
    char[] text = new char[length];
    for (int k = 0; k < length; k++) {
      int b = readByteUnsigned();
      if (b < 0x80) {
        text[k] = (char) b;
      } else if (b < 0xE0) {
        text[k] = (char) (((b & 0x1F) << 6) | (readByteUnsigned() & 0x3F));
      } else {
        text[k] =
            (char)
                (((b & 0x0F) << 12)
                    | ((readByteUnsigned() & 0x3F) << 6)
                    | (readByteUnsigned() & 0x3F));
      }
    }
    return new String(text);
  }
}
