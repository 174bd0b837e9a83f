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
  private volatile @Nullable Long cookieNanos;

  /** Whether a value is an object of Jetty's own, which refers to this server. */
  static boolean staysHere(Object value) {
    return value.getClass().getName().startsWith("org.eclipse.jetty.");
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
