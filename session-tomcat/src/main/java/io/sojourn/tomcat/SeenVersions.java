package io.sojourn.tomcat;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.sojourn.LiveSession;
import io.sojourn.VersionCookies;
import jakarta.servlet.SessionTrackingMode;
import jakarta.servlet.http.Cookie;
import java.util.List;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Request;
import org.apache.catalina.core.ApplicationSessionCookieConfig;
import org.apache.catalina.util.SessionConfig;
import org.apache.tomcat.util.buf.ByteChunk;
import org.apache.tomcat.util.http.ServerCookies;
import org.jspecify.annotations.Nullable;

/**
 * What a request's client has seen of its session, and is told with the response: {@link
 * VersionCookies} that are named after the session cookie and are like it in all else.
 *
 * <p>Not thread-safe: {@link RequestScope} sees to it that one thread at a time uses it.
 */
final class SeenVersions {

  private static final String INFIX = "_V";

  /**
   * What is the same for all requests of an application.
   *
   * @param application the name that its sessions are kept under
   * @param beginning what the names of its cookies begin with
   */
  record Names(String application, String beginning) {
    static Names of(SojournManager manager) {
      String cookie = SessionConfig.getSessionCookieName(manager.getContext());
      return new Names(manager.getApplication(), cookie + INFIX);
    }
  }

  private final Request request;
  private final Names names;
  private final SojournManager manager;
  private @Nullable VersionCookies cookies;
  private @Nullable Boolean told;

  SeenVersions(Request request, SojournManager manager, Names names) {
    this.request = request;
    this.names = names;
    this.manager = manager;
  }

  /** The version that the client has seen of this session. */
  long seen(LiveSession session) {
    return cookies().seen(session);
  }

  private VersionCookies cookies() {
    VersionCookies present = cookies;
    if (present == null) {
      present = read();
      cookies = present;
    }
    return present;
  }

  private VersionCookies read() {
    VersionCookies read = new VersionCookies(names.application);
    if (!isTold()) {
      return read;
    }
    ServerCookies all = request.getServerCookies();
    for (int i = 0; i < all.getCookieCount(); i++) {
      // Tomcat's way to a text is the longer one, and few cookies are ours.
      ByteChunk name = all.getCookie(i).getName().getByteChunk();
      if (isOurs(name)) {
        char suffix = (char) (name.getBuffer()[name.getEnd() - 1] & 0xff);
        read.came(suffix, text(all.getCookie(i).getValue().getByteChunk()));
      }
    }
    return read;
  }

  /** Whether it is our names' beginning and one letter. */
  private boolean isOurs(ByteChunk name) {
    String beginning = names.beginning;
    if (name.getLength() != beginning.length() + 1) {
      return false;
    }
    byte[] bytes = name.getBuffer();
    int start = name.getStart();
    // From the end: the session's own cookie begins in the same way.
    for (int i = beginning.length() - 1; i >= 0; i--) {
      if (beginning.charAt(i) != (bytes[start + i] & 0xff)) {
        return false;
      }
    }
    return true;
  }

  private static String text(ByteChunk bytes) {
    return new String(bytes.getBuffer(), bytes.getStart(), bytes.getLength(), ISO_8859_1);
  }

  /** Whether this client keeps its session id in a cookie. Others are served from the store. */
  private boolean isTold() {
    Boolean known = told;
    if (known == null) {
      // Where its id came in one, there is no need to look whether it may.
      known =
          request.isRequestedSessionIdFromCookie()
              || (!request.isRequestedSessionIdFromURL()
                  && request
                      .getServletContext()
                      .getEffectiveSessionTrackingModes()
                      .contains(SessionTrackingMode.COOKIE));
      told = known;
    }
    return known;
  }

  /** The response is about to leave: the client is to know which version it shows. */
  void tell(SojournSession session) {
    if (!canTell(session)) {
      return;
    }
    LiveSession live = session.live();
    if (!live.isGone()) {
      if (live.isStored()) {
        send(cookies().see(live, live.seenVersion()));
      }
    } else if (session.isEndedHere()) {
      send(cookies().end(live, live.seenVersion()));
    }
  }

  /**
   * The request goes on, and may change its session, or one that it has not asked for yet, where
   * the client cannot be told.
   */
  void expectMore(List<SojournSession> sessions) {
    for (SojournSession session : sessions) {
      LiveSession live = session.live();
      if (canTell(session) && !live.isGone() && live.isStored()) {
        send(cookies().unsee(live, live.seenVersion()));
        return;
      }
    }
    if (!request.getResponse().isCommitted()) {
      send(cookies().unsee());
    }
  }

  private boolean canTell(SojournSession session) {
    return session.getManager() == manager && !request.getResponse().isCommitted() && isTold();
  }

  /** The response was reset: what it was to tell is lost. */
  void forgetTold() {
    if (cookies != null) {
      cookies.forgetTold();
    }
  }

  private void send(List<VersionCookies.Change> changes) {
    if (changes.isEmpty()) {
      return;
    }
    Context context = request.getContext();
    Cookie like =
        ApplicationSessionCookieConfig.createSessionCookie(context, "", request.isSecure());
    for (VersionCookies.Change change : changes) {
      String value = change.value();
      Cookie cookie = new Cookie(names.beginning + change.suffix(), value == null ? "" : value);
      like.getAttributes().forEach(cookie::setAttribute);
      if (value == null) {
        cookie.setMaxAge(0);
      }
      // Takes the place of what this response said before.
      request.getResponse().addSessionCookieInternal(cookie);
    }
  }
}
