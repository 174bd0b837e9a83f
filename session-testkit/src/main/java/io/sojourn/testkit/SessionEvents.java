package io.sojourn.testkit;

import jakarta.servlet.http.HttpSessionAttributeListener;
import jakarta.servlet.http.HttpSessionBindingEvent;
import jakarta.servlet.http.HttpSessionEvent;
import jakarta.servlet.http.HttpSessionIdListener;
import jakarta.servlet.http.HttpSessionListener;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Writes down what one server tells its session listeners. Thread-safe. */
public final class SessionEvents
    implements HttpSessionListener, HttpSessionAttributeListener, HttpSessionIdListener {

  private final List<String> events = new CopyOnWriteArrayList<>();

  /** Nothing has happened yet. */
  public SessionEvents() {}

  /** What happened so far, in order. */
  public List<String> events() {
    return events;
  }

  @Override
  public void sessionCreated(HttpSessionEvent event) {
    events.add("created");
  }

  @Override
  public void sessionDestroyed(HttpSessionEvent event) {
    events.add("destroyed with cart " + event.getSession().getAttribute("cart"));
  }

  @Override
  public void sessionIdChanged(HttpSessionEvent event, String oldSessionId) {
    events.add("id changed");
  }

  @Override
  public void attributeAdded(HttpSessionBindingEvent event) {
    events.add("added " + event.getName());
  }

  @Override
  public void attributeReplaced(HttpSessionBindingEvent event) {
    events.add("replaced " + event.getName());
  }

  @Override
  public void attributeRemoved(HttpSessionBindingEvent event) {
    events.add("removed " + event.getName());
  }
}
