package io.sojourn.demo;

import java.io.Serial;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * What a visitor wants to buy: an attribute of the session as applications have them, a plain
 * serializable object that is changed in place. Thread-safe, as requests of one session may run
 * side by side.
 */
final class Cart implements Serializable {

  @Serial private static final long serialVersionUID = 1L;

  private final ArrayList<String> items = new ArrayList<>();
  private String lastWrittenOn = "";

  synchronized void add(String item, String node) {
    items.add(item);
    lastWrittenOn = node;
  }

  synchronized List<String> items() {
    return List.copyOf(items);
  }

  /** The node that added the last item; empty in a new cart. */
  synchronized String lastWrittenOn() {
    return lastWrittenOn;
  }
}
