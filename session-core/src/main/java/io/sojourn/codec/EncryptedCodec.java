package io.sojourn.codec;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodedValue;
import io.sojourn.SessionKey;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

/**
 * Encrypts what another codec encodes, by AES-256-GCM: nobody reads or changes it in the store, and
 * what is taken from one attribute or session does not decrypt in another.
 *
 * <p>Thread-safe. Belongs to one application, as the codec within does.
 */
public final class EncryptedCodec implements AttributeCodec {

  /*
   * byte 0      format: 3
   * byte 1      flags, none defined
   * byte 2      length of the key's id
   * then        the key's id; 12 bytes of nonce; the encoded value, encrypted; 16 bytes of tag
   *
   * The tag is over the bytes up to the nonce, too, and over the session's origin and the
   * attribute's name, which are not stored here. The origin stays when a session's id changes.
   */

  static final byte FORMAT = 3;
  private static final int FIXED = 3;
  private static final int NONCE = 12;
  private static final int TAG = 16;
  private static final String ALGORITHM = "AES/GCM/NoPadding";

  /** What is done with values that are not encrypted. */
  public enum Mode {
    /** All is encrypted, and what is not is refused. */
    REQUIRED,
    /** All is encrypted; what is not is still read: for the time after {@link #PREPARE}. */
    MIGRATE,
    /** Nothing is encrypted; both are read: for as long as there are nodes that cannot decrypt. */
    PREPARE
  }

  private final AttributeCodec codec;
  private final EncryptionKeys keys;
  private final Mode mode;
  private final SecureRandom random = new SecureRandom();

  /**
   * Encrypts.
   *
   * @param codec what encodes and decodes
   * @param keys the keys
   * @param mode what is done with values that are not encrypted
   */
  public EncryptedCodec(AttributeCodec codec, EncryptionKeys keys, Mode mode) {
    this.codec = codec;
    this.keys = keys;
    this.mode = mode;
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
    EncodedValue inner = codec.seal(encoded, origin, attribute);
    if (mode == Mode.PREPARE) {
      return inner;
    }
    byte[] id = keys.current().getBytes(US_ASCII);
    int header = FIXED + id.length;
    byte[] sealed = new byte[header + NONCE + inner.size() + TAG];
    sealed[0] = FORMAT;
    sealed[2] = (byte) id.length;
    System.arraycopy(id, 0, sealed, FIXED, id.length);
    byte[] nonce = new byte[NONCE];
    random.nextBytes(nonce);
    System.arraycopy(nonce, 0, sealed, header, NONCE);
    try {
      SecretKey key = Objects.requireNonNull(keys.key(keys.current()));
      Cipher cipher = cipher(Cipher.ENCRYPT_MODE, key, sealed, header, origin, attribute);
      int unused = cipher.doFinal(inner.bytes(), 0, inner.size(), sealed, header + NONCE);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This Java platform does not encrypt by " + ALGORITHM, e);
    }
    return EncodedValue.of(sealed);
  }

  @Override
  public EncodedValue open(EncodedValue stored, SessionKey origin, String attribute) {
    return codec.open(decrypted(stored, origin, attribute), origin, attribute);
  }

  private EncodedValue decrypted(EncodedValue stored, SessionKey origin, String attribute) {
    byte[] sealed = stored.bytes();
    if (sealed.length == 0 || sealed[0] != FORMAT) {
      if (mode == Mode.REQUIRED) {
        throw new DecodeException(
            "It is not encrypted, and nothing else is taken: it was stored before encryption was"
                + " switched on, or by somebody who has no key",
            null);
      }
      return stored;
    }
    int idLength = sealed.length < FIXED ? 0 : sealed[2];
    int header = FIXED + idLength;
    if (idLength < 1 || sealed.length < header + NONCE + TAG) {
      throw new DecodeException("It ends before its encrypted part begins", null);
    }
    if (sealed[1] != 0) {
      throw new DecodeException(
          "Flags " + Integer.toHexString(sealed[1] & 0xFF) + " of encryption are not known here",
          null);
    }
    String id = new String(sealed, FIXED, idLength, US_ASCII);
    SecretKey key = keys.key(id);
    if (key == null) {
      throw new DecodeException(
          "It is encrypted with the key '"
              + ClassFilter.printable(id)
              + "', which this node does not have",
          null);
    }
    try {
      Cipher cipher = cipher(Cipher.DECRYPT_MODE, key, sealed, header, origin, attribute);
      int begin = header + NONCE;
      return EncodedValue.of(cipher.doFinal(sealed, begin, sealed.length - begin));
    } catch (AEADBadTagException e) {
      throw new DecodeException(
          "It was not encrypted with this node's key '"
              + id
              + "' for this attribute of this session: it is damaged, forged, or moved here from"
              + " elsewhere",
          null);
    } catch (GeneralSecurityException e) {
      throw new DecodeException("It cannot be decrypted", e);
    }
  }

  private static Cipher cipher(
      int operation, SecretKey key, byte[] sealed, int header, SessionKey origin, String attribute)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance(ALGORITHM);
    cipher.init(operation, key, new GCMParameterSpec(TAG * 8, sealed, header, NONCE));
    cipher.updateAAD(sealed, 0, header);
    cipher.updateAAD(origin.bytes());
    cipher.updateAAD(attribute.getBytes(UTF_8));
    return cipher;
  }
}
