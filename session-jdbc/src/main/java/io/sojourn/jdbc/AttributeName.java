package io.sojourn.jdbc;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Attribute names as bytes, which a database compares one by one and not by a collation: UTF-8, or
 * for a name that UTF-8 cannot express, since it holds half of a surrogate pair, a byte that never
 * begins UTF-8 and then UTF-16.
 */
final class AttributeName {

  /** What the column takes; a key of InnoDB ends at 3072 bytes. */
  static final int MAX_BYTES = 1100;

  private static final byte UTF_16 = (byte) 0xFF;

  private AttributeName() {}

  /** The bytes of a name. */
  static byte[] encode(String name) {
    byte[] bytes;
    try {
      ByteBuffer utf8 = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(name));
      bytes = new byte[utf8.remaining()];
      utf8.get(bytes);
    } catch (CharacterCodingException e) {
      ByteBuffer utf16 = ByteBuffer.allocate(1 + 2 * name.length()).put(UTF_16);
      for (int i = 0; i < name.length(); i++) {
        utf16.putChar(name.charAt(i));
      }
      bytes = utf16.array();
    }
    return bytes;
  }

  /** The name that these are the bytes of. */
  static String decode(byte[] bytes) {
    if (bytes.length > 0 && bytes[0] == UTF_16) {
      return ByteBuffer.wrap(bytes, 1, bytes.length - 1).slice().asCharBuffer().toString();
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
