package io.sojourn.tomcat;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What values of web applications were told at the end of their sessions. All applications of this
 * JVM see this class, other than theirs, and so does the test.
 */
public final class Departures {

  private static final Map<String, Set<ClassLoader>> LOADERS = new ConcurrentHashMap<>();

  private Departures() {}

  /** A value has been told: it is made of these objects. */
  public static void note(String name, Object... parts) {
    LOADERS.put(
        name,
        Stream.of(parts).map(part -> part.getClass().getClassLoader()).collect(Collectors.toSet()));
  }

  /** Whose classes the value was of that has been told. */
  static Set<ClassLoader> loaders(String name) {
    return LOADERS.getOrDefault(name, Set.of());
  }

  /** Lets go of the class loaders. */
  static void forget() {
    LOADERS.clear();
  }
}
