package io.sojourn.codec;

import io.sojourn.DecodeException;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import org.jspecify.annotations.Nullable;

/**
 * Plain classes and records, field by field. What is written is what the class has; what is read is
 * what the stream's description of the class says, matched by name.
 */
final class StructForm extends GraphForm<Object> {

  /*
   * Evolution: a field that the class no longer has (or has as transient) is skipped, one that the
   * stream does not have keeps its default, a primitive that became wider or a wrapper is converted.
   * A change that could lose something (long to int, null to a primitive, another class) is an
   * error, and the stored bytes stay.
   */

  /** A field of the stream, and the class's own field that it goes to, if any. */
  private record Step(char kind, Layout.@Nullable Slot slot) {
    /** Whether what is read is what the field takes, whatever it is. */
    boolean isSamePrimitive() {
      return slot != null && kind == slot.kind() && kind != 'L';
    }
  }

  private final Layout layout;
  private final Step[] steps;

  /** For streams that describe the class as it is. */
  StructForm(Layout layout) {
    this.layout = layout;
    this.steps = new Step[layout.slots.length];
    for (int i = 0; i < steps.length; i++) {
      steps[i] = new Step(layout.slots[i].kind(), layout.slots[i]);
    }
  }

  /** For streams that describe the class as it was, or will be. */
  StructForm(Layout layout, String[] names, char[] kinds) {
    this.layout = layout;
    this.steps = new Step[names.length];
    for (int i = 0; i < steps.length; i++) {
      steps[i] = new Step(kinds[i], layout.slot(names[i]));
    }
  }

  @Override
  void encode(Graph graph, GraphOutput out, Object value) {
    boolean late = layout.isRecord();
    if (late) {
      graph.enterLate(value);
    }
    try {
      for (Layout.Slot slot : layout.slots) {
        Field field = slot.field();
        switch (slot.kind()) {
          case 'Z' -> out.writeBoolean(field.getBoolean(value));
          case 'B' -> out.writeByte(field.getByte(value));
          case 'C' -> out.writeVarInt(field.getChar(value), true);
          case 'S' -> out.writeVarInt(field.getShort(value), false);
          case 'I' -> out.writeVarInt(field.getInt(value), false);
          case 'J' -> out.writeVarLong(field.getLong(value), false);
          case 'F' -> out.writeFloat(field.getFloat(value));
          case 'D' -> out.writeDouble(field.getDouble(value));
          default -> graph.writeClassAndObject(out, field.get(value));
        }
      }
    } catch (IllegalAccessException e) {
      throw new IllegalStateException("No access to a field of " + layout.type.getName(), e);
    }
    if (late) {
      graph.leaveLate();
    }
  }

  @Override
  boolean walk(Walk walk, Object value) {
    try {
      for (Layout.Slot slot : layout.slots) {
        Field field = slot.field();
        boolean goesOn =
            switch (slot.kind()) {
              case 'Z' -> walk.visit(field.getBoolean(value) ? 1L : 0L);
              case 'F' -> walk.visit((long) Float.floatToRawIntBits(field.getFloat(value)));
              case 'D' -> walk.visit(Double.doubleToRawLongBits(field.getDouble(value)));
              case 'L' -> walk.visit(field.get(value));
              default -> walk.visit(field.getLong(value));
            };
        if (!goesOn) {
          return false;
        }
      }
      return true;
    } catch (IllegalAccessException e) {
      return false;
    }
  }

  @Override
  Object decode(Graph graph, GraphInput in) {
    try {
      return layout.isRecord() ? decodeRecord(graph, in) : decodeObject(graph, in);
    } catch (InvocationTargetException e) {
      throw new DecodeException(
          "The constructor of " + layout.type.getName() + " refuses what was stored", e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new DecodeException(layout.type.getName() + " cannot be made", e);
    }
  }

  private Object decodeObject(Graph graph, GraphInput in) throws IllegalAccessException {
    Object object = layout.allocate();
    graph.reference(object);
    for (Step step : steps) {
      Layout.Slot slot = step.slot();
      if (slot == null) {
        skip(graph, in, step.kind());
      } else if (!step.isSamePrimitive()) {
        Object value = convert(readBoxed(graph, in, step.kind()), slot);
        if (!(value instanceof Graph.Missing)) {
          slot.field().set(object, value);
        }
      } else {
        Field field = slot.field();
        switch (step.kind()) {
          case 'Z' -> field.setBoolean(object, in.readBoolean());
          case 'B' -> field.setByte(object, in.readByte());
          case 'C' -> field.setChar(object, (char) in.readVarInt(true));
          case 'S' -> field.setShort(object, (short) in.readVarInt(false));
          case 'I' -> field.setInt(object, in.readVarInt(false));
          case 'J' -> field.setLong(object, in.readVarLong(false));
          case 'F' -> field.setFloat(object, in.readFloat());
          default -> field.setDouble(object, in.readDouble());
        }
      }
    }
    return object;
  }

  private Object decodeRecord(Graph graph, GraphInput in) throws ReflectiveOperationException {
    @Nullable Object[] components = layout.components();
    boolean missing = false;
    for (Step step : steps) {
      Layout.Slot slot = step.slot();
      if (slot == null) {
        skip(graph, in, step.kind());
      } else {
        Object value = readBoxed(graph, in, step.kind());
        if (!step.isSamePrimitive()) {
          value = convert(value, slot);
          missing |= value instanceof Graph.Missing;
        }
        components[slot.index()] = value;
      }
    }
    return missing ? graph.missing() : layout.construct(components);
  }

  private static void skip(Graph graph, GraphInput in, char kind) {
    if (kind == 'L') {
      graph.skipObject(in);
    } else {
      readBoxed(graph, in, kind);
    }
  }

  /** A field's value as the stream has it. */
  static @Nullable Object readBoxed(Graph graph, GraphInput in, char kind) {
    return switch (kind) {
      case 'Z' -> in.readBoolean();
      case 'B' -> in.readByte();
      case 'C' -> (char) in.readVarInt(true);
      case 'S' -> (short) in.readVarInt(false);
      case 'I' -> in.readVarInt(false);
      case 'J' -> in.readVarLong(false);
      case 'F' -> in.readFloat();
      case 'D' -> in.readDouble();
      case 'L' -> graph.readClassAndObject(in);
      default -> throw new DecodeException("A field of unknown kind", null);
    };
  }

  private @Nullable Object convert(@Nullable Object value, Layout.Slot slot) {
    if (value != null && value.getClass() == slot.type()) {
      return value;
    }
    if (value instanceof Graph.Missing) {
      return value;
    }
    if (slot.kind() == 'L') {
      if (value == null || slot.type().isInstance(value)) {
        return value;
      }
    } else if (value != null) {
      Object widened = widen(value, slot.kind());
      if (widened != null) {
        return widened;
      }
    }
    throw new DecodeException(
        "Field "
            + slot.name()
            + " of "
            + layout.type.getName()
            + " is "
            + slot.type().getName()
            + ", and what was stored ("
            + (value == null ? "null" : value.getClass().getName())
            + ") does not fit",
        null);
  }

  /** The same number or character as another primitive, if that cannot lose anything; else null. */
  private static @Nullable Object widen(Object value, char kind) {
    if (value instanceof Boolean) {
      return kind == 'Z' ? value : null;
    }
    if (value instanceof Character c) {
      return switch (kind) {
        case 'C' -> c;
        case 'I' -> (int) c;
        case 'J' -> (long) c;
        case 'F' -> (float) c;
        case 'D' -> (double) c;
        default -> null;
      };
    }
    if (!(value instanceof Number number)) {
      return null;
    }
    boolean isByte = number instanceof Byte;
    boolean isShort = isByte || number instanceof Short;
    boolean isInt = isShort || number instanceof Integer;
    boolean isLong = isInt || number instanceof Long;
    boolean isFloat = isShort || number instanceof Float;
    boolean isDouble = isFloat || isInt || number instanceof Double;
    return switch (kind) {
      case 'B' -> isByte ? number : null;
      case 'S' -> isShort ? (Object) number.shortValue() : null;
      case 'I' -> isInt ? (Object) number.intValue() : null;
      case 'J' -> isLong ? (Object) number.longValue() : null;
      case 'F' -> isFloat ? (Object) number.floatValue() : null;
      case 'D' -> isDouble ? (Object) number.doubleValue() : null;
      default -> null;
    };
  }
}
