package io.sojourn;

import org.jspecify.annotations.Nullable;

/**
 * The store could not be asked: unreachable, too slow, refusing, closed. It says nothing about the
 * session, which is why it must never be taken for a missing one.
 */
public final class StoreUnavailableException extends SessionException {

  private static final long serialVersionUID = 1L;

  /**
   * An exception with this message.
   *
   * @param message what was attempted, on which store (no credentials), and what to do
   * @param cause what the driver said, if anything
   */
  public StoreUnavailableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
