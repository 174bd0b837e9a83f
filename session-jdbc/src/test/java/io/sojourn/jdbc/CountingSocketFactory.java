package io.sojourn.jdbc;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.SocketFactory;

/** Counts what all of its sockets send and receive, for a driver that takes it by its name. */
public final class CountingSocketFactory extends SocketFactory {

  private static final AtomicLong BYTES = new AtomicLong();

  /** For the driver. */
  public CountingSocketFactory() {}

  static long bytes() {
    return BYTES.get();
  }

  @Override
  public Socket createSocket() {
    return new CountingSocket();
  }

  @Override
  public Socket createSocket(String host, int port) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Socket createSocket(String host, int port, InetAddress local, int localPort) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Socket createSocket(InetAddress host, int port) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) {
    throw new UnsupportedOperationException();
  }

  private static final class CountingSocket extends Socket {

    @Override
    public InputStream getInputStream() throws IOException {
      return new FilterInputStream(super.getInputStream()) {
        @Override
        public int read() throws IOException {
          int next = super.read();
          BYTES.addAndGet(next < 0 ? 0 : 1);
          return next;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
          int count = super.read(target, offset, length);
          BYTES.addAndGet(Math.max(0, count));
          return count;
        }
      };
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
      return new FilterOutputStream(super.getOutputStream()) {
        @Override
        public void write(int b) throws IOException {
          out.write(b);
          BYTES.incrementAndGet();
        }

        @Override
        public void write(byte[] source, int offset, int length) throws IOException {
          out.write(source, offset, length);
          BYTES.addAndGet(length);
        }
      };
    }
  }
}
