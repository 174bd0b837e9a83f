package io.sojourn.redis;

import java.util.Arrays;
import java.util.List;

/**
 * One run of a script. The arrays are not copied.
 *
 * @param script which
 * @param keys the keys that it may touch, all in one bucket
 * @param named how many of them, from the first, it has to be given; it knows the others by these
 * @param arguments its further arguments
 * @param mayBeLong whether it or its answer may be so long that others should not wait behind it
 */
@SuppressWarnings("ArrayRecordComponent") // They go to the driver as they are.
record ScriptCall(
    LuaScript script, byte[][] keys, int named, byte[][] arguments, boolean mayBeLong) {

  /**
   * The keys to name to a server. One of a cluster has to know all: where a slot is on its way to
   * another server, each may be here or there.
   */
  byte[][] keys(boolean ofCluster) {
    return ofCluster ? keys : Arrays.copyOf(keys, named);
  }

  /**
   * What a run came to.
   *
   * @param parts byte arrays, longs, and lists of them
   * @param repeated whether the script was run again after a connection had been lost, so that it
   *     may have run twice
   */
  record Reply(List<Object> parts, boolean repeated) {}
}
