package io.sojourn.tomcat;

import io.sojourn.LiveSession;
import java.util.AbstractMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * A live session's attributes as the map that {@link org.apache.catalina.session.StandardSession}
 * works on. Those that the adapter keeps for itself, under names that begin with {@link #RESERVED},
 * are not among them.
 *
 * <p>Thread-safe as far as the live session is. The compound operations that Tomcat does not use
 * are not atomic.
 */
final class AttributeMap extends AbstractMap<String, Object>
    implements ConcurrentMap<String, Object> {

  /** What the names begin with that belong to the adapter and not to the application. */
  static final String RESERVED = "io.sojourn.";

  private final LiveSession live;
  private final Runnable changed;
  private final BiPredicate<String, Object> staysHere;

  /**
   * What the store does not get: it is there as long as this node's copy of the session. Empty for
   * most sessions, which do without a map of their own.
   */
  private volatile Map<String, Object> kept = Map.of();

  /**
   * A view of this session.
   *
   * @param changed told after each set and removal
   * @param staysHere which attributes are kept from the store
   */
  AttributeMap(LiveSession live, Runnable changed, BiPredicate<String, Object> staysHere) {
    this.live = live;
    this.changed = changed;
    this.staysHere = staysHere;
  }

  private static boolean isReserved(String name) {
    return name.startsWith(RESERVED);
  }

  /**
   * Refuses a name that is not the application's to set.
   *
   * @throws IllegalArgumentException if it is the adapter's
   */
  static void checkSettable(String name) {
    if (isReserved(name)) {
      throw new IllegalArgumentException(
          "Session attribute '"
              + name
              + "' cannot be set: names that begin with "
              + RESERVED
              + " are Sojourn's own");
    }
  }

  @Override
  public @Nullable Object get(@Nullable Object name) {
    if (!(name instanceof String text) || isReserved(text)) {
      return null;
    }
    Object here = kept.get(text);
    return here == null ? live.attribute(text) : here;
  }

  /** An attribute for somebody who does not change it; null if it cannot be decoded, too. */
  @Nullable Object peek(String name) {
    if (isReserved(name)) {
      return null;
    }
    Object here = kept.get(name);
    return here == null ? live.peek(name) : here;
  }

  private synchronized void keep(String name, Object value) {
    if (kept.isEmpty()) {
      kept = new ConcurrentHashMap<>();
    }
    kept.put(name, value);
  }

  private synchronized @Nullable Object noMoreKept(String name) {
    return kept.isEmpty() ? null : kept.remove(name);
  }

  @Override
  public boolean containsKey(@Nullable Object name) {
    return name instanceof String text
        && !isReserved(text)
        && (kept.containsKey(text) || live.hasAttribute(text));
  }

  @Override
  public @Nullable Object put(String name, Object value) {
    checkSettable(name);
    Object here = noMoreKept(name);
    Object previous;
    if (staysHere.test(name, value)) {
      // Other nodes are not to go on with what it was.
      previous = live.removeAttribute(name);
      keep(name, value);
    } else {
      previous = live.setAttribute(name, value);
    }
    changed.run();
    return here == null ? previous : here;
  }

  @Override
  public @Nullable Object remove(@Nullable Object name) {
    if (!(name instanceof String text) || isReserved(text)) {
      return null;
    }
    Object here = noMoreKept(text);
    Object previous = live.removeAttribute(text);
    changed.run();
    return here == null ? previous : here;
  }

  /** The names: a snapshot. */
  @Override
  public Set<String> keySet() {
    Set<String> names = live.attributeNames();
    names.removeIf(AttributeMap::isReserved);
    names.addAll(kept.keySet());
    return names;
  }

  /** Decodes every attribute: a snapshot. */
  @Override
  public Set<Entry<String, Object>> entrySet() {
    Map<String, Object> values = new LinkedHashMap<>();
    for (String name : keySet()) {
      Object value = get(name);
      if (value != null) {
        values.put(name, value);
      }
    }
    return values.entrySet();
  }

  @Override
  public int size() {
    return keySet().size();
  }

  @Override
  public void clear() {
    keySet().forEach(this::remove);
  }

  @Override
  public @Nullable Object putIfAbsent(String name, Object value) {
    Object present = get(name);
    return present == null ? put(name, value) : present;
  }

  @Override
  public boolean remove(@Nullable Object name, @Nullable Object value) {
    boolean same = value != null && Objects.equals(get(name), value);
    if (same) {
      remove(name);
    }
    return same;
  }

  @Override
  public boolean replace(String name, Object oldValue, Object newValue) {
    boolean same = oldValue.equals(get(name));
    if (same) {
      put(name, newValue);
    }
    return same;
  }

  @Override
  public @Nullable Object replace(String name, Object value) {
    return containsKey(name) ? put(name, value) : null;
  }
}
