package io.sojourn.tomcat;

import jakarta.servlet.http.Cookie;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.catalina.authenticator.SavedRequest;
import org.apache.tomcat.util.buf.ByteChunk;
import org.jspecify.annotations.Nullable;

/**
 * The request that FORM authentication puts aside until its user has logged in, as an attribute of
 * the session: a map of the JDK's own types that the application's codec encodes (docs/format.md).
 * Tomcat's {@code maxSavePostSize} bounds its body, and the connector its headers.
 */
final class StoredRequest {

  /** The attribute's name. */
  static final String NAME = AttributeMap.RESERVED + "request";

  /**
   * The name of the attribute that says under which id the client has to come back: the hexadecimal
   * form of its key, since the id itself would open the session.
   */
  static final String EXPECTED_KEY = AttributeMap.RESERVED + "request.key";

  /** Stands for the session's id, which must not be stored; no request can contain it. */
  private static final String OWN_ID = "\0";

  /** Headers that are not stored: they are, or stand for, passwords. */
  private static final Set<String> CREDENTIALS = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);

  static {
    CREDENTIALS.add("Authorization");
    CREDENTIALS.add("Proxy-Authorization");
  }

  private static final String METHOD = "method";
  private static final String URI = "uri";
  private static final String DECODED_URI = "decodedUri";
  private static final String QUERY = "query";
  private static final String CONTENT_TYPE = "contentType";
  private static final String TIMEOUT = "timeout";
  private static final String HEADERS = "headers";
  private static final String COOKIES = "cookies";
  private static final String LOCALES = "locales";
  private static final String BODY = "body";

  private StoredRequest() {}

  /**
   * The form to store.
   *
   * @param sessionId the session's id, without a route
   */
  static Map<String, Object> of(SavedRequest request, String sessionId) {
    Map<String, Object> stored = new LinkedHashMap<>();
    put(stored, METHOD, request.getMethod());
    put(stored, URI, mask(request.getRequestURI(), sessionId));
    put(stored, DECODED_URI, mask(request.getDecodedRequestURI(), sessionId));
    put(stored, QUERY, mask(request.getQueryString(), sessionId));
    put(stored, CONTENT_TYPE, request.getContentType());
    put(stored, TIMEOUT, request.getOriginalMaxInactiveIntervalOptional());
    List<String> texts = new ArrayList<>();
    for (String name : iterable(request.getHeaderNames())) {
      if (!CREDENTIALS.contains(name)) {
        for (String value : iterable(request.getHeaderValues(name))) {
          texts.add(name);
          texts.add(value);
        }
      }
    }
    stored.put(HEADERS, masked(texts, sessionId));
    texts.clear();
    for (Cookie cookie : iterable(request.getCookies())) {
      texts.add(cookie.getName());
      texts.add(cookie.getValue());
    }
    stored.put(COOKIES, masked(texts, sessionId));
    texts.clear();
    request.getLocales().forEachRemaining(locale -> texts.add(locale.toLanguageTag()));
    stored.put(LOCALES, masked(texts, sessionId));
    ByteChunk body = request.getBody();
    if (body != null) {
      byte[] bytes = new byte[body.getLength()];
      System.arraycopy(body.getBuffer(), body.getStart(), bytes, 0, bytes.length);
      stored.put(BODY, bytes);
    }
    return stored;
  }

  /**
   * Reads that form.
   *
   * @param sessionId the session's id, without a route
   * @throws IllegalArgumentException if it is another
   */
  static SavedRequest read(Object stored, String sessionId) {
    StoredMap map = StoredMap.of(stored);
    SavedRequest request = new SavedRequest();
    request.setMethod(map.require(METHOD, String.class));
    request.setRequestURI(unmask(map.require(URI, String.class), sessionId));
    request.setDecodedRequestURI(unmask(map.require(DECODED_URI, String.class), sessionId));
    request.setQueryString(unmask(map.get(QUERY, String.class), sessionId));
    request.setContentType(map.get(CONTENT_TYPE, String.class));
    Integer timeout = map.get(TIMEOUT, Integer.class);
    if (timeout != null) {
      request.setOriginalMaxInactiveInterval(timeout);
    }
    List<String> texts = unmasked(map, HEADERS, sessionId);
    for (int i = 0; i + 1 < texts.size(); i += 2) {
      request.addHeader(texts.get(i), texts.get(i + 1));
    }
    texts = unmasked(map, COOKIES, sessionId);
    for (int i = 0; i + 1 < texts.size(); i += 2) {
      request.addCookie(new Cookie(texts.get(i), texts.get(i + 1)));
    }
    for (String tag : unmasked(map, LOCALES, sessionId)) {
      request.addLocale(Locale.forLanguageTag(tag));
    }
    byte[] bytes = map.get(BODY, byte[].class);
    if (bytes != null) {
      ByteChunk body = new ByteChunk();
      body.setBytes(bytes, 0, bytes.length);
      request.setBody(body);
    }
    return request;
  }

  private static <T> Iterable<T> iterable(Iterator<T> iterator) {
    return () -> iterator;
  }

  private static void put(Map<String, Object> map, String key, @Nullable Object value) {
    if (value != null) {
      map.put(key, value);
    }
  }

  private static @Nullable String mask(@Nullable String text, String sessionId) {
    return text == null ? null : text.replace(sessionId, OWN_ID);
  }

  private static @Nullable String unmask(@Nullable String text, String sessionId) {
    return text == null ? null : text.replace(OWN_ID, sessionId);
  }

  private static String[] masked(List<String> texts, String sessionId) {
    return texts.stream().map(text -> text.replace(sessionId, OWN_ID)).toArray(String[]::new);
  }

  private static List<String> unmasked(StoredMap map, String key, String sessionId) {
    return map.texts(key).stream().map(text -> text.replace(OWN_ID, sessionId)).toList();
  }
}
