package io.sojourn.tomcat;

import io.sojourn.SessionBusyException;

/**
 * A session's id could not be changed because another request has changed it, or ended the session,
 * since this one opened it. To the application it is what it gets from Tomcat for a session that
 * has ended; if it passes it on, the client is told to try again.
 */
final class IdChangeLostException extends IllegalStateException {

  private static final long serialVersionUID = 1L;

  IdChangeLostException(String message) {
    super(message);
  }

  /** The same as what {@link SojournValve} answers. */
  SessionBusyException busy() {
    return new SessionBusyException(String.valueOf(getMessage()), this);
  }
}
