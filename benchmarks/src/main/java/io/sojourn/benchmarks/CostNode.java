package io.sojourn.benchmarks;

import io.sojourn.tomcat.SojournManager;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;

/**
 * A node of {@link RequestCost}: the main class of a JVM with one Tomcat and one application, whose
 * sessions are kept by Tomcat's own manager or by Sojourn. Says its port by a line of its standard
 * output, and ends when its standard input does.
 */
final class CostNode {

  /** In place of a store's URL: Tomcat's own manager. */
  static final String STANDARD = "standard";

  /** Begins the line that tells the port. */
  static final String READY = "port ";

  private static final Logger ROOT = Logger.getLogger("");

  private CostNode() {}

  /**
   * Starts the Tomcat.
   *
   * @param arguments the store's URL, or {@link #STANDARD}; and the freshness
   */
  public static void main(String[] arguments) throws Exception {
    ROOT.setLevel(Level.WARNING);
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(Files.createTempDirectory("cost").toString());
    Connector connector = new Connector();
    connector.setPort(0);
    connector.setProperty("address", "127.0.0.1");
    connector.setProperty("maxKeepAliveRequests", "-1");
    connector.setProperty("keepAliveTimeout", "-1");
    tomcat.setConnector(connector);
    Context context = tomcat.addContext("", null);
    if (!arguments[0].equals(STANDARD)) {
      SojournManager manager = new SojournManager();
      manager.setStore(arguments[0]);
      manager.setFreshness(arguments[1]);
      manager.setAllowedClasses(Cart.class.getName() + " " + Item.class.getName());
      context.setManager(manager);
    }
    Tomcat.addServlet(context, "shop", new Shop());
    context.addServletMappingDecoded("/*", "shop");
    tomcat.start();
    System.out.println(READY + connector.getLocalPort());
    while (System.in.read() >= 0) {
      // Only the end counts.
    }
    Runtime.getRuntime().halt(0);
  }

  /** What applications keep in sessions, about 1.3 KB by Java serialization. */
  static final class Cart implements Serializable {
    private static final long serialVersionUID = 1L;

    private final ArrayList<Item> items = new ArrayList<>();

    Cart() {
      for (int i = 0; i < 20; i++) {
        items.add(new Item("article " + i, i, 995 + i));
      }
    }

    int size() {
      return items.size();
    }
  }

  /** What is in a cart. */
  record Item(String article, int quantity, long cents) implements Serializable {}

  /**
   * {@code /fill?kb=20} begins a session of that size: a cart, and texts of 1 KB for the rest.
   * {@code /read} looks at the cart and the count; {@code /write} counts one more. Both answer the
   * count. {@code /none} asks for no session.
   */
  private static final class Shop extends HttpServlet {

    private static final long serialVersionUID = 1L;
    private static final int TEXT = 1024;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      switch (request.getRequestURI()) {
        case "/none" -> {
          answer(response, "none");
          return;
        }
        case "/fill" -> fill(request);
        case "/read" -> {}
        case "/write" -> {
          HttpSession session = session(request);
          session.setAttribute("count", count(session) + 1);
        }
        default -> throw new IllegalArgumentException(request.getRequestURI());
      }
      HttpSession session = session(request);
      if (!(session.getAttribute("cart") instanceof Cart cart) || cart.size() != 20) {
        throw new IllegalStateException("The cart is not what it was");
      }
      answer(response, Long.toString(count(session)));
    }

    private static void answer(HttpServletResponse response, String text) throws IOException {
      byte[] body = text.getBytes(StandardCharsets.US_ASCII);
      response.setContentLength(body.length);
      response.getOutputStream().write(body);
    }

    private static void fill(HttpServletRequest request) {
      HttpSession session = request.getSession();
      session.setAttribute("cart", new Cart());
      session.setAttribute("count", 0L);
      int texts = Integer.parseInt(request.getParameter("kb")) - 1;
      for (int i = 0; i < texts; i++) {
        session.setAttribute("text" + i, Integer.toString(i % 10).repeat(TEXT));
      }
    }

    private static HttpSession session(HttpServletRequest request) {
      HttpSession session = request.getSession(false);
      if (session == null) {
        throw new IllegalStateException("The session is lost");
      }
      return session;
    }

    private static long count(HttpSession session) {
      return session.getAttribute("count") instanceof Long count ? count : -1;
    }
  }
}
