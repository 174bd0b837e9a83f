package io.sojourn;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * What a store knows a session by: the SHA-256 digest of a session id.
 *
 * <p>An id opens a session to whoever knows it, so it never leaves the JVM; from the key nobody can
 * work back to it. Whatever characters a client sends as an id, its key is 32 bytes.
 *
 * <p>Immutable and thread-safe.
 */
public final class SessionKey {

  /** Bytes of a key. */
  public static final int BYTES = 32;

  private static final VarHandle INT_VIEW =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

  private static final MessageDigest SHA_256 = newSha256();

  private final byte[] digest;
  private final int hash;

  private SessionKey(byte[] digest) {
    this.digest = digest;
    this.hash = (int) INT_VIEW.get(digest, 0);
  }

  /**
   * The key of a session id.
   *
   * @param id a session id without its route suffix; untrusted, of any length and content
   */
  public static SessionKey of(String id) {
    return new SessionKey(sha256().digest(id.getBytes(StandardCharsets.UTF_8)));
  }

  /** A clone where the platform's can be cloned: to ask for one takes longer. */
  static MessageDigest sha256() {
    try {
      return (MessageDigest) SHA_256.clone();
    } catch (CloneNotSupportedException e) {
      return newSha256();
    }
  }

  private static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("Every Java platform has SHA-256", e);
    }
  }

  /**
   * The key with these bytes, as a store has kept them.
   *
   * @param bytes what {@link #bytes()} answered once
   * @throws IllegalArgumentException if there are not exactly {@value #BYTES}
   */
  public static SessionKey ofBytes(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException(
          "A session key has " + BYTES + " bytes, not " + bytes.length);
    }
    return new SessionKey(bytes.clone());
  }

  /** A copy of the {@value #BYTES} bytes. */
  public byte[] bytes() {
    return digest.clone();
  }

  /** The key as 64 hexadecimal digits. */
  public String hex() {
    return HexFormat.of().formatHex(digest);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return this == other
        || (other instanceof SessionKey that && Arrays.equals(digest, that.digest));
  }

  @Override
  public int hashCode() {
    return hash;
  }

  /** The first 12 hexadecimal digits: enough to find a session in logs. */
  @Override
  public String toString() {
    return HexFormat.of().formatHex(digest, 0, 6);
  }
}
