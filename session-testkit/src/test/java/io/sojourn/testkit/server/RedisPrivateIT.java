package io.sojourn.testkit.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class RedisPrivateIT {

  @Test
  void argumentsReachTheServer() throws IOException {
    try (RedisServer redis =
            RedisServer.startPrivate("--maxmemory", "5mb", "--maxmemory-policy noeviction");
        RedisConnection connection = RedisConnection.open(redis)) {
      assertThat(connection.texts("CONFIG", "GET", "maxmemory"))
          .isEqualTo(List.of("maxmemory", "5242880"));
    }
  }

  @Test
  void aServerWithAPasswordStartsAndIsBackAfterAKill() throws IOException {
    try (RedisServer redis = RedisServer.startPrivate("--requirepass", "secret")) {
      assertOpenOnlyTo(redis, "AUTH", "secret");

      redis.kill();
      redis.start();

      assertOpenOnlyTo(redis, "AUTH", "secret");
    }
  }

  @Test
  void aServerWithUsersStarts() throws IOException {
    try (RedisServer redis =
        RedisServer.startPrivate(
            "--user", "default off", "--user", "sojourn on >secret ~sojourn:* +@all")) {
      assertOpenOnlyTo(redis, "AUTH", "sojourn", "secret");
    }
  }

  @Test
  void anArgumentThatRedisRefusesIsInTheMessage() {
    assertThatThrownBy(() -> RedisServer.startPrivate("--no-such-thing", "yes"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("no-such-thing");
  }

  private static void assertOpenOnlyTo(RedisServer redis, String... login) throws IOException {
    try (RedisConnection connection = RedisConnection.open(redis)) {
      assertThatThrownBy(() -> connection.text("PING"))
          .isInstanceOf(RedisConnection.Refusal.class)
          .hasMessageStartingWith("NOAUTH");
      assertThat(connection.text(login)).isEqualTo("OK");
      assertThat(connection.text("SET", "sojourn:k", "v")).isEqualTo("OK");
    }
  }
}
