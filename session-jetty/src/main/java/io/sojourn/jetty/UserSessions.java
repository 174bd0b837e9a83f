package io.sojourn.jetty;

import io.sojourn.SessionKey;

/** A context's sessions by their users. Thread-safe. */
final class UserSessions implements UserSessionsMXBean {

  private final String application;
  private final SojournSessionCache cache;

  UserSessions(String application, SojournSessionCache cache) {
    this.application = application;
    this.cache = cache;
  }

  @Override
  public String getApplication() {
    return application;
  }

  @Override
  public String[] listSessionsOf(String user) {
    return cache.sessionsOf(user).stream().map(SessionKey::hex).toArray(String[]::new);
  }

  @Override
  public int expireSessionsOf(String user) {
    return cache.endSessionsOf(user);
  }
}
