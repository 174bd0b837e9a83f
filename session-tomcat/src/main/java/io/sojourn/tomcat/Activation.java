package io.sojourn.tomcat;

import io.sojourn.AttributeActivation;
import jakarta.servlet.http.HttpSession;
import jakarta.servlet.http.HttpSessionActivationListener;
import jakarta.servlet.http.HttpSessionEvent;
import java.util.function.BiConsumer;
import org.apache.juli.logging.Log;
import org.apache.juli.logging.LogFactory;
import org.apache.tomcat.util.ExceptionUtils;

/** Tells a session's attributes that are {@link HttpSessionActivationListener}s. Thread-safe. */
final class Activation implements AttributeActivation {

  private static final Log LOG = LogFactory.getLog(Activation.class);

  private final SojournSession session;

  Activation(SojournSession session) {
    this.session = session;
  }

  @Override
  public boolean isWanted(Object value) {
    return value instanceof HttpSessionActivationListener;
  }

  @Override
  public void didActivate(Object value) {
    tell(value, HttpSessionActivationListener::sessionDidActivate);
  }

  @Override
  public void willPassivate(Object value) {
    tell(value, HttpSessionActivationListener::sessionWillPassivate);
  }

  /** As Tomcat does, what a listener throws is logged and no reason to stop. */
  private void tell(
      Object value, BiConsumer<HttpSessionActivationListener, HttpSessionEvent> what) {
    HttpSession seen = session.getSession();
    try {
      what.accept((HttpSessionActivationListener) value, new HttpSessionEvent(seen));
    } catch (Throwable e) {
      ExceptionUtils.handleThrowable(e);
      LOG.error("An activation listener of " + session + " failed: " + value.getClass(), e);
    }
  }
}
