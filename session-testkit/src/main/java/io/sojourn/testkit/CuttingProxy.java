package io.sojourn.testkit;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A way to a server that breaks where a test says. Thread-safe. */
public final class CuttingProxy implements AutoCloseable {

  /** Where a connection breaks. */
  public enum Cut {
    /** Wherever all connections are. */
    NOW,
    /** When a client has sent something, before the server has it. */
    REQUEST,
    /** When the server has done what it was asked for, before the client has the answer. */
    ANSWER,
    /** The same, in the middle of the answer. */
    HALF_ANSWER
  }

  private static final Pattern HOST_AND_PORT = Pattern.compile("(//(?:[^/@]*@)?)([^/:@]+):(\\d+)");

  private final ServerSocket accepting;
  private final String url;
  private volatile InetSocketAddress server;
  private volatile @Nullable InetSocketAddress second;
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicReference<@Nullable Cut> next = new AtomicReference<>();
  private final AtomicReference<@Nullable Runnable> beforeLoss = new AtomicReference<>();
  private volatile String answerToHello = "";
  private volatile int bytesPerSecond;
  private final AtomicInteger frozen = new AtomicInteger();
  private final CountDownLatch end = new CountDownLatch(1);
  private final Object lock = new Object();

  @GuardedBy("lock")
  private final Set<Socket> open = new HashSet<>();

  @GuardedBy("lock")
  private boolean closed;

  /**
   * A way to a server.
   *
   * @param url of the server, with its host and port
   */
  public CuttingProxy(String url) throws IOException {
    Matcher address = addressIn(url);
    this.server = server(address);
    this.accepting = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    this.url =
        address.replaceFirst(
            Matcher.quoteReplacement(address.group(1) + "127.0.0.1:" + accepting.getLocalPort()));
    run(this::accept);
  }

  private static Matcher addressIn(String url) {
    Matcher address = HOST_AND_PORT.matcher(url);
    if (!address.find()) {
      throw new IllegalArgumentException(url + " names no host and port");
    }
    return address;
  }

  private static InetSocketAddress server(Matcher address) {
    return new InetSocketAddress(address.group(2), Integer.parseInt(address.group(3)));
  }

  /**
   * Has all connections break, and leads to another server from now on.
   *
   * @param otherUrl of that one, with its host and port
   */
  public void leadTo(String otherUrl) {
    server = server(addressIn(otherUrl));
    closeAll();
  }

  /**
   * Leads to another server every second time from now on.
   *
   * @param otherUrl of that one, with its host and port
   */
  public void takeTurns(String otherUrl) {
    second = server(addressIn(otherUrl));
  }

  /** How many connections have been opened to it. */
  public int connections() {
    return connections.get();
  }

  /** The server's URL, but for the host and port. */
  public String url() {
    return url;
  }

  /** Has the connection break that comes there next, or all of them now. */
  public void cut(Cut cut) {
    if (cut == Cut.NOW) {
      closeAll();
    } else {
      next.set(cut);
    }
  }

  /**
   * Is a slow line from now on, in each direction: so many bytes a second at the most, a twentieth
   * of them at a time. Without limit if it is 0.
   */
  public void slowDown(int toBytesPerSecond) {
    bytesPerSecond = toBytesPerSecond;
  }

  /**
   * Speaks RESP2 only, as some proxies do: a client that asks for another protocol is refused.
   *
   * @param answer what it is told
   */
  public void refuseHello(String answer) {
    answerToHello = answer;
  }

  /**
   * Has the connection break that gets the next answer, before the client has it.
   *
   * @param meanwhile what happens after the server has answered and before the client knows
   * @return what tells whether that has happened, and how it ended
   */
  public Future<?> loseAnswer(Runnable meanwhile) {
    FutureTask<?> task = new FutureTask<>(meanwhile, null);
    beforeLoss.set(task);
    next.set(Cut.ANSWER);
    return task;
  }

  /**
   * Has the connections that there are pass on nothing more, and not even take what is sent, as
   * those to a host that has vanished. New ones lead to the server.
   */
  public void freeze() {
    frozen.incrementAndGet();
  }

  private void accept() throws IOException {
    while (true) {
      Socket client = accepting.accept();
      Socket server;
      try {
        InetSocketAddress other = second;
        boolean isOthersTurn = connections.getAndIncrement() % 2 == 1;
        InetSocketAddress to = other != null && isOthersTurn ? other : this.server;
        server = new Socket(to.getAddress(), to.getPort());
        client.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
      } catch (IOException e) {
        // As it is without the proxy: this client is refused, and the next one may not be.
        client.close();
        continue;
      }
      synchronized (lock) {
        open.add(client);
        open.add(server);
        if (closed) {
          closeAll();
        }
      }
      int since = frozen.get();
      run(() -> pass(client, server, true, since));
      run(() -> pass(server, client, false, since));
    }
  }

  private void pass(Socket from, Socket to, boolean requests, int since) throws IOException {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] buffer = new byte[64 * 1024];
      while (true) {
        int speed = bytesPerSecond;
        int most = speed > 0 ? Math.min(buffer.length, 1 + speed / 20) : buffer.length;
        int length = in.read(buffer, 0, most);
        if (length < 0) {
          return;
        }
        String refusal = requests ? answerToHello : "";
        if (!refusal.isEmpty()
            && new String(buffer, 0, length, StandardCharsets.US_ASCII).contains("HELLO")) {
          // It comes alone: the client waits for the answer.
          from.getOutputStream().write((refusal + "\r\n").getBytes(StandardCharsets.US_ASCII));
          continue;
        }
        if (frozen.get() > since) {
          end.await();
          return;
        }
        Cut cut = next.get();
        if (cut != null && requests == (cut == Cut.REQUEST) && next.compareAndSet(cut, null)) {
          Runnable meanwhile = beforeLoss.getAndSet(null);
          if (meanwhile != null) {
            meanwhile.run();
          }
          out.write(buffer, 0, cut == Cut.HALF_ANSWER ? length / 2 : 0);
          return;
        }
        out.write(buffer, 0, length);
        if (speed > 0) {
          LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(length) / speed);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      synchronized (lock) {
        open.remove(from);
        open.remove(to);
      }
    }
  }

  private void closeAll() {
    synchronized (lock) {
      for (Socket socket : open) {
        try {
          socket.close();
        } catch (IOException e) {
          // It is closed all the same.
        }
      }
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  /** Until a socket is closed. */
  private static void run(Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (IOException e) {
                // That was the end of it.
              }
            },
            "cutting-proxy");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    synchronized (lock) {
      closed = true;
    }
    end.countDown();
    accepting.close();
    closeAll();
  }
}
