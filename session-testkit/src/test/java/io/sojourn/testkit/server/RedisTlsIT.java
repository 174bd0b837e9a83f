package io.sojourn.testkit.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RedisTlsIT {

  private TlsCertificates certificates;
  private RedisServer redis;

  @BeforeAll
  void start() {
    certificates = TlsCertificates.create();
    redis = RedisServer.startPrivateTls(certificates);
  }

  @AfterAll
  void close() {
    redis.close();
    certificates.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "localhost"})
  void whoTrustsTheAuthorityReachesTheServerByItsNames(String host) throws Exception {
    assertThat(redis.url()).isEqualTo("rediss://127.0.0.1:" + redis.port());
    assertThat(ping(redis, host, context(certificates, false))).isEqualTo("+PONG");
  }

  @Test
  void whoTrustsAnotherAuthorityDoesNot() throws Exception {
    try (TlsCertificates others = TlsCertificates.create()) {
      SSLContext context = context(others, false);
      assertThatThrownBy(() -> ping(redis, "127.0.0.1", context))
          .isInstanceOf(SSLException.class)
          .hasMessageContaining("PKIX");
    }
  }

  @Test
  void nothingIsAnsweredInTheClear() {
    assertThatThrownBy(
            () -> {
              try (RedisConnection plain = RedisConnection.open(RedisAccess.OPEN, redis.port())) {
                plain.text("PING");
              }
            })
        .isInstanceOf(IOException.class);
  }

  @Test
  void clientsHaveToShowACertificateWhereTheServerWantsOne() throws Exception {
    try (RedisServer strict =
        RedisServer.startPrivateTls(certificates, "--tls-auth-clients", "yes")) {
      assertThat(ping(strict, "127.0.0.1", context(certificates, true))).isEqualTo("+PONG");
      SSLContext without = context(certificates, false);
      assertThatThrownBy(() -> ping(strict, "127.0.0.1", without)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void theServerIsBackAfterAKill() throws Exception {
    try (RedisServer own = RedisServer.startPrivateTls(certificates, "--requirepass secret")) {
      own.kill();
      own.start();
      assertThat(ping(own, "127.0.0.1", context(certificates, false))).startsWith("-NOAUTH");
    }
  }

  @Test
  void closeLeavesNoFiles() {
    TlsCertificates own = TlsCertificates.create();
    Path folder = own.trustStore().getParent();
    assertThat(folder).isDirectoryContaining("glob:**/client.p12");

    own.close();
    own.close();

    assertThat(folder).doesNotExist();
  }

  /** As a client does it that is given the key stores. */
  private static SSLContext context(TlsCertificates certificates, boolean withKey)
      throws IOException, GeneralSecurityException {
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(load(certificates.trustStore(), certificates.password()));
    KeyManager[] keys = {};
    if (withKey) {
      KeyManagerFactory factory =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      factory.init(
          load(certificates.clientKeyStore(), certificates.password()),
          certificates.password().toCharArray());
      keys = factory.getKeyManagers();
    }
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys, trust.getTrustManagers(), null);
    return context;
  }

  private static KeyStore load(Path file, String password)
      throws IOException, GeneralSecurityException {
    KeyStore keyStore = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      keyStore.load(in, password.toCharArray());
    }
    return keyStore;
  }

  private static String ping(RedisServer server, String host, SSLContext context)
      throws IOException {
    try (SSLSocket socket =
        (SSLSocket) context.getSocketFactory().createSocket(host, server.port())) {
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      socket.setSSLParameters(parameters);
      socket.setSoTimeout(5_000);
      socket.getOutputStream().write("PING\r\nQUIT\r\n".getBytes(StandardCharsets.US_ASCII));
      byte[] answer = socket.getInputStream().readAllBytes();
      return new String(answer, StandardCharsets.US_ASCII).lines().findFirst().orElse("");
    }
  }
}
