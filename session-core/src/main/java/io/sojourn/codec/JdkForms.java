package io.sojourn.codec;

import io.sojourn.DecodeException;
import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.net.URISyntaxException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.MonthDay;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.Period;
import java.time.Year;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoField;
import java.util.ArrayList;
import java.util.Currency;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The JDK's types that a {@link Graph} stores by itself, each exactly, no subclass; the numbers are
 * part of the format. Immutable.
 */
final class JdkForms {

  /*
   * A type is here only if its public API can tell all that Java serialization would store and can
   * make an equal object from it; where that depends on the object (a map in access order, a locale
   * with a script), the form sends the attribute to Java serialization. Identity is kept for what
   * can change or contain; not for values, so that an equal string in another instance does not
   * make an unchanged attribute look changed.
   */

  /**
   * One type.
   *
   * @param token its number in the format
   * @param tracked whether identity is kept
   */
  record Entry(int token, Class<?> type, GraphForm<?> form, boolean tracked, boolean immutable) {}

  static final List<Entry> TABLE;

  private static final int STRING = 2;
  private static final int BOOLEAN = 3;
  private static final int INTEGER = 7;
  private static final int LONG = 8;
  private static final int DOUBLE = 10;
  private static final int BIG_DECIMAL = 12;
  private static final int INSTANT = 19;
  private static final int LOCAL_DATE = 20;

  /** The locale that was found last to be no more than language, country and variant. */
  private static volatile @Nullable Locale plainLocale;

  /** A number of fewer decimal digits is a long for certain. */
  private static final int LONG_DIGITS = 19;

  static {
    List<Entry> table = new ArrayList<>();
    values(table);
    arrays(table);
    ContainerForms.addTo(table);
    ViewForms.addTo(table);
    TABLE = List.copyOf(table);
  }

  private JdkForms() {}

  @SuppressWarnings("JavaUtilDate")
  private static void values(List<Entry> table) {
    value(table, STRING, String.class, (out, v) -> out.text(v), in -> in.text());
    value(table, BOOLEAN, Boolean.class, (out, v) -> out.writeBoolean(v), in -> in.readBoolean());
    value(table, 4, Byte.class, (out, v) -> out.writeByte(v), in -> in.readByte());
    value(
        table,
        5,
        Character.class,
        (out, v) -> out.writeVarInt(v, true),
        in -> (char) in.readVarInt(true));
    value(
        table,
        6,
        Short.class,
        (out, v) -> out.writeVarInt(v, false),
        in -> (short) in.readVarInt(false));
    value(
        table,
        INTEGER,
        Integer.class,
        (out, v) -> out.writeVarInt(v, false),
        in -> in.readVarInt(false));
    value(
        table,
        LONG,
        Long.class,
        (out, v) -> out.writeVarLong(v, false),
        in -> in.readVarLong(false));
    value(table, 9, Float.class, (out, v) -> out.writeFloat(v), in -> in.readFloat());
    value(table, DOUBLE, Double.class, (out, v) -> out.writeDouble(v), in -> in.readDouble());
    value(table, 11, BigInteger.class, JdkForms::bigInteger, JdkForms::bigInteger);
    value(table, BIG_DECIMAL, BigDecimal.class, JdkForms::bigDecimal, JdkForms::bigDecimal);
    value(
        table,
        13,
        UUID.class,
        (out, v) -> {
          out.writeLong(v.getMostSignificantBits());
          out.writeLong(v.getLeastSignificantBits());
        },
        in -> {
          long most = in.readLong();
          return new UUID(most, in.readLong());
        });
    table.add(
        new Entry(
            14,
            Date.class,
            new ValueForm<>(
                (GraphOutput out, Date v) -> out.writeVarLong(v.getTime(), false),
                in -> new Date(in.readVarLong(false))),
            true,
            false));
    if (ModuleLayer.boot().findModule("java.sql").isPresent()) {
      table.add(new Entry(15, Timestamp.class, timestamps(), true, false));
    }
    value(table, 16, Locale.class, JdkForms::locale, JdkForms::locale);
    value(
        table,
        17,
        Currency.class,
        (out, v) -> out.text(v.getCurrencyCode()),
        in -> Currency.getInstance(in.text()));
    value(table, 18, URI.class, (out, v) -> out.text(v.toString()), JdkForms::uri);
    value(table, INSTANT, Instant.class, JdkForms::instant, JdkForms::instant);
    value(table, LOCAL_DATE, LocalDate.class, JdkForms::localDate, JdkForms::localDate);
    value(table, 21, LocalTime.class, JdkForms::localTime, JdkForms::localTime);
    value(table, 22, LocalDateTime.class, JdkForms::localDateTime, JdkForms::localDateTime);
    value(
        table,
        23,
        OffsetTime.class,
        (out, v) -> {
          localTime(out, v.toLocalTime());
          zoneOffset(out, v.getOffset());
        },
        in -> {
          LocalTime time = localTime(in);
          return OffsetTime.of(time, zoneOffset(in));
        });
    value(
        table,
        24,
        OffsetDateTime.class,
        (out, v) -> {
          localDateTime(out, v.toLocalDateTime());
          zoneOffset(out, v.getOffset());
        },
        in -> {
          LocalDateTime time = localDateTime(in);
          return OffsetDateTime.of(time, zoneOffset(in));
        });
    value(table, 25, ZonedDateTime.class, JdkForms::zonedDateTime, JdkForms::zonedDateTime);
    value(table, 26, ZoneOffset.class, JdkForms::zoneOffset, JdkForms::zoneOffset);
    @SuppressWarnings("unchecked")
    Class<ZoneId> region = (Class<ZoneId>) ZoneId.of("Europe/Paris").getClass();
    value(table, 27, region, (out, v) -> out.text(v.getId()), in -> ZoneId.of(in.text()));
    value(
        table,
        28,
        Duration.class,
        (out, v) -> {
          out.writeVarLong(v.getSeconds(), false);
          out.writeVarInt(v.getNano(), true);
        },
        in -> {
          long seconds = in.readVarLong(false);
          return Duration.ofSeconds(seconds, in.readVarInt(true));
        });
    value(
        table,
        29,
        Period.class,
        (out, v) -> {
          out.writeVarInt(v.getYears(), false);
          out.writeVarInt(v.getMonths(), false);
          out.writeVarInt(v.getDays(), false);
        },
        in -> {
          int years = in.readVarInt(false);
          int months = in.readVarInt(false);
          return Period.of(years, months, in.readVarInt(false));
        });
    value(
        table,
        30,
        Year.class,
        (out, v) -> out.writeVarInt(v.getValue(), false),
        in -> Year.of(in.readVarInt(false)));
    value(
        table,
        31,
        YearMonth.class,
        (out, v) -> {
          out.writeVarInt(v.getYear(), false);
          out.writeByte(v.getMonthValue());
        },
        in -> {
          int year = in.readVarInt(false);
          return YearMonth.of(year, in.readByte());
        });
    value(
        table,
        32,
        MonthDay.class,
        (out, v) -> {
          out.writeByte(v.getMonthValue());
          out.writeByte(v.getDayOfMonth());
        },
        in -> {
          int month = in.readByte();
          return MonthDay.of(month, in.readByte());
        });
  }

  private static void arrays(List<Entry> table) {
    array(table, 55, boolean[].class, 1, GraphOutput::writeBooleans, GraphInput::readBooleans);
    array(table, 56, byte[].class, 1, GraphOutput::writeBytes, GraphInput::readBytes);
    array(table, 57, char[].class, 2, GraphOutput::writeChars, GraphInput::readChars);
    array(table, 58, short[].class, 2, GraphOutput::writeShorts, GraphInput::readShorts);
    array(table, 59, int[].class, 4, GraphOutput::writeInts, GraphInput::readInts);
    array(table, 60, long[].class, 8, GraphOutput::writeLongs, GraphInput::readLongs);
    array(table, 61, float[].class, 4, GraphOutput::writeFloats, GraphInput::readFloats);
    array(table, 62, double[].class, 8, GraphOutput::writeDoubles, GraphInput::readDoubles);
  }

  private static <T> void value(
      List<Entry> table,
      int token,
      Class<T> type,
      BiConsumer<GraphOutput, T> writer,
      Function<GraphInput, T> reader) {
    table.add(new Entry(token, type, new ValueForm<>(writer, reader), false, true));
  }

  private static <T> void array(
      List<Entry> table,
      int token,
      Class<T> type,
      int width,
      ArrayWriter<T> writer,
      ArrayReader<T> reader) {
    GraphForm<T> form =
        new ValueForm<>(
            (out, array) -> {
              int length = Array.getLength(array);
              out.writeVarInt(length, true);
              writer.write(out, array, 0, length);
            },
            in -> reader.read(in, in.length(width)));
    table.add(new Entry(token, type, form, true, false));
  }

  private interface ArrayWriter<T> {
    void write(GraphOutput out, T array, int offset, int count);
  }

  private interface ArrayReader<T> {
    T read(GraphInput in, int length);
  }

  /** Refers to nothing. */
  static final class ValueForm<T> extends GraphForm<T> {
    private final BiConsumer<GraphOutput, T> writer;
    private final Function<GraphInput, T> reader;

    ValueForm(BiConsumer<GraphOutput, T> writer, Function<GraphInput, T> reader) {
      this.writer = writer;
      this.reader = reader;
    }

    @Override
    void encode(Graph graph, GraphOutput out, T value) {
      writer.accept(out, value);
    }

    /** Of what can change here, only a date shows all of itself in a number. */
    @Override
    @SuppressWarnings("JavaUtilDate")
    boolean walk(Walk walk, T value) {
      return value.getClass() == Date.class && walk.visit(((Date) value).getTime());
    }

    @SuppressWarnings("unchecked")
    private void write(GraphOutput out, Object value) {
      writer.accept(out, (T) value);
    }

    @Override
    T decode(Graph graph, GraphInput in) {
      return reader.apply(in);
    }
  }

  /*
   * A virtual machine cannot inline a call that has had many targets, and looks each up in a table of the interface's. So the types
   * that most objects of a graph are of have a branch here, in place of their form.
   */

  /** Writes a value of the type with this number, whose form that is. */
  static void write(int token, ValueForm<?> form, GraphOutput out, Object value) {
    switch (token) {
      case STRING -> out.text((String) value);
      case BOOLEAN -> out.writeBoolean((Boolean) value);
      case INTEGER -> out.writeVarInt((Integer) value, false);
      case LONG -> out.writeVarLong((Long) value, false);
      case DOUBLE -> out.writeDouble((Double) value);
      case BIG_DECIMAL -> bigDecimal(out, (BigDecimal) value);
      case INSTANT -> instant(out, (Instant) value);
      case LOCAL_DATE -> localDate(out, (LocalDate) value);
      default -> form.write(out, value);
    }
  }

  /** Reads a value of the type with this number, whose form that is. */
  static Object read(int token, ValueForm<?> form, GraphInput in) {
    return switch (token) {
      case STRING -> in.text();
      case BOOLEAN -> in.readBoolean();
      case INTEGER -> in.readVarInt(false);
      case LONG -> in.readVarLong(false);
      case DOUBLE -> in.readDouble();
      case BIG_DECIMAL -> bigDecimal(in);
      case INSTANT -> instant(in);
      case LOCAL_DATE -> localDate(in);
      default -> form.reader.apply(in);
    };
  }

  private static void bigDecimal(GraphOutput out, BigDecimal value) {
    out.writeVarInt(value.scale(), false);
    if (value.precision() < LONG_DIGITS) {
      writeLong(out, value.scaleByPowerOfTen(value.scale()).longValue());
    } else {
      bigInteger(out, value.unscaledValue());
    }
  }

  private static BigDecimal bigDecimal(GraphInput in) {
    int scale = in.readVarInt(false);
    int length = in.length(1);
    return isLong(length)
        ? BigDecimal.valueOf(readLong(in, length), scale)
        : new BigDecimal(new BigInteger(in.readBytes(length)), scale);
  }

  private static void bigInteger(GraphOutput out, BigInteger value) {
    byte[] bytes = value.toByteArray();
    out.writeVarInt(bytes.length, true);
    out.writeBytes(bytes);
  }

  private static BigInteger bigInteger(GraphInput in) {
    int length = in.length(1);
    return isLong(length)
        ? BigInteger.valueOf(readLong(in, length))
        : new BigInteger(in.readBytes(length));
  }

  /** Writes what {@link #bigInteger} would, from what takes less memory. */
  private static void writeLong(GraphOutput out, long value) {
    int bits = Long.SIZE - Long.numberOfLeadingZeros(value ^ (value >> (Long.SIZE - 1)));
    int length = bits / Byte.SIZE + 1;
    out.writeVarInt(length, true);
    for (int left = length - 1; left >= 0; left--) {
      out.writeByte((byte) (value >> (left * Byte.SIZE)));
    }
  }

  /** Whether a two's complement of so many bytes is a long. */
  private static boolean isLong(int length) {
    return length > 0 && length <= Long.BYTES;
  }

  private static long readLong(GraphInput in, int length) {
    long value = in.readByte();
    for (int left = length - 1; left > 0; left--) {
      value = value << Byte.SIZE | in.readByteUnsigned();
    }
    return value;
  }

  private static GraphForm<Timestamp> timestamps() {
    return new ValueForm<>(
        (out, value) -> {
          if (!timestamp(value.getTime(), value.getNanos()).equals(value)) {
            throw Graph.NeedsJava.SIGNAL;
          }
          out.writeVarLong(value.getTime(), false);
          out.writeVarInt(value.getNanos(), true);
        },
        in -> {
          long time = in.readVarLong(false);
          return timestamp(time, in.readVarInt(true));
        });
  }

  private static Timestamp timestamp(long time, int nanos) {
    Timestamp timestamp = new Timestamp(time);
    timestamp.setNanos(nanos);
    return timestamp;
  }

  private static void locale(GraphOutput out, Locale value) {
    if (!value.equals(plainLocale)) {
      if (value.hasExtensions()
          || !value.getScript().isEmpty()
          || !value.equals(
              new Locale(value.getLanguage(), value.getCountry(), value.getVariant()))) {
        throw Graph.NeedsJava.SIGNAL;
      }
      plainLocale = value;
    }
    out.text(value.getLanguage());
    out.text(value.getCountry());
    out.text(value.getVariant());
  }

  private static Locale locale(GraphInput in) {
    String language = in.text();
    String country = in.text();
    return new Locale(language, country, in.text());
  }

  private static URI uri(GraphInput in) {
    try {
      return new URI(in.text());
    } catch (URISyntaxException e) {
      // Without the cause, which would repeat the value.
      throw new DecodeException("A URI is malformed: " + e.getReason(), null);
    }
  }

  private static void instant(GraphOutput out, Instant value) {
    out.writeVarLong(value.getEpochSecond(), false);
    out.writeVarInt(value.getNano(), true);
  }

  private static Instant instant(GraphInput in) {
    long seconds = in.readVarLong(false);
    return Instant.ofEpochSecond(seconds, in.readVarInt(true));
  }

  private static void localDate(GraphOutput out, LocalDate value) {
    out.writeVarLong(value.toEpochDay(), false);
  }

  private static LocalDate localDate(GraphInput in) {
    return LocalDate.ofEpochDay(in.readVarLong(false));
  }

  private static void localTime(GraphOutput out, LocalTime value) {
    out.writeVarInt(value.toSecondOfDay(), true);
    out.writeVarInt(value.get(ChronoField.NANO_OF_SECOND), true);
  }

  private static LocalTime localTime(GraphInput in) {
    LocalTime time = LocalTime.ofSecondOfDay(in.readVarInt(true));
    return time.withNano(in.readVarInt(true));
  }

  private static void localDateTime(GraphOutput out, LocalDateTime value) {
    localDate(out, value.toLocalDate());
    localTime(out, value.toLocalTime());
  }

  private static LocalDateTime localDateTime(GraphInput in) {
    LocalDate date = localDate(in);
    return LocalDateTime.of(date, localTime(in));
  }

  private static void zoneOffset(GraphOutput out, ZoneOffset value) {
    out.writeVarInt(value.getTotalSeconds(), false);
  }

  private static ZoneOffset zoneOffset(GraphInput in) {
    return ZoneOffset.ofTotalSeconds(in.readVarInt(false));
  }

  private static void zonedDateTime(GraphOutput out, ZonedDateTime value) {
    if (!value.getZone().getRules().isValidOffset(value.toLocalDateTime(), value.getOffset())) {
      throw Graph.NeedsJava.SIGNAL;
    }
    localDateTime(out, value.toLocalDateTime());
    zoneOffset(out, value.getOffset());
    out.text(value.getZone().getId());
  }

  private static ZonedDateTime zonedDateTime(GraphInput in) {
    LocalDateTime time = localDateTime(in);
    ZoneOffset offset = zoneOffset(in);
    return ZonedDateTime.ofStrict(time, offset, ZoneId.of(in.text()));
  }
}
