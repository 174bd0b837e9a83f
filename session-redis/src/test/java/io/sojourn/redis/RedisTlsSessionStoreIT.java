package io.sojourn.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.testkit.server.RedisServer;
import io.sojourn.testkit.server.TlsCertificates;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The contract of stores on a server that wants TLS, a certificate of the client, and a user with
 * the rule of docs/operations.md and no right beyond.
 */
@Tag("R82")
class RedisTlsSessionStoreIT extends RedisStoreContract {

  private static TlsCertificates certificates;
  private static RedisServer server;

  @BeforeAll
  static void startServer() throws IOException {
    certificates = TlsCertificates.create();
    server =
        RedisServer.startPrivateTls(
            certificates, "--tls-auth-clients", "yes", "--user", documentedRule());
  }

  @AfterAll
  static void stopServer() {
    server.close();
    certificates.close();
  }

  /** What follows "user" there. */
  private static String documentedRule() throws IOException {
    String prefix = "user ";
    return Files.readAllLines(Path.of("..", "docs", "operations.md")).stream()
        .filter(line -> line.startsWith(prefix + "sojourn on "))
        .map(line -> line.substring(prefix.length()))
        .findFirst()
        .orElseThrow();
  }

  private static SessionStore open(
      String url, Map<String, String> options, String application, Supplier<Duration> offset) {
    Map<String, String> all = new HashMap<>(options);
    all.put("timeout", "10s");
    return new RedisSessionStore(new StoreConfiguration(url, application, all, offset));
  }

  private static Map<String, String> options() {
    return Map.of(
        "username", "sojourn",
        "password", "password",
        "trustStore", certificates.trustStore().toString(),
        "trustStorePassword", certificates.password(),
        "keyStore", certificates.clientKeyStore().toString(),
        "keyStorePassword", certificates.password());
  }

  private static Map<String, String> optionsWithout(String prefix) {
    Map<String, String> options = new HashMap<>(options());
    options.keySet().removeIf(name -> name.startsWith(prefix));
    return options;
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clockOffset) {
    return open(url(), options(), application, clockOffset);
  }

  @Override
  String url() {
    return server.url();
  }

  @Override
  String unreachableUrl() {
    return "rediss://127.0.0.1:1";
  }

  @Test
  void aServerThatNobodyVouchesForIsRefused() {
    assertRefused(server.url(), optionsWithout("trustStore"));
  }

  @Test
  void aClientWithoutACertificateIsRefused() {
    assertRefused(server.url(), optionsWithout("keyStore"));
  }

  @Test
  void aClientThatSpeaksPlainlyIsRefused() {
    Map<String, String> plain = optionsWithout("trustStore");
    plain.keySet().removeIf(name -> name.startsWith("keyStore"));
    assertRefused(server.url().replace("rediss:", "redis:"), plain);
  }

  @Test
  void aWrongPasswordIsRefused() {
    Map<String, String> options = new HashMap<>(options());
    options.put("password", "another");
    assertRefused(server.url(), options);
  }

  private static void assertRefused(String url, Map<String, String> options) {
    SessionStore store = open(url, options, "refused", () -> Duration.ZERO);
    try {
      assertThatThrownBy(store::ping)
          .isInstanceOf(StoreUnavailableException.class)
          .satisfies(
              e -> assertThat(e.getMessage()).doesNotContain(certificates.password(), "another"));
    } finally {
      store.close();
    }
  }
}
