package io.sojourn.codec;

import com.esotericsoftware.kryo.kryo5.objenesis.instantiator.ObjectInstantiator;
import com.esotericsoftware.kryo.kryo5.objenesis.strategy.SerializingInstantiatorStrategy;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The stored fields of a plain class or record, and how to make one. Immutable and thread-safe.
 *
 * <p>Fields are those that Java serialization stores, superclasses first, within a class primitives
 * before objects and both by name, as it does; a record's are its components in their order.
 */
final class Layout {

  /**
   * One field.
   *
   * @param kind its type as a class file has it, {@code L} for every reference
   * @param type the same as a class
   * @param index its place, for a record that of the constructor's parameter
   */
  record Slot(String name, char kind, Class<?> type, Field field, int index) {}

  final Class<?> type;
  final Slot[] slots;
  private final Map<String, Slot> byName = new HashMap<>();
  private final @Nullable ObjectInstantiator<?> instantiator;
  private final @Nullable Constructor<?> constructor;
  private final @Nullable Object[] defaults;

  private Layout(Class<?> type, List<Field> fields) throws ReflectiveOperationException {
    this.type = type;
    this.slots = new Slot[fields.size()];
    this.defaults = new @Nullable Object[fields.size()];
    for (int i = 0; i < slots.length; i++) {
      Field field = fields.get(i);
      field.setAccessible(true);
      slots[i] = new Slot(field.getName(), kind(field.getType()), field.getType(), field, i);
      byName.put(field.getName(), slots[i]);
      if (slots[i].kind() != 'L') {
        defaults[i] = Array.get(Array.newInstance(field.getType(), 1), 0);
      }
    }
    if (type.isRecord()) {
      Class<?>[] parameters = fields.stream().map(Field::getType).toArray(Class<?>[]::new);
      constructor = type.getDeclaredConstructor(parameters);
      constructor.setAccessible(true);
      instantiator = null;
    } else {
      constructor = null;
      instantiator = new SerializingInstantiatorStrategy().newInstantiatorOf(type);
    }
  }

  /**
   * The layout of a class that Java serialization would store field by field; null if we cannot.
   */
  static @Nullable Layout of(Class<?> type) {
    try {
      List<Field> fields = type.isRecord() ? components(type) : fields(type);
      boolean unclear =
          fields.stream().anyMatch(Field::isSynthetic)
              || fields.stream().map(Field::getName).distinct().count() < fields.size();
      return unclear ? null : new Layout(type, fields);
    } catch (ReflectiveOperationException | RuntimeException | LinkageError unreachable) {
      return null;
    }
  }

  private static List<Field> components(Class<?> type) throws ReflectiveOperationException {
    List<Field> fields = new ArrayList<>();
    for (RecordComponent component : type.getRecordComponents()) {
      fields.add(type.getDeclaredField(component.getName()));
    }
    return fields;
  }

  private static List<Field> fields(Class<?> type) {
    Class<?> parent = type.getSuperclass();
    List<Field> fields =
        parent == null || parent == Object.class ? new ArrayList<>() : fields(parent);
    Arrays.stream(type.getDeclaredFields())
        .filter(field -> !Modifier.isStatic(field.getModifiers()))
        .filter(field -> !Modifier.isTransient(field.getModifiers()))
        .sorted(
            Comparator.comparing((Field field) -> !field.getType().isPrimitive())
                .thenComparing(Field::getName))
        .forEach(fields::add);
    return fields;
  }

  private static char kind(Class<?> type) {
    return type.isPrimitive() ? type.descriptorString().charAt(0) : 'L';
  }

  /** The field of this name, or null. */
  @Nullable Slot slot(String name) {
    return byName.get(name);
  }

  boolean isRecord() {
    return constructor != null;
  }

  /** An instance whose class's constructors have not run. */
  Object allocate() {
    if (instantiator == null) {
      throw new IllegalStateException("A record is made by its constructor: " + type.getName());
    }
    return instantiator.newInstance();
  }

  /** Components of a record, each with the default of its type until it is set. */
  @Nullable Object[] components() {
    return defaults.clone();
  }

  /** A record of these components. */
  Object construct(@Nullable Object[] components) throws ReflectiveOperationException {
    if (constructor == null) {
      throw new IllegalStateException("Not a record: " + type.getName());
    }
    return constructor.newInstance(components);
  }
}
