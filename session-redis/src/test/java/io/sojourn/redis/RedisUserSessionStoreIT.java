package io.sojourn.redis;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.testkit.server.RedisAccess;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of stores on a server, as the user of docs/operations.md. */
@Tag("R82")
class RedisUserSessionStoreIT extends RedisStoreContract {

  private static final RedisAccess ACCESS = RedisAccess.documented();

  private static RedisServer server;

  @BeforeAll
  static void startServer() {
    server = RedisServer.startPrivate(ACCESS);
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @Override
  String url() {
    return server.url();
  }

  @Override
  Map<String, String> options() {
    return ACCESS.options(url());
  }

  @Override
  String unreachableUrl() {
    return "redis://127.0.0.1:1";
  }

  /** The user's password, given by a class. */
  public static final class Login implements RedisLogin {

    @Override
    public Credentials get() {
      Map<String, String> options = ACCESS.options(server.url());
      return new Credentials(
          requireNonNull(options.get("username")),
          requireNonNull(options.get("password")).toCharArray());
    }
  }

  /** As one that gets no token. */
  public static final class NoLogin implements RedisLogin {

    @Override
    public Credentials get() {
      throw new IllegalStateException("no token today");
    }
  }

  @Test
  void whyALoginFailsIsSaid() {
    SessionStore store =
        new RedisSessionStore(
            new StoreConfiguration(
                url(), "shop", Map.of("login", NoLogin.class.getName()), () -> Duration.ZERO));
    try (store) {
      assertThatExceptionOfType(StoreUnavailableException.class)
          .isThrownBy(() -> store.load(SessionKey.of("any"), SessionStore.NO_VERSION))
          .withMessageContaining("'login'")
          .withMessageContaining(NoLogin.class.getName())
          .withMessageContaining("no token today");
    }
  }

  /** Whoever opens one may be answered before it is known to be open, if the driver lets them. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void eachOfManyConnectionsIsOfUseAtOnce(boolean byLogin) throws Exception {
    RedisSettings settings =
        RedisSettings.of(
            new StoreConfiguration(
                url(),
                "shop",
                byLogin ? Map.of("login", Login.class.getName()) : options(),
                () -> Duration.ZERO));
    try (RedisDriver driver = new RedisDriver(settings)) {
      for (int i = 0; i < 1_000; i++) {
        RedisDriver.Opened opened =
            driver
                .connectAsking(settings.uri(Duration.ofSeconds(10)), true)
                .get(10, TimeUnit.SECONDS);
        opened.connection().close();
      }
    }
  }
}
