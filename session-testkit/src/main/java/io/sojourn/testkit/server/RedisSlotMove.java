package io.sojourn.testkit.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The move of one slot of a cluster from its owner to another master, step by step.
 *
 * <p>From {@link RedisClusterServers#beginMove} to {@link #finish()} the slot is on its way: the
 * owner redirects by ASK to the target what concerns keys that it has not or no longer. Commands
 * for several keys, some of which are here and some there, are refused by TRYAGAIN: by the owner
 * since Redis 7, and before by the target, to which they are redirected. Each step returns when it
 * is done. Not thread-safe.
 */
public final class RedisSlotMove {

  private static final int BATCH = 100;
  private static final int MIGRATE_TIMEOUT_MILLIS = 5_000;

  private final RedisClusterServers cluster;
  private final int slot;
  private final RedisServer source;
  private final RedisServer target;

  RedisSlotMove(RedisClusterServers cluster, int slot, RedisServer source, RedisServer target) {
    this.cluster = cluster;
    this.slot = slot;
    this.source = source;
    this.target = target;
  }

  /** Returns the node that owns the slot until the move is finished. */
  public RedisServer source() {
    return source;
  }

  /** Returns the node that owns the slot when the move is finished. */
  public RedisServer target() {
    return target;
  }

  void begin() {
    try {
      String sourceId = RedisConnection.ask(source, "CLUSTER", "MYID");
      String targetId = RedisConnection.ask(target, "CLUSTER", "MYID");
      RedisConnection.ask(target, "CLUSTER", "SETSLOT", "" + slot, "IMPORTING", sourceId);
      RedisConnection.ask(source, "CLUSTER", "SETSLOT", "" + slot, "MIGRATING", targetId);
    } catch (IOException e) {
      throw failed("begun", e);
    }
  }

  /**
   * Moves some keys of the slot.
   *
   * @param atMost how many
   * @return how many were moved, less than {@code atMost} if the source has no more of them
   * @throws UncheckedIOException if the source refuses or does not answer
   */
  public int moveKeys(int atMost) {
    try (RedisConnection connection = RedisConnection.open(source)) {
      connection.waitAtMost(2 * MIGRATE_TIMEOUT_MILLIS);
      List<String> keys =
          connection.texts("CLUSTER", "GETKEYSINSLOT", "" + slot, Integer.toString(atMost));
      if (!keys.isEmpty()) {
        List<String> command = new ArrayList<>(List.of("MIGRATE", "127.0.0.1"));
        command.addAll(List.of(Integer.toString(target.port()), "", "0"));
        command.add(Integer.toString(MIGRATE_TIMEOUT_MILLIS));
        command.addAll(target.access().login());
        command.add("KEYS");
        command.addAll(keys);
        connection.text(command.toArray(String[]::new));
      }
      return keys.size();
    } catch (IOException e) {
      throw failed("continued", e);
    }
  }

  /**
   * Moves all keys that are left, makes the target the slot's owner, and returns when all nodes
   * that answer know it.
   *
   * @throws UncheckedIOException if the source or the target refuses or does not answer
   * @throws IllegalStateException if other nodes do not get to know it
   */
  public void finish() {
    while (moveKeys(BATCH) > 0) {}
    try {
      String targetId = RedisConnection.ask(target, "CLUSTER", "MYID");
      // The target first: if it ended here, a source without the slot would leave it to nobody.
      RedisConnection.ask(target, "CLUSTER", "SETSLOT", "" + slot, "NODE", targetId);
      RedisConnection.ask(source, "CLUSTER", "SETSLOT", "" + slot, "NODE", targetId);
    } catch (IOException e) {
      throw failed("finished", e);
    }
    Settling.await("Agreement on slot " + slot, () -> cluster.agreeOn(slot, target));
  }

  private UncheckedIOException failed(String step, IOException e) {
    String way = " from " + source.address() + " to " + target.address();
    return new UncheckedIOException(
        "The move of slot " + slot + way + " cannot be " + step + ": " + e.getMessage(), e);
  }
}
