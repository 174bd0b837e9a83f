package io.sojourn;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The slots of one session that a flush has to look at, each once. Thread-safe.
 *
 * <p>A request touches few of them, most of them again and again: to see that one is listed already
 * takes no look-up. Each leads to the next one, so that nothing else is fetched to list it.
 */
final class TouchedSlots {

  @GuardedBy("this")
  private @Nullable AttributeSlot first;

  synchronized void add(AttributeSlot slot) {
    if (!slot.isListed) {
      slot.isListed = true;
      slot.nextListed = first;
      first = slot;
    }
  }

  synchronized boolean isEmpty() {
    return first == null;
  }

  /** All that there are now. */
  synchronized List<AttributeSlot> all() {
    AttributeSlot only = first;
    if (only == null) {
      return List.of();
    }
    if (only.nextListed == null) {
      return List.of(only);
    }
    List<AttributeSlot> all = new ArrayList<>();
    for (AttributeSlot slot = only; slot != null; slot = slot.nextListed) {
      all.add(slot);
    }
    return all;
  }

  /** Takes all that there are now off the list, each before it is told. */
  synchronized void takeAll(Consumer<AttributeSlot> told) {
    AttributeSlot next = first;
    first = null;
    while (next != null) {
      AttributeSlot slot = next;
      next = slot.nextListed;
      slot.nextListed = null;
      slot.isListed = false;
      told.accept(slot);
    }
  }
}
