package io.sojourn.tomcat;

import java.security.Principal;
import java.util.Collections;
import java.util.Enumeration;
import org.apache.catalina.session.StandardSession;
import org.jspecify.annotations.Nullable;

/**
 * A session as Tomcat's manager application and its like get to see it, which look through all that
 * {@link SojournManager#findSessions} answers: what this node knows of it. To look at it is no
 * access and asks the store nothing; what is changed in it is changed in the session.
 *
 * <p>Thread-safe as {@link StandardSession} is.
 */
final class ListedSession extends StandardSession {

  private static final long serialVersionUID = 1L;

  private final transient SojournSession session;
  private transient volatile boolean judgedByIdleTime;

  ListedSession(SojournManager manager, SojournSession session) {
    super(manager);
    this.session = session;
    id = session.getIdInternal();
    isValid = true;
    creationTime = session.live().creationTime().toEpochMilli();
    lastAccessedTime = session.live().lastAccessTime().toEpochMilli();
    thisAccessedTime = session.live().thisAccessTime().toEpochMilli();
    maxInactiveInterval = session.getMaxInactiveInterval();
  }

  @Override
  public boolean isValid() {
    return session.isValid();
  }

  @Override
  public @Nullable Object getAttribute(String name) {
    return session.peek(name);
  }

  @Override
  public Enumeration<String> getAttributeNames() {
    return Collections.enumeration(session.names());
  }

  @Override
  public @Nullable Principal getPrincipal() {
    return session.getPrincipal();
  }

  @Override
  public @Nullable String getAuthType() {
    return session.getAuthType();
  }

  @Override
  public void setMaxInactiveInterval(int interval) {
    super.setMaxInactiveInterval(interval);
    session.setMaxInactiveInterval(interval);
  }

  @Override
  public void setAttribute(String name, @Nullable Object value, boolean notify) {
    session.setAttribute(name, value, notify);
  }

  @Override
  public void removeAttribute(String name, boolean notify) {
    session.removeAttribute(name, notify);
  }

  @Override
  public long getIdleTimeInternal() {
    judgedByIdleTime = true;
    return super.getIdleTimeInternal();
  }

  /**
   * Ends the session, unless that is because it has been idle for so long here while it was in use
   * on another node.
   */
  @Override
  public void expire(boolean notify) {
    if (!judgedByIdleTime || !session.isUsedSince(thisAccessedTime)) {
      session.expire(notify);
    }
  }

  @Override
  public String toString() {
    return session.toString();
  }
}
