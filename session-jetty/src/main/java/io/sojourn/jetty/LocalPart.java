package io.sojourn.jetty;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * What this node knows of a session beside what is stored: it is there as long as this node's copy.
 *
 * <p>Thread-safe.
 */
final class LocalPart {

  private final ConcurrentMap<String, Object> attributes = new ConcurrentHashMap<>();
  private final ConcurrentMap<JettyAttribute, Known> known = new ConcurrentHashMap<>();
  private volatile @Nullable Long cookieNanos;

  /**
   * An object of Jetty's, which other nodes know only as far as it is stored.
   *
   * @param stored the attribute that says so; as long as it is the same object, no other node has
   *     changed it
   */
  private record Known(Object stored, Object value) {}

  /** Whether a value is an object of Jetty's own, which refers to this server. */
  static boolean staysHere(Object value) {
    return value.getClass().getName().startsWith("org.eclipse.jetty.");
  }

  void know(JettyAttribute attribute, Object stored, Object value) {
    known.put(attribute, new Known(stored, value));
  }

  /** The object of Jetty's that is stored in this form; null if it is none of ours. */
  @Nullable Object known(JettyAttribute attribute, Object stored) {
    Known present = known.get(attribute);
    if (present != null && present.stored == stored) {
      return present.value;
    }
    Object value = attribute.fromStored(stored);
    if (value != null) {
      know(attribute, stored, value);
    }
    return value;
  }

  @Nullable Object get(String name) {
    return attributes.get(name);
  }

  @Nullable Object put(String name, Object value) {
    return attributes.put(name, value);
  }

  @Nullable Object remove(String name) {
    return attributes.remove(name);
  }

  Set<String> names() {
    return attributes.keySet();
  }

  void cookieSent() {
    cookieNanos = System.nanoTime();
  }

  /** How long ago this node sent the client a cookie; long if it never has. */
  Duration sinceCookie() {
    Long sent = cookieNanos;
    return sent == null
        ? Duration.ofSeconds(Long.MAX_VALUE)
        : Duration.ofNanos(System.nanoTime() - sent);
  }
}
