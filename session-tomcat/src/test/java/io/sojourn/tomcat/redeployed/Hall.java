package io.sojourn.tomcat.redeployed;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

/** Has a visitor come in whose name is the query. */
public final class Hall extends HttpServlet {
  private static final long serialVersionUID = 1L;

  /** For Tomcat. */
  public Hall() {}

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response) {
    request.getSession().setAttribute("visitor", new Visitor(request.getQueryString()));
  }
}
