package io.sojourn.codec;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ObjectStreamConstants;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A walk over what {@link java.io.ObjectOutputStream} has written, before any of its classes is
 * loaded, to see what hashing the keys of its maps and sets would cost. Not thread-safe.
 */
final class JavaStream {

  /*
   * The grammar is that of the Java Object Serialization Specification, chapter 6. It has one gap:
   * a class with a writeObject method is to write its fields first, but some do not, and the stream
   * does not tell. So the fields are looked for, and where that leads nowhere the walk goes on
   * without them, which takes more steps, and those are bounded.
   */

  /** The tag of {@code java.util.CollSer} for a map. */
  private static final int MAP = 3;

  /** A class as the stream describes it. */
  private static final class Description {
    final String name;
    int flags;
    char[] kinds = {};
    @Nullable Description parent;

    /** It does not write its fields first. */
    boolean bare;

    Description(String name) {
      this.name = name;
    }
  }

  /** This is no such stream, or we have lost our way in it. */
  private static final class Malformed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Malformed() {
      super(null, null, false, false);
    }
  }

  /** Whatever it is, it is too much. */
  private static final class Excess extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Excess(String message) {
      super(message, null, false, false);
    }
  }

  private final CodecLimits limits;
  private final byte[] bytes;
  private final HashCost cost = new HashCost();
  private @Nullable Description[] descriptions = new @Nullable Description[16];
  private int position;
  private int handles;
  private int depth;
  private long stepsLeft;
  private @Nullable String refusal;
  private boolean torn;

  private JavaStream(byte[] bytes, int offset, CodecLimits limits) {
    this.limits = limits;
    this.bytes = bytes;
    this.position = offset;
    this.stepsLeft = HashCost.limit(bytes.length - offset);
    cost.reset(Long.MAX_VALUE);
  }

  /** A stream that begins here and ends with the bytes. */
  static JavaStream walk(byte[] bytes, int offset, CodecLimits limits) {
    JavaStream stream = new JavaStream(bytes, offset, limits);
    try {
      if (stream.number(2) != (ObjectStreamConstants.STREAM_MAGIC & 0xFFFF)
          || stream.number(2) != ObjectStreamConstants.STREAM_VERSION) {
        throw new Malformed();
      }
      stream.object();
      if (stream.cost.isTooMuchFor(bytes.length - offset)) {
        stream.refusal = HashCost.EXCESS;
      }
    } catch (Malformed e) {
      stream.refusal =
          "Damaged, or hostile, or of a class whose writeObject does not keep to the rules of"
              + " serialization";
    } catch (Excess e) {
      stream.refusal = e.getMessage();
    }
    return stream;
  }

  /** Why it is not to be read; null if it may be. */
  @Nullable String refusal() {
    return refusal;
  }

  /** Whether a collection says that it has more or fewer elements than follow. */
  boolean isTorn() {
    return torn;
  }

  private void object() {
    if (--stepsLeft < 0) {
      throw new Excess("Too much to look through");
    }
    if (++depth > 10 * limits.javaDepth()) {
      throw new Excess("It is nested deeper than " + limits.javaDepth());
    }
    byte tag = next();
    if (tag == ObjectStreamConstants.TC_REFERENCE) {
      cost.again(handle());
      depth--;
      return;
    }
    int handle = -1;
    long outer = cost.enter();
    switch (tag) {
      case ObjectStreamConstants.TC_NULL -> {}
      case ObjectStreamConstants.TC_CLASSDESC, ObjectStreamConstants.TC_PROXYCLASSDESC -> {
        position--;
        description();
      }
      case ObjectStreamConstants.TC_CLASS -> {
        description();
        handle = newHandle(null);
      }
      case ObjectStreamConstants.TC_STRING -> {
        handle = newHandle(null);
        skip(number(2));
      }
      case ObjectStreamConstants.TC_LONGSTRING -> {
        handle = newHandle(null);
        skip(number(8));
      }
      case ObjectStreamConstants.TC_ENUM -> {
        description();
        handle = newHandle(null);
        object();
      }
      case ObjectStreamConstants.TC_ARRAY -> {
        Description type = known(description());
        handle = newHandle(null);
        array(type);
      }
      case ObjectStreamConstants.TC_OBJECT -> {
        Description type = known(description());
        handle = newHandle(null);
        if ((type.flags & ObjectStreamConstants.SC_EXTERNALIZABLE) == 0) {
          data(type);
        } else if ((type.flags & ObjectStreamConstants.SC_BLOCK_DATA) != 0) {
          int unused = annotation(0);
        } else {
          throw new Malformed();
        }
      }
      default -> throw new Malformed();
    }
    cost.leave(handle, outer);
    depth--;
  }

  private void array(Description type) {
    char kind = type.name.length() < 2 ? ' ' : type.name.charAt(1);
    long length = number(4);
    int width = width(kind);
    if (width > 0) {
      skip(length * width);
      return;
    }
    for (long left = length; left > 0; left--) {
      object();
    }
  }

  /** An object's data, from its topmost class down. */
  private void data(Description type) {
    Description parent = type.parent;
    if (parent != null) {
      if (--stepsLeft < 0 || ++depth > 10 * limits.javaDepth()) {
        throw new Excess("Too much to look through");
      }
      data(parent);
      depth--;
    }
    if ((type.flags & ObjectStreamConstants.SC_WRITE_METHOD) == 0) {
      fields(type);
      return;
    }
    if (type.kinds.length == 0) {
      own(type, 0);
      return;
    }
    int startPosition = position;
    int startHandles = handles;
    int startDepth = depth;
    long[] mark = cost.mark();
    try {
      hooked(type);
    } catch (Malformed other) {
      position = startPosition;
      handles = startHandles;
      depth = startDepth;
      cost.back(mark);
      type.bare = !type.bare;
      hooked(type);
    }
  }

  private void hooked(Description type) {
    own(type, type.bare ? 0 : fields(type));
  }

  /** What a class writes by itself. These say how many elements follow, and do not look again. */
  private void own(Description type, long tag) {
    int start = position;
    long objects = annotation(keys(type, tag));
    int each =
        switch (type.name) {
          case "java.util.HashMap", "java.util.IdentityHashMap" -> 2;
          case "java.util.ArrayDeque", "java.util.LinkedList" -> 1;
          default -> 0;
        };
    if (each > 0 && bytes[start] == ObjectStreamConstants.TC_BLOCKDATA) {
      int end = position;
      position = start + 2 + bytes[start + 1] - 4;
      torn |= number(4) * each != objects;
      position = end;
    }
  }

  /** Returns the last int among them. */
  private long fields(Description type) {
    long last = 0;
    for (char kind : type.kinds) {
      int width = width(kind);
      if (width == 0) {
        object();
      } else {
        last = number(width);
      }
    }
    return last;
  }

  /** At every how many objects among those that a class writes by itself there is a key. */
  private static int keys(Description type, long tag) {
    return switch (type.name) {
      case "java.util.HashMap", "java.util.Hashtable", "java.util.concurrent.ConcurrentHashMap" ->
          2;
      case "java.util.HashSet" -> 1;
      case "java.util.CollSer" -> (tag & 0xFF) == MAP ? 2 : 1;
      default -> 0;
    };
  }

  /** Anything up to its end. Returns how many objects there were. */
  private int annotation(int keys) {
    for (int i = 0; ; ) {
      byte tag = next();
      if (tag == ObjectStreamConstants.TC_ENDBLOCKDATA) {
        return i;
      }
      if (tag == ObjectStreamConstants.TC_BLOCKDATA) {
        skip(number(1));
      } else if (tag == ObjectStreamConstants.TC_BLOCKDATALONG) {
        skip(number(4));
      } else {
        position--;
        if (keys > 0 && i % keys == 0) {
          long outer = cost.enter();
          object();
          cost.leaveKey(outer);
        } else {
          object();
        }
        i++;
      }
      if (--stepsLeft < 0) {
        throw new Excess("Too much to look through");
      }
    }
  }

  private @Nullable Description description() {
    byte tag = next();
    switch (tag) {
      case ObjectStreamConstants.TC_NULL -> {
        return null;
      }
      case ObjectStreamConstants.TC_REFERENCE -> {
        return known(descriptions[handle()]);
      }
      case ObjectStreamConstants.TC_CLASSDESC -> {
        Description type = new Description(text());
        skip(8);
        int unused = newHandle(type);
        type.flags = next();
        char[] kinds = new char[(int) number(2)];
        for (int i = 0; i < kinds.length; i++) {
          kinds[i] = (char) next();
          skip(number(2));
          if (width(kinds[i]) == 0) {
            object();
          }
        }
        type.kinds = kinds;
        described(type);
        return type;
      }
      case ObjectStreamConstants.TC_PROXYCLASSDESC -> {
        Description type = new Description("");
        type.flags = ObjectStreamConstants.SC_SERIALIZABLE;
        int unused = newHandle(type);
        for (long left = number(4); left > 0; left--) {
          skip(number(2));
        }
        described(type);
        return type;
      }
      default -> throw new Malformed();
    }
  }

  private void described(Description type) {
    if (++depth > 10 * limits.javaDepth()) {
      throw new Excess("It is nested deeper than " + limits.javaDepth());
    }
    int unused = annotation(0);
    type.parent = description();
    depth--;
  }

  private static Description known(@Nullable Description description) {
    if (description == null) {
      throw new Malformed();
    }
    return description;
  }

  private int newHandle(@Nullable Description description) {
    if (handles == limits.objects()) {
      throw new Excess("It is made of more than " + limits.objects() + " objects");
    }
    if (handles == descriptions.length) {
      descriptions = Arrays.copyOf(descriptions, handles * 2);
    }
    descriptions[handles] = description;
    cost.number(handles);
    int unused = cost.takeNumber();
    return handles++;
  }

  private int handle() {
    long handle = number(4) - ObjectStreamConstants.baseWireHandle;
    if (handle < 0 || handle >= handles) {
      throw new Malformed();
    }
    return (int) handle;
  }

  /** How many bytes a primitive takes; 0 for a reference. */
  private static int width(char kind) {
    return switch (kind) {
      case 'B', 'Z' -> 1;
      case 'C', 'S' -> 2;
      case 'F', 'I' -> 4;
      case 'D', 'J' -> 8;
      case 'L', '[' -> 0;
      default -> throw new Malformed();
    };
  }

  private byte next() {
    if (position >= bytes.length) {
      throw new Malformed();
    }
    return bytes[position++];
  }

  /** An unsigned number of up to 8 bytes. */
  private long number(int width) {
    long number = 0;
    for (int i = 0; i < width; i++) {
      number = number << 8 | (next() & 0xFF);
    }
    return number;
  }

  private void skip(long count) {
    if (count < 0 || count > bytes.length - position) {
      throw new Malformed();
    }
    position += (int) count;
  }

  private String text() {
    int length = (int) number(2);
    skip(length);
    // Names of the JDK's are ASCII, in which this differs from the stream's form of UTF-8 in
    // nothing.
    return new String(bytes, position - length, length, UTF_8);
  }
}
