package io.sojourn.testkit.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import javax.net.SocketFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * An authority made for a test, with a certificate for servers on 127.0.0.1 and localhost, or on
 * the latter only, and one for clients.
 *
 * <p>Nobody trusts it but who takes its {@link #trustStore()}; so the one of another instance is
 * what a test takes to see a server not being trusted. The files are in a temporary folder and gone
 * when this is closed, and at the latest when the JVM ends. Thread-safe.
 */
public final class TlsCertificates implements AutoCloseable {

  /*
   * The JDK makes and signs certificates in its keytool and nowhere in its API. Redis reads PEM and
   * clients PKCS12, so the keytool's key store, which holds the authority's key too, is only where
   * both are taken from.
   */

  private static final String AUTHORITY = "authority";
  private static final String SERVER = "server";
  private static final String CLIENT = "client";
  private static final String VALID_DAYS = "30";

  private final Path folder;
  private final String password = UUID.randomUUID().toString();

  private TlsCertificates(Path folder) {
    this.folder = folder;
  }

  /**
   * Makes an authority and its certificates.
   *
   * @throws IllegalStateException if the JDK's keytool is not there or fails
   */
  public static TlsCertificates create() {
    return create("ip:127.0.0.1,dns:localhost");
  }

  /**
   * Makes an authority and its certificates, of which that for servers does not name 127.0.0.1.
   *
   * @throws IllegalStateException if the JDK's keytool is not there or fails
   */
  public static TlsCertificates createForLocalhost() {
    return create("dns:localhost");
  }

  private static TlsCertificates create(String serverNames) {
    TlsCertificates certificates;
    try {
      certificates = new TlsCertificates(TemporaryFolders.create("tls"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    TemporaryFolders.deleteAtExit(certificates.folder);
    boolean written = false;
    try {
      certificates.write(serverNames);
      written = true;
      return certificates;
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException("Certificates cannot be made: " + e.getMessage(), e);
    } finally {
      if (!written) {
        certificates.close();
      }
    }
  }

  /** Returns the PKCS12 key store that has the authority's certificate and no key. */
  public Path trustStore() {
    return folder.resolve("trust.p12");
  }

  /** Returns the PKCS12 key store that has the client's certificate and key. */
  public Path clientKeyStore() {
    return folder.resolve("client.p12");
  }

  /** Returns the password of both key stores and of the key. */
  public String password() {
    return password;
  }

  /** Deletes the files; servers that use them cannot be started again then. */
  @Override
  public void close() {
    TemporaryFolders.deleteOrLog(folder);
  }

  /** Returns the arguments that name the server's certificate, its key and the authority. */
  List<String> redisArguments() {
    return List.of(
        "--tls-cert-file",
        pem(SERVER).toString(),
        "--tls-key-file",
        pem("key").toString(),
        "--tls-ca-cert-file",
        pem(AUTHORITY).toString());
  }

  /** Returns what makes connections that trust the authority and show the client's certificate. */
  SocketFactory clientSockets() {
    try {
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(load(clientKeyStore()), password.toCharArray());
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(load(trustStore()));
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
      return context.getSocketFactory();
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException("The certificates cannot be read", e);
    }
  }

  private void write(String serverNames) throws IOException, GeneralSecurityException {
    Path all = folder.resolve("all.p12");
    makePair(all, AUTHORITY, "-ext", "bc:critical=ca:true");
    makePair(all, SERVER, "-signer", AUTHORITY, "-ext", "san=" + serverNames);
    makePair(all, CLIENT, "-signer", AUTHORITY);
    KeyStore made = load(all);

    Certificate authority = made.getCertificate(AUTHORITY);
    writePem(AUTHORITY, "CERTIFICATE", authority.getEncoded());
    writePem(SERVER, "CERTIFICATE", made.getCertificate(SERVER).getEncoded());
    writePem("key", "PRIVATE KEY", made.getKey(SERVER, password.toCharArray()).getEncoded());

    KeyStore trust = load(null);
    trust.setCertificateEntry(AUTHORITY, authority);
    store(trust, trustStore());
    KeyStore client = load(null);
    Key key = made.getKey(CLIENT, password.toCharArray());
    client.setKeyEntry(CLIENT, key, password.toCharArray(), made.getCertificateChain(CLIENT));
    store(client, clientKeyStore());
  }

  private void makePair(Path keyStore, String alias, String... options) throws IOException {
    Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
    Stream<String> common =
        Stream.of(
            "-J-XX:TieredStopAtLevel=1", // it runs for a moment only
            "-genkeypair",
            "-alias",
            alias,
            "-dname",
            "CN=Sojourn test " + alias,
            "-keyalg",
            "EC",
            "-groupname",
            "secp256r1",
            "-validity",
            VALID_DAYS,
            "-storetype",
            "PKCS12",
            "-keystore",
            keyStore.toString(),
            "-storepass",
            password);
    PrivateProcess.run(
        PrivateProcess.command(keytool, Stream.concat(common, Stream.of(options)).toList()),
        folder);
  }

  private Path pem(String name) {
    return folder.resolve(name + ".pem");
  }

  private void writePem(String name, String type, byte[] content) throws IOException {
    String base64 =
        Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII)).encodeToString(content);
    Files.writeString(
        pem(name), "-----BEGIN " + type + "-----\n" + base64 + "\n-----END " + type + "-----\n");
  }

  /** Returns what is in a key store, or an empty one where none is named. */
  private KeyStore load(@Nullable Path file) throws IOException, GeneralSecurityException {
    KeyStore keyStore = KeyStore.getInstance("PKCS12");
    if (file == null) {
      keyStore.load(null, null);
      return keyStore;
    }
    try (InputStream in = Files.newInputStream(file)) {
      keyStore.load(in, password.toCharArray());
      return keyStore;
    }
  }

  private void store(KeyStore keyStore, Path file) throws IOException, GeneralSecurityException {
    try (OutputStream out = Files.newOutputStream(file)) {
      keyStore.store(out, password.toCharArray());
    }
  }
}
