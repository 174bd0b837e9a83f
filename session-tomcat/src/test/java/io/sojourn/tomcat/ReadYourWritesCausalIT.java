package io.sojourn.tomcat;

import io.sojourn.InMemorySessionStore;
import io.sojourn.SessionPolicy;
import io.sojourn.SessionStore;

/** The client is told the version that it has seen, whatever way its response goes. */
class ReadYourWritesCausalIT extends ReadYourWritesContract {

  private final SessionStore store = new InMemorySessionStore();

  @Override
  SessionStore open(String application) {
    return store;
  }

  /** What is stored when is the same as with strict freshness. */
  @Override
  long momentMillis() {
    return 0;
  }

  @Override
  SessionPolicy.Freshness freshness() {
    return SessionPolicy.Freshness.CAUSAL;
  }
}
