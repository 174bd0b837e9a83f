package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.sojourn.AttributeCodec;
import io.sojourn.EncodedValue;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.lang.reflect.Proxy;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.net.URI;
import java.sql.Time;
import java.sql.Timestamp;
import java.time.DayOfWeek;
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
import java.time.chrono.JapaneseDate;
import java.time.temporal.ChronoField;
import java.time.temporal.ValueRange;
import java.util.AbstractMap;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.Currency;
import java.util.Date;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.GregorianCalendar;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Hashtable;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Properties;
import java.util.Queue;
import java.util.Set;
import java.util.SimpleTimeZone;
import java.util.Stack;
import java.util.TimeZone;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.Vector;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CopyOnWriteArraySet;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Values of every kind that the JDK and an application's own classes offer, with the form that
 * {@link KryoCodec} stores each in; {@link AttributeCodecContract} says what must come back. A case
 * that fails here and is marked KRYO may be marked JAVA instead; the other way round it is a gain.
 */
@Tag("G8")
@SuppressWarnings({
  "IdentityHashMapUsage",
  "JavaUtilDate",
  "JdkObsolete",
  "UnnecessaryStringBuilder",
  "serial",
  "unchecked"
})
class RoundTripTest {

  private static final int KRYO = 1;
  private static final int JAVA = 2;

  private static final ClassLoader LOADER = RoundTripTest.class.getClassLoader();

  private final AttributeCodec kryo = new KryoCodec(LOADER, AttributeCodecContract.FILTER);

  private static Arguments kryo(String name, Object value) {
    return arguments(name, KRYO, value);
  }

  private static Arguments java(String name, Object value) {
    return arguments(name, JAVA, value);
  }

  static Stream<Arguments> values() {
    return Stream.of(
        kryo("ASCII", "plain text"),
        kryo("Latin-1", "Größe"),
        kryo("wide text with a lone surrogate", "日本語 Ω \uD83D\uDE00 \uD800 end"),
        kryo("empty text", ""),
        kryo("boolean", true),
        kryo("byte", (byte) -7),
        kryo("char", '\uFFFF'),
        kryo("short", Short.MIN_VALUE),
        kryo("int", Integer.MIN_VALUE),
        kryo("long", Long.MIN_VALUE),
        kryo("float", Float.NaN),
        kryo("double", -0.0),
        kryo("big integer", BigInteger.TWO.pow(200).negate()),
        kryo("big decimal", new BigDecimal("-12345678901234567890.1200")),
        kryo("big decimal of negative scale", new BigDecimal("1E+400")),
        kryo("UUID", UUID.fromString("01234567-89ab-cdef-0123-456789abcdef")),
        kryo("date", new Date(-1234567890123L)),
        kryo("timestamp", timestamp()),
        kryo("locale", new Locale("de", "CH", "1996")),
        kryo("root locale", Locale.ROOT),
        kryo("currency", Currency.getInstance("CHF")),
        kryo("URI", URI.create("https://example.org/a%20b?c=d#e")),
        kryo("instant", Instant.ofEpochSecond(-1, 999_999_999)),
        kryo("local date", LocalDate.MIN),
        kryo("local time", LocalTime.MAX),
        kryo("local date time", LocalDateTime.of(2026, 2, 28, 23, 59, 59, 1)),
        kryo("offset time", OffsetTime.of(1, 2, 3, 4, ZoneOffset.ofHours(-18))),
        kryo("offset date time", OffsetDateTime.MAX),
        kryo("zoned date time in an overlap", inOverlap()),
        kryo(
            "zoned date time of an offset",
            ZonedDateTime.of(inOverlap().toLocalDateTime(), ZoneOffset.UTC)),
        kryo("zone offset", ZoneOffset.ofHoursMinutesSeconds(1, 2, 3)),
        kryo("zone", ZoneId.of("America/New_York")),
        kryo("zone of a prefixed offset", ZoneId.of("UTC+01:00")),
        kryo("duration", Duration.ofSeconds(-5, 7)),
        kryo("period", Period.of(1, -2, 3)),
        kryo("year", Year.of(-44)),
        kryo("year and month", YearMonth.of(2026, 12)),
        kryo("month and day", MonthDay.of(2, 29)),
        kryo("enum", Samples.Color.BLUE),
        kryo("enum constant with a body", Samples.Operation.MINUS),
        kryo("enum of the JDK", TimeUnit.DAYS),
        kryo("another enum of the JDK", DayOfWeek.FRIDAY),
        kryo("array list with nulls", new ArrayList<>(Arrays.asList("a", null, 1, null))),
        kryo(
            "nested lists",
            new ArrayList<>(List.of(new ArrayList<>(List.of(1)), new ArrayList<>()))),
        kryo("linked list", new LinkedList<>(Arrays.asList(1, null, 2))),
        kryo("array deque", new ArrayDeque<>(List.of(1, 2, 3))),
        kryo("hash map with a null key", hashMap()),
        kryo("hash map of many", numbered(new HashMap<>(), 1000)),
        kryo("linked hash map", numbered(new LinkedHashMap<>(), 50)),
        kryo("empty linked hash map", new LinkedHashMap<>()),
        kryo("tree map", numbered(new TreeMap<>(), 50)),
        kryo("empty tree map", new TreeMap<>()),
        kryo(
            "tree map with the application's comparator",
            numbered(new TreeMap<>(new Samples.ByLength()), 20)),
        kryo(
            "tree map in natural order by name",
            numbered(new TreeMap<>(Comparator.naturalOrder()), 20)),
        kryo("tree map whose keys are out of order by now", outOfOrder()),
        kryo("tree set", new TreeSet<>(List.of("c", "a", "b"))),
        kryo("tree set with a comparator", treeSet()),
        kryo("hash set", new HashSet<>(Arrays.asList("x", null, 3L))),
        kryo("linked hash set", new LinkedHashSet<>(List.of("z", "a", "m"))),
        kryo("concurrent hash map", numbered(new ConcurrentHashMap<>(), 100)),
        kryo("List.of none", List.of()),
        kryo("List.of one", List.of("a")),
        kryo("List.of many", List.of("a", "b", "c", new ArrayList<>(List.of("d")))),
        kryo("Stream.toList of none", Stream.of().toList()),
        kryo("Stream.toList of one", Stream.of("a").toList()),
        kryo("Stream.toList with null", Stream.of("a", null, "c").toList()),
        kryo("Set.of none", Set.of()),
        kryo("Set.of two", Set.of(1, "a")),
        kryo("Set.of many", Set.of("a", "b", "c", "d", "e", "f", "g")),
        kryo("Set.of the application's own", points(2)),
        kryo("Set.of more of the application's own", points(40)),
        kryo(
            "Map.of the application's own",
            Map.of(new Samples.Point(1, 2), 1, new Samples.Point(3, 4), 2, "c", 3)),
        kryo("Map.of none", Map.of()),
        kryo("Map.of one", Map.of("k", new ArrayList<>())),
        kryo("Map.of many", Map.of(1, "a", 2, "b", 3, "c", 4, "d", 5, "e")),
        kryo("empty list", Collections.emptyList()),
        kryo("empty set", Collections.emptySet()),
        kryo("empty map", Collections.emptyMap()),
        kryo("singleton list", Collections.singletonList(null)),
        kryo("singleton set", Collections.singleton("one")),
        kryo("singleton map", Collections.singletonMap("k", "v")),
        kryo("booleans", new boolean[] {true, false}),
        kryo("bytes", new byte[] {-128, 0, 127}),
        kryo("chars", new char[] {'a', '\uFFFF'}),
        kryo("shorts", new short[] {-1, Short.MAX_VALUE}),
        kryo("ints", new int[] {1, -1, Integer.MAX_VALUE}),
        kryo("longs", new long[] {Long.MIN_VALUE, 5}),
        kryo("floats", new float[] {1.5f, Float.NEGATIVE_INFINITY}),
        kryo("doubles", new double[] {Math.PI, Double.NaN}),
        kryo("objects", new Object[] {1, "a", null, new int[0], new Object[] {2}}),
        kryo("strings", new String[] {"a", null}),
        kryo("ints in two dimensions", new int[][] {{1}, {}, {2, 3}}),
        kryo("the application's array", new Samples.Point[][] {{new Samples.Point(1, 2)}, {}}),
        kryo("array of an interface", new Comparable<?>[] {1, "a"}),
        kryo("enums", new Samples.Operation[] {Samples.Operation.PLUS, Samples.Operation.MINUS}),
        kryo("record", new Samples.Money(new BigDecimal("9.90"), "EUR")),
        kryo(
            "nested records",
            new Samples.Line(new Samples.Point(1, 2), new Samples.Point(3, 4), Samples.Color.RED)),
        kryo("record with a list", new Samples.Tags(List.of("a", "b"))),
        kryo("record whose accessor lies", new Samples.Loud("quiet")),
        kryo("cart", Samples.cart(20)),
        kryo("every kind of field", new Samples.AllKinds()),
        kryo("fields of superclasses", new Samples.Derived()),
        kryo("cycle", cycle()),
        kryo("list that contains itself", selfContaining()),
        kryo("one date twice", twice(new Date(5))),
        kryo("one list twice", twice(new ArrayList<>(List.of(1)))),
        kryo("one record twice", twice(new Samples.Box("x"))),
        kryo("one immutable list twice", twice(List.of(new Date(1), new Date(2)))),
        kryo("one array twice", twice(new int[] {1})),
        kryo("two equal dates", new ArrayList<>(List.of(new Date(5), new Date(5)))),
        kryo("record inside a cycle of others", recordInsideCycle()),
        java("cycle through a record", recordCycle()),
        kryo("immutable list inside a cycle of others", immutableInsideCycle()),
        java("enum map", new EnumMap<>(Map.of(Samples.Color.RED, 1))),
        java("enum set", EnumSet.of(Samples.Color.RED, Samples.Color.BLUE)),
        java("properties with defaults", properties()),
        java("bit set", BitSet.valueOf(new long[] {5, 6})),
        java("atomic integer", new AtomicInteger(7)),
        java("copy on write list", new CopyOnWriteArrayList<>(List.of(1, 2))),
        java("vector", new Vector<>(List.of(1, 2))),
        java("stack", stack()),
        java("priority queue", new PriorityQueue<>(List.of(3, 1, 2))),
        java("identity hash map", new IdentityHashMap<>(Map.of("k", "v"))),
        java("skip list map", new ConcurrentSkipListMap<>(Map.of("k", "v"))),
        kryo("unmodifiable list", Collections.unmodifiableList(new ArrayList<>(List.of(1)))),
        kryo("unmodifiable map", Collections.unmodifiableMap(new LinkedHashMap<>(Map.of(1, 2)))),
        java("synchronized map", Collections.synchronizedMap(new HashMap<>(Map.of(1, 2)))),
        kryo(
            "unmodifiable collection",
            Collections.unmodifiableCollection(new ArrayList<>(List.of(1)))),
        kryo(
            "unmodifiable linked list", Collections.unmodifiableList(new LinkedList<>(List.of(1)))),
        kryo("unmodifiable set", Collections.unmodifiableSet(new HashSet<>(List.of(1)))),
        kryo("unmodifiable set of a tree", Collections.unmodifiableSet(new TreeSet<>(List.of(1)))),
        kryo(
            "unmodifiable collection of a set",
            Collections.unmodifiableCollection(new HashSet<>(List.of(1)))),
        kryo(
            "unmodifiable map of a concurrent map",
            Collections.unmodifiableMap(new ConcurrentHashMap<>(Map.of(1, 2)))),
        kryo("views of one list", viewsOfOne()),
        java("view of what holds it", viewOfItsHolder()),
        java(
            "unmodifiable sorted set",
            Collections.unmodifiableSortedSet(new TreeSet<>(List.of(2, 1)))),
        java(
            "unmodifiable navigable map",
            Collections.unmodifiableNavigableMap(new TreeMap<>(Map.of(2, 1)))),
        java("empty sorted set", Collections.emptySortedSet()),
        java("empty sorted map", Collections.emptySortedMap()),
        java("concurrent set", concurrentSet()),
        java("synchronized list", Collections.synchronizedList(new ArrayList<>(List.of(1)))),
        java("checked list", Collections.checkedList(new ArrayList<>(List.of(1)), Integer.class)),
        java(
            "checked map",
            Collections.checkedMap(new HashMap<>(Map.of(1, 2)), Integer.class, Integer.class)),
        java("set from map", setFromMap()),
        java("empty enum set", EnumSet.noneOf(Samples.Color.class)),
        java("enum set of many", EnumSet.allOf(ChronoField.class)),
        java("hash table", new Hashtable<>(Map.of("k", "v"))),
        java("properties", stringProperties()),
        java("atomic long", new AtomicLong(7)),
        java("atomic boolean", new AtomicBoolean(true)),
        java("atomic reference", new AtomicReference<>("text")),
        java("adder", adder()),
        java("linked blocking queue", new LinkedBlockingQueue<>(List.of(1, 2))),
        java("linked blocking deque", new LinkedBlockingDeque<>(List.of(1, 2))),
        java("concurrent queue", new ConcurrentLinkedQueue<>(List.of(1, 2))),
        java("concurrent deque", new ConcurrentLinkedDeque<>(List.of(1, 2))),
        java("copy on write set", new CopyOnWriteArraySet<>(List.of(1, 2))),
        java("skip list set", new ConcurrentSkipListSet<>(List.of(2, 1))),
        java("immutable map entry", new AbstractMap.SimpleImmutableEntry<>("k", "v")),
        java("string buffer", new StringBuffer("text")),
        java("simple time zone", new SimpleTimeZone(3_600_000, "here")),
        java("SQL time", new Time(3_600_000L)),
        java("math context", new MathContext(7, RoundingMode.CEILING)),
        java(
            "nulls first",
            numbered(new TreeMap<>(Comparator.nullsFirst(Comparator.naturalOrder())), 3)),
        java(
            "reverse of the application's order",
            numbered(new TreeMap<>(Collections.reverseOrder(new Samples.ByLength())), 9)),
        java("Japanese date", JapaneseDate.of(2020, 1, 2)),
        java("range of values", ValueRange.of(1, 31)),
        java("reverse order", numbered(new TreeMap<>(Collections.reverseOrder()), 9)),
        java("order without case", numbered(new TreeMap<>(String.CASE_INSENSITIVE_ORDER), 9)),
        java("map in access order", accessOrder()),
        java("locale with a script", Locale.forLanguageTag("zh-Hant-TW")),
        java("SQL date", new java.sql.Date(86_400_000L)),
        java("calendar", calendar()),
        java("pattern", Pattern.compile("a+", Pattern.CASE_INSENSITIVE)),
        java("exception", new IllegalStateException("why", new RuntimeException("cause"))),
        java("Arrays.asList", Arrays.asList("a", "b")),
        java("map entry", new AbstractMap.SimpleEntry<>("k", "v")),
        java("string builder", new StringBuilder("text")),
        java("class", Samples.Point.class),
        java("primitive class", int.class),
        java("singleton by readResolve", twice(Samples.Singleton.INSTANCE)),
        java("replaced by writeReplace", new Samples.Replaced("text")),
        java("hooks", new Samples.Hooked("text")),
        java("hooks that do not write the fields", new Samples.Holder(twice(new Date(7)), "text")),
        java("many of those", holders()),
        java("hooked record", new Samples.HookedRecord("text")),
        java("serialPersistentFields", new Samples.WithPersistentFields()),
        java("externalizable", new Samples.External("text")),
        java("subclass of a list", new Samples.NamedList()),
        java("subclass of a map", numbered(new Samples.NamedMap(), 3)),
        java("subclass of a map in access order", numbered(new Samples.LastRead(), 5)),
        java("subclass of a set in order", namedOrder()),
        java("queue in the application's order", ordered()),
        java(
            "exception with fields of its own",
            new Samples.OutOfStock(
                new ArrayList<>(List.of("pear")), new RuntimeException("cause"))),
        java("superclass that is not serializable", new Samples.OfNotSerializable()),
        java("one name in two classes", new Samples.Shadowing()),
        java("inner class", new Samples.Outer().new Inner()),
        java("proxy", proxy()),
        java("lambda", (Comparator<String> & java.io.Serializable) String::compareTo),
        java("plain objects beside a hook", mixed()));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("values")
  void isStoredInTheFormThatSuitsIt(String name, int format, Object value) {
    assertThat((int) kryo.encode(value).bytes()[0]).isEqualTo(format);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("values")
  void settlesOnOneEncoding(String name, int format, Object value) {
    EncodedValue once = kryo.encode(kryo.decode(kryo.encode(value)));
    EncodedValue twice = kryo.encode(kryo.decode(once));

    assertThat(twice).isEqualTo(once);
  }

  private static List<Object> viewsOfOne() {
    List<Object> one = new ArrayList<>(List.of("a"));
    return new ArrayList<>(
        List.of(Collections.unmodifiableList(one), one, Collections.unmodifiableCollection(one)));
  }

  private static Collection<Object> viewOfItsHolder() {
    List<Object> holder = new ArrayList<>();
    Collection<Object> view = Collections.unmodifiableCollection(holder);
    holder.add(view);
    return view;
  }

  /** What Java serialization makes of it, unfiltered. */
  static Object byJava(Object value) throws IOException, ClassNotFoundException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(value);
    }
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      return in.readObject();
    }
  }

  private static Timestamp timestamp() {
    Timestamp timestamp = new Timestamp(-1234567890123L);
    timestamp.setNanos(123_456_789);
    return timestamp;
  }

  private static ZonedDateTime inOverlap() {
    return ZonedDateTime.of(2025, 10, 26, 2, 30, 0, 0, ZoneId.of("Europe/Berlin"))
        .withLaterOffsetAtOverlap();
  }

  private static Map<String, @Nullable Object> hashMap() {
    Map<String, @Nullable Object> map = new HashMap<>();
    map.put("a", 1);
    map.put("b", null);
    map.put(null, new ArrayList<>());
    return map;
  }

  private static <M extends Map<String, Object>> M numbered(M map, int size) {
    for (int i = size; i > 0; i--) {
      map.put("key" + i * 7919 % 1009, i);
    }
    return map;
  }

  private static Object outOfOrder() {
    List<MutableKey> keys = List.of(new MutableKey(1), new MutableKey(2), new MutableKey(3));
    Map<MutableKey, String> map = new TreeMap<>();
    keys.forEach(key -> map.put(key, "value " + key.number));
    keys.get(0).number = 3;
    return map;
  }

  static final class MutableKey implements Comparable<MutableKey>, java.io.Serializable {
    int number;

    MutableKey(int number) {
      this.number = number;
    }

    @Override
    public int compareTo(MutableKey other) {
      return Integer.compare(number, other.number);
    }
  }

  private static Object points(int count) {
    return Set.of(
        Stream.iterate(1, i -> i + 1).limit(count).map(i -> new Samples.Point(i, i * i)).toArray());
  }

  private static Object treeSet() {
    Set<String> set = new TreeSet<>(new Samples.ByLength());
    set.addAll(List.of("ccc", "a", "bb"));
    return set;
  }

  private static Object cycle() {
    Samples.Node a = new Samples.Node("a");
    Samples.Node b = new Samples.Node("b");
    a.next = b;
    b.next = a;
    b.other = b;
    return a;
  }

  private static Object selfContaining() {
    List<Object> list = new ArrayList<>();
    Map<String, Object> map = new HashMap<>();
    map.put("list", list);
    list.add(map);
    list.add(new Object[] {list});
    return list;
  }

  private static Object twice(Object value) {
    return new ArrayList<>(List.of(value, value));
  }

  private static Object recordInsideCycle() {
    Samples.Node node = new Samples.Node("a");
    node.next = new Samples.Box(node);
    return node;
  }

  private static Object recordCycle() {
    Samples.Node node = new Samples.Node("a");
    Samples.Box box = new Samples.Box(node);
    node.next = box;
    return box;
  }

  private static Object immutableInsideCycle() {
    Samples.Node node = new Samples.Node("a");
    node.next = List.of("x", node);
    return node;
  }

  private static Object properties() {
    Properties defaults = new Properties();
    defaults.setProperty("a", "1");
    Properties properties = new Properties(defaults);
    properties.setProperty("b", "2");
    return properties;
  }

  private static Object setFromMap() {
    Set<Object> set = Collections.newSetFromMap(new ConcurrentHashMap<>());
    set.add("x");
    return set;
  }

  private static Object concurrentSet() {
    Set<Object> set = ConcurrentHashMap.newKeySet();
    set.addAll(List.of("x", "y"));
    return set;
  }

  private static Object stringProperties() {
    Properties properties = new Properties();
    properties.setProperty("b", "2");
    return properties;
  }

  private static Object adder() {
    LongAdder adder = new LongAdder();
    adder.add(5);
    return adder;
  }

  private static Object stack() {
    Stack<Object> stack = new Stack<>();
    stack.push(1);
    return stack;
  }

  private static Object namedOrder() {
    Set<String> set = new Samples.NamedOrder();
    Collections.addAll(set, "pear", "apple", "cherry");
    return set;
  }

  private static Object ordered() {
    Queue<String> queue = new PriorityQueue<>(new Samples.ByLength());
    Collections.addAll(queue, "cherry", "fig", "pear");
    return queue;
  }

  private static Object accessOrder() {
    Map<String, Object> map = new LinkedHashMap<>(16, 0.75f, true);
    numbered(map, 5);
    map.get("key" + 3 * 7919 % 1009);
    return map;
  }

  private static Object calendar() {
    GregorianCalendar calendar = new GregorianCalendar(TimeZone.getTimeZone("Europe/Paris"));
    calendar.setTimeInMillis(1_000_000_000_000L);
    return calendar;
  }

  private static Object proxy() {
    return Proxy.newProxyInstance(
        LOADER, new Class<?>[] {Samples.Greeter.class}, new Samples.Handler("hello"));
  }

  private static Object holders() {
    List<Object> holders = new ArrayList<>();
    Object last = "end";
    for (int i = 0; i < 30; i++) {
      last = new Samples.Holder(last, "text " + i);
      holders.add(last);
      holders.add(new Samples.Hooked("regular"));
    }
    return holders;
  }

  private static Object mixed() {
    Samples.Node shared = new Samples.Node("shared");
    Samples.Node hooked = new Samples.Node("hooked");
    hooked.next = new Samples.Hooked("text");
    hooked.other = shared;
    return new ArrayList<>(List.of(shared, hooked, shared));
  }
}
