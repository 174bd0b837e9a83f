package io.sojourn.testkit;

import java.io.Serializable;

/**
 * What applications keep in sessions: an object that is changed in place. Thread-safe, also while
 * it is encoded, so that requests of a session may change it at once.
 */
final class Cart implements Serializable {

  private static final long serialVersionUID = 1L;

  private volatile String items = "";

  synchronized void add(String item) {
    items = items.isEmpty() ? item : items + "," + item;
  }

  /** The items, with commas between. */
  @Override
  public String toString() {
    return items;
  }
}
