package io.sojourn.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.cluster.SlotHash;
import io.sojourn.SessionKey;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * The names of one application's keys.
 *
 * <p>All keys of a session lie in one bucket, {@code sojourn:{application:bucket}:…}, and a bucket
 * is one slot of a cluster. An application's name is data: what could end its part of the key, or
 * mean something to a pattern, is written as {@code %} and two hexadecimal digits.
 *
 * <p>Immutable and thread-safe.
 */
final class RedisKeys {

  /** Buckets per application: enough to spread over the masters of a cluster. */
  static final int BUCKETS = 64;

  private static final int HEX_DIGITS = 2 * SessionKey.BYTES;

  private final String application;

  /** What the names of the sessions of each bucket begin with. */
  private final byte[][] sessions = new byte[BUCKETS][];

  /** The slot of each bucket in a cluster. */
  private final int[] slots = new int[BUCKETS];

  RedisKeys(String application) {
    this.application = "sojourn:{" + escape(application) + ":";
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
      sessions[bucket] = (bucket(bucket) + "session:").getBytes(UTF_8);
      slots[bucket] = SlotHash.getSlot(sessions[bucket]);
    }
  }

  /** What the names of all keys of the application begin with, and no other's. */
  String prefix() {
    return application;
  }

  /**
   * The names of what belongs to a session's key.
   *
   * @return the hash of the session, its bucket's expiry, and the door for when the key is that of
   *     a renamed session: the order in which scripts need them
   */
  byte[][] of(SessionKey key) {
    String hex = key.hex();
    String bucket = bucket(bucketOf(key));
    return new byte[][] {
      session(key), (bucket + "expiry").getBytes(UTF_8), (bucket + "door:" + hex).getBytes(UTF_8),
    };
  }

  /** The first of these names alone: the session's hash. */
  byte[] session(SessionKey key) {
    String hex = key.hex();
    byte[] before = sessions[bucketOf(key)];
    byte[] name = Arrays.copyOf(before, before.length + HEX_DIGITS);
    for (int i = 0; i < HEX_DIGITS; i++) {
      name[before.length + i] = (byte) hex.charAt(i);
    }
    return name;
  }

  /** The slot, in a cluster, of all that belongs to a session's key. */
  int slot(SessionKey key) {
    return slots[bucketOf(key)];
  }

  /** The bucket of a key: below {@link #BUCKETS}. */
  static int bucketOf(SessionKey key) {
    return (key.bytes()[0] & 0xff) % BUCKETS;
  }

  /** The name of a bucket's sorted set of what is to expire. */
  byte[] expiry(int bucket) {
    return (bucket(bucket) + "expiry").getBytes(UTF_8);
  }

  /**
   * The session key at the end of a text, such as the name of a hash.
   *
   * @throws IllegalArgumentException if the text does not end in one
   */
  static SessionKey keyIn(String text) {
    return SessionKey.ofBytes(
        HexFormat.of().parseHex(text, Math.max(0, text.length() - HEX_DIGITS), text.length()));
  }

  private String bucket(int bucket) {
    return application + HexFormat.of().toHexDigits((byte) bucket) + "}:";
  }

  private static String escape(String name) {
    StringBuilder escaped = new StringBuilder();
    for (byte b : name.getBytes(UTF_8)) {
      if (b > ' ' && b < 0x7f && "%:{}*?[]\\^\"'".indexOf(b) < 0) {
        escaped.append((char) b);
      } else {
        escaped.append('%').append(HexFormat.of().toHexDigits(b));
      }
    }
    return escaped.toString();
  }
}
