package io.sojourn.codec;

import com.esotericsoftware.kryo.kryo5.io.Output;
import io.sojourn.EncodeException;

/** What a {@link Graph} writes to: a buffer that grows, to a limit. Not thread-safe. */
final class GraphOutput extends Output {
  private static final int INITIAL = 2048;

  private final int limit;

  GraphOutput(int limit) {
    super(Math.min(INITIAL, limit), limit);
    this.limit = limit;
  }

  /** Lets go of a buffer that has become large. */
  void shrink() {
    setBuffer(new byte[Math.min(INITIAL, limit)], limit);
  }

  /** A string: Latin-1 as it is, any other with one to three bytes a character. */
  @SuppressWarnings("deprecation")
  void text(String text) {
    int length = text.length();
    if (length > limit) {
      throw new EncodeException("A string of " + length + " characters", null);
    }
    int i = 0;
    while (i < length && text.charAt(i) <= 0xFF) {
      i++;
    }
    if (i == length) {
      writeVarInt(length << 1, true);
      require(length);
      text.getBytes(0, length, buffer, position);
      position += length;
      return;
    }
    writeVarInt((length << 1) | 1, true);
    for (int k = 0; k < length; k++) {
      char c = text.charAt(k);
      require(3);
      if (c < 0x80) {
        buffer[position++] = (byte) c;
      } else if (c < 0x800) {
        buffer[position++] = (byte) (0xC0 | (c >> 6));
        buffer[position++] = (byte) (0x80 | (c & 0x3F));
      } else {
        buffer[position++] = (byte) (0xE0 | (c >> 12));
        buffer[position++] = (byte) (0x80 | ((c >> 6) & 0x3F));
        buffer[position++] = (byte) (0x80 | (c & 0x3F));
      }
    }
  }
}
