package io.sojourn.testkit.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RedisProgramTest {

  @Test
  void anArgumentWithSpacesStandsForItsWords() {
    assertThat(RedisProgram.words("--user", "sojourn on  >secret ", "--maxmemory 5mb"))
        .containsExactly("--user", "sojourn", "on", ">secret", "--maxmemory", "5mb");
  }

  @Test
  void anEmptyArgumentIsKept() {
    assertThat(RedisProgram.words("--save", "")).containsExactly("--save", "");
    assertThat(RedisProgram.words()).isEmpty();
  }
}
