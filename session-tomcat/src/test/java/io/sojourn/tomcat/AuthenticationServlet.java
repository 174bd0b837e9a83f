package io.sojourn.tomcat;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.sojourn.PrincipalKey;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.security.Principal;
import java.util.Collections;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A page that does what its parameter {@code do} says and then tells who the user is and what was
 * asked.
 */
final class AuthenticationServlet extends HttpServlet {

  private static final long serialVersionUID = 1L;

  /** What {@code keep} has kept, for whoever is no request. */
  static volatile @Nullable HttpSession kept;

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response)
      throws ServletException, IOException {
    request.setCharacterEncoding(UTF_8.name());
    response.setContentType("text/plain");
    response.setCharacterEncoding(UTF_8.name());
    String action = request.getParameter("do");
    switch (action == null ? "" : action) {
      case "" -> {}
      case "nothing" -> {
        response.getWriter().write("nothing");
        return;
      }
      case "begin" -> request.getSession();
      case "login" -> request.login(request.getParameter("user"), request.getParameter("password"));
      case "logout" -> request.logout();
      case "invalidate" -> request.getSession().invalidate();
      case "mark" -> request.getSession().setAttribute("mark", request.getParameter("value"));
      case "idle" ->
          request
              .getSession()
              .setMaxInactiveInterval(Integer.parseInt(request.getParameter("value")));
      case "name" ->
          request
              .getSession()
              .setAttribute(PrincipalKey.NAME_ATTRIBUTE, request.getParameter("value"));
      case "keep" -> kept = request.getSession();
      case "names" -> {
        response.getWriter().write(names(request));
        return;
      }
      default -> throw new ServletException("Unknown action " + action);
    }
    response.getWriter().write(describe(request));
  }

  /** All that a session tells of its attributes' names, after an attempt to get at ours. */
  private static String names(HttpServletRequest request) {
    HttpSession session = request.getSession();
    String name = "io.sojourn.user";
    String refusal = "";
    try {
      session.setAttribute(name, "root");
    } catch (IllegalArgumentException e) {
      refusal = " refused";
    }
    session.removeAttribute(name);
    return new TreeSet<>(Collections.list(session.getAttributeNames()))
        + " "
        + session.getAttribute(name)
        + refusal;
  }

  private static String describe(HttpServletRequest request) {
    Principal principal = request.getUserPrincipal();
    HttpSession session = request.getSession(false);
    TreeMap<String, String> parameters = new TreeMap<>();
    request.getParameterMap().forEach((name, values) -> parameters.put(name, values[0]));
    return request.getMethod()
        + " "
        + request.getServletPath()
        + " "
        + parameters
        + " user="
        + (principal == null ? null : principal.getName())
        + " remote="
        + request.getRemoteUser()
        + " type="
        + request.getAuthType()
        + " member="
        + request.isUserInRole("member")
        + " admin="
        + request.isUserInRole("admin")
        + " principal="
        + (principal == null ? null : principal.getClass().getSimpleName())
        + " mark="
        + (session == null ? null : session.getAttribute("mark"));
  }
}
