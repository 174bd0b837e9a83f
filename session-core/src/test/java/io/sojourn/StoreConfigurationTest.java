package io.sojourn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StoreConfigurationTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "redis://anna:s3cret@127.0.0.1:6379/0",
        "redis://:s3cret@127.0.0.1",
        "redis://:a@s3cret/b@127.0.0.1",
        "jdbc:mariadb://127.0.0.1/app?user=anna&password=s3cret&x=y",
        "jdbc:h2:mem:x;PASSWORD=s3cret;USER=sa",
        "jdbc:postgresql://127.0.0.1/app?sslPassword=s3cret"
      })
  @Tag("R67")
  void printedUrlsHoldNoCredentials(String url) {
    StoreConfiguration configuration = StoreConfiguration.of(url, "app");
    assertThat(configuration.printableUrl()).doesNotContain("s3cret");
    assertThat(configuration.toString()).doesNotContain("s3cret");
  }

  @Test
  void anUnknownSchemeIsNamedWithThoseThatAreKnown() {
    StoreConfiguration configuration = StoreConfiguration.of("reddis://x", "app");
    assertThatThrownBy(() -> SessionStores.open(configuration, getClass().getClassLoader()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("reddis")
        .hasMessageContaining("memory");
  }

  @Test
  void memoryIsFoundByItsScheme() {
    try (SessionStore store =
        SessionStores.open(StoreConfiguration.of("memory:", "app"), getClass().getClassLoader())) {
      store.ping();
      assertThat(store).isInstanceOf(InMemorySessionStore.class);
    }
  }

  @Test
  @Tag("G10")
  @Tag("R58")
  void aKeyIsADigestThatShowsNothingOfTheId() {
    SessionKey key = SessionKey.of("0123456789ABCDEF");
    assertThat(key.hex())
        .isEqualTo("2125b2c332b1113aae9bfc5e9f7e3b4c91d828cb942c2df1eeb02502eccae9e9");
    assertThat(key.toString()).isEqualTo("2125b2c332b1");
    assertThat(SessionKey.ofBytes(key.bytes())).isEqualTo(key).hasSameHashCodeAs(key);
  }
}
