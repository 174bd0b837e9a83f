package io.sojourn.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicReference;

/** A way to a server of this machine that can lose the server's next answer, and breaks then. */
final class LossyLine implements AutoCloseable {

  private final ServerSocket listening;
  private final int serverPort;
  private final AtomicReference<Runnable> loss = new AtomicReference<>();

  LossyLine(int serverPort) throws IOException {
    this.serverPort = serverPort;
    this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    start(this::accept);
  }

  int port() {
    return listening.getLocalPort();
  }

  /**
   * Keeps back the next answer and ends the connection that it was for.
   *
   * @param meanwhile what happens after the server has answered and before the client knows
   */
  void loseNextAnswer(Runnable meanwhile) {
    loss.set(meanwhile);
  }

  /** Whether an answer was lost since that was asked for. */
  boolean hasLost() {
    return loss.get() == null;
  }

  private void accept() {
    while (!listening.isClosed()) {
      try {
        Socket client = listening.accept();
        Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
        start(() -> copy(client, server, false));
        start(() -> copy(server, client, true));
      } catch (IOException e) {
        // The test is over, or the server is.
      }
    }
  }

  private void copy(Socket from, Socket to, boolean answers) {
    byte[] buffer = new byte[8192];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        Runnable meanwhile = answers ? loss.getAndSet(null) : null;
        if (meanwhile != null) {
          meanwhile.run();
          return;
        }
        to.getOutputStream().write(buffer, 0, count);
      }
    } catch (IOException e) {
      // The other side hung up.
    }
  }

  private static void start(Runnable work) {
    Thread thread = new Thread(work, "lossy line");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() {
    try {
      listening.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
