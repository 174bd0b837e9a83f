package io.sojourn.tomcat;

import io.sojourn.LiveSession;
import java.util.AbstractMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * A live session's attributes as the map that {@link org.apache.catalina.session.StandardSession}
 * works on.
 *
 * <p>Thread-safe as far as the live session is. The compound operations that Tomcat does not use
 * are not atomic.
 */
final class AttributeMap extends AbstractMap<String, Object>
    implements ConcurrentMap<String, Object> {

  private final LiveSession live;
  private final Runnable changed;

  /**
   * A view of this session.
   *
   * @param changed told after each set and removal
   */
  AttributeMap(LiveSession live, Runnable changed) {
    this.live = live;
    this.changed = changed;
  }

  @Override
  public @Nullable Object get(@Nullable Object name) {
    return name instanceof String text ? live.attribute(text) : null;
  }

  @Override
  public boolean containsKey(@Nullable Object name) {
    return name instanceof String text && live.hasAttribute(text);
  }

  @Override
  public @Nullable Object put(String name, Object value) {
    Object previous = live.setAttribute(name, value);
    changed.run();
    return previous;
  }

  @Override
  public @Nullable Object remove(@Nullable Object name) {
    if (!(name instanceof String text)) {
      return null;
    }
    Object previous = live.removeAttribute(text);
    changed.run();
    return previous;
  }

  /** The names: a snapshot. */
  @Override
  public Set<String> keySet() {
    return live.attributeNames();
  }

  /** Decodes every attribute: a snapshot. */
  @Override
  public Set<Entry<String, Object>> entrySet() {
    Map<String, Object> values = new LinkedHashMap<>();
    for (String name : live.attributeNames()) {
      Object value = live.attribute(name);
      if (value != null) {
        values.put(name, value);
      }
    }
    return values.entrySet();
  }

  @Override
  public int size() {
    return live.attributeNames().size();
  }

  @Override
  public void clear() {
    live.attributeNames().forEach(this::remove);
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
