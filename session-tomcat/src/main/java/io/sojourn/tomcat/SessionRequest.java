package io.sojourn.tomcat;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.security.Principal;
import org.apache.catalina.Session;
import org.apache.catalina.connector.Request;
import org.jspecify.annotations.Nullable;

/**
 * The request as an application sees it where nobody has to log in: its session is asked who the
 * user is when somebody wants to know, and not at each request as Tomcat's authenticators do.
 *
 * <p>Used by one thread at a time, as requests are.
 */
final class SessionRequest extends HttpServletRequestWrapper {

  private final Request request;
  private boolean identified;

  SessionRequest(HttpServletRequest present, Request request) {
    super(present);
    this.request = request;
  }

  /** Takes over who the session says that the user is, unless the request knows a user already. */
  static void identify(Request request) {
    if (request.getPrincipal() != null) {
      return;
    }
    Session session = request.getSessionInternal(false);
    Principal principal = session == null ? null : session.getPrincipal();
    if (principal != null) {
      request.setAuthType(session.getAuthType());
      request.setUserPrincipal(principal);
    }
  }

  /** The same, once. */
  void identify() {
    if (!identified) {
      identified = true;
      identify(request);
    }
  }

  /** Whose session it was is known afterwards, too, if the application ends it. */
  @Override
  public @Nullable HttpSession getSession(boolean create) {
    HttpSession session = super.getSession(create);
    if (session != null) {
      identify();
    }
    return session;
  }

  @Override
  public HttpSession getSession() {
    HttpSession session = super.getSession();
    identify();
    return session;
  }

  @Override
  public @Nullable Principal getUserPrincipal() {
    identify();
    return super.getUserPrincipal();
  }

  @Override
  public @Nullable String getRemoteUser() {
    identify();
    return super.getRemoteUser();
  }

  @Override
  public @Nullable String getAuthType() {
    identify();
    return super.getAuthType();
  }

  @Override
  public boolean isUserInRole(String role) {
    identify();
    return super.isUserInRole(role);
  }

  @Override
  public boolean authenticate(HttpServletResponse response) throws IOException, ServletException {
    identify();
    return super.authenticate(response);
  }

  @Override
  public void login(String user, String password) throws ServletException {
    identify();
    super.login(user, password);
    remember();
  }

  @Override
  public void logout() throws ServletException {
    identify();
    super.logout();
    remember();
  }

  /** What the authenticator would do if it did not leave the session to us. */
  private void remember() {
    Session session = request.getSessionInternal(false);
    if (session != null) {
      session.setAuthType(request.getAuthType());
      session.setPrincipal(request.getPrincipal());
    }
  }
}
