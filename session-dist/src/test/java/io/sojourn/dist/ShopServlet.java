package io.sojourn.dist;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** A web application with a cart, whose class nobody else knows. Packed into a war. */
public final class ShopServlet extends HttpServlet {

  private static final long serialVersionUID = 1L;

  /** A cart. */
  public static final class Basket implements Serializable {
    private static final long serialVersionUID = 1L;

    final ArrayList<String> items = new ArrayList<>();

    /** An empty one. */
    public Basket() {}
  }

  /** The application. */
  public ShopServlet() {}

  /** Adds an item to the cart if it is told one, and answers the cart. */
  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    HttpSession session = request.getSession();
    Basket basket = (Basket) session.getAttribute("basket");
    if (basket == null) {
      basket = new Basket();
      session.setAttribute("basket", basket);
    }
    String item = request.getParameter("item");
    if (item != null) {
      basket.items.add(item);
    }
    response.setContentType("text/plain");
    response.getWriter().print(List.copyOf(basket.items));
  }
}
