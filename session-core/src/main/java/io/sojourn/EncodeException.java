package io.sojourn;

import org.jspecify.annotations.Nullable;

/** A value cannot be turned into bytes. */
public final class EncodeException extends SessionException {

  private static final long serialVersionUID = 1L;

  /**
   * An exception with this message.
   *
   * @param message the type of the value and why it cannot be encoded
   * @param cause what led to it, if anything
   */
  public EncodeException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
