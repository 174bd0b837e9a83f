package io.sojourn.redis;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.lettuce.core.RedisCredentials;
import io.lettuce.core.RedisURI;
import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RedisSettingsTest {

  private static RedisSettings settings(String url, Map<String, String> options) {
    return RedisSettings.of(new StoreConfiguration(url, "shop", options, () -> Duration.ZERO));
  }

  private static RedisCredentials credentials(RedisSettings settings) {
    return requireNonNull(settings.uri().getCredentialsProvider().resolveCredentials().block());
  }

  @Test
  void aBareUrlHasTheUsualDefaults() {
    RedisSettings settings = settings("redis://db", Map.of());
    RedisURI uri = settings.uri();
    assertThat(uri.getHost()).isEqualTo("db");
    assertThat(uri.getPort()).isEqualTo(6379);
    assertThat(uri.getDatabase()).isZero();
    assertThat(uri.isSsl()).isFalse();
    assertThat(settings.timeout()).isEqualTo(Duration.ofSeconds(1));
    assertThat(credentials(settings).hasPassword()).isFalse();
  }

  @Test
  void aFullUrlIsRead() {
    RedisSettings settings =
        settings("rediss://us%40er:pa+s%2Fs@my_host.example:7000/3?timeout=1500ms", Map.of());
    assertThat(settings.uri().getHost()).isEqualTo("my_host.example");
    assertThat(settings.uri().getPort()).isEqualTo(7000);
    assertThat(settings.uri().getDatabase()).isEqualTo(3);
    assertThat(settings.uri().isSsl()).isTrue();
    assertThat(settings.timeout()).isEqualTo(Duration.ofMillis(1500));
    assertThat(credentials(settings).getUsername()).isEqualTo("us@er");
    assertThat(credentials(settings).getPassword()).isEqualTo("pa+s/s".toCharArray());
    assertThat(settings.toString()).doesNotContain("pa+s");
  }

  @Test
  void optionsSayTheSame() {
    RedisSettings settings =
        settings(
            "redis://[::1]:7000",
            Map.of("username", "u", "password", "p", "database", "5", "timeout", "2s"));
    assertThat(settings.uri().getHost()).isEqualTo("::1");
    assertThat(settings.uri().getDatabase()).isEqualTo(5);
    assertThat(settings.timeout()).isEqualTo(Duration.ofSeconds(2));
    assertThat(credentials(settings).getUsername()).isEqualTo("u");
  }

  @ParameterizedTest
  @ValueSource(strings = {"redis://:secret@db", "redis://secret@db", "redis://db?password=secret"})
  void aPasswordNeedsNoUsername(String url) {
    RedisCredentials credentials = credentials(settings(url, Map.of()));
    assertThat(credentials.hasUsername()).isFalse();
    assertThat(credentials.getPassword()).isEqualTo("secret".toCharArray());
  }

  @ParameterizedTest
  @CsvSource({"1s,1000", "1500ms,1500", "250,250", "2m,120000"})
  void aTimeoutHasAUnitOrIsInMilliseconds(String text, long millis) {
    assertThat(settings("redis://db", Map.of("timeout", text)).timeout())
        .isEqualTo(Duration.ofMillis(millis));
  }

  @Test
  @Tag("R71")
  void anUnknownOptionIsRefusedByName() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings("redis://db", Map.of("timeuot", "1s")))
        .withMessageContaining("'timeuot'")
        .withMessageContaining("database, password, timeout, username");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings("redis://db?ssl=true", Map.of()))
        .withMessageContaining("'ssl'");
  }

  @Test
  @Tag("R71")
  void aContradictionIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings("redis://db/1", Map.of("database", "2")))
        .withMessageContaining("'database'");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings("redis://db", Map.of("username", "u")))
        .withMessageContaining("'username'");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "redis://",
        "redis:db",
        "redis://:se/cret@db",
        "redis://:se@cret@db",
        "redis://:se#cret@db",
        "redis://:cret%zz@db",
        "redis://:cret@db:99999",
        "redis://:cret@db/x",
        "redis://:cret@db/1?timeout=soon",
        "redis://:cret@db?timeout=0",
        "redis://:cret@db?timeout",
        "redis://db?password=cret&password=cret2",
        "http://:cret@db"
      })
  @Tag("R71")
  void aWrongUrlIsRefusedWithoutShowingWhatIsSecret(String url) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings(url, Map.of()))
        .withMessageStartingWith("store=\"")
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("cret@").doesNotContain("cret2"))
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("cret%"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"redis://127.0.0.1:1", "REDISS://127.0.0.1:1"})
  void theProviderIsFoundAndOpensWithoutAServer(String url) {
    SessionStore store =
        SessionStores.open(StoreConfiguration.of(url, "shop"), getClass().getClassLoader());
    assertThat(store).isInstanceOf(RedisSessionStore.class);
    store.close();
  }
}
