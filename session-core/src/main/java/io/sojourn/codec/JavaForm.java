package io.sojourn.codec;

import io.sojourn.DecodeException;
import io.sojourn.EncodeException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InvalidClassException;
import java.io.ObjectInputFilter;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;
import java.io.OutputStream;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ConcurrentModificationException;
import org.jspecify.annotations.Nullable;

/**
 * Java serialization, filtered: every class is asked for by name before it is loaded and before it
 * is written, and sizes and depth are bounded. Thread-safe.
 */
final class JavaForm {

  /*
   * What is written must be readable under the same bounds. ObjectOutputStream does not tell how
   * deep it is, so a graph with enough objects to be too deep is read once more with no class known:
   * ObjectInputStream then walks over the stream, and asks the same filter, without making anything.
   *
   * Arrays are bounded by the size of the stream, since every element takes a byte. The JDK's
   * collections ask for their tables through the same filter, and those may be a few times larger
   * than what fills them. What hashing keys would cost only the whole graph tells, so JavaStream
   * walks over it before anything is read.
   */

  private static final int TABLE_FACTOR = 4;
  private static final int SMALL = 1024;

  private final ClassRule rule;
  private final CodecLimits limits;

  JavaForm(ClassRule rule, CodecLimits limits) {
    this.rule = rule;
    this.limits = limits;
  }

  /**
   * Writes a value.
   *
   * @param header how many bytes to leave free in front
   */
  byte[] encode(Object value, int header) throws IOException, ClassNotFoundException {
    Bytes bytes = new Bytes(header + limits.bytes());
    bytes.write(new byte[header]);
    Writer out = new Writer(bytes);
    out.writeObject(value);
    out.flush();
    byte[] written = bytes.toByteArray();
    if (out.containers >= limits.javaDepth() - 1 || written.length > limits.objects()) {
      rehearse(written, header);
    }
    JavaStream stream = JavaStream.walk(written, header, limits);
    String refusal = stream.refusal();
    if (refusal != null) {
      throw new EncodeException(refusal, null);
    }
    if (stream.isTorn()) {
      throw new ConcurrentModificationException();
    }
    return written;
  }

  private void rehearse(byte[] bytes, int offset) throws IOException, ClassNotFoundException {
    Bounds bounds = new Bounds(limits, bytes.length - offset);
    try (ObjectInputStream in =
        new Rehearsal(new ByteArrayInputStream(bytes, offset, bytes.length - offset), bounds)) {
      in.readObject();
    } catch (Unknown expected) {
      // The graph's own classes.
    } catch (InvalidClassException e) {
      throw new EncodeException("The value is " + bounds.excess("too large"), e);
    }
  }

  /** Reads what begins here and ends with the bytes. */
  Object decode(byte[] bytes, int offset) throws IOException, ClassNotFoundException {
    int size = bytes.length - offset;
    if (size > limits.bytes()) {
      throw new DecodeException(size + " bytes are more than one attribute may have", null);
    }
    String refusal = JavaStream.walk(bytes, offset, limits).refusal();
    if (refusal != null) {
      throw new DecodeException(refusal, null);
    }
    ByteArrayInputStream rest = new ByteArrayInputStream(bytes, offset, size);
    Bounds bounds = new Bounds(limits, size);
    try (ObjectInputStream in = new Reader(rest, bounds)) {
      Object value = in.readObject();
      if (value == null) {
        throw new DecodeException("Null is no attribute", null);
      }
      if (rest.available() > 0) {
        throw new DecodeException("Bytes are left over", null);
      }
      return value;
    } catch (InvalidClassException e) {
      String other = "not of this class: " + ClassFilter.printable(String.valueOf(e.getMessage()));
      throw new DecodeException("What is stored is " + bounds.excess(other), e);
    }
  }

  private static final class Bytes extends ByteArrayOutputStream {
    private final int limit;

    Bytes(int limit) {
      this.limit = limit;
    }

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) {
      if (count + length > limit) {
        throw new EncodeException("The value takes more than " + limit + " bytes", null);
      }
      super.write(bytes, offset, length);
    }
  }

  private final class Writer extends ObjectOutputStream {
    private int containers;

    Writer(OutputStream out) throws IOException {
      super(out);
      enableReplaceObject(true);
    }

    @Override
    protected Object replaceObject(Object object) {
      ClassRule.Form form = rule.of(object.getClass());
      if (form.refusal() != null) {
        throw EncodeException.ofRefusedClass(form.refusal());
      }
      if (form.kind() != ClassRule.Kind.TABLE || form.tracked()) {
        containers++;
      }
      return object;
    }

    @Override
    protected void annotateClass(Class<?> type) {
      requireAllowed(type);
    }

    @Override
    protected void annotateProxyClass(Class<?> type) {
      requireAllowed(type);
    }

    private void requireAllowed(Class<?> type) {
      String refusal = rule.refusal(type);
      if (refusal != null) {
        throw EncodeException.ofRefusedClass(refusal);
      }
    }
  }

  private final class Reader extends ObjectInputStream {
    Reader(InputStream in, Bounds bounds) throws IOException {
      super(in);
      setObjectInputFilter(bounds);
    }

    @Override
    protected Class<?> resolveClass(ObjectStreamClass description) throws ClassNotFoundException {
      return rule.load(description.getName());
    }

    @Override
    protected Class<?> resolveProxyClass(String[] names) throws ClassNotFoundException {
      ClassLoader loader = rule.application();
      Class<?>[] faces = new Class<?>[names.length];
      for (int i = 0; i < names.length; i++) {
        faces[i] = rule.load(names[i]);
        if (!Modifier.isPublic(faces[i].getModifiers())) {
          loader = faces[i].getClassLoader();
        }
      }
      return Proxy.newProxyInstance(loader, faces, (proxy, method, arguments) -> null).getClass();
    }
  }

  /** No class of the stream is known, except those that its grammar needs. */
  private static final class Rehearsal extends ObjectInputStream {
    Rehearsal(InputStream in, Bounds bounds) throws IOException {
      super(in);
      setObjectInputFilter(bounds);
    }

    @Override
    protected Class<?> resolveClass(ObjectStreamClass description) throws Unknown {
      String name = description.getName();
      if (name.length() == 2 && name.charAt(0) == '[') {
        try {
          return Class.forName(name);
        } catch (ClassNotFoundException none) {
          throw Unknown.SIGNAL;
        }
      }
      throw Unknown.SIGNAL;
    }

    @Override
    protected Class<?> resolveProxyClass(String[] names) throws Unknown {
      throw Unknown.SIGNAL;
    }
  }

  private static final class Unknown extends ClassNotFoundException {
    private static final long serialVersionUID = 1L;

    @SuppressWarnings("StaticAssignmentOfThrowable")
    static final Unknown SIGNAL = new Unknown();

    @Override
    public synchronized Throwable fillInStackTrace() {
      return this;
    }
  }

  /** The bounds of one stream. */
  private static final class Bounds implements ObjectInputFilter {
    private final CodecLimits limits;
    private final long size;
    private long primitives;
    private long references;
    private @Nullable String excess;

    Bounds(CodecLimits limits, long size) {
      this.limits = limits;
      this.size = size;
    }

    @Override
    public Status checkInput(FilterInfo info) {
      if (info.depth() > limits.javaDepth()) {
        return reject("nested deeper than " + limits.javaDepth());
      }
      if (info.references() > limits.objects()) {
        return reject("made of more than " + limits.objects() + " objects");
      }
      long length = info.arrayLength();
      if (length >= 0) {
        Class<?> array = info.serialClass();
        Class<?> component = array == null ? null : array.getComponentType();
        if (component != null && component.isPrimitive()) {
          primitives += length * width(component);
        } else {
          references += length;
        }
        if (primitives > size || references > TABLE_FACTOR * size + SMALL) {
          return reject("declaring longer arrays than it has bytes for");
        }
      }
      return Status.ALLOWED;
    }

    private Status reject(String reason) {
      excess = reason;
      return Status.REJECTED;
    }

    /** Why the stream was rejected. */
    String excess(String otherwise) {
      return excess == null ? otherwise : excess;
    }

    private static int width(Class<?> primitive) {
      if (primitive == long.class || primitive == double.class) {
        return 8;
      }
      if (primitive == int.class || primitive == float.class) {
        return 4;
      }
      return primitive == char.class || primitive == short.class ? 2 : 1;
    }
  }
}
