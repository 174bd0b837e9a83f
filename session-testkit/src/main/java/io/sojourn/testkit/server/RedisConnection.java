package io.sojourn.testkit.server;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A connection to a Redis of this machine, for the little that servers have to be asked and told
 * here.
 *
 * <p>Texts are taken byte by byte, so that keys of any kind come back as they were. Not
 * thread-safe.
 */
final class RedisConnection implements AutoCloseable {

  /** An error that Redis answered with. */
  static final class Refusal extends IOException {

    private static final long serialVersionUID = 1L;

    Refusal(String message) {
      super(message);
    }
  }

  private static final Charset BYTES = StandardCharsets.ISO_8859_1;
  private static final int TIMEOUT_MILLIS = 3_000;

  private final Socket socket;
  private final InputStream in;

  private RedisConnection(Socket socket) throws IOException {
    this.socket = socket;
    this.in = new BufferedInputStream(socket.getInputStream());
  }

  /**
   * Connects to a port of 127.0.0.1.
   *
   * @param access how the server lets in
   * @throws Refusal if it lets in by another way
   * @throws IOException if nothing accepts the connection within three seconds
   */
  static RedisConnection open(RedisAccess access, int port) throws IOException {
    Socket socket = access.sockets().createSocket();
    boolean opened = false;
    try {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
      socket.setSoTimeout(TIMEOUT_MILLIS);
      RedisConnection connection = new RedisConnection(socket);
      if (!access.login().isEmpty()) {
        connection.text(access.login().toArray(String[]::new));
      }
      opened = true;
      return connection;
    } finally {
      if (!opened) {
        socket.close();
      }
    }
  }

  /** Connects to a server. */
  static RedisConnection open(RedisServer server) throws IOException {
    return open(server.access(), server.port());
  }

  /**
   * Sends one command to a server on a connection of its own, and returns the answer.
   *
   * @throws Refusal if the server answers with an error
   * @throws IOException if it does not answer within three seconds
   */
  static String ask(RedisServer server, String... command) throws IOException {
    try (RedisConnection connection = open(server)) {
      return connection.text(command);
    }
  }

  /**
   * Returns the value of a property in an answer that has one in each line, as INFO's has.
   *
   * @throws IOException if there is no such property
   */
  static String property(String answer, String name) throws IOException {
    return answer
        .lines()
        .filter(line -> line.startsWith(name + ":"))
        .map(line -> line.substring(name.length() + 1))
        .findFirst()
        .orElseThrow(() -> new IOException("It does not tell its " + name));
  }

  /** Lets a command take longer than the three seconds that it has otherwise. */
  void waitAtMost(int millis) throws IOException {
    socket.setSoTimeout(millis);
  }

  /**
   * Sends a command and returns the answer, which is a text or a number.
   *
   * @throws Refusal if the server answers with an error
   * @throws IOException if it answers with anything else or not in time
   */
  String text(String... command) throws IOException {
    List<String> texts = texts(command);
    if (texts.size() != 1) {
      throw new IOException(command[0] + " was answered with a list");
    }
    return texts.get(0);
  }

  /**
   * Sends a command and returns all texts and numbers in the answer, those of lists within lists
   * too, and nothing for nil.
   *
   * @throws Refusal if the server answers with an error
   * @throws IOException if it does not answer in time
   */
  List<String> texts(String... command) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(("*" + command.length + "\r\n").getBytes(BYTES));
    for (String word : command) {
      byte[] bytes = word.getBytes(BYTES);
      out.writeBytes(("$" + bytes.length + "\r\n").getBytes(BYTES));
      out.writeBytes(bytes);
      out.writeBytes("\r\n".getBytes(BYTES));
    }
    out.writeTo(socket.getOutputStream());
    List<String> answer = new ArrayList<>();
    read(answer);
    return answer;
  }

  private void read(List<String> answer) throws IOException {
    String line = readLine();
    String rest = line.isEmpty() ? "" : line.substring(1);
    switch (line.isEmpty() ? ' ' : line.charAt(0)) {
      case '+', ':' -> answer.add(rest);
      case '-' -> throw new Refusal(rest);
      case '$' -> {
        int length = number(rest);
        if (length >= 0) {
          answer.add(readBulk(length));
        }
      }
      case '*' -> {
        for (int left = number(rest); left > 0; left--) {
          read(answer);
        }
      }
      default -> throw new IOException("This is no Redis: it answers " + line);
    }
  }

  private String readBulk(int length) throws IOException {
    byte[] bulk = in.readNBytes(length + 2);
    if (bulk.length < length + 2) {
      throw new EOFException("The connection was closed within an answer");
    }
    return new String(bulk, 0, length, BYTES);
  }

  private String readLine() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c; (c = in.read()) != '\n'; ) {
      if (c < 0) {
        throw new EOFException("The connection was closed instead of an answer");
      }
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }

  private static int number(String text) throws IOException {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new IOException("This is no Redis: it counts " + text, e);
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
