package io.sojourn.tomcat;

import io.sojourn.InMemorySessionStore;
import io.sojourn.SessionStore;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

class TomcatMemoryIT extends TomcatContract {

  private @Nullable SessionStore shared;

  @Override
  protected SessionStore open(String application, Supplier<Duration> clock) {
    SessionStore store = shared;
    if (store == null) {
      store = new InMemorySessionStore(clock);
      shared = store;
    }
    return store;
  }
}
