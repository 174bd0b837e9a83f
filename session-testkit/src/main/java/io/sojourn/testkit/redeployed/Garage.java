package io.sojourn.testkit.redeployed;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;

/** Drives a session's car a mile further, and answers how far it has come. */
public final class Garage extends HttpServlet {
  private static final long serialVersionUID = 1L;

  /** For the container. */
  public Garage() {}

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    HttpSession session = request.getSession();
    Car car = (Car) session.getAttribute("car");
    if (car == null) {
      car = new Car();
      session.setAttribute("car", car);
    }
    response.getWriter().print(request.getQueryString() == null ? car.miles() : car.drive());
  }
}
