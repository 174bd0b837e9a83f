package io.sojourn.testkit.server;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/** A server that somebody else runs; it can be used and nothing more. */
record GivenAddress(String host, int port) implements Lifecycle {

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  /** Returns the address in the system property or, failing that, in the environment variable. */
  static Optional<String> of(String property) {
    return Optional.ofNullable(System.getProperty(property))
        .or(() -> Optional.ofNullable(System.getenv(variable(property))))
        .filter(address -> !address.isBlank());
  }

  /** Returns the environment variable that stands for a system property. */
  static String variable(String property) {
    return property.toUpperCase(Locale.ROOT).replace('.', '_');
  }

  /**
   * Returns the server at an address.
   *
   * @throws IllegalStateException if nothing accepts a connection there
   */
  static GivenAddress reach(URI address, int defaultPort) {
    String host = address.getHost();
    if (host == null) {
      throw new IllegalStateException("No host in the address that was given for tests");
    }
    int port = address.getPort() < 0 ? defaultPort : address.getPort();
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(host, port), (int) CONNECT_TIMEOUT.toMillis());
    } catch (IOException e) {
      throw new IllegalStateException(
          "The server given for tests at " + host + ":" + port + " cannot be reached", e);
    }
    return new GivenAddress(host, port);
  }

  @Override
  public void start() {
    throw refusal();
  }

  @Override
  public void kill() {
    throw refusal();
  }

  @Override
  public void suspend() {
    throw refusal();
  }

  @Override
  public void resume() {
    throw refusal();
  }

  @Override
  public void close() {}

  private UnsupportedOperationException refusal() {
    return new UnsupportedOperationException(
        "The server at " + host + ":" + port + " is not ours; use startPrivate()");
  }
}
