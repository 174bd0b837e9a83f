package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSessionBindingEvent;
import jakarta.servlet.http.HttpSessionBindingListener;
import jakarta.servlet.http.HttpSessionEvent;
import jakarta.servlet.http.HttpSessionListener;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;

/**
 * Puts a value that wants to know when it is unbound into each session, and answers at {@value
 * #PATH} what this node's listeners were told of the ends of sessions, a line each. There, too,
 * {@value #LOGIN} logs anna in, and {@value #USER} answers who is logged in.
 */
final class SessionEnds extends HttpServlet implements HttpSessionListener {

  private static final long serialVersionUID = 1L;

  static final String PATH = "ends/";
  static final String LOGIN = "login";
  static final String USER = "user";

  private static final String NAME = "ends";
  private static final String MARK = "mark";

  private final transient List<String> told = new CopyOnWriteArrayList<>();

  private SessionEnds() {}

  /** A manager whose sessions may have such a value, and which ends them when it is told to. */
  static SojournManager manager(SessionStore store) {
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    manager.setAllowedClasses(Mark.class.getName());
    manager.setProcessExpiresFrequency(Integer.MAX_VALUE);
    return manager;
  }

  static void addTo(StandardContext context) {
    SessionEnds ends = new SessionEnds();
    context.setRealm(new AuthenticationRealm());
    Tomcat.addServlet(context, NAME, ends).setLoadOnStartup(1);
    context.addServletMappingDecoded("/" + PATH + "*", NAME);
    context.addApplicationLifecycleListener(ends);
  }

  @Override
  public void init() {
    getServletContext().setAttribute(NAME, this);
  }

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response)
      throws IOException, ServletException {
    String operation = request.getParameter("op");
    if (LOGIN.equals(operation)) {
      request.login("anna", "secret");
    }
    response
        .getWriter()
        .print(operation == null ? String.join("\n", told) : request.getRemoteUser());
  }

  @Override
  public void sessionCreated(HttpSessionEvent event) {
    event.getSession().setAttribute(MARK, new Mark(UUID.randomUUID().toString()));
  }

  @Override
  public void sessionDestroyed(HttpSessionEvent event) {
    told.add("destroyed " + event.getSession().getAttribute(MARK));
  }

  private static final class Mark implements HttpSessionBindingListener, Serializable {
    private static final long serialVersionUID = 1L;

    private final String text;

    Mark(String text) {
      this.text = text;
    }

    @Override
    public void valueUnbound(HttpSessionBindingEvent event) {
      SessionEnds ends = (SessionEnds) event.getSession().getServletContext().getAttribute(NAME);
      ends.told.add("unbound " + text);
    }

    @Override
    public String toString() {
      return text;
    }
  }
}
