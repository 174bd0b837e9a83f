package io.sojourn;

import org.jspecify.annotations.Nullable;

/**
 * The root of what can go wrong with a session. Messages hold neither attribute values nor session
 * ids.
 */
public class SessionException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /**
   * An exception with this message.
   *
   * @param message what was attempted, on what, and what to do
   * @param cause what led to it, if anything
   */
  public SessionException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
