package io.sojourn.codec;

import static java.util.stream.Collectors.joining;

import java.net.URL;
import java.net.URLClassLoader;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Says which classes a codec may instantiate, by name, before a class is loaded; on encoding and on
 * decoding alike. An array is asked for by its component, a proxy by its interfaces, and a class's
 * serializable superclasses are asked for as well.
 *
 * <p>Every filter allows the JDK's value and collection types, one by one and not all of {@code
 * java.*}. What else it allows is the application's to say, in patterns separated by commas,
 * semicolons or white space:
 *
 * <ul>
 *   <li>{@code com.acme.Cart}: this class, and not the ones nested in it
 *   <li>{@code com.acme.*}: the classes of this package, nested ones included
 *   <li>{@code com.acme.**}: the same, and those of all packages below it
 *   <li>{@code WEB-INF/lib/*}: whatever the application's own class loader finds in its libraries
 *   <li>{@code !com.acme.Secret}, {@code !com.acme.internal.**}: none of these, whatever else says
 *       so, the JDK's types included
 * </ul>
 *
 * <p>Classes known to be abused for turning deserialization into code execution (of
 * commons-collections, Groovy, Spring's bean factories and others) are refused always; no pattern
 * allows them.
 *
 * <p>Thread-safe.
 */
public final class ClassFilter {

  /*
   * A name is asked for before the class is loaded, because loading is the first thing that an
   * attacker's name could make us do. The order is: what nobody may have, what the user denies,
   * what the user or the defaults allow, and only then, in the mode that trusts the application's
   * own class loader, where that loader finds the class's file. It is loaded after that, and its
   * definer asked too: a loader need not load what it finds, and what is made at run time has no
   * file.
   */

  private static final Pattern SYNTAX =
      Pattern.compile(
          "!?(\\p{javaJavaIdentifierStart}\\p{javaJavaIdentifierPart}*\\.)*"
              + "(\\p{javaJavaIdentifierStart}\\p{javaJavaIdentifierPart}*|(?<!^)(?<!^!)\\*\\*?)");

  private static final int MAX_ORIGINS = 1_000;

  /** A jar, the part of it for a newer Java included, in a class's location. */
  private static final Pattern JAR = Pattern.compile(".*\\.jar(!?/?|!/META-INF/versions/\\d+)");

  /** The pattern for all of an application's libraries. */
  private static final String LIBRARIES = "WEB-INF/lib/*";

  private static final Pattern SEPARATOR = Pattern.compile("[,;\\s]+");

  private static final Set<String> PRIMITIVES =
      Set.of("boolean", "byte", "char", "double", "float", "int", "long", "short", "void");

  /** Prefixes of the names of the JDK's types, each with what follows it. */
  private static final String[][] JDK = {
    {
      "java.lang.",
      """
      Boolean Byte Character Class CharSequence Comparable Double Enum Error Exception Float Integer
      Iterable Long Number Object Record RuntimeException Short StackTraceElement String
      String$CaseInsensitiveComparator StringBuffer StringBuilder Throwable ArithmeticException
      ArrayStoreException ClassCastException IllegalArgumentException IllegalStateException
      IndexOutOfBoundsException InterruptedException NullPointerException NumberFormatException
      ReflectiveOperationException reflect.Proxy SecurityException UnsupportedOperationException
      """
    },
    {"java.math.", "BigDecimal BigInteger MathContext RoundingMode"},
    {"java.net.", "URI"},
    {
      "java.io.",
      """
      FileNotFoundException IOException InvalidClassException InvalidObjectException
      NotSerializableException ObjectStreamException Serializable UncheckedIOException
      """
    },
    {"java.sql.", "Date SQLException Time Timestamp"},
    {
      "java.time.",
      """
      DateTimeException DayOfWeek Duration Instant LocalDate LocalDateTime LocalTime Month MonthDay
      OffsetDateTime OffsetTime Period Ser Year YearMonth ZoneId ZoneOffset ZoneRegion ZonedDateTime
      chrono.HijrahChronology chrono.HijrahDate chrono.IsoChronology chrono.IsoEra
      chrono.JapaneseChronology chrono.JapaneseDate chrono.MinguoChronology chrono.MinguoDate
      chrono.Ser chrono.ThaiBuddhistChronology chrono.ThaiBuddhistDate temporal.ChronoField
      temporal.ChronoUnit temporal.ValueRange temporal.WeekFields zone.Ser
      """
    },
    {
      "java.util.",
      """
      AbstractMap$SimpleEntry AbstractMap$SimpleImmutableEntry ArrayDeque ArrayList Arrays$ArrayList
      BitSet Calendar CollSer Collection Comparator Comparators$NaturalOrderComparator
      Comparators$NullComparator ConcurrentModificationException Currency Date Deque EnumMap EnumSet
      EnumSet$SerializationProxy GregorianCalendar HashMap HashSet Hashtable IdentityHashMap
      JumboEnumSet LinkedHashMap LinkedHashSet LinkedList List Locale Map Map$Entry
      MissingResourceException NavigableMap NavigableSet NoSuchElementException PriorityQueue
      Properties Queue RegularEnumSet Set SimpleTimeZone SortedMap SortedSet Stack TimeZone TreeMap
      TreeSet UUID Vector regex.Pattern
      """
    },
    {
      "java.util.Collections$",
      """
      CheckedCollection CheckedList CheckedMap CheckedNavigableMap CheckedNavigableSet CheckedQueue
      CheckedRandomAccessList CheckedSet CheckedSortedMap CheckedSortedSet EmptyList EmptyMap
      EmptySet ReverseComparator ReverseComparator2 SequencedSetFromMap SetFromMap SingletonList
      SingletonMap SingletonSet SynchronizedCollection SynchronizedList SynchronizedMap
      SynchronizedNavigableMap SynchronizedNavigableSet SynchronizedRandomAccessList SynchronizedSet
      SynchronizedSortedMap SynchronizedSortedSet UnmodifiableCollection UnmodifiableList
      UnmodifiableMap UnmodifiableMap$UnmodifiableEntrySet UnmodifiableNavigableMap
      UnmodifiableNavigableMap$EmptyNavigableMap UnmodifiableNavigableSet
      UnmodifiableNavigableSet$EmptyNavigableSet UnmodifiableRandomAccessList
      UnmodifiableSequencedCollection UnmodifiableSequencedMap UnmodifiableSequencedSet
      UnmodifiableSet UnmodifiableSortedMap UnmodifiableSortedSet
      """
    },
    {"java.util.ImmutableCollections$", "List12 ListN Map1 MapN Set12 SetN SubList"},
    {
      "java.util.concurrent.",
      """
      CancellationException CompletionException ConcurrentHashMap ConcurrentHashMap$CollectionView
      ConcurrentHashMap$KeySetView ConcurrentHashMap$Segment ConcurrentLinkedDeque ConcurrentLinkedQueue ConcurrentMap ConcurrentSkipListMap
      ConcurrentSkipListSet CopyOnWriteArrayList CopyOnWriteArraySet ExecutionException
      LinkedBlockingDeque LinkedBlockingQueue TimeUnit TimeoutException atomic.AtomicBoolean
      atomic.AtomicInteger atomic.AtomicIntegerArray atomic.AtomicLong atomic.AtomicLongArray
      atomic.AtomicReference atomic.AtomicReferenceArray atomic.LongAdder
      atomic.LongAdder$SerializationProxy locks.AbstractOwnableSynchronizer
      locks.AbstractQueuedSynchronizer locks.AbstractQueuedSynchronizer$ConditionObject
      locks.ReentrantLock locks.ReentrantLock$FairSync locks.ReentrantLock$NonfairSync
      locks.ReentrantLock$Sync
      """
    },
    {"sun.util.calendar.", "ZoneInfo"},
  };

  /**
   * Classes, with those nested in them, or beginnings of names up to a dot or dollar, that known
   * attacks are built from.
   */
  static final String[] ABUSED = {
    "bsh.",
    "ch.qos.logback.core.db.",
    "clojure.core$",
    "clojure.inspector.",
    "clojure.main$",
    "com.caucho.",
    "com.fasterxml.jackson.databind.node.POJONode",
    "com.mchange.",
    "com.rometools.rome.feed.impl.",
    "com.sun.jndi.",
    "com.sun.org.apache.bcel.",
    "com.sun.org.apache.xalan.",
    "com.sun.rowset.",
    "com.sun.syndication.feed.impl.",
    "com.vaadin.data.util.NestedMethodProperty",
    "com.zaxxer.",
    "groovy.",
    "io.sojourn.shaded.",
    "java.rmi.",
    "java.security.SignedObject",
    "javassist.",
    "javax.management.",
    "javax.naming.",
    "net.sf.cglib.",
    "net.sf.json.",
    "org.apache.bcel.",
    "org.apache.click.control.",
    "org.apache.commons.beanutils.",
    "org.apache.commons.collections.comparators.",
    "org.apache.commons.collections.functors.",
    "org.apache.commons.collections.keyvalue.TiedMapEntry",
    "org.apache.commons.collections.map.DefaultedMap",
    "org.apache.commons.collections.map.LazyMap",
    "org.apache.commons.collections.map.LazySortedMap",
    "org.apache.commons.collections4.comparators.",
    "org.apache.commons.collections4.functors.",
    "org.apache.commons.collections4.keyvalue.TiedMapEntry",
    "org.apache.commons.collections4.map.DefaultedMap",
    "org.apache.commons.collections4.map.LazyMap",
    "org.apache.commons.collections4.map.LazySortedMap",
    "org.apache.commons.configuration.",
    "org.apache.commons.dbcp.",
    "org.apache.commons.dbcp2.",
    "org.apache.commons.fileupload.",
    "org.apache.commons.proxy.",
    "org.apache.myfaces.view.facelets.el.",
    "org.apache.tomcat.dbcp.",
    "org.apache.wicket.util.upload.",
    "org.apache.xalan.",
    "org.aspectj.weaver.",
    "org.codehaus.groovy.",
    "org.hibernate.engine.spi.TypedValue",
    "org.hibernate.jmx.",
    "org.hibernate.property.",
    "org.hibernate.tuple.",
    "org.hibernate.type.ComponentType",
    "org.jboss.interceptor.",
    "org.jboss.weld.interceptor.",
    "org.jruby.",
    "org.mozilla.javascript.",
    "org.python.",
    "org.springframework.aop.",
    "org.springframework.beans.factory.",
    "org.springframework.cglib.",
    "org.springframework.core.SerializableTypeWrapper",
    "org.springframework.jndi.",
    "org.springframework.transaction.jta.",
    "sun.reflect.annotation.",
    "sun.rmi.",
  };

  /** The JDK's types that every filter allows. */
  static final Set<String> JDK_NAMES = jdkNames();

  private final List<String> allowed;
  private final List<String> denied;
  private final @Nullable ClassLoader application;
  private final boolean libraries;

  /**
   * Where names lead that have been asked for; what is beyond the bound is looked for each time.
   */
  private final Map<String, Origin> origins = new ConcurrentHashMap<>();

  private ClassFilter(String patterns, @Nullable ClassLoader application) {
    List<String> allowed = new ArrayList<>();
    List<String> denied = new ArrayList<>();
    boolean libraries = false;
    for (String pattern : words(patterns)) {
      if (pattern.equals(LIBRARIES) && application != null) {
        libraries = true;
        continue;
      }
      if (!SYNTAX.matcher(pattern).matches()) {
        throw new IllegalArgumentException(
            "'"
                + printable(pattern)
                + "' is no class pattern: give a class (com.acme.Cart), a package (com.acme.*) or a"
                + " package with all below it (com.acme.**), or deny one with ! in front; arrays"
                + " follow their component; all that an application's libraries bring is "
                + LIBRARIES
                + ", and there is no pattern for everything");
      }
      if (pattern.startsWith("!")) {
        denied.add(pattern.substring(1));
      } else {
        allowed.add(pattern);
      }
    }
    this.allowed = List.copyOf(allowed);
    this.denied = List.copyOf(denied);
    this.application = application;
    this.libraries = libraries;
  }

  /**
   * Allows the JDK's types and what these patterns name. The strictest filter, and the cheapest: no
   * class is ever loaded to be judged. An application that puts a new class into its sessions must
   * name it here first.
   *
   * @param patterns may be empty: then nothing but the JDK's types
   * @throws IllegalArgumentException if a pattern is none, saying which
   */
  public static ClassFilter of(String patterns) {
    return new ClassFilter(patterns, null);
  }

  /**
   * Allows the JDK's types, what these patterns name, and the application's own classes: those that
   * its class loader, or one below it, defines and has not found in a jar. In a container that is
   * {@code WEB-INF/classes}.
   *
   * <p>Of its libraries ({@code WEB-INF/lib}) patterns name what may be in a session. {@code
   * WEB-INF/lib/*} names all of them, at a price: every serializable class of every library may
   * then be instantiated by whoever can write to the store, but for those known to be abused, and a
   * library can have ones that nobody knows of yet.
   *
   * <p>A class that no pattern names is looked for as a file, not loaded, which costs some
   * microseconds for the first of each name. Where the application shares its loader with the
   * server (an embedded one), that server's classes count as the application's own.
   *
   * @param application the application's own class loader
   * @param patterns further patterns; {@code !} narrows
   * @throws IllegalArgumentException if a pattern is none, saying which
   */
  public static ClassFilter ofApplication(ClassLoader application, String patterns) {
    return new ClassFilter(patterns, application);
  }

  /**
   * Why a class of this name, as {@link Class#getName} gives it, is refused, or null if it is not.
   * The class is not loaded. One that only its loader could allow, and that has no file, is not
   * refused: either there is nothing to instantiate, or {@link #refusal(Class)} says the rest.
   */
  @Nullable String refusal(String className) {
    return refusal(className, null);
  }

  /** Why this class is refused, whose name is not, or null if it is not either. */
  @Nullable String refusal(Class<?> loaded) {
    Class<?> type = loaded;
    while (type.isArray()) {
      type = type.getComponentType();
    }
    return refusal(type.getName(), type);
  }

  private @Nullable String refusal(String className, @Nullable Class<?> loaded) {
    String name = className;
    if (name.startsWith("[")) {
      name = component(name);
    }
    if (!isName(name)) {
      return "'" + printable(className) + "' is no name of a class";
    }
    if (PRIMITIVES.contains(name)) {
      return null;
    }
    for (String prefix : ABUSED) {
      boolean beginning = prefix.endsWith(".") || prefix.endsWith("$");
      if (name.startsWith(prefix)
          && (beginning
              || name.length() == prefix.length()
              || name.charAt(prefix.length()) == '$')) {
        return printable(name)
            + " is refused: classes of its kind are used for attacks, and no pattern allows them";
      }
    }
    for (String pattern : denied) {
      if (matches(pattern, name)) {
        return printable(name) + " is refused: the class filter says !" + pattern;
      }
    }
    if (JDK_NAMES.contains(name)) {
      return null;
    }
    for (String pattern : allowed) {
      if (matches(pattern, name)) {
        return null;
      }
    }
    Origin origin = Origin.ELSEWHERE;
    if (application != null) {
      origin = loaded == null ? origin(name, application) : origin(loaded, application);
    }
    if (origin == Origin.APPLICATION || (origin == Origin.LIBRARY && libraries)) {
      return null;
    }
    int dot = name.lastIndexOf('.');
    return printable(name)
        + " is not allowed in sessions; the class filter allows it with the pattern "
        + printable(name)
        + (dot > 0 ? " or " + printable(name.substring(0, dot)) + ".*" : "")
        + (origin == Origin.LIBRARY ? ", or every class of every library with " + LIBRARIES : "");
  }

  /** Where a class comes from. */
  private enum Origin {
    APPLICATION,
    LIBRARY,
    ELSEWHERE
  }

  private Origin origin(String name, ClassLoader application) {
    Origin known = origins.get(name);
    if (known != null) {
      return known;
    }
    Origin origin = find(name, application);
    if (origins.size() < MAX_ORIGINS) {
      origins.put(name, origin);
    }
    return origin;
  }

  /**
   * Where its file is; one without a file is the application's. A loader that has the file itself,
   * as its parent has, may define the class or leave that to the parent: then who has defined it
   * decides, once it is loaded.
   */
  private static Origin find(String name, ClassLoader application) {
    String file = name.replace('.', '/') + ".class";
    URL found = application.getResource(file);
    if (found == null) {
      return Origin.APPLICATION;
    }
    if (ClassLoader.getPlatformClassLoader().getResource(file) != null) {
      return Origin.ELSEWHERE;
    }
    URL own = application instanceof URLClassLoader loader ? loader.findResource(file) : null;
    String location = (own == null ? found : own).toExternalForm();
    ClassLoader parent = application.getParent();
    URL inherited = own != null || parent == null ? null : parent.getResource(file);
    if (inherited != null && inherited.toExternalForm().equals(location)) {
      return Origin.ELSEWHERE;
    }
    // By the number of its names: a URL may write them otherwise.
    for (int i = file.length(); i >= 0; i = file.lastIndexOf('/', i - 1)) {
      location = location.substring(0, Math.max(0, location.lastIndexOf('/')));
    }
    return isJar(location) ? Origin.LIBRARY : Origin.APPLICATION;
  }

  private static Origin origin(Class<?> type, ClassLoader application) {
    ClassLoader definer = type.getClassLoader();
    while (definer != null && definer != application) {
      definer = definer.getParent();
    }
    if (definer == null) {
      return Origin.ELSEWHERE;
    }
    CodeSource source = type.getProtectionDomain().getCodeSource();
    URL location = source == null ? null : source.getLocation();
    return location != null && isJar(location.getPath()) ? Origin.LIBRARY : Origin.APPLICATION;
  }

  private static boolean isJar(String location) {
    return JAR.matcher(location).matches();
  }

  private static boolean matches(String pattern, String name) {
    if (pattern.endsWith(".**")) {
      return name.startsWith(pattern.substring(0, pattern.length() - 2));
    }
    if (pattern.endsWith(".*")) {
      int dot = pattern.length() - 2;
      return name.lastIndexOf('.') == dot && name.startsWith(pattern.substring(0, dot + 1));
    }
    return name.equals(pattern);
  }

  /** Whether this could be a class's name, and not a path or worse, before a loader is asked. */
  private static boolean isName(String name) {
    return !name.isEmpty()
        && name.chars().noneMatch(c -> "/\\:;[".indexOf(c) >= 0 || Character.isISOControl(c));
  }

  /** What an array's name ends in: a class or a primitive; empty if it is no array's name. */
  private static String component(String name) {
    int dimensions = 0;
    while (dimensions < name.length() && name.charAt(dimensions) == '[') {
      dimensions++;
    }
    String rest = name.substring(dimensions);
    if (rest.length() > 2 && rest.startsWith("L") && rest.endsWith(";")) {
      return rest.substring(1, rest.length() - 1);
    }
    return rest.length() == 1 && "BCDFIJSZ".contains(rest) ? "int" : "";
  }

  /** A name that may come from anywhere, made fit for a message. */
  static String printable(String name) {
    String head = name.length() <= 200 ? name : name.substring(0, 200) + "...";
    return head.codePoints()
        .mapToObj(c -> Character.isISOControl(c) ? "?" : Character.toString(c))
        .collect(joining());
  }

  private static List<String> words(String text) {
    return SEPARATOR.splitAsStream(text).filter(word -> !word.isEmpty()).toList();
  }

  private static Set<String> jdkNames() {
    Set<String> names = new HashSet<>();
    for (String[] group : JDK) {
      for (String name : words(group[1])) {
        names.add(group[0] + name);
      }
    }
    return Set.copyOf(names);
  }

  /** The patterns. */
  @Override
  public String toString() {
    String patterns =
        allowed.stream().collect(joining(" "))
            + denied.stream().map(pattern -> " !" + pattern).collect(joining());
    return "ClassFilter["
        + patterns.strip()
        + (libraries ? " " + LIBRARIES : "")
        + (application == null ? "]" : " and the application]");
  }
}
