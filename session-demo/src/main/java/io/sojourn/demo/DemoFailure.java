package io.sojourn.demo;

import java.io.Serial;

/** The end of the demo for a reason that one line explains to the person who started it. */
final class DemoFailure extends RuntimeException {

  /** The story was played and a step of it did not hold. */
  static final int STORY = 1;

  /** The demo could not begin: its arguments, its port, its store or its nodes. */
  static final int START = 2;

  @Serial private static final long serialVersionUID = 1L;

  private final int exitCode;

  DemoFailure(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  int exitCode() {
    return exitCode;
  }
}
