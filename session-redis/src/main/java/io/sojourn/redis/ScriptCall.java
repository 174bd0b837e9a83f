package io.sojourn.redis;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One run of a script. The arrays are not copied.
 *
 * @param script which
 * @param keys the keys that it is given, all in one bucket
 * @param arguments its further arguments
 * @param mayBeLong whether it or its answer may be so long that others should not wait behind it
 */
@SuppressWarnings("ArrayRecordComponent") // They go to the driver as they are.
record ScriptCall(LuaScript script, byte[][] keys, byte[][] arguments, boolean mayBeLong) {

  /** How fast a large call gets to the server at least: as fast as a line of 10 Mbit/s. */
  private static final long NANOS_PER_BYTE = 1_000;

  /** How long it may take to get there, beyond what a small one may. */
  Duration timeToSend() {
    if (!mayBeLong) {
      return Duration.ZERO;
    }
    long bytes = 0;
    for (byte[] argument : arguments) {
      bytes += argument.length;
    }
    return Duration.ofNanos(bytes * NANOS_PER_BYTE);
  }

  /**
   * What a run came to.
   *
   * @param value what {@link ScriptOutput} makes of the answer
   * @param repeated whether the script was run again after a connection had been lost, so that it
   *     may have run twice
   */
  record Reply(@Nullable Object value, boolean repeated) {}
}
