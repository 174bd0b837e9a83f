package io.sojourn;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * What a store knows the user of a session by: the first {@value #BYTES} bytes of a SHA-256 digest
 * of the application and the user's name.
 *
 * <p>So the store has no names to read, and nothing in it shows that users of two applications are
 * one person. Whoever can read it and knows a name can still find out which sessions are that
 * user's.
 *
 * <p>Immutable and thread-safe.
 */
public final class PrincipalKey {

  /** Bytes of a key. */
  public static final int BYTES = 16;

  /** Of a session in which nobody is logged in. */
  public static final PrincipalKey NOBODY = new PrincipalKey(new byte[0]);

  /**
   * The attribute in which an application that logs its users in itself names the one whose session
   * it is, as with Spring Session. Containers' adapters heed it.
   */
  public static final String NAME_ATTRIBUTE =
      "org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME";

  private final byte[] digest;

  private PrincipalKey(byte[] digest) {
    this.digest = digest;
  }

  /**
   * The key of a user.
   *
   * @param application whose sessions are looked through
   * @param name as the container knows the user; of any length and content
   */
  public static PrincipalKey of(String application, String name) {
    MessageDigest sha256 = SessionKey.sha256();
    sha256.update(application.getBytes(StandardCharsets.UTF_8));
    sha256.update((byte) 0);
    byte[] whole = sha256.digest(name.getBytes(StandardCharsets.UTF_8));
    return new PrincipalKey(Arrays.copyOf(whole, BYTES));
  }

  /** Whether it is {@link #NOBODY}. */
  public boolean isNobody() {
    return digest.length == 0;
  }

  /**
   * Makes sure that it is somebody's, as one to look for has to be.
   *
   * @throws IllegalArgumentException if it is {@link #NOBODY}
   */
  public void requireSomebody() {
    if (isNobody()) {
      throw new IllegalArgumentException("The sessions of nobody cannot be looked up");
    }
  }

  /** A copy of the {@value #BYTES} bytes; none for {@link #NOBODY}. */
  public byte[] bytes() {
    return digest.clone();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof PrincipalKey that && Arrays.equals(digest, that.digest);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(digest);
  }

  /** The first 12 hexadecimal digits: enough to find a user in logs. */
  @Override
  public String toString() {
    return isNobody() ? "nobody" : HexFormat.of().formatHex(digest, 0, 6);
  }
}
