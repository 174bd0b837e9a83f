package io.sojourn.codec;

/**
 * How much one attribute may be, when it is encoded and when it is decoded.
 *
 * @param bytes how many bytes it may take, encoded; 64 MiB at most
 * @param depth how deep its objects may be nested; half as deep where it goes through Java
 *     serialization, which needs more of the stack; 1,000 at most
 * @param objects of how many objects it may be made, elements and fields that are null or plain
 *     values included
 */
public record CodecLimits(int bytes, int depth, int objects) {

  private static final int MOST_BYTES = 64 << 20;
  private static final int MOST_DEPTH = 1_000;

  /** 64 MiB, 200 deep, 1,000,000 objects. */
  public static final CodecLimits DEFAULT = new CodecLimits(MOST_BYTES, 200, 1_000_000);

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is less than 1, or more than said above
   */
  public CodecLimits {
    require("bytes", bytes, MOST_BYTES);
    require("depth", depth, MOST_DEPTH);
    require("objects", objects, Integer.MAX_VALUE);
  }

  private static void require(String name, int number, int most) {
    if (number < 1 || number > most) {
      throw new IllegalArgumentException(name + " must be from 1 to " + most + ": " + number);
    }
  }

  /** How deep objects may be nested where Java serialization reads them. */
  int javaDepth() {
    return Math.max(1, depth / 2);
  }
}
