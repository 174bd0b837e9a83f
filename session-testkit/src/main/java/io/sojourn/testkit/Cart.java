package io.sojourn.testkit;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** What applications keep in sessions: an object that is changed in place. Not thread-safe. */
final class Cart implements Serializable {

  private static final long serialVersionUID = 1L;

  private final ArrayList<String> items = new ArrayList<>();

  void add(String item) {
    items.add(item);
  }

  List<String> items() {
    return items;
  }

  /** The items, with commas between. */
  @Override
  public String toString() {
    return String.join(",", items);
  }
}
