package io.sojourn.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A cheap HTTP client over one kept connection to each node, with sessions of its own. Each request
 * of a session goes to another node than the one before, where nodes share sessions, and has to be
 * answered the count that the session has reached. For one thread.
 */
final class CostClient implements AutoCloseable {

  /** Of the session, and of what a client has seen of it. */
  private static final Pattern COOKIE = Pattern.compile("Set-Cookie: (JSESSIONID\\w*)=([^;]*);");

  private static final Pattern LENGTH = Pattern.compile("Content-Length: (\\d+)\r\n");
  private static final String END_OF_HEAD = "\r\n\r\n";

  private final List<Socket> nodes = new ArrayList<>();
  private final List<Visitor> visitors = new ArrayList<>();
  private final byte[] buffer = new byte[16 * 1024];
  private final boolean alternating;
  private final Random random;
  private int next;

  /** A session, the requests that ask for it, and what it has counted. */
  private static final class Visitor {
    final Map<String, String> cookies = new TreeMap<>();
    byte[] none = {};
    byte[] read = {};
    byte[] write = {};
    long count;
    int node;

    Visitor(int node) {
      this.node = node;
    }

    /** Keeps the cookies that a node has sent, if any. */
    void keepCookies(String head) {
      Matcher sent = COOKIE.matcher(head);
      boolean any = false;
      while (sent.find()) {
        any = true;
        if (sent.group(2).isEmpty()) {
          cookies.remove(sent.group(1));
        } else {
          cookies.put(sent.group(1), sent.group(2));
        }
      }
      if (any) {
        String all = cookies.toString();
        String header =
            "Cookie: " + all.substring(1, all.length() - 1).replace(", ", "; ") + "\r\n";
        none = request("/none", header);
        read = request("/read", header);
        write = request("/write", header);
      }
    }
  }

  /** What a node answered. */
  private record Answer(String head, String body) {}

  CostClient(List<Integer> ports, boolean sharedSessions, int sessions, int kilobytes, long seed)
      throws IOException {
    alternating = sharedSessions;
    random = new Random(seed);
    for (int port : ports) {
      Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
      socket.setTcpNoDelay(true);
      nodes.add(socket);
    }
    for (int i = 0; i < sessions; i++) {
      int node = i % nodes.size();
      Answer answer = ask(node, request("/fill?kb=" + kilobytes, ""));
      Visitor visitor = new Visitor(node);
      visitor.keepCookies(answer.head);
      if (!visitor.cookies.containsKey("JSESSIONID")) {
        throw new IllegalStateException("No session: " + answer.head);
      }
      visitors.add(visitor);
    }
  }

  private static byte[] request(String path, String headers) {
    return ("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n")
        .getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * Makes requests, of which this share of a hundred counts one more.
   *
   * @param writes negative for requests that ask for no session, though they have one
   */
  void run(int requests, int writes) throws IOException {
    for (int i = 0; i < requests; i++) {
      Visitor visitor = visitors.get(next++ % visitors.size());
      boolean write = random.nextInt(100) < writes;
      visitor.node = (visitor.node + (alternating ? 1 : 0)) % nodes.size();
      if (writes < 0) {
        String body = ask(visitor.node, visitor.none).body;
        if (!body.equals("none")) {
          throw new IllegalStateException("Unexpectedly, a node answered: " + body);
        }
        continue;
      }
      Answer answer = ask(visitor.node, write ? visitor.write : visitor.read);
      visitor.keepCookies(answer.head);
      visitor.count += write ? 1 : 0;
      if (!answer.body.equals(Long.toString(visitor.count))) {
        throw new IllegalStateException(
            "Counted to " + visitor.count + ", but a node says " + answer.body);
      }
    }
  }

  private Answer ask(int node, byte[] request) throws IOException {
    Socket socket = nodes.get(node);
    socket.getOutputStream().write(request);
    InputStream in = socket.getInputStream();
    int read = 0;
    while (true) {
      int more = in.read(buffer, read, buffer.length - read);
      if (more < 0) {
        throw new IOException("A node closed the connection");
      }
      read += more;
      String text = new String(buffer, 0, read, StandardCharsets.ISO_8859_1);
      int end = text.indexOf(END_OF_HEAD);
      if (end >= 0) {
        String head = text.substring(0, end + 2);
        Matcher length = LENGTH.matcher(head);
        if (!head.startsWith("HTTP/1.1 200 ") || !length.find()) {
          throw new IOException("Unexpectedly, a node answered: " + head);
        }
        int body = end + END_OF_HEAD.length();
        if (read >= body + Integer.parseInt(length.group(1))) {
          return new Answer(head, text.substring(body));
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    for (Socket node : nodes) {
      node.close();
    }
  }
}
