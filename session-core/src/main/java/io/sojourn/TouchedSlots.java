package io.sojourn;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.List;

/**
 * The slots of one session that a flush has to look at, each once. Thread-safe.
 *
 * <p>A request touches few of them, most of them again and again: to see that one is listed already
 * takes no look-up.
 */
final class TouchedSlots {

  @GuardedBy("this")
  private final List<AttributeSlot> slots = new ArrayList<>(4);

  synchronized void add(AttributeSlot slot) {
    if (!slot.isListed) {
      slot.isListed = true;
      slots.add(slot);
    }
  }

  synchronized boolean isEmpty() {
    return slots.isEmpty();
  }

  /** All that there are now. */
  synchronized List<AttributeSlot> all() {
    return List.copyOf(slots);
  }

  /** All that there are now, and that are not listed any more. */
  synchronized List<AttributeSlot> takeAll() {
    List<AttributeSlot> taken = List.copyOf(slots);
    for (AttributeSlot slot : taken) {
      slot.isListed = false;
    }
    slots.clear();
    return taken;
  }
}
