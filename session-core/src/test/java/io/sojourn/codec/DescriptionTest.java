package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the codecs are measured by sees what could be lost. */
class DescriptionTest {

  private static void differ(Object... values) {
    assertThat(values).extracting(Description::of).doesNotHaveDuplicates();
  }

  private static <M extends Map<String, Object>> M filled(M map, String... keys) {
    for (String key : keys) {
      map.put(key, "value");
    }
    return map;
  }

  @Test
  void theOrderOfAccess() {
    differ(
        filled(new LinkedHashMap<>(), "a", "b"),
        filled(new LinkedHashMap<>(16, 0.75f, true), "a", "b"),
        filled(new LinkedHashMap<>(), "b", "a"),
        filled(new HashMap<>(), "a", "b"));
    differ(new LinkedHashMap<>(), new LinkedHashMap<>(16, 0.75f, true));
    Map<String, Object> map = filled(new LinkedHashMap<>(16, 0.75f, true), "a", "b", "c");
    String before = Description.of(map);
    assertThat(Description.of(map)).isEqualTo(before);
    assertThat(map.keySet()).containsExactly("a", "b", "c");
  }

  static final class Tagged extends HashMap<String, Object> {
    private static final long serialVersionUID = 1L;
    final String tag;

    Tagged(String tag) {
      this.tag = tag;
    }
  }

  static final class TaggedException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    final String tag;

    TaggedException(String tag, Throwable cause) {
      super("message", cause);
      this.tag = tag;
      setStackTrace(new StackTraceElement[0]);
    }
  }

  @Test
  void fieldsOfSubclasses() {
    differ(new Tagged("one"), new Tagged("other"), new HashMap<>());
    RuntimeException cause = new TaggedException("cause", new IllegalStateException());
    RuntimeException cause2 = new TaggedException("cause 2", new IllegalStateException());
    differ(
        new TaggedException("one", cause),
        new TaggedException("other", cause),
        new TaggedException("one", cause2));
  }

  @Test
  void theOrderOfSetsAndOfQueues() {
    Set<String> one = new Samples.NamedOrder();
    Collections.addAll(one, "a", "b");
    Set<String> other = new Samples.NamedOrder();
    Collections.addAll(other, "b", "a");
    differ(one, other);
    differ(new PriorityQueue<String>(), new PriorityQueue<String>(Comparator.naturalOrder()));
  }

  @Test
  void whatIsTheSameObjectAndWhatOnlyEqualsIt() {
    List<Object> shared = new ArrayList<>();
    differ(List.of(shared, shared), List.of(shared, new ArrayList<>()));
  }
}
