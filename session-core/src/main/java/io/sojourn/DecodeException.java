package io.sojourn;

import org.jspecify.annotations.Nullable;

/**
 * Stored bytes cannot be turned into a value: a class is missing, has changed beyond reading or is
 * not allowed, or the bytes are damaged or hostile. The stored bytes stay as they are.
 */
public final class DecodeException extends SessionException {

  private static final long serialVersionUID = 1L;

  /**
   * An exception with this message.
   *
   * @param message why the bytes cannot be decoded, and what to do
   * @param cause what led to it, if anything
   */
  public DecodeException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
