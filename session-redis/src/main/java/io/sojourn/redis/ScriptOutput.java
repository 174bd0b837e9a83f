package io.sojourn.redis;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.sojourn.SessionException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Takes what a script answers: a {@link Long}, a list of byte arrays, longs and lists, or null. A
 * list may come as such, or in one string as MessagePack; either way its bytes are copied once.
 */
final class ScriptOutput extends CommandOutput<byte[], byte[], @Nullable Object> {

  /** How deep scripts nest their answers, and more. */
  private static final int DEEPEST = 8;

  /** The lists that are not complete, the innermost first. */
  private final Deque<List<Object>> open = new ArrayDeque<>(2);

  private final Runnable onArrival;

  private volatile boolean begun;

  /**
   * An answer that is awaited.
   *
   * @param onArrival is run whenever bytes of it have arrived, and has to be quick
   */
  ScriptOutput(Runnable onArrival) {
    super(ByteArrayCodec.INSTANCE, null);
    this.onArrival = onArrival;
  }

  /** Takes note that some bytes of it have arrived, which may be all. */
  void arrives() {
    begun = true;
    onArrival.run();
  }

  /** Whether bytes of it have arrived. */
  boolean hasBegun() {
    return begun;
  }

  @Override
  public void multi(int count) {
    List<Object> list = new ArrayList<>(Math.max(0, count));
    take(list);
    open.push(list);
  }

  @Override
  public void complete(int depth) {
    if (!open.isEmpty() && depth < open.size()) {
      open.pop();
    }
  }

  @Override
  public void set(long number) {
    take(number);
  }

  @Override
  public void set(@Nullable ByteBuffer bytes) {
    if (bytes == null) {
      if (!open.isEmpty()) {
        throw unexpected();
      }
    } else if (open.isEmpty()) {
      take(unpacked(bytes));
    } else {
      take(copied(bytes, bytes.remaining()));
    }
  }

  private void take(Object answered) {
    List<Object> list = open.peek();
    if (list == null) {
      output = answered;
    } else {
      list.add(answered);
    }
  }

  private static byte[] copied(ByteBuffer from, int length) {
    byte[] bytes = new byte[length];
    from.get(bytes);
    return bytes;
  }

  // ---------------------------------------------------------------- MessagePack

  private Object unpacked(ByteBuffer bytes) {
    try {
      return unpacked(bytes, 0);
    } catch (BufferUnderflowException | NegativeArraySizeException | IllegalArgumentException e) {
      throw unexpected();
    }
  }

  /** As far as {@code cmsgpack.pack} makes it of numbers without fractions, strings and lists. */
  private static Object unpacked(ByteBuffer in, int depth) {
    int tag = in.get() & 0xff;
    if (tag < 0x80 || tag >= 0xe0) {
      return (long) (byte) tag;
    }
    return switch (tag >> 4) {
      case 0x9 -> list(in, tag & 0xf, depth);
      case 0xa, 0xb -> copied(in, tag & 0x1f);
      default ->
          switch (tag) {
            case 0xcc -> (long) (in.get() & 0xff);
            case 0xcd -> (long) (in.getShort() & 0xffff);
            case 0xce -> in.getInt() & 0xffffffffL;
            case 0xcf, 0xd3 -> in.getLong();
            case 0xd0 -> (long) in.get();
            case 0xd1 -> (long) in.getShort();
            case 0xd2 -> (long) in.getInt();
            case 0xd9 -> copied(in, in.get() & 0xff);
            case 0xda -> copied(in, in.getShort() & 0xffff);
            case 0xdb -> copied(in, checked(in, in.getInt()));
            case 0xdc -> list(in, in.getShort() & 0xffff, depth);
            case 0xdd -> list(in, checked(in, in.getInt()), depth);
            default -> throw unexpected();
          };
    };
  }

  private static List<Object> list(ByteBuffer in, int size, int depth) {
    if (depth == DEEPEST) {
      throw unexpected();
    }
    List<Object> list = new ArrayList<>(checked(in, size));
    for (int i = 0; i < size; i++) {
      list.add(unpacked(in, depth + 1));
    }
    return list;
  }

  /** No more is allocated than has arrived. */
  private static int checked(ByteBuffer in, int length) {
    if (length < 0 || length > in.remaining()) {
      throw unexpected();
    }
    return length;
  }

  private static SessionException unexpected() {
    return new SessionException("A script answered in a form that none of ours has", null);
  }
}
