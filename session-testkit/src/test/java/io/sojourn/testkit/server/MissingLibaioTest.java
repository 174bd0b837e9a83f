package io.sojourn.testkit.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.TestAbortedException;

class MissingLibaioTest {

  private final IllegalStateException noLibaio =
      new IllegalStateException(
          "Tried: mysqld failed; its log ends with:\n"
              + "mysqld: error while loading shared libraries: libaio.so.1: cannot open shared object"
              + " file: No such file or directory");

  @ParameterizedTest
  @NullSource
  @ValueSource(strings = {"", "false"})
  void outsideCiTestsAreLeftOutByALineThatNamesThePackage(String ci) {
    assertThat(MissingLibaio.judge(noLibaio, ci))
        .isInstanceOf(TestAbortedException.class)
        .hasMessageContaining("apt-get install libaio1")
        .hasCause(noLibaio);
  }

  @Test
  void inCiTheyFail() {
    assertThat(MissingLibaio.judge(noLibaio, "true")).isSameAs(noLibaio);
  }

  @Test
  void anotherFailureIsOneEverywhere() {
    IllegalStateException noLibnuma =
        new IllegalStateException("error while loading shared libraries: libnuma.so.1");

    assertThat(MissingLibaio.judge(noLibnuma, null)).isSameAs(noLibnuma);
  }
}
