package io.sojourn;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Strings, and lists of strings that can change. Two values misbehave: "unencodable" cannot be
 * encoded, "undecodable" cannot be decoded. A list that begins with "restless" encodes differently
 * until it has been decoded once, as hash maps do.
 */
final class TextCodec implements AttributeCodec {

  final AtomicInteger encoded = new AtomicInteger();
  final AtomicInteger decoded = new AtomicInteger();

  /** What happens elsewhere while the next value is encoded. */
  Runnable whileEncoding = () -> {};

  /**
   * A list that several threads may use, and that remembers whether it was decoded, which shows in
   * its bytes.
   */
  private static final class Decoded extends CopyOnWriteArrayList<String> {
    private static final long serialVersionUID = 1L;

    Decoded(List<String> items) {
      super(items);
    }
  }

  @Override
  public EncodedValue encode(Object value) {
    encoded.incrementAndGet();
    if (value.equals("unencodable")) {
      throw new EncodeException("no bytes for it", null);
    }
    Runnable meanwhile = whileEncoding;
    whileEncoding = () -> {};
    meanwhile.run();
    if (value instanceof List<?> list) {
      String text = "[" + String.join(",", list.stream().map(String::valueOf).toList());
      boolean restless = text.startsWith("[restless") && value instanceof Decoded;
      return EncodedValue.of((restless ? text + " " : text).getBytes(UTF_8));
    }
    return EncodedValue.of(value.toString().getBytes(UTF_8));
  }

  @Override
  public Object decode(EncodedValue value) {
    decoded.incrementAndGet();
    String text = new String(value.bytes(), UTF_8);
    if (text.equals("undecodable")) {
      throw new DecodeException("no value in it", null);
    }
    return text.startsWith("[") ? new Decoded(List.of(text.substring(1).strip().split(","))) : text;
  }

  @Override
  public boolean isImmutable(Object value) {
    return value instanceof String;
  }

  @Override
  public Optional<String> refusal(Object value) {
    return Optional.empty();
  }
}
