package io.sojourn.tomcat;

import java.util.ArrayList;
import java.util.List;
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

  /**
   * What has to be under this key.
   *
   * @throws IllegalArgumentException if it is not there or of another type
   */
  <T> T require(String key, Class<T> type) {
    T value = get(key, type);
    if (value == null) {
      throw new IllegalArgumentException("it has no '" + key + "'");
    }
    return value;
  }

  /**
   * The texts under this key; none if it is not there.
   *
   * @throws IllegalArgumentException if it is of another type, or one is null
   */
  List<String> texts(String key) {
    String[] texts = get(key, String[].class);
    if (texts == null) {
      return List.of();
    }
    List<String> list = new ArrayList<>();
    for (@Nullable String text : texts) {
      if (text == null) {
        throw new IllegalArgumentException("its '" + key + "' has a null");
      }
      list.add(text);
    }
    return list;
  }
}
