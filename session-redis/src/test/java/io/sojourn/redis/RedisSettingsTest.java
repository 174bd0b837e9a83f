package io.sojourn.redis;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.lettuce.core.RedisCredentials;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslVerifyMode;
import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RedisSettingsTest {

  private static RedisSettings settings(String url, Map<String, String> options) {
    return RedisSettings.of(new StoreConfiguration(url, "shop", options, () -> Duration.ZERO));
  }

  private static RedisURI uri(RedisSettings settings) {
    return settings.uri(settings.timeout());
  }

  private static RedisCredentials credentials(RedisSettings settings) {
    return requireNonNull(uri(settings).getCredentialsProvider().resolveCredentials().block());
  }

  @Test
  void aBareUrlHasTheUsualDefaults() {
    RedisSettings settings = settings("redis://db", Map.of());
    RedisURI uri = uri(settings);
    assertThat(uri.getHost()).isEqualTo("db");
    assertThat(uri.getPort()).isEqualTo(6379);
    assertThat(uri.getDatabase()).isZero();
    assertThat(uri.isSsl()).isFalse();
    assertThat(settings.timeout()).isEqualTo(Duration.ofMillis(800));
    assertThat(credentials(settings).hasPassword()).isFalse();
  }

  @Test
  void aFullUrlIsRead() {
    RedisSettings settings =
        settings("rediss://us%40er:pa+s%2Fs@my_host.example:7000/3?timeout=1500ms", Map.of());
    assertThat(uri(settings).getHost()).isEqualTo("my_host.example");
    assertThat(uri(settings).getPort()).isEqualTo(7000);
    assertThat(uri(settings).getDatabase()).isEqualTo(3);
    assertThat(uri(settings).isSsl()).isTrue();
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
    assertThat(uri(settings).getHost()).isEqualTo("::1");
    assertThat(uri(settings).getDatabase()).isEqualTo(5);
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
  void sentinelsAreReadWithTheNameOfThePrimary() {
    RedisSettings settings =
        settings(
            "rediss-sentinel://u:p@one,two:7000,[::1]:7001/my%20master",
            Map.of("sentinelPassword", "s", "database", "2"));
    RedisURI uri = uri(settings);
    assertThat(uri.getSentinelMasterId()).isEqualTo("my master");
    assertThat(uri.getHost()).isNull();
    assertThat(uri.getDatabase()).isEqualTo(2);
    assertThat(uri.getSentinels())
        .extracting(sentinel -> sentinel.getHost() + " " + sentinel.getPort())
        .containsExactly("one 26379", "two 7000", "::1 7001");
    assertThat(uri.getSentinels()).allMatch(RedisURI::isSsl);
    assertThat(credentials(settings).getUsername()).isEqualTo("u");
    RedisCredentials ofSentinel =
        requireNonNull(
            uri.getSentinels().get(0).getCredentialsProvider().resolveCredentials().block());
    assertThat(ofSentinel.hasUsername()).isFalse();
    assertThat(ofSentinel.getPassword()).isEqualTo("s".toCharArray());
  }

  @Test
  void aClustersNodesAreReachedAlike() {
    RedisSettings settings =
        settings("rediss-cluster://:p@one,two:7000?verify=ca&clientName=shop", Map.of());
    assertThat(settings.isCluster()).isTrue();
    assertThat(settings.addresses())
        .containsExactly(new RedisAddress("one", 6379), new RedisAddress("two", 7000));
    RedisURI uri = settings.uri(new RedisAddress("three", 7001), Duration.ofSeconds(2));
    assertThat(uri.getHost()).isEqualTo("three");
    assertThat(uri.getPort()).isEqualTo(7001);
    assertThat(uri.isSsl()).isTrue();
    assertThat(uri.getVerifyMode()).isEqualTo(SslVerifyMode.CA);
    assertThat(uri.getClientName()).isEqualTo("shop");
    assertThat(uri.getTimeout()).isEqualTo(Duration.ofSeconds(2));
  }

  /** A new password for each connection. */
  public static final class Tokens implements RedisLogin {

    private final AtomicInteger next = new AtomicInteger();

    @Override
    public Credentials get() {
      return new Credentials("shop", ("token" + next.incrementAndGet()).toCharArray());
    }
  }

  @Test
  void aLoginIsAskedForEachConnection() {
    RedisSettings settings = settings("redis://one", Map.of("login", Tokens.class.getName()));
    assertThat(credentials(settings).getUsername()).isEqualTo("shop");
    assertThat(credentials(settings).getPassword()).isEqualTo("token2".toCharArray());
    assertThat(new Tokens().get().toString()).contains("shop").doesNotContain("token");
  }

  @Test
  @Tag("R20")
  void readingFromAReplicaIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings("redis-cluster://one", Map.of("readFrom", "replica")))
        .withMessageContaining("'readFrom'");
  }

  @Test
  @Tag("R71")
  void anUnknownOptionIsRefusedByName() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings("redis://db", Map.of("timeuot", "1s")))
        .withMessageContaining("'timeuot'")
        .withMessageContaining("clientName, database, keyStore, keyStorePassword, login, password");
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
        "redis://:cret@db?replicas=one",
        "redis://db?password=cret&password=cret2",
        "redis://:cret@db,db2",
        "redis://:cret@db,",
        "redis-sentinel://:cret@db",
        "redis-sentinel://:cret@db/",
        "redis-cluster://:cret@db/1",
        "redis-cluster://:cret@db,db2:0",
        "redis-something://:cret@db",
        "redis://:cret@db?verify=ca",
        "redis://:cret@db?trustStore=x",
        "redis://db?sentinelPassword=cret2",
        "redis-cluster://db?sentinelUsername=anna&sentinelPassword=cret2",
        "rediss://:cret@db?trustStore=/nowhere",
        "rediss://:cret@db?trustStorePassword=cret",
        "rediss://:cret@db?verify=none",
        "redis://:cret@db?login=io.sojourn.redis.RedisSettingsTest$Tokens",
        "redis://db?login=java.lang.String",
        "redis://db?login=nowhere.Nobody",
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
  @ValueSource(
      strings = {
        "redis://127.0.0.1:1",
        "REDISS://127.0.0.1:1",
        "redis-cluster://127.0.0.1:1",
        "redis-sentinel://127.0.0.1:1/m"
      })
  void theProviderIsFoundAndOpensWithoutAServer(String url) {
    SessionStore store =
        SessionStores.open(StoreConfiguration.of(url, "shop"), getClass().getClassLoader());
    assertThat(store).isInstanceOf(RedisSessionStore.class);
    store.close();
  }
}
