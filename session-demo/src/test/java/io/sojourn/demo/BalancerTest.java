package io.sojourn.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BalancerTest {

  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  private final FakeNodes nodes = new FakeNodes();
  private final List<AutoCloseable> open = new ArrayList<>();
  private final HttpClient client = HttpClient.newHttpClient();
  private final Balancer balancer = new Balancer(0, nodes);

  BalancerTest() {
    balancer.start();
    open.add(balancer);
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
  }

  @Test
  void asksTheNodesInTurn() throws Exception {
    healthy("A");
    healthy("B");

    List<String> answers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      answers.add(send("GET", "/").body());
    }

    assertThat(answers).containsExactly("A GET / ", "B GET / ", "A GET / ", "B GET / ");
  }

  @Test
  void passesOverANodeThatCannotBeConnectedTo() throws Exception {
    refusing("A");
    healthy("B");

    assertThat(send("POST", "/cart?x=%20").body()).isEqualTo("B POST /cart?x=%20 item=Tea");
    assertThat(send("GET", "/").body()).isEqualTo("B GET / ");
  }

  @Test
  void asksTheNextNodeWhenOneDiesOverAGet() throws Exception {
    dying("A");
    healthy("B");

    assertThat(send("GET", "/").body()).isEqualTo("B GET / ");
  }

  @Test
  void neverRepeatsAPostThatANodeDiedOver() throws Exception {
    dying("A");
    healthy("B");

    assertThat(send("POST", "/cart").statusCode()).isEqualTo(502);
    assertThat(nodes.asked).isEmpty();
  }

  @Test
  void saysThatNoNodeIsUp() throws Exception {
    refusing("A");

    HttpResponse<String> answer = send("GET", "/");

    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.headers().firstValue("Retry-After")).contains("2");
  }

  @Test
  void passesCookiesAndRedirectsOn() throws Exception {
    healthy("A");

    HttpResponse<String> answer = send("GET", "/redirect", "Cookie", "k=v");

    assertThat(answer.statusCode()).isEqualTo(303);
    assertThat(answer.headers().firstValue("Location")).contains("/");
    assertThat(answer.headers().allValues("Set-Cookie")).containsExactly("k=v", "l=w");
  }

  @Test
  void killsANodeForItsOwnPageOnly() throws Exception {
    healthy("A");

    assertThat(send("GET", "/_demo/kill?node=A").statusCode()).isEqualTo(405);
    assertThat(send("POST", "/_demo/kill?node=A", "Origin", "http://evil.example").statusCode())
        .isEqualTo(403);
    assertThat(send("POST", "/_demo/kill?node=B").statusCode()).isEqualTo(404);
    assertThat(send("POST", "/_demo/kill").statusCode()).isEqualTo(404);
    assertThat(nodes.killed).isEmpty();

    assertThat(send("POST", "/_demo/kill?node=A").statusCode()).isEqualTo(303);
    assertThat(nodes.killed).containsExactly("A");
  }

  @Test
  void tellsInOneLineThatAPortIsTaken() {
    int taken = balancer.address().getPort();

    assertThatThrownBy(() -> new Balancer(taken, nodes))
        .isInstanceOf(DemoFailure.class)
        .hasMessageContaining("port " + taken)
        .hasMessageContaining("--port")
        .hasMessageNotContaining("\n");
  }

  private HttpResponse<String> send(String method, String path, String... headers)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(balancer.address().resolve(path))
            .method(
                method,
                method.equals("POST")
                    ? HttpRequest.BodyPublishers.ofString("item=Tea")
                    : HttpRequest.BodyPublishers.noBody());
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  /** A node that says what it was asked. */
  private void healthy(String name) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(LOOPBACK, 0), 0);
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            String body =
                new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            String answer =
                "%s %s %s %s"
                    .formatted(name, exchange.getRequestMethod(), exchange.getRequestURI(), body);
            nodes.asked.add(answer);
            boolean redirects = exchange.getRequestURI().getPath().equals("/redirect");
            if (redirects) {
              exchange.getResponseHeaders().set("Location", "/");
              exchange
                  .getResponseHeaders()
                  .add("Set-Cookie", exchange.getRequestHeaders().getFirst("Cookie"));
              exchange.getResponseHeaders().add("Set-Cookie", "l=w");
            }
            byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(redirects ? 303 : 200, bytes.length);
            exchange.getResponseBody().write(bytes);
          }
        });
    server.start();
    open.add(() -> server.stop(0));
    nodes.add(name, server.getAddress().getPort());
  }

  /** A node whose port is bound, so nobody else takes it, and not listened on. */
  private void refusing(String name) throws IOException {
    Socket socket = new Socket();
    socket.bind(new InetSocketAddress(LOOPBACK, 0));
    open.add(socket);
    nodes.add(name, socket.getLocalPort());
  }

  /** A node that takes each request and resets the connection. */
  private void dying(String name) throws IOException {
    ServerSocket server = new ServerSocket(0, 50, LOOPBACK);
    open.add(server);
    nodes.add(name, server.getLocalPort());
    Thread thread =
        new Thread(
            () -> {
              while (!server.isClosed()) {
                try (Socket connection = server.accept()) {
                  connection.setSoLinger(true, 0);
                  assertThat(connection.getInputStream().read()).isNotNegative();
                } catch (IOException e) {
                  // The test is over.
                }
              }
            },
            "dying-node");
    thread.setDaemon(true);
    thread.start();
  }

  private static final class FakeNodes implements Nodes {

    private final List<Backend> backends = new CopyOnWriteArrayList<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final List<String> killed = new CopyOnWriteArrayList<>();

    void add(String name, int port) {
      backends.add(new Backend(name, 1, URI.create("http://127.0.0.1:" + port)));
    }

    @Override
    public List<Backend> live() {
      return List.copyOf(backends);
    }

    @Override
    public Optional<Backend> kill(String name) {
      Stream<Backend> found = backends.stream().filter(backend -> backend.name().equals(name));
      Optional<Backend> victim = found.findFirst();
      victim.ifPresent(backend -> killed.add(backend.name()));
      return victim;
    }
  }
}
