package io.sojourn.demo;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.io.Serial;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The application: a visitor signs in and fills a cart. It uses {@link HttpSession} and nothing of
 * Sojourn.
 *
 * <p>Thread-safe: all that it remembers is in sessions.
 */
final class Shop extends HttpServlet {

  /** What can be bought. */
  static final List<String> GOODS = List.of("Tea", "Bread", "Honey", "Apples", "Cheese");

  /** The response header that names the node which answered. */
  static final String NODE_HEADER = "X-Node";

  /** The request header by which the balancer tells which nodes are up. */
  static final String LIVE_HEADER = "X-Live-Nodes";

  private static final String USER = "user";
  private static final String CART = "cart";
  private static final int LONGEST_NAME = 40;

  @Serial private static final long serialVersionUID = 1L;

  private final String node;

  Shop(String node) {
    this.node = node;
  }

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    response.setHeader(NODE_HEADER, node);
    response.setHeader("Cache-Control", "no-store");
    String live = request.getHeader(LIVE_HEADER);
    String method = request.getMethod();
    // The server itself leaves out the body that HEAD does not want.
    switch ((method.equals("HEAD") ? "GET" : method) + " " + request.getPathInfo()) {
      case "GET /" -> {
        String page = Page.of(visit(request.getSession()), live == null ? node : live);
        write(response, "text/html", page);
      }
      case "GET /state" -> write(response, "text/plain", visit(request.getSession(false)).text());
      case "POST /sign-in" -> signIn(request, response);
      case "POST /cart" -> addToCart(request, response);
      case "POST /sign-out" -> signOut(request, response);
      default -> response.sendError(HttpServletResponse.SC_NOT_FOUND);
    }
  }

  private void signIn(HttpServletRequest request, HttpServletResponse response) {
    String name = request.getParameter("name");
    name = name == null ? "" : name.replaceAll("\\p{Cntrl}", " ").strip();
    if (!name.isEmpty()) {
      HttpSession session = request.getSession();
      // Whoever knew the id before the sign-in must not be signed in by it.
      request.changeSessionId();
      session.setAttribute(USER, name.substring(0, Math.min(name.length(), LONGEST_NAME)));
    }
    backToPage(response);
  }

  private void addToCart(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    String item = request.getParameter("item");
    if (item == null || !GOODS.contains(item)) {
      response.sendError(HttpServletResponse.SC_BAD_REQUEST, "There is no such item.");
      return;
    }
    HttpSession session = request.getSession();
    // A cart that is there already is changed in place and not set again: that must be enough.
    if (session.getAttribute(CART) instanceof Cart cart) {
      cart.add(item, node);
    } else {
      Cart cart = new Cart();
      cart.add(item, node);
      session.setAttribute(CART, cart);
    }
    backToPage(response);
  }

  private static void signOut(HttpServletRequest request, HttpServletResponse response) {
    HttpSession session = request.getSession(false);
    if (session != null) {
      session.invalidate();
    }
    backToPage(response);
  }

  private Visit visit(@Nullable HttpSession session) {
    String user = "";
    List<String> items = List.of();
    String lastWrittenOn = "";
    if (session != null) {
      user = session.getAttribute(USER) instanceof String name ? name : "";
      if (session.getAttribute(CART) instanceof Cart cart) {
        items = cart.items();
        lastWrittenOn = cart.lastWrittenOn();
      }
    }
    String id = session == null ? "" : session.getId().substring(0, 6);
    return new Visit(node, ProcessHandle.current().pid(), id, user, items, lastWrittenOn);
  }

  private static void backToPage(HttpServletResponse response) {
    response.setStatus(HttpServletResponse.SC_SEE_OTHER);
    response.setHeader("Location", "/");
  }

  private static void write(HttpServletResponse response, String type, String text)
      throws IOException {
    response.setContentType(type);
    response.setCharacterEncoding("UTF-8");
    response.getWriter().write(text);
  }
}
