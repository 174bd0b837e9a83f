package io.sojourn.codec;

import com.esotericsoftware.kryo.kryo5.KryoException;
import com.esotericsoftware.kryo.kryo5.util.Util;
import io.sojourn.DecodeException;
import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import java.io.IOException;
import java.io.NotSerializableException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ConcurrentModificationException;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The stored forms of one application's attributes: who wrote them, whether they are whole, and
 * that nothing but an {@link EncodeException} or a {@link DecodeException} comes of bad ones.
 * Thread-safe.
 */
final class StoredForms {

  /*
   * byte 0      format: 1 Kryo, 2 Java
   * byte 1      flags, none defined
   * bytes 2-5   CRC32C of bytes 0, 1 and 6 to the end, big-endian
   * bytes 6-    what the format says
   */

  private static final byte KRYO = 1;
  private static final byte JAVA = 2;
  private static final int HEADER = 6;
  private static final int ATTEMPTS = 10;

  /** Where a buffer around the bytes would be an object more for each value. */
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

  static {
    // As it starts, Kryo looks for Unsafe, which we do not use and of which newer JDKs warn.
    String property = "kryo.unsafe";
    String before = System.getProperty(property);
    if (before == null) {
      System.setProperty(property, "false");
      try {
        Class.forName(Util.class.getName(), true, StoredForms.class.getClassLoader());
      } catch (ClassNotFoundException e) {
        throw new LinkageError("Kryo is incomplete", e);
      } finally {
        System.clearProperty(property);
      }
    }
  }

  private final ClassRule rule;
  private final int mostBytes;
  private final JavaForm java;
  private final GraphPool graphs;

  StoredForms(ClassLoader application, ClassFilter filter, CodecLimits limits) {
    this.rule = new ClassRule(application, filter);
    this.mostBytes = limits.bytes();
    this.java = new JavaForm(rule, limits);
    this.graphs = new GraphPool(() -> new Graph(rule, limits));
  }

  /** Encodes by Kryo what is known to survive it, and anything else by Java serialization. */
  EncodedValue encode(Object value) {
    return encode(value, this::encodeEither);
  }

  /** Encodes by Java serialization. */
  EncodedValue encodeJava(Object value) {
    return encode(value, v -> seal(java.encode(v, HEADER), JAVA));
  }

  private interface Encoding {
    EncodedValue of(Object value) throws IOException, ClassNotFoundException;
  }

  /** Once more if another thread changed it meanwhile, as far as that can be told. */
  private static EncodedValue encode(Object value, Encoding encoding) {
    for (int attempt = 1; ; attempt++) {
      try {
        return encoding.of(value);
      } catch (EncodeException e) {
        if (e.isRefusedClass()) {
          throw EncodeException.ofRefusedClass(about(value) + e.getMessage());
        }
        throw new EncodeException(about(value) + e.getMessage(), e.getCause());
      } catch (NotSerializableException e) {
        throw new EncodeException(about(value) + e.getMessage() + " is not Serializable", e);
      } catch (KryoException e) {
        throw new EncodeException(about(value) + e.getMessage(), e);
      } catch (RuntimeException e) {
        if (attempt == ATTEMPTS) {
          boolean changed = e instanceof ConcurrentModificationException;
          throw new EncodeException(
              about(value)
                  + (changed ? "another thread goes on changing it" : e.getClass().getName()),
              e);
        }
      } catch (IOException | ClassNotFoundException | StackOverflowError | LinkageError e) {
        throw new EncodeException(about(value) + e.getClass().getName(), e);
      }
    }
  }

  private EncodedValue encodeEither(Object value) throws IOException, ClassNotFoundException {
    byte[] bytes = encodeKryo(value);
    return bytes == null ? seal(java.encode(value, HEADER), JAVA) : seal(bytes, KRYO);
  }

  private byte @Nullable [] encodeKryo(Object value) {
    if (rule.of(value.getClass()).kind() == ClassRule.Kind.JAVA) {
      return null;
    }
    // Not freed if it throws: what state it is in then, nobody knows.
    Graph graph = graphs.obtain();
    byte[] bytes;
    try {
      bytes = graph.encode(value, HEADER);
    } catch (Graph.NeedsJava signal) {
      bytes = null;
    }
    graphs.free(graph);
    return bytes;
  }

  private static String about(Object value) {
    return "Cannot encode a " + value.getClass().getName() + ": ";
  }

  /** Decodes either form. */
  Object decode(EncodedValue value) {
    byte[] bytes = value.bytes();
    requireWhole(bytes);
    try {
      return bytes[0] == KRYO ? decodeKryo(bytes) : java.decode(bytes, HEADER);
    } catch (DecodeException e) {
      throw e;
    } catch (ClassNotFoundException e) {
      throw new DecodeException("The application has no class " + e.getMessage(), e);
    } catch (KryoException e) {
      throw e.getCause() instanceof DecodeException cause
          ? cause
          : new DecodeException("Damaged or hostile: " + e.getMessage(), e);
    } catch (Exception
        | StackOverflowError
        | LinkageError
        | AssertionError
        | InternalError e) { // the last is what Map.of throws at half an entry
      throw new DecodeException(
          "Damaged, hostile, or written for other classes: " + e.getClass().getName(), e);
    }
  }

  private Object decodeKryo(byte[] bytes) {
    Graph graph = graphs.obtain();
    Object value = graph.decode(bytes, HEADER);
    graphs.free(graph);
    return value;
  }

  private void requireWhole(byte[] bytes) {
    if (bytes.length - HEADER > mostBytes) {
      throw new DecodeException(bytes.length + " bytes are more than an attribute may have", null);
    }
    if (bytes.length < HEADER) {
      throw new DecodeException(bytes.length + " bytes are too few for an attribute", null);
    }
    if (bytes[0] == EncryptedCodec.FORMAT) {
      throw new DecodeException("It is encrypted, and this node has no encryptionKeys", null);
    }
    if (bytes[0] == CompressedCodec.FORMAT) {
      throw new DecodeException(
          "It is compressed, and this codec is not in a compressed one", null);
    }
    if (bytes[0] != KRYO && bytes[0] != JAVA) {
      throw new DecodeException(
          "Format "
              + (bytes[0] & 0xFF)
              + " is not known here: the attribute is damaged, or of a newer version",
          null);
    }
    if (bytes[1] != 0) {
      throw new DecodeException(
          "Flags "
              + Integer.toHexString(bytes[1] & 0xFF)
              + " are not known here: the attribute is damaged, or of a newer version",
          null);
    }
    if ((int) INT.get(bytes, 2) != checksum(bytes)) {
      throw new DecodeException("The checksum does not match: the attribute is damaged", null);
    }
  }

  private static EncodedValue seal(byte[] bytes, byte format) {
    bytes[0] = format;
    bytes[1] = 0;
    INT.set(bytes, 2, checksum(bytes));
    return EncodedValue.of(bytes);
  }

  private static int checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, 2);
    crc.update(bytes, HEADER, bytes.length - HEADER);
    return (int) crc.getValue();
  }

  /** As {@link io.sojourn.AttributeCodec#isImmutable} has it. */
  boolean isImmutable(Object value) {
    return rule.isImmutable(value);
  }

  /** As {@link io.sojourn.AttributeCodec#watch} has it. */
  Optional<BooleanSupplier> watch(Object value) {
    return Optional.ofNullable(Footprint.of(value, rule));
  }

  /** As {@link io.sojourn.AttributeCodec#refusal} has it. */
  Optional<String> refusal(Object value) {
    return Optional.ofNullable(rule.of(value.getClass()).refusal());
  }
}
