package io.sojourn;

import org.jspecify.annotations.Nullable;

/** A value cannot be turned into bytes. */
public final class EncodeException extends SessionException {

  private static final long serialVersionUID = 1L;

  private final boolean refusedClass;

  /**
   * An exception with this message.
   *
   * @param message the type of the value and why it cannot be encoded
   * @param cause what led to it, if anything
   */
  public EncodeException(String message, @Nullable Throwable cause) {
    this(message, cause, false);
  }

  private EncodeException(String message, @Nullable Throwable cause, boolean refusedClass) {
    super(message, cause);
    this.refusedClass = refusedClass;
  }

  /**
   * A class is in it that may not be encoded.
   *
   * @param refusal which class, and what would allow it
   */
  public static EncodeException ofRefusedClass(String refusal) {
    return new EncodeException(refusal, null, true);
  }

  /**
   * Whether it is for a class that may not be encoded: every value of the class meets the same, so
   * saying so once is enough.
   */
  public boolean isRefusedClass() {
    return refusedClass;
  }
}
