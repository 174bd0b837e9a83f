package io.sojourn.testkit;

import io.sojourn.ChangeListener;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A store whose calls can be watched, and held up. Thread-safe if the observer is. */
public final class ObservedStore extends InterceptedStore {

  private volatile Consumer<String> observer = operation -> {};

  /** Lets every call through to this store. */
  public ObservedStore(SessionStore inner) {
    super(inner);
  }

  /**
   * Has each call go by this observer before it reaches the store, and what the store tells of
   * changes after it has been told.
   *
   * @param watching told the method's name
   */
  public void observe(Consumer<String> watching) {
    observer = watching;
  }

  @Override
  public @Nullable Runnable watch(ChangeListener listener) {
    return super.watch(
        new ChangeListener() {
          @Override
          public void watching() {
            listener.watching();
            observer.accept("watching");
          }

          @Override
          public void changed(SessionKey origin) {
            listener.changed(origin);
            observer.accept("changed");
          }

          @Override
          public void lost() {
            listener.lost();
            observer.accept("lost");
          }

          @Override
          public void refused(String why) {
            listener.refused(why);
            observer.accept("refused");
          }
        });
  }

  @Override
  void before(String operation) {
    observer.accept(operation);
  }
}
