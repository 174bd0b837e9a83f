package io.sojourn.codec;

import com.esotericsoftware.kryo.kryo5.Registration;
import io.sojourn.DecodeException;
import java.io.Externalizable;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Decides, once per class, how an application's objects are stored, and finds its classes by name.
 * Holds the classes that it has seen, so it belongs to one application and is dropped with it.
 * Thread-safe.
 */
final class ClassRule {

  /*
   * The first that holds decides:
   *
   *   a type of JdkForms, exactly ............................ TABLE
   *   an enum, also a constant with a body ................... ENUM, by the constant's name
   *   an array ............................................... ARRAY
   *   not Serializable ....................................... REFUSED
   *   it replaces itself (writeReplace) ...................... JAVA, where what replaces it is judged
   *   the filter refuses it or a superclass, or the
   *   application's loader does not lead back to it .......... REFUSED
   *   proxy, hidden or synthetic class, any other JDK class .. JAVA
   *   anywhere in its hierarchy: a superclass of the JDK's or
   *   one that is not Serializable, Externalizable, a hook of
   *   serialization, serialPersistentFields, a synthetic field
   *   (an outer instance), a field name used twice, a field
   *   that reflection does not reach ......................... JAVA
   *   a record (only writeReplace and readResolve count) or a
   *   plain class ............................................ STRUCT
   *
   * JAVA means the whole attribute, never the one object: an object shared across the border between
   * two serializers would be doubled.
   */

  /** How a class is stored. */
  enum Kind {
    TABLE,
    ENUM,
    ARRAY,
    STRUCT,
    JAVA,
    REFUSED
  }

  /**
   * What is decided about one class.
   *
   * @param registration how a graph writes it; null if it does not
   * @param token the class's number where it has one, else 0
   * @param descriptor how a stream without such a number describes it
   * @param tracked whether the identity of its instances is kept
   * @param immutable whether no instance can change
   * @param layout its fields, if it is a struct
   * @param refusal why it is refused, if it is
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Form(
      Class<?> type,
      Kind kind,
      @Nullable Registration registration,
      int token,
      byte[] descriptor,
      boolean tracked,
      boolean immutable,
      @Nullable Layout layout,
      @Nullable String refusal) {}

  private static final int RECORD_DEPTH = 8;
  private static final int MAX_NAME = 1024;
  private static final int MAX_DESCRIBED = 1_000;
  private static final byte[] NONE = {};

  private static final Map<String, Class<?>> PRIMITIVES = new HashMap<>();

  static {
    for (Class<?> type :
        new Class<?>[] {
          boolean.class,
          byte.class,
          char.class,
          double.class,
          float.class,
          int.class,
          long.class,
          short.class,
          void.class
        }) {
      PRIMITIVES.put(type.getName(), type);
    }
  }

  private final ClassLoader application;
  private final ClassFilter filter;
  private final Map<Class<?>, Form> forms = new ConcurrentHashMap<>();
  private final Map<Class<?>, String> refusals = new ConcurrentHashMap<>();
  private final Map<String, Class<?>> loaded = new ConcurrentHashMap<>();
  private final Map<ByteBuffer, Registration> described = new ConcurrentHashMap<>();
  private final Form[] byToken = new Form[Graph.FIRST_DESCRIBED];
  private final JdkForms.ValueForm<?>[] values = new JdkForms.ValueForm<?>[Graph.FIRST_DESCRIBED];

  ClassRule(ClassLoader application, ClassFilter filter) {
    this.application = application;
    this.filter = filter;
    for (JdkForms.Entry entry : JdkForms.TABLE) {
      String refusal = filter.refusal(entry.type().getName());
      Form form =
          new Form(
              entry.type(),
              refusal == null ? Kind.TABLE : Kind.REFUSED,
              new Registration(entry.type(), entry.form(), entry.token()),
              entry.token(),
              NONE,
              entry.tracked(),
              entry.immutable(),
              null,
              refusal);
      forms.put(entry.type(), form);
      byToken[entry.token()] = form;
      if (refusal == null && !entry.tracked() && entry.form() instanceof JdkForms.ValueForm<?> v) {
        values[entry.token()] = v;
      }
    }
  }

  /** How objects of exactly this class are stored. */
  Form of(Class<?> type) {
    Form known = forms.get(type);
    if (known != null) {
      return known;
    }
    Form form = decide(type);
    Form other = forms.putIfAbsent(type, form);
    if (other != null) {
      return other;
    }
    if (form.registration() != null) {
      described.put(ByteBuffer.wrap(form.descriptor()), form.registration());
    }
    return form;
  }

  /** Whether nothing can change this object: not its own fields, nor what they refer to. */
  boolean isImmutable(Object value) {
    return isImmutable(value, 0);
  }

  private boolean isImmutable(Object value, int depth) {
    Form form = of(value.getClass());
    if (form.immutable()) {
      return true;
    }
    Layout layout = form.layout();
    if (layout == null || !layout.isRecord() || depth == RECORD_DEPTH) {
      return false;
    }
    for (Layout.Slot slot : layout.slots) {
      if (slot.kind() == 'L') {
        Object component;
        try {
          component = slot.field().get(value);
        } catch (IllegalAccessException e) {
          return false;
        }
        if (component != null && !isImmutable(component, depth + 1)) {
          return false;
        }
      }
    }
    return true;
  }

  /** How a graph writes this object; null if it does not. */
  @SuppressWarnings("unchecked")
  @Nullable GraphForm<Object> formOf(Object value) {
    Registration registration = of(value.getClass()).registration();
    return registration == null ? null : (GraphForm<Object>) registration.getSerializer();
  }

  /** The table's type of this number, or null. */
  @Nullable Form ofToken(int token) {
    return byToken[token];
  }

  /**
   * The form of the table's type of this number, if the class may be read and its objects refer to
   * nothing and nothing refers to them by number; otherwise null.
   *
   * @param token any number
   */
  JdkForms.@Nullable ValueForm<?> valueOfToken(int token) {
    return token >= 0 && token < values.length ? values[token] : null;
  }

  /** What reads objects described by exactly these bytes, if they have been seen before. */
  @Nullable Registration described(ByteBuffer descriptor) {
    return described.get(descriptor);
  }

  /** Remembers what reads objects so described. */
  void describe(byte[] descriptor, Registration registration) {
    if (described.size() < MAX_DESCRIBED) {
      described.put(ByteBuffer.wrap(descriptor), registration);
    }
  }

  /**
   * The class of this name, which the filter allows; not initialised.
   *
   * @throws DecodeException if the filter refuses it
   * @throws ClassNotFoundException if the application has no such class
   */
  Class<?> load(String name) throws ClassNotFoundException {
    Class<?> known = loaded.get(name);
    if (known != null) {
      return known;
    }
    if (name.length() > MAX_NAME) {
      throw new DecodeException("A class name of " + name.length() + " characters", null);
    }
    String refusal = filter.refusal(name);
    if (refusal != null) {
      throw DecodeException.ofRefusedClass(refusal);
    }
    Class<?> type = PRIMITIVES.get(name);
    if (type == null) {
      type = Class.forName(name, false, application);
      refusal = filter.refusal(type);
      if (refusal != null) {
        throw DecodeException.ofRefusedClass(refusal);
      }
    }
    loaded.put(name, type);
    return type;
  }

  /** Where proxies are made. */
  ClassLoader application() {
    return application;
  }

  /** Why this class itself may not be written, its superclasses apart; null if it may. */
  @Nullable String refusal(Class<?> type) {
    String known = refusals.get(type);
    if (known == null) {
      known = decideRefusal(type);
      refusals.put(type, known);
    }
    return known.isEmpty() ? null : known;
  }

  private String decideRefusal(Class<?> type) {
    Class<?> base = type;
    while (base.isArray()) {
      base = base.getComponentType();
    }
    if (base.isPrimitive()) {
      return "";
    }
    if (Proxy.isProxyClass(base)) {
      for (Class<?> face : base.getInterfaces()) {
        String refusal = refusal(face);
        if (refusal != null) {
          return refusal;
        }
      }
      return "";
    }
    String refusal = filter.refusal(base.getName());
    if (refusal == null) {
      refusal = filter.refusal(base);
    }
    if (refusal != null) {
      return refusal;
    }
    try {
      if (type.getName().length() <= MAX_NAME
          && Class.forName(base.getName(), false, application) == base) {
        return "";
      }
    } catch (ClassNotFoundException | LinkageError lost) {
      // Said below.
    }
    return base.getName() + " cannot be found again through the application's class loader";
  }

  private Form decide(Class<?> type) {
    if (Enum.class.isAssignableFrom(type) && type != Enum.class) {
      if (!type.isEnum()) {
        return of(type.getSuperclass());
      }
      String refusal = refusal(type);
      return refusal != null
          ? refused(type, true, refusal)
          : form(type, Kind.ENUM, new EnumForm(type), Graph.describe(type, 'E', null), null);
    }
    if (type.isArray()) {
      String refusal = refusal(type);
      return refusal != null
          ? refused(type, false, refusal)
          : form(
              type,
              Kind.ARRAY,
              new ArrayForm(type.getComponentType()),
              Graph.describe(type, 'A', null),
              null);
    }
    if (!Serializable.class.isAssignableFrom(type)) {
      return refused(type, false, type.getName() + " is not Serializable");
    }
    if (replacesItself(type)) {
      return java(type);
    }
    for (Class<?> c = type; c != null && Serializable.class.isAssignableFrom(c); ) {
      String refusal = refusal(c);
      if (refusal != null) {
        return refused(type, false, refusal);
      }
      c = c.getSuperclass();
    }
    Layout layout = isPlain(type) ? Layout.of(type) : null;
    return layout == null
        ? java(type)
        : form(
            type,
            Kind.STRUCT,
            new StructForm(layout),
            Graph.describe(type, type.isRecord() ? 'R' : 'S', layout),
            layout);
  }

  private static Form form(
      Class<?> type,
      Kind kind,
      GraphForm<?> serializer,
      byte[] descriptor,
      @Nullable Layout layout) {
    return new Form(
        type,
        kind,
        new Registration(type, serializer, 0),
        0,
        descriptor,
        kind != Kind.ENUM,
        kind == Kind.ENUM,
        layout,
        null);
  }

  private static Form refused(Class<?> type, boolean immutable, String refusal) {
    return new Form(type, Kind.REFUSED, null, 0, NONE, false, immutable, null, refusal);
  }

  private static Form java(Class<?> type) {
    return new Form(type, Kind.JAVA, null, 0, NONE, false, type == Class.class, null, null);
  }

  private static boolean replacesItself(Class<?> type) {
    for (Class<?> c = type; c != null; c = c.getSuperclass()) {
      if (hasHook(c, "writeReplace")) {
        return true;
      }
    }
    return false;
  }

  private static boolean isPlain(Class<?> type) {
    if (Proxy.isProxyClass(type)
        || type.isHidden()
        || type.isSynthetic()
        || Externalizable.class.isAssignableFrom(type)) {
      return false;
    }
    Class<?> top = type.isRecord() ? Record.class : Object.class;
    for (Class<?> c = type; c != top; c = c.getSuperclass()) {
      if (c == null || isJdk(c) || !Serializable.class.isAssignableFrom(c) || isHooked(c)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isJdk(Class<?> type) {
    ClassLoader loader = type.getClassLoader();
    return loader == null || loader == ClassLoader.getPlatformClassLoader();
  }

  private static boolean isHooked(Class<?> type) {
    if (hasHook(type, "readResolve")) {
      return true;
    }
    return !type.isRecord()
        && (hasHook(type, "readObjectNoData")
            || hasHook(type, "readObject", ObjectInputStream.class)
            || hasHook(type, "writeObject", ObjectOutputStream.class)
            || hasPersistentFields(type));
  }

  private static boolean hasHook(Class<?> type, String name, Class<?>... parameters) {
    try {
      return Arrays.stream(type.getDeclaredMethods())
          .filter(method -> method.getName().equals(name))
          .anyMatch(method -> Arrays.equals(method.getParameterTypes(), parameters));
    } catch (LinkageError unknown) {
      return true;
    }
  }

  private static boolean hasPersistentFields(Class<?> type) {
    try {
      return Arrays.stream(type.getDeclaredFields())
          .anyMatch(field -> field.getName().equals("serialPersistentFields"));
    } catch (LinkageError unknown) {
      return true;
    }
  }
}
