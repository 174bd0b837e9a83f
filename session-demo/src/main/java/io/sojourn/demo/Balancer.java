package io.sojourn.demo;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.sojourn.demo.Nodes.Backend;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/**
 * A small HTTP balancer on 127.0.0.1: strict round robin over the nodes that are up, without
 * stickiness. Thread-safe.
 *
 * <p>A node that cannot be connected to is passed over. A request that failed once it was under way
 * is asked again of the next node if that is safe (GET, HEAD), and answered 502 otherwise, as it
 * may have been carried out.
 *
 * <p>It answers {@code POST /_demo/kill?node=A} itself, by killing that node.
 */
final class Balancer implements AutoCloseable {

  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(2);
  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);
  private static final int LARGEST_BODY = 1 << 20;

  /** Headers that belong to one connection, or that the client and the server write themselves. */
  private static final Set<String> OWN_HEADERS =
      Set.of(
          "connection",
          "content-length",
          "date",
          "expect",
          "host",
          "http2-settings",
          "keep-alive",
          "proxy-authenticate",
          "proxy-authorization",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade",
          Shop.LIVE_HEADER.toLowerCase(Locale.ROOT));

  private final Nodes nodes;
  private final HttpServer server;
  private final AtomicInteger turns = new AtomicInteger();
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "sojourn-demo-balancer");
            thread.setDaemon(true);
            return thread;
          });
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .followRedirects(HttpClient.Redirect.NEVER)
          .connectTimeout(CONNECT_LIMIT)
          .executor(threads)
          .build();

  /**
   * Takes the port; nothing is answered before {@link #start()}.
   *
   * @param port the port of 127.0.0.1, 0 for any free one
   * @throws DemoFailure if the port cannot be had
   */
  Balancer(int port, Nodes nodes) {
    this.nodes = nodes;
    try {
      this.server = HttpServer.create(new InetSocketAddress(loopback(), port), 0);
    } catch (BindException e) {
      throw new DemoFailure(
          DemoFailure.START,
          "port %d of 127.0.0.1 cannot be had (%s); choose another by --port N, or any free one by --port 0"
              .formatted(port, e.getMessage()));
    } catch (IOException e) {
      throw new DemoFailure(DemoFailure.START, "the balancer cannot listen: " + e.getMessage());
    }
    server.setExecutor(threads);
    server.createContext("/", this::handle);
  }

  void start() {
    server.start();
  }

  /** Where it listens. */
  URI address() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      URI asked = exchange.getRequestURI();
      byte[] body = exchange.getRequestBody().readNBytes(LARGEST_BODY + 1);
      if (asked.getRawPath() == null || !asked.getRawPath().startsWith("/")) {
        answer(exchange, 400, "The balancer understands paths only.");
      } else if (body.length > LARGEST_BODY) {
        answer(exchange, 413, "The balancer passes on 1 MB at most.");
      } else if (asked.getRawPath().equals("/_demo/kill")) {
        kill(exchange);
      } else {
        pass(exchange, body);
      }
    }
  }

  private void pass(HttpExchange exchange, byte[] body) throws IOException {
    List<Backend> live = nodes.live();
    int turn = turns.getAndIncrement() & Integer.MAX_VALUE;
    boolean repeatable = Set.of("GET", "HEAD").contains(exchange.getRequestMethod());
    for (int i = 0; i < live.size(); i++) {
      Backend node = live.get((turn + i) % live.size());
      HttpResponse<byte[]> response;
      try {
        response =
            client.send(
                request(exchange, node, live, body), HttpResponse.BodyHandlers.ofByteArray());
      } catch (ConnectException | HttpConnectTimeoutException e) {
        // It never saw the request.
        continue;
      } catch (IOException e) {
        if (repeatable) {
          continue;
        }
        answer(exchange, 502, "Node " + node.name() + " died over this request.");
        return;
      } catch (IllegalArgumentException e) {
        answer(exchange, 400, "The balancer cannot pass this on.");
        return;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      relay(exchange, response);
      return;
    }
    exchange.getResponseHeaders().set("Retry-After", "2");
    answer(exchange, 503, "No node is up. They come back in about two seconds.");
  }

  private static HttpRequest request(
      HttpExchange exchange, Backend node, List<Backend> live, byte[] body) {
    URI asked = exchange.getRequestURI();
    String query = asked.getRawQuery() == null ? "" : "?" + asked.getRawQuery();
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(node.address() + asked.getRawPath() + query))
            .timeout(ANSWER_LIMIT)
            .method(
                exchange.getRequestMethod(),
                body.length == 0
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofByteArray(body));
    exchange
        .getRequestHeaders()
        .forEach(
            (name, values) -> {
              if (passes(name)) {
                values.forEach(value -> request.header(name, value));
              }
            });
    request.header(
        Shop.LIVE_HEADER, live.stream().map(Backend::name).collect(Collectors.joining(" and ")));
    return request.build();
  }

  private static void relay(HttpExchange exchange, HttpResponse<byte[]> response)
      throws IOException {
    response
        .headers()
        .map()
        .forEach(
            (name, values) -> {
              if (passes(name)) {
                values.forEach(value -> exchange.getResponseHeaders().add(name, value));
              }
            });
    send(exchange, response.statusCode(), response.body());
  }

  private static boolean passes(String header) {
    return !OWN_HEADERS.contains(header.toLowerCase(Locale.ROOT));
  }

  /**
   * Kills a node for the page on this machine, and for no page from elsewhere that knows the
   * address.
   */
  private void kill(HttpExchange exchange) throws IOException {
    String host = exchange.getRequestHeaders().getFirst("Host");
    String origin = exchange.getRequestHeaders().getFirst("Origin");
    if (!exchange.getRequestMethod().equals("POST")) {
      exchange.getResponseHeaders().set("Allow", "POST");
      answer(exchange, 405, "POST only.");
    } else if (!exchange.getRemoteAddress().getAddress().isLoopbackAddress()
        || host == null
        || !host.matches("(127\\.0\\.0\\.1|localhost)(:\\d+)?")
        || (origin != null && !origin.equals("http://" + host))) {
      answer(exchange, 403, "Only the demo's own page may do this.");
    } else {
      String query = String.valueOf(exchange.getRequestURI().getRawQuery());
      if (query.startsWith("node=") && nodes.kill(query.substring(5)).isPresent()) {
        exchange.getResponseHeaders().set("Location", "/");
        answer(exchange, 303, "Killed.");
      } else {
        answer(exchange, 404, "No such node is up.");
      }
    }
  }

  private static void answer(HttpExchange exchange, int status, String text) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
    String page =
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>Sojourn demo</title>
        <link rel="icon" href="data:,"></head>
        <body><p>%s</p><p><a href="/">Ask again</a></p></body></html>
        """
            .formatted(text);
    send(exchange, status, page.getBytes(StandardCharsets.UTF_8));
  }

  private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
    boolean empty = body.length == 0 || exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(status, empty ? -1 : body.length);
    if (!empty) {
      exchange.getResponseBody().write(body);
    }
  }

  private static InetAddress loopback() throws IOException {
    return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
  }
}
