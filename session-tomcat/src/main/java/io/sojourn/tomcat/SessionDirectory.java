package io.sojourn.tomcat;

import java.util.AbstractMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.apache.catalina.Session;
import org.jspecify.annotations.Nullable;

/**
 * The sessions as the operations for JMX see them that {@link
 * org.apache.catalina.session.ManagerBase} has: listed are those of this node, by their keys, since
 * an id would open its session. Found is any of the store's, by key or id.
 *
 * <p>Thread-safe. The manager that it belongs to changes it, nobody else.
 */
final class SessionDirectory extends AbstractMap<String, Session> {

  private final SojournManager manager;

  SessionDirectory(SojournManager manager) {
    this.manager = manager;
  }

  @Override
  public @Nullable Session get(@Nullable Object keyOrId) {
    return keyOrId instanceof String text ? manager.look(text) : null;
  }

  @Override
  public boolean containsKey(@Nullable Object keyOrId) {
    return get(keyOrId) != null;
  }

  @Override
  public Set<Entry<String, Session>> entrySet() {
    Map<String, Session> sessions = new LinkedHashMap<>();
    for (SojournSession session : manager.sessionsHere()) {
      sessions.put(session.live().key().hex(), new ListedSession(manager, session));
    }
    return sessions.entrySet();
  }

  /** Nothing to do: what has ended is not among them. */
  @Override
  public @Nullable Session remove(@Nullable Object id) {
    return null;
  }
}
