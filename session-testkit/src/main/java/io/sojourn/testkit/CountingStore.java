package io.sojourn.testkit;

import io.sojourn.SessionStore;
import java.util.Map;
import java.util.TreeMap;

/** A store that counts its calls. Thread-safe. */
public final class CountingStore extends InterceptedStore {

  private final Map<String, Integer> calls = new TreeMap<>();

  /** Counts the calls of this store. */
  public CountingStore(SessionStore inner) {
    super(inner);
  }

  @Override
  void before(String operation) {
    synchronized (calls) {
      calls.merge(operation, 1, Integer::sum);
    }
  }

  /** The calls since the last time this was asked, by method name. */
  public Map<String, Integer> takeCalls() {
    synchronized (calls) {
      Map<String, Integer> taken = Map.copyOf(calls);
      calls.clear();
      return taken;
    }
  }
}
