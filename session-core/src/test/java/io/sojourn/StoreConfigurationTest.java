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
        "jdbc:postgresql://127.0.0.1/app?sslPassword=s3cret",
        "jdbc:mysql://(host=127.0.0.1,port=3306,user=anna,password=s3cret)/app",
        "jdbc:mysql://address=(host=127.0.0.1)(user=anna)(password=s3cret)/app",
        "jdbc:mysql://(host=a, password=s3cret),(host=b, password=s3cret)/app?x=y",
        "jdbc:mysql://address=(password=not@s3cret)(host=127.0.0.1)/app",
        "jdbc:mysql:loadbalance://anna:s3cret@127.0.0.1:3306,127.0.0.2/app",
        "jdbc:sqlserver://127.0.0.1;user=anna;password={a;s3cret}",
        "jdbc:oracle:thin:anna/s3cret@127.0.0.1:1521:app",
        "jdbc:oracle:thin:anna/s3cret@//127.0.0.1:1521/app",
        "jdbc:oracle:thin:@(DESCRIPTION=(HOST=127.0.0.1)(SECURITY=(WALLET_PASSWORD=s3cret)))",
        "jdbc:mariadb://127.0.0.1/app?passphrase=s3cret",
        "jdbc:mariadb://127.0.0.1/app?password=a,s3cret)"
      })
  @Tag("R67")
  void printedUrlsHoldNoCredentials(String url) {
    StoreConfiguration configuration = StoreConfiguration.of(url, "app");
    assertThat(configuration.printableUrl()).doesNotContain("s3cret");
    assertThat(configuration.toString()).doesNotContain("s3cret");
  }

  /** What has to be in a message that says where a store was not found. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "redis://127.0.0.1:6379/0",
        "jdbc:mariadb://127.0.0.1:3306,127.0.0.2/app?user=anna@home&x=y",
        "jdbc:mysql://(host=127.0.0.1,port=3306,user=anna)/app",
        "jdbc:h2:file:/data/sessions;DB_CLOSE_DELAY=-1",
        "jndi:jdbc/sessions"
      })
  void printedUrlsWithoutSecretsAreWhole(String url) {
    assertThat(StoreConfiguration.of(url, "app").printableUrl()).isEqualTo(url);
  }

  @Test
  @Tag("R67")
  void whatIsNoSecretIsPrintedBesideOneThatIs() {
    assertThat(printed("redis://anna:s3cret@127.0.0.1:6379/0"))
        .isEqualTo("redis://***@127.0.0.1:6379/0");
    assertThat(printed("jdbc:mysql://address=(host=h)(password=s3cret)(port=1)/app?a=b"))
        .isEqualTo("jdbc:mysql://address=(host=h)(password=***)(port=1)/app?a=b");
    assertThat(printed("jdbc:oracle:thin:anna/s3cret@//h:1521/app"))
        .isEqualTo("jdbc:oracle:thin:***@//h:1521/app");
  }

  private static String printed(String url) {
    return StoreConfiguration.of(url, "app").printableUrl();
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
