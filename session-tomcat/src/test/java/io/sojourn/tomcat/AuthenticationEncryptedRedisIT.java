package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.util.Base64;
import org.junit.jupiter.api.extension.ExtendWith;

/** All of it once more with encryption: logins, saved requests and planted values. */
@ExtendWith(RealServers.class)
class AuthenticationEncryptedRedisIT extends AuthenticationRedisIT {

  private static final String KEY = "2026:" + Base64.getEncoder().encodeToString(new byte[32]);

  AuthenticationEncryptedRedisIT(RedisServer redis) {
    super(redis);
  }

  @Override
  void configure(SojournManager manager) {
    manager.setEncryptionKeys(KEY);
  }

  /** The login and the saved request among it. */
  @Override
  void assertNoSecrets() {
    super.assertNoSecrets();
    assertThat(found("keeping").attributes().values())
        .allSatisfy(stored -> assertThat(stored.value().bytes()).startsWith(3, 0, 4));
  }

  @Override
  void assertReadableOnlyWithoutEncryption(String stored, String... texts) {
    assertThat(stored).isNotEmpty().doesNotContain(texts);
  }
}
