package io.sojourn.codec;

import com.esotericsoftware.kryo.kryo5.ClassResolver;
import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.Registration;
import com.esotericsoftware.kryo.kryo5.io.Input;
import com.esotericsoftware.kryo.kryo5.io.Output;
import com.esotericsoftware.kryo.kryo5.util.IdentityObjectIntMap;
import com.esotericsoftware.kryo.kryo5.util.MapReferenceResolver;
import io.sojourn.DecodeException;
import io.sojourn.EncodeException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A Kryo that writes and reads one object graph at a time by the {@link ClassRule}, with its
 * buffers. Not thread-safe; one that has thrown anything but {@link NeedsJava} is not used again.
 */
@SuppressWarnings("rawtypes")
final class Graph extends Kryo {

  /*
   * Of Kryo this keeps the walk over the graph, the depth limit, reference numbers and the encoding
   * of numbers. Its class numbers, class names and serializers are replaced, because they are where
   * it differs from Java serialization, allocates what a stream tells it to, or loads before asking.
   *
   * Bounds. Every element of a container takes at least one byte of its own, so the sum of all
   * declared lengths of a stream cannot exceed its size; GraphInput.length counts down. That keeps a
   * hostile stream from declaring the same remaining bytes at every level.
   *
   * Late objects. A record, an immutable list or a tree's comparator exists only when all that it
   * refers to has been read, so a cycle through it cannot be read back. Such a cycle is seen while
   * writing (the object is written again while it is still open) and sends the attribute to Java
   * serialization; one found while reading is an error.
   *
   * Skipping. A field that the class no longer has is read and dropped; what it refers to may be of
   * a class that is gone, so every class is described in the stream well enough to be passed over.
   * What was read inside such a field may be referred to from outside it. If nothing in it was
   * missing that is fine; otherwise all of it is marked as lost, and referring to it is an error.
   */

  /** Tokens before an object: null, a class described here, a table's type, a class seen before. */
  static final int NULL = 0;

  static final int DESCRIPTOR = 1;
  static final int FIRST_DESCRIBED = 80;

  private static final int KEPT_BUFFER = 1 << 20;
  private static final int RECENT = 32;

  private static final byte[] EMPTY = {};
  private static final Object LOST = new Object();

  /** The whole attribute must go through Java serialization. */
  static final class NeedsJava extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @SuppressWarnings("StaticAssignmentOfThrowable")
    static final NeedsJava SIGNAL = new NeedsJava();

    private NeedsJava() {
      super("Java serialization is needed", null, false, false);
    }
  }

  /** Stands for an object that could not be made, inside a field that is dropped. */
  static class Missing {}

  /** The same for one whose identity is not kept. */
  static final class MissingConstant extends Missing {}

  private final ClassRule rule;
  private final int depthLimit;
  private final Classes classes;
  private final References references;
  private final GraphOutput out;
  private final GraphInput in = new GraphInput();
  final HashCost hashCost = new HashCost();
  final ViewForms.Viewer views = new ViewForms.Viewer();

  /** Forms asked for lately, by their classes' hash codes. */
  private final ClassRule.@Nullable Form[] recent = new ClassRule.@Nullable Form[RECENT];

  /** The one asked for last. */
  private ClassRule.@Nullable Form last;

  private @Nullable Object[] late = new @Nullable Object[8];
  private int lateCount;
  private int skipping;
  private boolean missed;

  Graph(ClassRule rule, CodecLimits limits) {
    this(rule, limits, new Classes(rule, limits.objects()), new References());
  }

  private Graph(ClassRule rule, CodecLimits limits, Classes classes, References references) {
    super(classes, references);
    this.out = new GraphOutput(limits.bytes());
    this.rule = rule;
    this.depthLimit = limits.depth();
    this.classes = classes;
    this.references = references;
    classes.graph = this;
    references.graph = this;
    setMaxDepth(depthLimit);
    setOptimizedGenerics(false);
  }

  /**
   * Writes a graph.
   *
   * @param header how many bytes to leave free in front
   * @throws NeedsJava if the graph holds what only Java serialization stores faithfully; this graph
   *     can be used again
   */
  byte[] encode(Object value, int header) {
    out.reset();
    out.setPosition(header);
    hashCost.reset(Long.MAX_VALUE);
    try {
      writeClassAndObject(out, value);
      if (hashCost.isTooMuchFor(out.position() - header)) {
        throw new EncodeException(HashCost.EXCESS, null);
      }
      return out.toBytes();
    } finally {
      if (out.getBuffer().length > KEPT_BUFFER) {
        out.shrink();
      }
    }
  }

  /** Reads a graph that begins here and ends with the bytes. */
  Object decode(byte[] bytes, int offset) {
    in.open(bytes, offset, bytes.length - offset);
    hashCost.reset(HashCost.limit(bytes.length - offset));
    Object value = readClassAndObject(in);
    if (value == null) {
      throw new DecodeException("Null is no attribute", null);
    }
    if (in.position() != in.limit()) {
      throw new DecodeException((in.limit() - in.position()) + " bytes are left over", null);
    }
    in.open(EMPTY, 0, 0);
    return value;
  }

  @Override
  public void reset() {
    super.reset();
    Arrays.fill(late, 0, lateCount, null);
    lateCount = 0;
    skipping = 0;
    missed = false;
  }

  /** How objects of exactly this class are stored: what the rule says, at hand. */
  private ClassRule.Form form(Class<?> type) {
    ClassRule.Form latest = last;
    if (latest != null && latest.type() == type) {
      return latest;
    }
    int place = type.hashCode() & (RECENT - 1);
    ClassRule.Form form = recent[place];
    if (form == null || form.type() != type) {
      form = rule.of(type);
      recent[place] = form;
    }
    last = form;
    return form;
  }

  /*
   * Most objects of a graph are strings, numbers and dates. They have no parts and no reference
   * numbers, so that a part of Kryo's walk is all that they need; the bytes are the same. Kryo ends
   * a graph at its top, and refuses what is too deep.
   */

  private boolean isWithin() {
    int depth = getDepth();
    return depth > 0 && depth < depthLimit;
  }

  @Override
  public void writeClassAndObject(Output output, @Nullable Object object) {
    if (object != null && isWithin()) {
      int token = form(object.getClass()).token();
      JdkForms.ValueForm<?> value = rule.valueOfToken(token);
      if (value != null) {
        classes.countWritten();
        hashCost.pass();
        output.writeByte(token);
        JdkForms.write(token, value, (GraphOutput) output, object);
        return;
      }
    }
    super.writeClassAndObject(output, object);
  }

  @Override
  public @Nullable Object readClassAndObject(Input input) {
    GraphInput in = (GraphInput) input;
    if (isWithin()) {
      int token = in.next();
      JdkForms.ValueForm<?> value = rule.valueOfToken(token);
      if (value != null) {
        in.skip(1);
        classes.countRead();
        hashCost.pass();
        return JdkForms.read(token, value, in);
      }
    }
    return super.readClassAndObject(input);
  }

  /** Writes a key or element of a hash container. */
  void writeKey(GraphOutput out, @Nullable Object key) {
    long outer = hashCost.enter();
    writeClassAndObject(out, key);
    hashCost.leaveKey(outer);
  }

  /** Reads a key or element of a hash container, which may be hashed then. */
  @Nullable Object readKey(GraphInput in) {
    long outer = hashCost.enter();
    Object key = readClassAndObject(in);
    hashCost.leaveKey(outer);
    return key;
  }

  /** Begins writing an object to which nothing inside it can refer. */
  void enterLate(Object object) {
    if (lateCount == late.length) {
      late = Arrays.copyOf(late, lateCount * 2);
    }
    late[lateCount++] = object;
  }

  /** Ends what {@link #enterLate} began. */
  void leaveLate() {
    late[--lateCount] = null;
  }

  private boolean isLate(Object object) {
    for (int i = 0; i < lateCount; i++) {
      if (late[i] == object) {
        return true;
      }
    }
    return false;
  }

  /** Reads an object that nobody wants. */
  void skipObject(GraphInput in) {
    int first = references.count();
    boolean missedBefore = missed;
    missed = false;
    skipping++;
    readClassAndObject(in);
    skipping--;
    if (missed) {
      references.lose(first);
    }
    missed = missedBefore || (skipping > 0 && missed);
  }

  /** Whether what is being read will be dropped. */
  boolean isSkipping() {
    return skipping > 0;
  }

  /** In place of an object, inside a field that is dropped. */
  Missing missing() {
    missed = true;
    return new Missing();
  }

  /** The description of a class that goes in front of its first object. */
  static byte[] describe(Class<?> type, char kind, @Nullable Layout layout) {
    GraphOutput out = new GraphOutput(CodecLimits.DEFAULT.bytes());
    out.writeByte(kind);
    out.text(type.getName());
    if (layout != null) {
      out.writeVarInt(layout.slots.length, true);
      for (Layout.Slot slot : layout.slots) {
        out.writeByte(slot.kind());
        out.text(slot.name());
      }
    }
    return out.toBytes();
  }

  private Registration resolve(byte[] descriptor) {
    GraphInput in = new GraphInput();
    in.open(descriptor, 0, descriptor.length);
    char kind = (char) in.readByte();
    String name = in.text();
    boolean struct = kind == 'S' || kind == 'R';
    int fields = struct ? in.length(2) : 0;
    String[] names = new String[fields];
    char[] kinds = new char[fields];
    for (int i = 0; i < fields; i++) {
      kinds[i] = (char) in.readByte();
      names[i] = in.text();
    }
    if (in.position() != in.limit()) {
      throw new DecodeException("A class is described by more than a description", null);
    }
    Class<?> type;
    try {
      type = rule.load(name);
    } catch (ClassNotFoundException e) {
      return missing(kind, name, kinds, e);
    }
    ClassRule.Form form = rule.of(type);
    if (form.refusal() != null) {
      throw DecodeException.ofRefusedClass(form.refusal());
    }
    boolean fits =
        switch (kind) {
          case 'E' -> form.kind() == ClassRule.Kind.ENUM;
          case 'A' -> form.kind() == ClassRule.Kind.ARRAY;
          default -> struct && form.kind() == ClassRule.Kind.STRUCT;
        };
    Registration registration = form.registration();
    if (!fits || registration == null) {
      return missing(kind, name, kinds, null);
    }
    Layout layout = form.layout();
    if (layout != null) {
      registration = new Registration(type, new StructForm(layout, names, kinds), 0);
    }
    rule.describe(descriptor, registration);
    return registration;
  }

  private Registration missing(
      char kind, String name, char[] kinds, @Nullable ClassNotFoundException absent) {
    Class<?> stand = kind == 'E' ? MissingConstant.class : Missing.class;
    SkipForm form = new SkipForm(kind, ClassFilter.printable(name), kinds, absent);
    if (skipping == 0) {
      throw form.refusal();
    }
    return new Registration(stand, form, 0);
  }

  /** Passes over objects of a class that this application does not have, or has otherwise. */
  private static final class SkipForm extends GraphForm<Missing> {
    private final char kind;
    private final String name;
    private final char[] kinds;
    private final @Nullable ClassNotFoundException absent;

    SkipForm(char kind, String name, char[] kinds, @Nullable ClassNotFoundException absent) {
      this.kind = kind;
      this.name = name;
      this.kinds = kinds;
      this.absent = absent;
    }

    DecodeException refusal() {
      return new DecodeException(
          absent != null
              ? "The application has no class " + name
              : name + " has changed so that what was stored cannot be made from it",
          absent);
    }

    @Override
    void encode(Graph graph, GraphOutput out, Missing value) {
      throw new IllegalStateException("Nothing is missing while writing");
    }

    @Override
    Missing decode(Graph graph, GraphInput in) {
      if (!graph.isSkipping()) {
        throw refusal();
      }
      Missing missing = graph.missing();
      switch (kind) {
        case 'E' -> in.text();
        case 'A' -> {
          graph.reference(missing);
          for (int left = in.length(1); left > 0; left--) {
            graph.readClassAndObject(in);
          }
        }
        case 'S', 'R' -> {
          graph.reference(missing);
          for (char field : kinds) {
            StructForm.readBoxed(graph, in, field);
          }
        }
        default -> throw new DecodeException("A class of unknown kind", null);
      }
      return missing;
    }
  }

  /** Kryo's numbering of classes, replaced. */
  private static final class Classes implements ClassResolver {
    private final ClassRule rule;
    private final IdentityObjectIntMap<Registration> written = new IdentityObjectIntMap<>();
    private final List<Registration> read = new ArrayList<>();
    private final int objects;
    private int objectsLeft;
    private @Nullable Graph graph;

    Classes(ClassRule rule, int objects) {
      this.rule = rule;
      this.objects = objects;
      this.objectsLeft = objects;
    }

    /**
     * One more object is written.
     *
     * @throws EncodeException if it is one too many
     */
    void countWritten() {
      if (--objectsLeft < 0) {
        throw new EncodeException(excess(), null);
      }
    }

    /**
     * One more object is read.
     *
     * @throws DecodeException if it is one too many
     */
    void countRead() {
      if (--objectsLeft < 0) {
        throw new DecodeException(excess(), null);
      }
    }

    private String excess() {
      return "It is made of more than " + objects + " objects";
    }

    @Override
    public @Nullable Registration writeClass(Output output, @Nullable Class type) {
      countWritten();
      if (type == null) {
        output.writeVarInt(NULL, true);
        return null;
      }
      ClassRule.Form form = graph().form(type);
      if (form.refusal() != null) {
        throw EncodeException.ofRefusedClass(form.refusal());
      }
      Registration registration = form.registration();
      if (registration == null) {
        throw NeedsJava.SIGNAL;
      }
      if (form.token() > 0) {
        output.writeVarInt(form.token(), true);
        return registration;
      }
      int number = written.get(registration, -1);
      if (number >= 0) {
        output.writeVarInt(FIRST_DESCRIBED + number, true);
      } else {
        written.put(registration, written.size);
        output.writeVarInt(DESCRIPTOR, true);
        output.writeVarInt(form.descriptor().length, true);
        output.writeBytes(form.descriptor());
      }
      return registration;
    }

    @Override
    public @Nullable Registration readClass(Input input) {
      countRead();
      int token = input.readVarInt(true);
      if (token == NULL) {
        return null;
      }
      if (token == DESCRIPTOR) {
        Registration registration = readDescriptor((GraphInput) input);
        read.add(registration);
        return registration;
      }
      int number = token - FIRST_DESCRIBED;
      if (number >= 0 && number < read.size()) {
        return read.get(number);
      }
      ClassRule.Form form = token > 0 && number < 0 ? rule.ofToken(token) : null;
      if (form == null) {
        throw new DecodeException("An object of unknown type " + token, null);
      }
      if (form.refusal() != null) {
        throw DecodeException.ofRefusedClass(form.refusal());
      }
      graph().last = form;
      return form.registration();
    }

    private Registration readDescriptor(GraphInput input) {
      int length = input.length(1);
      ByteBuffer key = ByteBuffer.wrap(input.getBuffer(), input.position(), length);
      Registration known = rule.described(key);
      if (known != null) {
        input.setPosition(input.position() + length);
        return known;
      }
      byte[] descriptor = new byte[length];
      input.readBytes(descriptor);
      return graph().resolve(descriptor);
    }

    private Graph graph() {
      if (graph == null) {
        throw new IllegalStateException("No graph yet");
      }
      return graph;
    }

    @Override
    public void reset() {
      objectsLeft = objects;
      written.clear(64);
      read.clear();
    }

    @Override
    public void setKryo(Kryo kryo) {}

    /** Kryo registers its own defaults; none is used. */
    @Override
    public Registration register(Registration registration) {
      return registration;
    }

    @Override
    public @Nullable Registration unregister(int classId) {
      return null;
    }

    @Override
    public Registration registerImplicit(Class type) {
      throw new IllegalStateException("Asked of Kryo, not of the rule: " + type.getName());
    }

    @Override
    public @Nullable Registration getRegistration(Class type) {
      return null;
    }

    @Override
    public @Nullable Registration getRegistration(int classId) {
      return null;
    }
  }

  /** Kryo's numbering of objects, made strict. */
  private static final class References extends MapReferenceResolver {
    private @Nullable Graph graph;

    @Override
    public boolean useReferences(Class type) {
      return type == Missing.class
          || (type != MissingConstant.class && graph().form(type).tracked());
    }

    @Override
    public int getWrittenId(Object object) {
      int id = super.getWrittenId(object);
      if (id >= 0) {
        if (graph().isLate(object)) {
          throw NeedsJava.SIGNAL;
        }
        graph().hashCost.again(id);
      }
      return id;
    }

    @Override
    public int addWrittenObject(Object object) {
      int id = super.addWrittenObject(object);
      graph().hashCost.number(id);
      return id;
    }

    @Override
    public int nextReadId(Class type) {
      int id = super.nextReadId(type);
      graph().hashCost.number(id);
      return id;
    }

    @Override
    public Object getReadObject(Class type, int id) {
      if (id < 0 || id >= readObjects.size()) {
        throw new DecodeException("A reference to an object that does not exist", null);
      }
      Object object = readObjects.get(id);
      if (object == null) {
        throw new DecodeException("A reference to an object that is not yet complete", null);
      }
      if (object == LOST || object instanceof Missing) {
        if (!graph().isSkipping()) {
          throw new DecodeException(
              "An object is stored inside a removed field whose class is gone", null);
        }
        return graph().missing();
      }
      graph().hashCost.again(id);
      return object;
    }

    private Graph graph() {
      if (graph == null) {
        throw new IllegalStateException("No graph yet");
      }
      return graph;
    }

    int count() {
      return readObjects.size();
    }

    void lose(int first) {
      for (int id = first; id < readObjects.size(); id++) {
        readObjects.set(id, LOST);
      }
    }
  }
}
