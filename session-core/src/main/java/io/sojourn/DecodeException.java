package io.sojourn;

import org.jspecify.annotations.Nullable;

/**
 * Stored bytes cannot be turned into a value: a class is missing, has changed beyond reading or is
 * not allowed, or the bytes are damaged or hostile. The stored bytes stay as they are.
 */
public final class DecodeException extends SessionException {

  private static final long serialVersionUID = 1L;

  private final boolean refusedClass;

  /**
   * An exception with this message.
   *
   * @param message why the bytes cannot be decoded, and what to do
   * @param cause what led to it, if anything
   */
  public DecodeException(String message, @Nullable Throwable cause) {
    this(message, cause, false);
  }

  private DecodeException(String message, @Nullable Throwable cause, boolean refusedClass) {
    super(message, cause);
    this.refusedClass = refusedClass;
  }

  /**
   * A class is in it that may not be decoded.
   *
   * @param refusal which class, and what would allow it
   */
  public static DecodeException ofRefusedClass(String refusal) {
    return new DecodeException(refusal, null, true);
  }

  /**
   * Whether it is for a class that may not be decoded: every value of the class meets the same, so
   * saying so once is enough.
   */
  public boolean isRefusedClass() {
    return refusedClass;
  }
}
