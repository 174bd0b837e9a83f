package io.sojourn.codec;

import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import io.sojourn.SessionKey;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Counts what another codec does, the outermost of all. Thread-safe if that one is. */
public final class MeasuredCodec implements AttributeCodec {

  private final AttributeCodec codec;
  private final LongSupplier nanoTime;
  private final LongAdder checks = new LongAdder();
  private final LongAdder checkNanos = new LongAdder();
  private final LongAdder encodeFailures = new LongAdder();
  private final LongAdder decodeFailures = new LongAdder();
  private final LongAdder refusals = new LongAdder();

  /**
   * Counts from zero.
   *
   * @param codec what is counted
   */
  public MeasuredCodec(AttributeCodec codec) {
    this(codec, System::nanoTime);
  }

  /** For a test that has a clock of its own. */
  MeasuredCodec(AttributeCodec codec, LongSupplier nanoTime) {
    this.codec = codec;
    this.nanoTime = nanoTime;
  }

  /**
   * What has been counted.
   *
   * @param checks how often a value that was only read was encoded, to see whether it has changed
   * @param checkTime how long all of that took, with what was decoded and encoded once more to
   *     compare with
   * @param encodeFailures how many values could not be encoded
   * @param decodeFailures how many stored values could not be opened or decoded, each time that it
   *     was tried
   * @param refusals how many of either, and of values that were set, were for a class that may not
   *     be in a session
   */
  public record Statistics(
      long checks, Duration checkTime, long encodeFailures, long decodeFailures, long refusals) {}

  /** What has been counted so far. */
  public Statistics statistics() {
    return new Statistics(
        checks.sum(),
        Duration.ofNanos(checkNanos.sum()),
        encodeFailures.sum(),
        decodeFailures.sum(),
        refusals.sum());
  }

  @Override
  public EncodedValue encode(Object value) {
    return encoded(() -> codec.encode(value));
  }

  @Override
  public EncodedValue encodeToCompare(Object value) {
    checks.increment();
    return timed(() -> encoded(() -> codec.encodeToCompare(value)));
  }

  /** Belongs to the check that it is compared for. */
  @Override
  public EncodedValue reencodeToCompare(EncodedValue value) {
    return timed(() -> encoded(() -> codec.encodeToCompare(decode(value))));
  }

  private EncodedValue timed(Supplier<EncodedValue> check) {
    long start = nanoTime.getAsLong();
    try {
      return check.get();
    } finally {
      checkNanos.add(nanoTime.getAsLong() - start);
    }
  }

  private EncodedValue encoded(Supplier<EncodedValue> encoding) {
    try {
      return encoding.get();
    } catch (EncodeException e) {
      encodeFailures.increment();
      if (e.isRefusedClass()) {
        refusals.increment();
      }
      throw e;
    }
  }

  @Override
  public Object decode(EncodedValue value) {
    return decoded(() -> codec.decode(value));
  }

  @Override
  public EncodedValue open(EncodedValue stored, SessionKey origin, String attribute) {
    return decoded(() -> codec.open(stored, origin, attribute));
  }

  private <T> T decoded(Supplier<T> decoding) {
    try {
      return decoding.get();
    } catch (DecodeException e) {
      decodeFailures.increment();
      if (e.isRefusedClass()) {
        refusals.increment();
      }
      throw e;
    }
  }

  @Override
  public EncodedValue seal(EncodedValue encoded, SessionKey origin, String attribute) {
    return codec.seal(encoded, origin, attribute);
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
    Optional<String> refusal = codec.refusal(value);
    if (refusal.isPresent()) {
      refusals.increment();
    }
    return refusal;
  }
}
