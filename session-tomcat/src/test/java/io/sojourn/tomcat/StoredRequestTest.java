package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.http.Cookie;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.catalina.authenticator.SavedRequest;
import org.apache.tomcat.util.buf.ByteChunk;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What FORM authentication puts aside comes back as it was, without what would open a session. */
class StoredRequestTest {

  private static final String ID = "0123456789ABCDEF0123456789ABCDEF";

  private static SavedRequest request() {
    SavedRequest request = new SavedRequest();
    request.setMethod("PUT");
    request.setRequestURI("/app/a%20b;jsessionid=" + ID + ".node1");
    request.setDecodedRequestURI("/app/a b");
    request.setQueryString("x=1&from=" + ID);
    request.setContentType("text/plain; charset=UTF-8");
    request.setOriginalMaxInactiveInterval(-1);
    request.addHeader("Accept", "text/html");
    request.addHeader("Accept", "*/*");
    request.addHeader("Cookie", "JSESSIONID=" + ID + ".node1; color=red");
    request.addHeader("AUTHORIZATION", "Basic YW5uYTpzZWNyZXQ=");
    request.addHeader("proxy-authorization", "Basic YW5uYTpzZWNyZXQ=");
    request.addCookie(new Cookie("JSESSIONID", ID + ".node1"));
    request.addCookie(new Cookie("color", "red"));
    request.addLocale(Locale.forLanguageTag("sr-Latn-RS"));
    request.addLocale(Locale.ENGLISH);
    ByteChunk body = new ByteChunk();
    body.setBytes(new byte[] {9, 0, 1, 2, 9}, 1, 3);
    request.setBody(body);
    return request;
  }

  private static <T> List<T> list(Iterator<T> iterator) {
    List<T> list = new ArrayList<>();
    iterator.forEachRemaining(list::add);
    return list;
  }

  @Test
  @Tag("R64")
  void itComesBackWithTheIdThatTheSessionThenHas() {
    SavedRequest read = StoredRequest.read(StoredRequest.of(request(), ID), "NEW");
    assertThat(read.getMethod()).isEqualTo("PUT");
    assertThat(read.getRequestURI()).isEqualTo("/app/a%20b;jsessionid=NEW.node1");
    assertThat(read.getDecodedRequestURI()).isEqualTo("/app/a b");
    assertThat(read.getQueryString()).isEqualTo("x=1&from=NEW");
    assertThat(read.getContentType()).isEqualTo("text/plain; charset=UTF-8");
    assertThat(read.getOriginalMaxInactiveIntervalOptional()).isEqualTo(-1);
    assertThat(list(read.getHeaderNames())).containsExactlyInAnyOrder("Accept", "Cookie");
    assertThat(list(read.getHeaderValues("Accept"))).containsExactly("text/html", "*/*");
    assertThat(list(read.getHeaderValues("Cookie")))
        .containsExactly("JSESSIONID=NEW.node1; color=red");
    assertThat(list(read.getCookies()))
        .extracting(cookie -> cookie.getName() + "=" + cookie.getValue())
        .containsExactly("JSESSIONID=NEW.node1", "color=red");
    assertThat(list(read.getLocales()))
        .containsExactly(Locale.forLanguageTag("sr-Latn-RS"), Locale.ENGLISH);
    ByteChunk body = read.getBody();
    assertThat(body.getBytes()).startsWith(0, 1, 2);
    assertThat(body.getLength()).isEqualTo(3);
  }

  @Test
  void whatItDoesNotHaveStaysAway() {
    SavedRequest request = new SavedRequest();
    request.setMethod("GET");
    request.setRequestURI("/app/");
    request.setDecodedRequestURI("/app/");
    SavedRequest read = StoredRequest.read(StoredRequest.of(request, ID), ID);
    assertThat(read.getQueryString()).isNull();
    assertThat(read.getContentType()).isNull();
    assertThat(read.getBody()).isNull();
    assertThat(read.getOriginalMaxInactiveIntervalOptional()).isNull();
    assertThat(read.getHeaderNames()).isExhausted();
  }

  @Test
  @Tag("R58")
  @Tag("R61")
  void itIsStoredInThisFormWithoutIdAndPassword() {
    Map<String, Object> stored = new HashMap<>(StoredRequest.of(request(), ID));
    // The order of different headers is a hash map's.
    assertThat((String[]) stored.remove("headers"))
        .containsExactlyInAnyOrder(
            "Accept", "text/html", "Accept", "*/*", "Cookie", "JSESSIONID=\0.node1; color=red");
    assertThat((String[]) stored.remove("cookies"))
        .containsExactly("JSESSIONID", "\0.node1", "color", "red");
    assertThat((String[]) stored.remove("locales")).containsExactly("sr-Latn-RS", "en");
    assertThat((byte[]) stored.remove("body")).containsExactly(0, 1, 2);
    assertThat(stored)
        .isEqualTo(
            Map.of(
                "method", "PUT",
                "uri", "/app/a%20b;jsessionid=\0.node1",
                "decodedUri", "/app/a b",
                "query", "x=1&from=\0",
                "contentType", "text/plain; charset=UTF-8",
                "timeout", -1));
  }
}
