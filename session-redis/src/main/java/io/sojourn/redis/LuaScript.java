package io.sojourn.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A script that the server runs: one for each operation of the store, {@code load.lua} and so on,
 * behind {@code common.lua} and {@code session.lua}, which they share. What is called most comes
 * before these as far as it can, {@code load-first.lua} and {@code save.lua}: to create the
 * functions is a fifth of what such a call takes.
 */
enum LuaScript {
  CREATE(true, "common.lua", "session.lua", "create.lua"),
  LOAD(false, "load-first.lua", "common.lua", "session.lua", "load.lua"),
  SAVE(true, "common.lua", "save.lua", "session.lua", "save-moved.lua"),
  RENAME(true, "common.lua", "session.lua", "rename.lua"),
  REMOVE(true, "common.lua", "session.lua", "remove.lua"),
  CLAIM(false, "common.lua", "session.lua", "claim.lua"),
  FIND(false, "common.lua", "session.lua", "find.lua"),
  LEASE(false, "common.lua", "session.lua", "lease.lua"),
  RELEASE(false, "common.lua", "session.lua", "release.lua");

  private final boolean kept;
  private final String source;
  private final String digest;

  LuaScript(boolean kept, String... parts) {
    this.kept = kept;
    this.source = read(parts);
    this.digest = sha1(source);
  }

  /** Whether what it did has to outlive the server, once it has been answered. */
  boolean isKept() {
    return kept;
  }

  String source() {
    return source;
  }

  /** What the server knows the script by once it has seen the text. */
  String digest() {
    return digest;
  }

  private static String read(String... resources) {
    StringBuilder text = new StringBuilder();
    for (String resource : resources) {
      try (InputStream in = LuaScript.class.getResourceAsStream(resource)) {
        if (in == null) {
          throw new IllegalStateException(
              "session-redis is incomplete: " + resource + " is not in its jar");
        }
        text.append(new String(in.readAllBytes(), UTF_8));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return text.toString();
  }

  private static String sha1(String source) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-1").digest(source.getBytes(UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("Every Java platform has SHA-1", e);
    }
  }
}
