package io.sojourn.jetty;

import io.sojourn.AttributeActivation;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Set;
import java.util.function.Consumer;
import org.eclipse.jetty.server.Session;

/**
 * Tells a session's attributes that are {@code HttpSessionActivationListener}s, by way of Jetty's
 * session handler: the servlet classes are not this class loader's. Thread-safe.
 */
final class Activation implements AttributeActivation {

  private static final Logger LOG = System.getLogger(Activation.class.getName());

  private final SojournSession session;

  Activation(SojournSession session) {
    this.session = session;
  }

  @Override
  public boolean isWanted(Object value) {
    return SessionListeners.isA("HttpSessionActivationListener", value);
  }

  @Override
  public void didActivate(Object value) {
    tell(value, session.getSessionManager()::onSessionActivation);
  }

  @Override
  public void willPassivate(Object value) {
    tell(value, session.getSessionManager()::onSessionPassivation);
  }

  /** What a listener throws is logged and no reason to stop. */
  private void tell(Object value, Consumer<Session> event) {
    session.inContext(
        () -> {
          try {
            event.accept(new OneAttribute(session, value));
          } catch (RuntimeException | LinkageError | AssertionError e) {
            LOG.log(
                Level.WARNING,
                "An activation listener of " + session + " failed: " + value.getClass(),
                e);
          }
        });
  }

  /** The session as Jetty has to see it to tell one of its attributes and no other. */
  private static final class OneAttribute extends SojournSession {

    private final SojournSession session;
    private final Object value;

    OneAttribute(SojournSession session, Object value) {
      super(session);
      this.session = session;
      this.value = value;
    }

    @Override
    @SuppressWarnings("TypeParameterUnusedInFormals")
    public <T extends Session.API> T getApi() {
      return session.getApi();
    }

    @Override
    public Set<String> getAttributeNameSet() {
      return Set.of("");
    }

    @Override
    public Object getAttribute(String name) {
      return value;
    }
  }
}
