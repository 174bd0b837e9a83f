package io.sojourn.testkit;

import io.sojourn.InMemorySessionStore;
import io.sojourn.SessionStore;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/** The contract in its simplest form. The nodes of one application share one store. */
class InMemorySessionStoreTest extends SessionStoreContract {

  private final Map<String, SessionStore> stores = new HashMap<>();

  @Override
  protected SessionStore open(String application, Supplier<Duration> clockOffset) {
    return stores.computeIfAbsent(application, name -> new InMemorySessionStore(clockOffset));
  }

  /** Memory is always there until it is closed. */
  @Override
  protected SessionStore openUnreachable() {
    SessionStore closed = new InMemorySessionStore();
    closed.close();
    return closed;
  }
}
