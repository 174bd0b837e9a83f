package io.sojourn.codec;

import io.sojourn.DecodeException;
import java.util.Arrays;

/**
 * What it costs to hash the keys of one graph. Not thread-safe.
 *
 * <p>A set of two sets that both hold the same two sets, and so on for a hundred levels, takes a
 * thousand bytes and more steps to hash than anybody can wait for. So each object counts as many
 * steps as there are ways to reach something in it, and all keys of hash containers together may
 * take a million and 64 for each byte.
 */
final class HashCost {

  static final long FREE = 1L << 20;
  static final long FOR_EACH_BYTE = 64;

  static final String EXCESS = "Its keys share so much that hashing them would take too long";

  /** More than any limit; sums stop here. */
  private static final long ENOUGH = 1L << 40;

  private static final int KEPT = 1 << 16;

  /** By object number; 0 while an object is not complete. */
  private long[] complete = new long[64];

  private int begun;
  private long steps;
  private long hashed;
  private long limit;

  /** Begins a graph whose keys may cost this much. */
  void reset(long newLimit) {
    if (complete.length > KEPT) {
      complete = new long[64];
    }
    begun = -1;
    steps = 0;
    hashed = 0;
    limit = newLimit;
  }

  /** What the keys of a graph of so many bytes may cost. */
  static long limit(long bytes) {
    return FREE + FOR_EACH_BYTE * bytes;
  }

  /** The next object to enter has a number by which it will be referred to. */
  void number(int number) {
    if (number >= complete.length) {
      complete = Arrays.copyOf(complete, Math.max(number + 1, complete.length * 2));
    }
    complete[number] = 0;
    begun = number;
  }

  /** The number of the object that is entered, or -1. */
  int takeNumber() {
    int number = begun;
    begun = -1;
    return number;
  }

  /** Enters an object or a key: what comes now is a part of it. Returns what to leave it with. */
  long enter() {
    long outer = steps;
    steps = 0;
    return outer;
  }

  /** Leaves an object. */
  void leave(int number, long outer) {
    steps = Math.min(ENOUGH, steps + 1);
    if (number >= 0) {
      complete[number] = steps;
    }
    steps = Math.min(ENOUGH, outer + steps);
  }

  /** Enters and leaves an object that has no parts and no number. */
  void pass() {
    steps = Math.min(ENOUGH, steps + 1);
  }

  /**
   * Leaves the key of a hash container, before it is hashed.
   *
   * @throws DecodeException if that would take too long
   */
  void leaveKey(long outer) {
    hashed = Math.min(ENOUGH, hashed + steps);
    if (hashed > limit) {
      throw new DecodeException(EXCESS, null);
    }
    steps = Math.min(ENOUGH, outer + steps);
  }

  /** The object of this number is here once more. */
  void again(int number) {
    steps = Math.min(ENOUGH, steps + Math.max(1, complete[number]));
  }

  /** Whether a graph of so many bytes may not cost what this one has. */
  boolean isTooMuchFor(long bytes) {
    return hashed > limit(bytes);
  }

  /** Where a graph is, to come back to. */
  long[] mark() {
    return new long[] {steps, hashed};
  }

  /** Back to where the graph was. */
  void back(long[] mark) {
    begun = -1;
    steps = mark[0];
    hashed = mark[1];
  }
}
