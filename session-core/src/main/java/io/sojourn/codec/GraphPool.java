package io.sojourn.codec;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Graphs that wait to be used again, each by one thread at a time. Thread-safe: a thread begins to
 * look at a place of its own, so that threads seldom meet.
 */
final class GraphPool {

  private static final int MOST = 16;

  private final AtomicReferenceArray<@Nullable Graph> free = new AtomicReferenceArray<>(MOST);
  private final Supplier<Graph> factory;

  GraphPool(Supplier<Graph> factory) {
    this.factory = factory;
  }

  /** One for the caller alone. */
  Graph obtain() {
    int first = place();
    for (int i = 0; i < MOST; i++) {
      int place = (first + i) % MOST;
      if (free.get(place) != null) {
        Graph graph = free.getAndSet(place, null);
        if (graph != null) {
          return graph;
        }
      }
    }
    return factory.get();
  }

  /** Takes one back that is as good as new. */
  void free(Graph graph) {
    int first = place();
    for (int i = 0; i < MOST; i++) {
      if (free.compareAndSet((first + i) % MOST, null, graph)) {
        return;
      }
    }
  }

  private static int place() {
    return Math.floorMod(Thread.currentThread().hashCode(), MOST);
  }
}
