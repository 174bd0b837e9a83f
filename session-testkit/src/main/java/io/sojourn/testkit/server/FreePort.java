package io.sojourn.testkit.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.IntFunction;

/**
 * Ports of 127.0.0.1 for servers that cannot choose one themselves (0 means something else to
 * them).
 *
 * <p>They lie below the range that kernels hand out to clients. A port from that range could be
 * given to some connection while its server is down; and a client that keeps asking for it may even
 * connect to itself, after which the server can never have it back.
 */
final class FreePort {

  private static final int FIRST = 15_000;
  private static final int LAST = 31_999;
  private static final int TRIES = 5;

  private FreePort() {}

  /**
   * Starts a server on a port that is free, and on another one if somebody was faster.
   *
   * @throws IllegalStateException as {@code start} throws it, if the port is not the reason or too
   *     many ports were taken
   */
  static <T> T use(IntFunction<T> start) {
    return use(0, start);
  }

  /**
   * Starts a server on a port that is free, and on another one if somebody was faster.
   *
   * @param apart how far above that port lies another one that the server takes and that has to be
   *     free as well, or 0 if there is none
   * @throws IllegalStateException as {@code start} throws it, if the port is not the reason or too
   *     many ports were taken
   */
  static <T> T use(int apart, IntFunction<T> start) {
    for (int tries = 1; ; tries++) {
      int port = choose(apart);
      try {
        return start.apply(port);
      } catch (IllegalStateException e) {
        if (tries == TRIES || areFree(port, apart)) {
          throw e;
        }
      }
    }
  }

  private static int choose(int apart) {
    int port;
    do {
      port = ThreadLocalRandom.current().nextInt(FIRST, LAST + 1 - apart);
    } while (!areFree(port, apart));
    return port;
  }

  private static boolean areFree(int port, int apart) {
    return isFree(port) && isFree(port + apart);
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }
}
