package io.sojourn.codec;

import com.esotericsoftware.kryo.kryo5.io.Output;
import io.sojourn.EncodedValue;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/** Stored values that no codec has made: whole and sealed, whatever is in them. */
final class Stored {

  private Stored() {}

  /** These bytes with a checksum that is right. */
  static EncodedValue sealed(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, 2);
    crc.update(bytes, 6, bytes.length - 6);
    ByteBuffer.wrap(bytes).putInt(2, (int) crc.getValue());
    return EncodedValue.of(bytes);
  }

  /** A value of format 1. */
  static EncodedValue byHand(Consumer<Output> payload) {
    Output out = new Output(1024, -1);
    out.writeBytes(new byte[] {1, 0, 0, 0, 0, 0});
    payload.accept(out);
    return sealed(out.toBytes());
  }

  /** A value of format 2, written by Java serialization as it is. */
  static EncodedValue byJava(Object value) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(new byte[] {2, 0, 0, 0, 0, 0});
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(value);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return sealed(bytes.toByteArray());
  }
}
