package io.sojourn.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionKey;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class RedisKeysTest {

  private static final SessionKey KEY = SessionKey.of("some id");

  @Test
  void allKeysOfASessionShareTheHashTagOfItsBucket() {
    for (byte[] name : new RedisKeys("shop").of(KEY)) {
      assertThat(new String(name, UTF_8))
          .matches("sojourn:\\{shop:[0-3][0-9a-f]}:(session|expiry|door).*");
    }
  }

  @Test
  void theBucketComesFromTheFirstByteOfTheKey() {
    int bucket = Integer.parseInt(KEY.hex().substring(0, 2), 16) % RedisKeys.BUCKETS;
    assertThat(new RedisKeys("shop").of(KEY)[1])
        .isEqualTo(new RedisKeys("shop").expiry(bucket))
        .asString(UTF_8)
        .isEqualTo(String.format("sojourn:{shop:%02x}:expiry", bucket));
  }

  @Test
  void keysAreFoundAgainInNames() {
    byte[][] names = new RedisKeys("{\uD83D\uDE00}:%").of(KEY);
    assertThat(RedisKeys.keyIn(new String(names[0], UTF_8))).isEqualTo(KEY);
    assertThat(RedisKeys.keyIn(new String(names[2], UTF_8))).isEqualTo(KEY);
  }

  @Test
  @Tag("R63")
  void noApplicationsKeysBeginLikeAnothers() {
    List<String> applications =
        List.of(
            "",
            "prod",
            "prod2",
            "prod:1",
            "prod:",
            "{x}",
            "x",
            "}",
            "{",
            "a:b",
            "a%3ab",
            "a%3Ab",
            "%",
            "*",
            "p?",
            "[a]",
            "\uD83D\uDE00",
            "\n",
            " ",
            "/shop",
            "PROD");
    Set<String> prefixes = new HashSet<>();
    for (String application : applications) {
      String name = new String(new RedisKeys(application).of(KEY)[0], UTF_8);
      assertThat(name).matches("[!-~]+");
      assertThat(name.indexOf('{')).isEqualTo(name.lastIndexOf('{'));
      assertThat(name.indexOf('}')).isEqualTo(name.lastIndexOf('}'));
      prefixes.add(name.substring(0, name.indexOf(':', "sojourn:".length()) + 1));
    }
    assertThat(prefixes).hasSameSizeAs(applications);
    for (String prefix : prefixes) {
      assertThat(prefixes).filteredOn(other -> other.startsWith(prefix)).containsExactly(prefix);
    }
  }
}
