package io.sojourn.codec;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Date;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.concurrent.CopyOnWriteArraySet;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * An object graph as text: classes, contents, order where there is one, and which objects are the
 * same. Two graphs with one description are equal for an application.
 */
@SuppressWarnings({"JavaUtilDate", "JdkObsolete"})
final class Description {

  private final IdentityHashMap<Object, Integer> seen = new IdentityHashMap<>();

  private Description() {}

  static String of(@Nullable Object object) {
    return new Description().describe(object);
  }

  private String describe(@Nullable Object object) {
    if (object == null) {
      return "null";
    }
    Class<?> type = object.getClass();
    if (object instanceof String
        || object instanceof Enum
        || (object instanceof Comparable
            && type.getName().startsWith("java.")
            && !(object instanceof Date))) {
      return type.getName() + ":" + object;
    }
    Integer number = seen.putIfAbsent(object, seen.size());
    if (number != null) {
      return "#" + number;
    }
    String name = Proxy.isProxyClass(type) ? "proxy" : type.getName();
    if (type.isArray()) {
      List<String> elements = new ArrayList<>();
      for (int i = 0; i < Array.getLength(object); i++) {
        elements.add(describe(Array.get(object, i)));
      }
      return name + elements;
    }
    if (object instanceof Map<?, ?> map) {
      boolean ordered =
          map instanceof LinkedHashMap || map instanceof SortedMap || map instanceof EnumMap;
      String comparator =
          map instanceof SortedMap<?, ?> sorted ? describe(sorted.comparator()) : "";
      String order = map instanceof LinkedHashMap ? order(map) : "";
      List<Map.Entry<?, ?>> entries = new ArrayList<>(map.entrySet());
      if (!ordered) {
        entries.sort(Comparator.comparing(entry -> String.valueOf(entry.getKey())));
      }
      return name
          + comparator
          + order
          + entries.stream().map(e -> describe(e.getKey()) + "=" + describe(e.getValue())).toList()
          + fields(object, type);
    }
    if (object instanceof Collection<?> collection) {
      boolean ordered =
          !(collection instanceof Set)
              || collection instanceof SortedSet
              || collection instanceof LinkedHashSet
              || collection instanceof CopyOnWriteArraySet
              || collection instanceof EnumSet;
      String comparator =
          collection instanceof SortedSet<?> sorted
              ? describe(sorted.comparator())
              : collection instanceof PriorityQueue<?> queue ? describe(queue.comparator()) : "";
      List<Object> elements = new ArrayList<>(collection);
      if (!ordered) {
        elements.sort(Comparator.comparing(String::valueOf));
      }
      return name
          + comparator
          + elements.stream().map(this::describe).toList()
          + fields(object, type);
    }
    if (object instanceof Date date) {
      return name + date.getTime() + date + fields(object, type);
    }
    if (Proxy.isProxyClass(type)) {
      return name + List.of(type.getInterfaces()) + describe(Proxy.getInvocationHandler(object));
    }
    if (object instanceof Throwable throwable) {
      return name
          + throwable.getMessage()
          + List.of(throwable.getStackTrace())
          + describe(throwable.getCause())
          + describe(throwable.getSuppressed())
          + fields(object, type);
    }
    if (object instanceof Map.Entry<?, ?> entry) {
      return name + describe(entry.getKey()) + "=" + describe(entry.getValue());
    }
    if (object instanceof AtomicReference<?> reference) {
      return name + describe(reference.get());
    }
    if (type.getName().startsWith("java.")) {
      return name + ":" + (object.toString().contains("@") ? "" : object);
    }
    return name + fields(object, type);
  }

  /** Whether a read moves an entry of it to the end; on a copy, since that changes it. */
  @SuppressWarnings("unchecked")
  private static String order(Map<?, ?> linked) {
    Map<Object, Object> copy = (Map<Object, Object>) ((LinkedHashMap<?, ?>) linked).clone();
    copy.clear();
    copy.put("first", "");
    copy.put("last", "");
    copy.get("first");
    return copy.keySet().toString();
  }

  private String fields(Object object, Class<?> type) {
    StringBuilder text = new StringBuilder();
    for (Class<?> c = type; c != null; c = c.getSuperclass()) {
      for (Field field : c.getDeclaredFields()) {
        if (!Modifier.isStatic(field.getModifiers()) && !c.getName().startsWith("java.")) {
          try {
            field.setAccessible(true);
            text.append(field.getName())
                .append('=')
                .append(describe(field.get(object)))
                .append(' ');
          } catch (IllegalAccessException | InaccessibleObjectException e) {
            throw new AssertionError(e);
          }
        }
      }
    }
    return "(" + text + ")";
  }
}
