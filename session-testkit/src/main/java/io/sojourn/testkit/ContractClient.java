package io.sojourn.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A browser of one user: keeps its cookies and talks to whichever server it is told, which has a
 * {@link ContractServlet}. Thread-safe; of answers that overlap the last one's cookie stays.
 */
public final class ContractClient {

  private static final HttpClient HTTP =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();

  private static final String COOKIE = "JSESSIONID";

  private final Map<String, String> cookies = new ConcurrentSkipListMap<>();

  /** A browser without a cookie. */
  public ContractClient() {}

  /** The session id that the cookie holds; null without one. */
  public @Nullable String sessionId() {
    return cookies.get(COOKIE);
  }

  /** Takes over another client's session cookie. */
  public void useSessionId(String id) {
    cookies.put(COOKIE, id);
  }

  /** The cookies beside the session's. */
  Map<String, String> otherCookies() {
    Map<String, String> others = new TreeMap<>(cookies);
    others.remove(COOKIE);
    return others;
  }

  /** Has these cookies beside the session's, and no others. */
  void useOtherCookies(Map<String, String> others) {
    cookies.keySet().removeIf(name -> !name.equals(COOKIE));
    cookies.putAll(others);
  }

  /** Sends the operations of {@link ContractServlet} and waits for the answer. */
  public Answer send(ContainerNode node, String... operations) {
    return sendLater(node, operations).join();
  }

  /** Posts the operations as a form does, and waits for the answer. */
  Answer post(ContainerNode node, String... operations) {
    HttpRequest form =
        HttpRequest.newBuilder(request(node.uri()), (name, value) -> true)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString(query(operations)))
            .build();
    return answer(form).whenComplete(this::keepCookies).join();
  }

  /** Sends the operations with a session id in the address, as a client without cookies does. */
  static Answer sendByAddress(ContainerNode node, String id, String... operations) {
    URI uri = node.uri().resolve(";jsessionid=" + id + "?" + query(operations));
    return new ContractClient().answer(uri).join();
  }

  /** Sends the operations and goes on. */
  public CompletableFuture<Answer> sendLater(ContainerNode node, String... operations) {
    return sendApart(node, operations).whenComplete(this::keepCookies);
  }

  /** Sends the operations and goes on. The answer's cookies are left to the caller to keep. */
  CompletableFuture<Answer> sendApart(ContainerNode node, String... operations) {
    return answer(uri(node, operations));
  }

  private CompletableFuture<Answer> answer(URI uri) {
    return answer(request(uri));
  }

  private static CompletableFuture<Answer> answer(HttpRequest request) {
    return HTTP.sendAsync(request, HttpResponse.BodyHandlers.ofString(UTF_8))
        .thenApply(ContractClient::answer);
  }

  private void keepCookies(@Nullable Answer answer, @Nullable Throwable failure) {
    if (answer != null) {
      keepCookies(answer.cookies());
    }
  }

  /** Sends the operations and answers when the response's head is there. */
  StreamedAnswer stream(ContainerNode node, String... operations) {
    try {
      HttpResponse<InputStream> response =
          HTTP.send(request(uri(node, operations)), HttpResponse.BodyHandlers.ofInputStream());
      keepCookies(response.headers().allValues("Set-Cookie"));
      return new StreamedAnswer(new BufferedReader(new InputStreamReader(response.body(), UTF_8)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Where these operations are sent. */
  static URI uri(ContainerNode node, String... operations) {
    return node.uri().resolve("?" + query(operations));
  }

  private static String query(String... operations) {
    return Stream.of(operations)
        .map(operation -> "op=" + URLEncoder.encode(operation, UTF_8))
        .collect(Collectors.joining("&"));
  }

  /** An operation that redirects to these operations on another server. */
  static String redirectTo(ContainerNode node, String... operations) {
    return "redirect:" + uri(node, operations);
  }

  /** Follows a redirect. */
  Answer follow(Answer redirect) {
    String location =
        redirect.location().orElseThrow(() -> new AssertionError("No redirect: " + redirect));
    return answer(URI.create(location)).whenComplete(this::keepCookies).join();
  }

  private HttpRequest request(URI uri) {
    HttpRequest.Builder builder = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(60));
    String all =
        cookies.entrySet().stream()
            .map(cookie -> cookie.getKey() + "=" + cookie.getValue())
            .collect(Collectors.joining("; "));
    if (!all.isEmpty()) {
      builder.header("Cookie", all);
    }
    return builder.build();
  }

  private static Answer answer(HttpResponse<String> response) {
    return new Answer(response.statusCode(), response.body().lines().toList(), response.headers());
  }

  /** Whether a Set-Cookie header takes the cookie away. Tomcat 11 sends Expires only. */
  static boolean isRemoval(String header) {
    return header.contains("Max-Age=0") || header.contains("Expires=Thu, 01 Jan 1970");
  }

  /** Does what a response's Set-Cookie headers say. */
  void keepCookies(List<String> headers) {
    for (String header : headers) {
      String[] cookie = header.split(";", 2)[0].split("=", 2);
      if (isRemoval(header)) {
        cookies.remove(cookie[0]);
      } else {
        cookies.put(cookie[0], cookie[1]);
      }
    }
  }

  /**
   * A server's answer.
   *
   * @param status the HTTP status
   * @param lines the body's lines
   * @param headers its headers
   */
  public record Answer(int status, List<String> lines, HttpHeaders headers) {

    /** The Set-Cookie headers. */
    public List<String> cookies() {
      return headers.allValues("Set-Cookie");
    }

    /** Where it redirects to. */
    public Optional<String> location() {
      return headers.firstValue("Location");
    }

    /** When to try again. */
    public Optional<String> retryAfter() {
      return headers.firstValue("Retry-After");
    }

    /**
     * The only line of a good answer.
     *
     * @throws AssertionError if it is not good, or has not one line
     */
    public String line() {
      if (status != 200 || lines.size() != 1) {
        throw new AssertionError("Not one line: " + this);
      }
      return lines.get(0);
    }
  }

  /** An answer that is still coming. */
  static final class StreamedAnswer {

    private final BufferedReader reader;

    StreamedAnswer(BufferedReader reader) {
      this.reader = reader;
    }

    /** The next character of the body; -1 at the end. */
    int read() {
      try {
        return reader.read();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** Reads to the end. */
    void finish() {
      int next;
      do {
        next = read();
      } while (next >= 0);
    }
  }
}
