package io.sojourn.codec;

import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * The keys that attributes are encrypted with, each under an id: the first encrypts, all decrypt.
 * So a key is replaced in three steps on all nodes: added as the second, put first, and when no
 * session is left that it has not encrypted, the old one taken away.
 *
 * <p>Immutable and thread-safe. Shows no key.
 */
public final class EncryptionKeys {

  /** Bytes of a key: AES-256. */
  static final int KEY_BYTES = 32;

  private static final Pattern SEPARATOR = Pattern.compile("[,;\\s]+");
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9_.-]{1,32}");

  private final Map<String, SecretKey> keys;
  private final String current;

  private EncryptionKeys(Map<String, SecretKey> keys, String current) {
    this.keys = keys;
    this.current = current;
  }

  /**
   * Keys as text: {@code id:key}, the key as Base64 of 32 random bytes, separated by commas,
   * semicolons or white space; the first is the one to encrypt with.
   *
   * @throws IllegalArgumentException if that is not what it is, saying which id but no key
   */
  public static EncryptionKeys of(String text) {
    Map<String, SecretKey> keys = new LinkedHashMap<>();
    String first = null;
    for (String word : SEPARATOR.splitAsStream(text.strip()).toList()) {
      int colon = word.indexOf(':');
      String id = colon < 0 ? "" : word.substring(0, colon);
      if (!ID.matcher(id).matches()) {
        // The word itself may be a key.
        throw new IllegalArgumentException(
            "key number "
                + (keys.size() + 1)
                + " has no id in front: id:key, the id of 1 to 32 letters, digits, dots, hyphens"
                + " and underscores");
      }
      byte[] bytes;
      try {
        bytes = Base64.getDecoder().decode(word.substring(colon + 1));
      } catch (IllegalArgumentException e) {
        bytes = new byte[0];
      }
      if (bytes.length != KEY_BYTES) {
        throw new IllegalArgumentException(
            "the key of id '"
                + id
                + "' is not Base64 of 32 bytes, as 'openssl rand -base64 32' makes them");
      }
      if (keys.put(id, new SecretKeySpec(bytes, "AES")) != null) {
        throw new IllegalArgumentException("the key id '" + id + "' is there twice");
      }
      first = first == null ? id : first;
    }
    if (first == null) {
      throw new IllegalArgumentException("there is no key");
    }
    return new EncryptionKeys(Map.copyOf(keys), first);
  }

  /** The id of the key to encrypt with. */
  String current() {
    return current;
  }

  /** The key of this id, or null. */
  @Nullable SecretKey key(String id) {
    return keys.get(id);
  }

  /** The ids; never a key. */
  @Override
  public String toString() {
    return "EncryptionKeys[" + current + " of " + keys.size() + "]";
  }
}
