package io.sojourn.redis;

import java.util.List;

/**
 * One run of a script. The arrays are not copied.
 *
 * @param script which
 * @param keys its keys, all in one bucket
 * @param arguments its further arguments
 * @param mayBeLong whether it or its answer may be so long that others should not wait behind it
 */
@SuppressWarnings("ArrayRecordComponent") // They go to the driver as they are.
record ScriptCall(LuaScript script, byte[][] keys, byte[][] arguments, boolean mayBeLong) {

  /**
   * What a run came to.
   *
   * @param parts byte arrays, longs, and lists of them
   * @param repeated whether the script was run again after a connection had been lost, so that it
   *     may have run twice
   */
  record Reply(List<Object> parts, boolean repeated) {}
}
