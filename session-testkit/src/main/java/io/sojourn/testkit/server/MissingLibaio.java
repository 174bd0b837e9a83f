package io.sojourn.testkit.server;

import org.jspecify.annotations.Nullable;
import org.opentest4j.TestAbortedException;

/**
 * The only reason for which tests are left out instead of failing: MySQL's program for Linux needs
 * a library that few systems bring along. In CI, which can install it, there is no exception.
 */
final class MissingLibaio {

  private static final String SYMPTOM = "error while loading shared libraries: libaio.so.1";

  private MissingLibaio() {}

  /**
   * Returns what to throw where no MySQL could be started.
   *
   * @param failure says all that was tried
   * @param ci the environment variable CI
   */
  static RuntimeException judge(IllegalStateException failure, @Nullable String ci) {
    boolean inCi = ci != null && !ci.isBlank() && !ci.equals("false");
    if (inCi || failure.getMessage() == null || !failure.getMessage().contains(SYMPTOM)) {
      return failure;
    }
    return new TestAbortedException(
        "TESTS ON MYSQL ARE LEFT OUT: its program needs the library libaio.so.1, which is not"
            + " installed. Debian's package is libaio1: apt-get install libaio1",
        failure);
  }
}
