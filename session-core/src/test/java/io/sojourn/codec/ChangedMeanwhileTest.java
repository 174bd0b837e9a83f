package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.AttributeCodec;
import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A collection that another thread changes while it is encoded: tried again, then a clear error,
 * and never bytes that hold half of it.
 */
@Tag("R44")
@SuppressWarnings({"JdkObsolete", "IdentityHashMapUsage", "serial"})
class ChangedMeanwhileTest {

  private static final ClassLoader LOADER = ChangedMeanwhileTest.class.getClassLoader();
  private static final ClassFilter FILTER = ClassFilter.of("io.sojourn.codec.*");

  /** Changes what it is in when it is encoded, as another thread would at that moment. */
  static final class Meddler implements Serializable {
    private final transient Runnable change;
    private final transient int times;
    private transient int done;

    Meddler(int times, Runnable change) {
      this.times = times;
      this.change = change;
    }

    /** So that a hash container has it in front. */
    @Override
    public int hashCode() {
      return 0;
    }

    @Override
    public boolean equals(Object other) {
      return this == other;
    }

    private void writeObject(ObjectOutputStream out) throws IOException {
      if (done++ < times) {
        change.run();
      }
      out.defaultWriteObject();
    }
  }

  static Stream<Object> containers() {
    return Stream.of(
        new ArrayList<>(),
        new LinkedList<>(),
        new HashSet<>(),
        new HashMap<>(),
        new LinkedHashMap<>(),
        new TreeMap<>());
  }

  /** These may write what they had when it began. */
  static Stream<Object> moreContainers() {
    return Stream.concat(containers(), Stream.of(new ArrayDeque<>(), new IdentityHashMap<>()));
  }

  @SuppressWarnings("unchecked")
  private static void fill(Object container, int meddling) {
    Runnable change = () -> put(container, "another " + size(container));
    for (int i = 0; i < 3; i++) {
      put(container, "text " + i);
    }
    Meddler meddler = new Meddler(meddling, change);
    if (container instanceof Map<?, ?>) {
      ((Map<Object, Object>) container).put("", meddler);
    } else {
      ((Collection<Object>) container).add(meddler);
    }
    put(container, "last");
  }

  @SuppressWarnings("unchecked")
  private static void put(Object container, Object element) {
    if (container instanceof Map<?, ?>) {
      ((Map<Object, Object>) container).put(element, element);
    } else {
      ((Collection<Object>) container).add(element);
    }
  }

  private static int size(Object container) {
    return container instanceof Map<?, ?> map ? map.size() : ((Collection<?>) container).size();
  }

  @ParameterizedTest
  @MethodSource("moreContainers")
  void whatIsChangedOnceIsStoredWhole(Object container) {
    fill(container, 1);
    int before = size(container);
    for (AttributeCodec codec :
        List.of(new KryoCodec(LOADER, FILTER), new JavaCodec(LOADER, FILTER))) {
      EncodedValue encoded = codec.encode(container);

      assertThat(size(container)).isEqualTo(before + 1);
      assertThat(size(codec.decode(encoded))).isBetween(before, before + 1);
    }
  }

  @ParameterizedTest
  @MethodSource("containers")
  void whatGoesOnChangingIsAClearError(Object container) {
    fill(container, Integer.MAX_VALUE);
    for (AttributeCodec codec :
        List.of(new KryoCodec(LOADER, FILTER), new JavaCodec(LOADER, FILTER))) {
      assertThatThrownBy(() -> codec.encode(container))
          .isInstanceOf(EncodeException.class)
          .hasMessageContaining(container.getClass().getName())
          .hasMessageContaining("another thread");
    }
  }

  private static final int LEAST = 20;
  private static final int MOST = 40;
  private static final int ENCODES = 3_000;

  /** Without a hook, so that the fast form stores them. */
  static Stream<Object> plainContainers() {
    return Stream.of(new ArrayList<>(), new HashMap<>(), new TreeMap<>());
  }

  private static void remove(Object container, String element) {
    if (container instanceof Map<?, ?> map) {
      map.remove(element);
    } else {
      ((Collection<?>) container).remove(element);
    }
  }

  private static String element(int i) {
    return "text " + i;
  }

  /** Lets it grow and shrink between the limits. */
  private static void changeUntil(AtomicBoolean done, Object container, AtomicInteger changes) {
    while (!done.get()) {
      IntStream.range(LEAST, MOST).forEach(i -> put(container, element(i)));
      LockSupport.parkNanos(20_000);
      IntStream.range(LEAST, MOST).forEach(i -> remove(container, element(i)));
      LockSupport.parkNanos(20_000);
      changes.addAndGet(2 * (MOST - LEAST));
    }
  }

  private static void assertWhole(Object container) {
    assertThat(size(container)).isBetween(LEAST, MOST);
    Collection<?> elements =
        container instanceof Map<?, ?> map ? map.keySet() : (Collection<?>) container;
    List<String> possible = IntStream.range(0, MOST).mapToObj(i -> element(i)).toList();
    assertThat(possible.containsAll(elements)).as("%s", elements).isTrue();
    assertThat(elements.containsAll(possible.subList(0, LEAST))).as("%s", elements).isTrue();
    assertThat(elements).doesNotHaveDuplicates();
    if (container instanceof Map<?, ?> map) {
      assertThat(map.entrySet()).allMatch(entry -> entry.getKey().equals(entry.getValue()));
    }
  }

  @ParameterizedTest
  @MethodSource("plainContainers")
  void whatAnotherThreadChangesIsStoredWholeOrNotAtAll(Object container) throws Exception {
    AttributeCodec codec = new KryoCodec(LOADER, FILTER);
    IntStream.range(0, LEAST).forEach(i -> put(container, element(i)));
    AtomicBoolean done = new AtomicBoolean();
    AtomicInteger changes = new AtomicInteger();
    Thread other = new Thread(() -> changeUntil(done, container, changes));
    other.start();
    try {
      for (int i = 0; i < ENCODES || (changes.get() < ENCODES && other.isAlive()); i++) {
        EncodedValue encoded;
        try {
          encoded = codec.encode(container);
        } catch (EncodeException changedTooOften) {
          continue;
        }
        assertThat((int) encoded.bytes()[0]).isEqualTo(1);
        assertWhole(codec.decode(encoded));
      }
    } finally {
      done.set(true);
      other.join();
    }

    assertThat(changes).hasValueGreaterThanOrEqualTo(ENCODES);
    assertThat(codec.decode(codec.encode(container))).isEqualTo(container);
  }
}
