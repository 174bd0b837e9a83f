package io.sojourn;

import org.jspecify.annotations.Nullable;

/**
 * The session is another request's for now: it was waited for in vain, or its lease has gone to
 * another request meanwhile. Nothing was saved; the client may try again.
 */
public final class SessionBusyException extends SessionException {

  private static final long serialVersionUID = 1L;

  /**
   * An exception with this message.
   *
   * @param message what was attempted, on which session, and what to do
   * @param cause what led to it, if anything
   */
  public SessionBusyException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
