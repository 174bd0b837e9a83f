package io.sojourn.dist;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.CookieManager;
import java.net.HttpCookie;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** A browser of one user, to whom all servers are one: cookies do not know ports. */
final class Browser {

  private final CookieManager cookies = new CookieManager();
  private final HttpClient http =
      HttpClient.newBuilder().cookieHandler(cookies).connectTimeout(Duration.ofSeconds(5)).build();

  private @Nullable String authorization;

  /** The answer's status. */
  int status(URI uri) {
    return send(uri).statusCode();
  }

  /**
   * The page at an address.
   *
   * @throws AssertionError if the answer is another than 200
   */
  String page(URI uri) {
    HttpResponse<String> answer = send(uri);
    if (answer.statusCode() != 200) {
      throw new AssertionError(uri + ": " + answer.statusCode() + "\n" + answer.body());
    }
    return answer.body();
  }

  /** Sends this user's password along with each request. */
  void authorize(String user, String password) {
    authorization =
        "Basic " + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(UTF_8));
  }

  private HttpResponse<String> send(URI uri) {
    try {
      HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(60));
      if (authorization != null) {
        request.header("Authorization", authorization);
      }
      return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** The session id in the cookie of this path, without the name of a node. */
  String sessionId(String path) {
    return cookies.getCookieStore().getCookies().stream()
        .filter(cookie -> cookie.getName().equals("JSESSIONID") && cookie.getPath().equals(path))
        .map(HttpCookie::getValue)
        .map(id -> id.replaceFirst("\\..*", ""))
        .findFirst()
        .orElseThrow();
  }
}
