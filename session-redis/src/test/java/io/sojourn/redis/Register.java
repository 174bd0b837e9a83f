package io.sojourn.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What is known of an attribute that many write and read at once, each value once at most: enough
 * to tell that a read is stale, or that a write was lost. Thread-safe.
 *
 * <p>When a write begins, the values that somebody has read before are older than it. Once it is
 * acknowledged, they are overwritten, and no read that begins later may find one. This holds
 * whatever became of writes that were not acknowledged: they may have taken place or not, and late,
 * but once, and what somebody has read of them has taken place.
 */
final class Register {

  /** What a read may find that begins now. */
  record Limits(long seen, long overwritten) {}

  private final Map<Long, String> values = new ConcurrentHashMap<>();
  private final Map<String, Long> firstSeen = new ConcurrentHashMap<>();
  private final AtomicLong seen = new AtomicLong();
  private final AtomicLong overwritten = new AtomicLong();

  /** An attribute with the value that it was created with. */
  Register(String value) {
    endRead(beginRead(), value, 1);
  }

  /** Begins a write, and answers what {@link #acknowledged} is to be told. */
  long beginWrite() {
    return seen.get();
  }

  void acknowledged(long begun) {
    overwritten.accumulateAndGet(begun, Math::max);
  }

  Limits beginRead() {
    return new Limits(seen.get(), overwritten.get());
  }

  /**
   * Judges a read.
   *
   * @param limits as they were before it began
   * @param version the session's version that wrote the value
   */
  void endRead(Limits limits, String value, long version) {
    assertThat(version)
        .as("the version of '%s', which somebody has read before", value)
        .isGreaterThanOrEqualTo(limits.seen);
    String before = values.putIfAbsent(version, value);
    assertThat(before == null ? value : before)
        .as("what version %d wrote", version)
        .isEqualTo(value);
    long first = firstSeen.merge(value, version, Math::min);
    assertThat(first)
        .as(
            "the version that wrote '%s' first, now of version %d, after it was overwritten",
            value, version)
        .isGreaterThan(limits.overwritten);
    seen.accumulateAndGet(version, Math::max);
  }
}
