package io.sojourn.jetty;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.sojourn.LiveSession;
import io.sojourn.VersionCookies;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.eclipse.jetty.http.HttpCookie;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.session.AbstractSessionManager;
import org.jspecify.annotations.Nullable;

/**
 * What a request's client has seen of its sessions in one context, and is told with the response:
 * {@link VersionCookies} that are named after the session cookie and are like it in all else.
 *
 * <p>Thread-safe.
 */
final class SeenVersions {

  private static final String INFIX = "_V";

  private final Request request;
  private final AbstractSessionManager manager;
  private final String application;
  private final BooleanSupplier bringsId;

  @GuardedBy("this")
  private @Nullable VersionCookies cookies;

  /** Whether this client keeps its session id in a cookie. Others are served from the store. */
  @GuardedBy("this")
  private boolean told;

  /**
   * Nothing has been read yet.
   *
   * @param application whose sessions
   * @param bringsId whether the request has brought a session id, in whichever way
   */
  SeenVersions(
      Request request,
      AbstractSessionManager manager,
      String application,
      BooleanSupplier bringsId) {
    this.request = request;
    this.manager = manager;
    this.application = application;
    this.bringsId = bringsId;
  }

  /** The version that the client has seen of this session. */
  synchronized long seen(LiveSession session) {
    return cookies().seen(session);
  }

  private synchronized VersionCookies cookies() {
    VersionCookies present = cookies;
    if (present == null) {
      present = new VersionCookies(application);
      read(present);
      cookies = present;
    }
    return present;
  }

  private synchronized void read(VersionCookies into) {
    if (!manager.isUsingCookies()) {
      return;
    }
    String name = manager.getSessionCookie();
    List<HttpCookie> all = Request.getCookies(request);
    told =
        !bringsId.getAsBoolean()
            || all.stream().anyMatch(cookie -> cookie.getName().equalsIgnoreCase(name));
    String beginning = name + INFIX;
    for (HttpCookie cookie : told ? all : List.<HttpCookie>of()) {
      if (cookie.getName().startsWith(beginning)) {
        into.came(
            cookie.getName().substring(beginning.length()), String.valueOf(cookie.getValue()));
      }
    }
  }

  /**
   * The response is about to leave: its client is to know which versions it shows.
   *
   * @param sessions those that the request uses. Of one that has ended and the one that was begun
   *     in its place the latter is the last
   * @param endedBeside whether the request has ended sessions in other contexts of this server
   * @return the cookies to send
   */
  synchronized List<HttpCookie> tell(List<SojournSession> sessions, boolean endedBeside) {
    VersionCookies own = cookies();
    if (!told) {
      return List.of();
    }
    Map<String, HttpCookie> all = new TreeMap<>();
    if (endedBeside) {
      // Theirs are among these.
      own.unsee().forEach(change -> all.put(change.suffix(), cookie(change)));
    }
    for (SojournSession session : sessions) {
      session.tell(own).forEach(change -> all.put(change.suffix(), cookie(change)));
    }
    return List.copyOf(all.values());
  }

  private HttpCookie cookie(VersionCookies.Change change) {
    Map<String, String> attributes = new LinkedHashMap<>(manager.getSessionCookieAttributes());
    if (manager.isSecureRequestOnly() && request.isSecure()) {
      attributes.put(HttpCookie.SECURE_ATTRIBUTE, "true");
    }
    String value = change.value();
    if (value == null) {
      attributes.put(HttpCookie.MAX_AGE_ATTRIBUTE, "0");
    }
    return HttpCookie.from(
        manager.getSessionCookie() + INFIX + change.suffix(),
        value == null ? "" : value,
        attributes);
  }
}
