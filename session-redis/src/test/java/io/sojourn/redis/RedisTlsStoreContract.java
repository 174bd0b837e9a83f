package io.sojourn.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.SessionStore;
import io.sojourn.StoreUnavailableException;
import io.sojourn.testkit.server.RedisAccess;
import io.sojourn.testkit.server.TlsCertificates;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The contract of stores on Redis servers of some shape that want TLS, a certificate of the client,
 * and the users of docs/operations.md.
 */
@Tag("R82")
abstract class RedisTlsStoreContract extends RedisStoreContract {

  static final TlsCertificates CERTIFICATES = TlsCertificates.create();

  /** Whom the servers let in. */
  static final RedisAccess ACCESS = RedisAccess.documented(CERTIFICATES);

  @Override
  final Map<String, String> options() {
    return ACCESS.options(url());
  }

  private Map<String, String> optionsWithout(String... prefixes) {
    Map<String, String> options = new HashMap<>(options());
    for (String prefix : prefixes) {
      options.keySet().removeIf(name -> name.startsWith(prefix));
    }
    return options;
  }

  @Test
  void serversThatNobodyVouchesForAreRefused() {
    assertRefused(url(), optionsWithout("trustStore"));
  }

  @Test
  void aClientWithoutACertificateIsRefused() {
    assertRefused(url(), optionsWithout("keyStore"));
  }

  @Test
  void aClientThatSpeaksPlainlyIsRefused() {
    assertRefused(url().replace("rediss", "redis"), optionsWithout("trustStore", "keyStore"));
  }

  @Test
  void aWrongPasswordIsRefused() {
    Map<String, String> options = new HashMap<>(options());
    options.put("password", "another");
    assertRefused(url(), options);
  }

  /** With a message that tells no password. */
  final void assertRefused(String url, Map<String, String> options) {
    SessionStore store = open(url, options, "refused", () -> Duration.ZERO);
    try {
      assertThatThrownBy(store::ping)
          .isInstanceOf(StoreUnavailableException.class)
          .satisfies(
              e -> assertThat(e.getMessage()).doesNotContain("another", CERTIFICATES.password()));
    } finally {
      store.close();
    }
  }
}
