package io.sojourn.testkit;

import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.ServletRegistration;
import java.util.List;

/**
 * Makes a web application that is deployed from a file the one of {@link ContainerContract}: to be
 * named as a listener in its web.xml.
 */
public final class ContractApplication implements ServletContextListener {

  /** The classes that the web application consists of. */
  public static List<Class<?>> classes() {
    return List.of(
        ContractApplication.class,
        ContractServlet.class,
        ContractServlet.Gate.class,
        SessionEvents.class,
        Cart.class);
  }

  /** For the container. */
  public ContractApplication() {}

  @Override
  public void contextInitialized(ServletContextEvent event) {
    SessionEvents events = new SessionEvents();
    event.getServletContext().addListener(events);
    ServletRegistration.Dynamic servlet =
        event.getServletContext().addServlet("contract", new ContractServlet(events));
    servlet.addMapping("/*");
    servlet.setAsyncSupported(true);
  }
}
