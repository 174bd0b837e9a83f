package io.sojourn.testkit.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.IntFunction;

/**
 * Ports of 127.0.0.1 for servers that cannot choose one themselves (0 means something else to
 * them).
 *
 * <p>They lie below the range that kernels hand out to clients. A port from that range could be
 * given to some connection while its server is down; and a client that keeps asking for it may even
 * connect to itself, after which the server can never have it back.
 *
 * <p>A port that was chosen once is given to nobody else until this JVM ends, in no other JVM of
 * this user either: a server that was killed finds it free when it is started again, whatever was
 * started meanwhile.
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
    } while (!(areReserved(port, apart) && areFree(port, apart)));
    return port;
  }

  private static boolean areReserved(int port, int apart) {
    return Reservations.take(port) && (apart == 0 || Reservations.take(port + apart));
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

  /**
   * A file that the JVMs of a user share: whoever chose a port holds a lock on the byte at its
   * number, and loses it by ending, however it ends.
   */
  static final class Reservations {

    private static final FileChannel FILE = open();

    /** A channel forgets a lock that nobody refers to. */
    private static final Set<FileLock> HELD = ConcurrentHashMap.newKeySet();

    private Reservations() {}

    private static FileChannel open() {
      Path file =
          Path.of(
              System.getProperty("java.io.tmpdir"),
              "sojourn-ports-" + System.getProperty("user.name"));
      try {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      } catch (IOException e) {
        throw new UncheckedIOException("Ports cannot be reserved in " + file, e);
      }
    }

    /** Returns whether the port was nobody's before. */
    static boolean take(int port) {
      try {
        FileLock lock = FILE.tryLock(port, 1, false);
        return lock != null && HELD.add(lock);
      } catch (OverlappingFileLockException e) {
        return false; // this JVM has it
      } catch (IOException e) {
        throw new UncheckedIOException("Port " + port + " cannot be reserved", e);
      }
    }
  }
}
