package io.sojourn.tomcat;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.jspecify.annotations.Nullable;

/**
 * The response as the application sees it, which saves the request's sessions at the last moment
 * before a byte can leave: at a flush, at the end of the stream or writer, and before a write that
 * the buffer may not hold or that completes a body of announced length.
 *
 * <p>Used by one thread at a time, as responses are.
 */
final class SessionResponse extends HttpServletResponseWrapper {

  /**
   * Whether this Tomcat was seen to keep a body that had its announced length, as 10.1 does until
   * the request's end. Tomcat 11 sends it at once.
   */
  private static volatile boolean tomcatKeepsCompleteBodies;

  private final RequestScope scope;
  private @Nullable ServletOutputStream stream;
  private @Nullable PrintWriter writer;

  /** Bytes written since the buffer was last empty; an upper bound where a charset is not known. */
  private long buffered;

  /** The length that the application has announced. */
  private long contentLength = Long.MAX_VALUE;

  SessionResponse(HttpServletResponse response, RequestScope scope) {
    super(response);
    this.scope = scope;
  }

  RequestScope scope() {
    return scope;
  }

  /** Bytes are about to be written, which may be too many to wait or the last. */
  private void beforeWrite(long bytes) {
    buffered += bytes;
    if (buffered >= getBufferSize() || (buffered >= contentLength && !isCompleteBodyKept())) {
      beforeCommit();
    }
  }

  private boolean isCompleteBodyKept() {
    return tomcatKeepsCompleteBodies && scope.request() != null;
  }

  private void afterWrite() {
    if (buffered >= contentLength && !tomcatKeepsCompleteBodies) {
      Request request = scope.request();
      tomcatKeepsCompleteBodies = request != null && keepsCompleteBody(request.getResponse());
    }
  }

  private static boolean keepsCompleteBody(Response response) {
    long announced = response.getCoyoteResponse().getContentLengthLong();
    return announced > 0 && response.getContentWritten() >= announced && !response.isCommitted();
  }

  /** Whether its head has left. To an application Tomcat says so of any complete body. */
  private boolean hasBegunToLeave() {
    Request request = scope.request();
    return isCommitted() && (request == null || request.getResponse().isCommitted());
  }

  private void beforeCommit() {
    if (!hasBegunToLeave()) {
      scope.takeOver();
      scope.flush();
    }
  }

  @Override
  public void flushBuffer() throws IOException {
    beforeCommit();
    super.flushBuffer();
  }

  @Override
  public void reset() {
    super.reset();
    scope.forgetTold();
    buffered = 0;
    contentLength = Long.MAX_VALUE;
    stream = null;
    writer = null;
  }

  @Override
  public void setContentLength(int length) {
    super.setContentLength(length);
    expectContentLength(length);
  }

  @Override
  public void setContentLengthLong(long length) {
    super.setContentLengthLong(length);
    expectContentLength(length);
  }

  // The scope adds cookies of its own, and may do so while another thread goes on with the request.

  @Override
  public void setHeader(String name, String value) {
    synchronized (scope) {
      super.setHeader(name, value);
    }
    expectContentLength(name, value);
  }

  @Override
  public void addHeader(String name, String value) {
    synchronized (scope) {
      super.addHeader(name, value);
    }
    expectContentLength(name, value);
  }

  @Override
  public void setIntHeader(String name, int value) {
    synchronized (scope) {
      super.setIntHeader(name, value);
    }
    expectContentLength(name, Integer.toString(value));
  }

  @Override
  public void addIntHeader(String name, int value) {
    synchronized (scope) {
      super.addIntHeader(name, value);
    }
    expectContentLength(name, Integer.toString(value));
  }

  @Override
  public void setDateHeader(String name, long date) {
    synchronized (scope) {
      super.setDateHeader(name, date);
    }
  }

  @Override
  public void addDateHeader(String name, long date) {
    synchronized (scope) {
      super.addDateHeader(name, date);
    }
  }

  @Override
  public void addCookie(Cookie cookie) {
    synchronized (scope) {
      super.addCookie(cookie);
    }
  }

  private void expectContentLength(String name, @Nullable String value) {
    if ("Content-Length".equalsIgnoreCase(name) && value != null) {
      try {
        expectContentLength(Long.parseLong(value));
      } catch (NumberFormatException e) {
        // Tomcat does not take it for the length either.
      }
    }
  }

  private void expectContentLength(long length) {
    contentLength = length < 0 ? Long.MAX_VALUE : length;
  }

  @Override
  public void resetBuffer() {
    super.resetBuffer();
    buffered = 0;
  }

  @Override
  public ServletOutputStream getOutputStream() throws IOException {
    ServletOutputStream inner = super.getOutputStream();
    ServletOutputStream present = stream;
    if (present == null) {
      present = new Stream(inner);
      stream = present;
    }
    return present;
  }

  @Override
  public PrintWriter getWriter() throws IOException {
    PrintWriter inner = super.getWriter();
    PrintWriter present = writer;
    if (present == null) {
      present = new Writer(inner);
      writer = present;
    }
    return present;
  }

  private final class Stream extends ServletOutputStream {

    private final ServletOutputStream inner;

    Stream(ServletOutputStream inner) {
      this.inner = inner;
    }

    @Override
    public boolean isReady() {
      return inner.isReady();
    }

    @Override
    public void setWriteListener(WriteListener listener) {
      inner.setWriteListener(listener);
    }

    @Override
    public void write(int b) throws IOException {
      beforeWrite(1);
      inner.write(b);
      afterWrite();
    }

    @Override
    public void write(byte[] bytes) throws IOException {
      write(bytes, 0, bytes.length);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      beforeWrite(length);
      inner.write(bytes, offset, length);
      afterWrite();
    }

    /** Overrides what servlet 6.1 has, which fails for a stream that blocks. */
    @SuppressWarnings({"UnusedMethod", "EffectivelyPrivate"})
    public void write(ByteBuffer bytes) throws IOException {
      byte[] copy = new byte[bytes.remaining()];
      bytes.get(copy);
      write(copy);
    }

    @Override
    public void flush() throws IOException {
      beforeCommit();
      inner.flush();
    }

    @Override
    public void close() throws IOException {
      beforeCommit();
      inner.close();
    }
  }

  private final class Writer extends PrintWriter {

    private final PrintWriter inner;

    private final Charset charset;

    Writer(PrintWriter inner) {
      super(inner);
      this.inner = inner;
      // Tomcat knows the name, since it has made an encoder of it.
      this.charset = Charset.forName(getCharacterEncoding());
    }

    @Override
    public void write(int c) {
      beforeWrite(bytes((char) c));
      inner.write(c);
    }

    @Override
    public void write(char[] text, int offset, int length) {
      long bytes = 0;
      for (int i = offset; i < offset + length; i++) {
        bytes += bytes(text[i]);
      }
      beforeWrite(bytes);
      inner.write(text, offset, length);
    }

    @Override
    public void write(String text, int offset, int length) {
      long bytes = 0;
      for (int i = offset; i < offset + length; i++) {
        bytes += bytes(text.charAt(i));
      }
      beforeWrite(bytes);
      inner.write(text, offset, length);
    }

    /** An upper bound of the bytes that a character becomes. */
    private int bytes(char c) {
      if (charset.equals(ISO_8859_1)) {
        return 1;
      }
      if (charset.equals(UTF_8)) {
        return c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
      }
      return 4;
    }

    @Override
    public void println() {
      write(System.lineSeparator());
    }

    @Override
    public void flush() {
      beforeCommit();
      inner.flush();
    }

    @Override
    public void close() {
      beforeCommit();
      inner.close();
    }

    @Override
    public boolean checkError() {
      return inner.checkError();
    }
  }
}
