package io.sojourn.tomcat;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.CookieManager;
import java.net.HttpCookie;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A browser that keeps cookies as browsers do, by path and for all ports of a host, so that all
 * nodes get them. It follows no redirect by itself. For one thread.
 */
final class Browser {

  private static final HttpClient HTTP =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();

  private final CookieManager cookies = new CookieManager();
  private @Nullable String authorization;

  /** Sends this user's password along, as after a BASIC challenge. */
  void authorize(String user, String password) {
    authorization =
        "Basic " + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(UTF_8));
  }

  /** Sends no password any more. */
  void forgetPassword() {
    authorization = null;
  }

  Answer get(URI uri) {
    return send(uri, HttpRequest.newBuilder(uri));
  }

  /** Posts a form, given as names and values in turn. */
  Answer post(URI uri, String... form) {
    StringBuilder body = new StringBuilder();
    for (int i = 0; i < form.length; i += 2) {
      body.append(i == 0 ? "" : "&")
          .append(URLEncoder.encode(form[i], UTF_8))
          .append('=')
          .append(URLEncoder.encode(form[i + 1], UTF_8));
    }
    return send(
        uri,
        HttpRequest.newBuilder(uri)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString(body.toString())));
  }

  private Answer send(URI uri, HttpRequest.Builder request) {
    try {
      for (String value : cookies.get(uri, Map.of()).getOrDefault("Cookie", List.of())) {
        request.header("Cookie", value);
      }
      if (authorization != null) {
        request.header("Authorization", authorization);
      }
      HttpResponse<String> response =
          HTTP.send(request.timeout(Duration.ofSeconds(60)).build(), BodyHandlers.ofString(UTF_8));
      cookies.put(uri, response.headers().map());
      return new Answer(
          response.statusCode(),
          response.body(),
          response.headers().firstValue("Location").map(uri::resolve),
          response.headers().allValues("Set-Cookie"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** The value of the cookie that is sent to this path; null without one. */
  @Nullable String cookie(String name, String path) {
    for (HttpCookie cookie : cookies.getCookieStore().getCookies()) {
      if (cookie.getName().equals(name) && cookie.getPath().equals(path)) {
        return cookie.getValue();
      }
    }
    return null;
  }

  /** Takes a cookie over from somebody else. */
  void plant(String name, String value, String path) {
    HttpCookie cookie = new HttpCookie(name, value);
    cookie.setDomain("127.0.0.1");
    cookie.setPath(path);
    cookie.setVersion(0);
    cookies.getCookieStore().add(URI.create("http://127.0.0.1/"), cookie);
  }

  /**
   * A server's answer.
   *
   * @param location where it redirects to
   * @param setCookies the Set-Cookie headers
   */
  record Answer(int status, String body, Optional<URI> location, List<String> setCookies) {

    /** Where it redirects to, seen from another node. */
    URI locationAt(TomcatNode node) {
      URI there = location.orElseThrow(() -> new AssertionError("No redirect: " + this));
      String query = there.getRawQuery() == null ? "" : "?" + there.getRawQuery();
      return node.uri().resolve(there.getRawPath() + query);
    }
  }
}
