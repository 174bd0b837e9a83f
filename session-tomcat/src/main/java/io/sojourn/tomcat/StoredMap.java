package io.sojourn.tomcat;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A map as it came out of the store, where anything may be: what is taken out of it is checked. */
final class StoredMap {

  private final Map<?, ?> map;

  private StoredMap(Map<?, ?> map) {
    this.map = map;
  }

  /**
   * A decoded attribute as a map.
   *
   * @throws IllegalArgumentException if it is none
   */
  static StoredMap of(Object decoded) {
    if (decoded instanceof Map<?, ?> map) {
      return new StoredMap(map);
    }
    throw new IllegalArgumentException("it is no map but a " + decoded.getClass().getName());
  }

  /**
   * What is under this key; null if nothing.
   *
   * @throws IllegalArgumentException if it is of another type
   */
  <T> @Nullable T get(String key, Class<T> type) {
    Object value = map.get(key);
    if (value != null && !type.isInstance(value)) {
      throw new IllegalArgumentException("its '" + key + "' is a " + value.getClass().getName());
    }
    return type.cast(value);
  }
}
