package io.sojourn.testkit;

import io.sojourn.SessionStore;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A store that counts its calls. Thread-safe. */
public final class CountingStore extends InterceptedStore {

  private final Map<String, Integer> calls = new TreeMap<>();
  private final AtomicInteger refusedLeases = new AtomicInteger();

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

  @Override
  void leased(Lease answer) {
    if (answer == Lease.BUSY) {
      refusedLeases.incrementAndGet();
    }
  }

  /** How often somebody asked for a lease that another one had. */
  int refusedLeases() {
    return refusedLeases.get();
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
