package io.sojourn.testkit;

import io.sojourn.SessionStore;
import java.util.function.Consumer;

/** A store whose calls can be watched, and held up. Thread-safe if the observer is. */
public final class ObservedStore extends InterceptedStore {

  private volatile Consumer<String> observer = operation -> {};

  /** Lets every call through to this store. */
  public ObservedStore(SessionStore inner) {
    super(inner);
  }

  /**
   * Has each call go by this observer before it reaches the store.
   *
   * @param watching told the method's name
   */
  public void observe(Consumer<String> watching) {
    observer = watching;
  }

  @Override
  void before(String operation) {
    observer.accept(operation);
  }
}
