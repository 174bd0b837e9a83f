package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import jakarta.servlet.http.HttpSessionAttributeListener;
import jakarta.servlet.http.HttpSessionBindingEvent;
import jakarta.servlet.http.HttpSessionBindingListener;
import jakarta.servlet.http.HttpSessionEvent;
import jakarta.servlet.http.HttpSessionIdListener;
import jakarta.servlet.http.HttpSessionListener;
import java.io.IOException;
import java.io.Serializable;
import java.net.CookieManager;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import java.util.UUID;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.session.StandardManager;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The listeners of two nodes that take turns are told, between them, what those of one plain Tomcat
 * are told, in the same order and with the session in the same state.
 */
abstract class SameEventsContract {

  /** What all nodes' listeners were told. Requests come one after the other, so it has an order. */
  private static final List<String> EVENTS = Collections.synchronizedList(new ArrayList<>());

  private static final List<String> SCRIPT =
      List.of(
          "see",
          "set=a:1",
          "set=a:2",
          "bind=b:1",
          "see",
          "bind=b:2",
          "again=b",
          "set=c:3",
          "remove=b",
          "remove=missing",
          "nothing=c",
          "bind=d:4",
          "rename",
          "see",
          "end",
          "see");

  /** Opens the store. Called once for each server. */
  abstract SessionStore open(String application);

  @Test
  @Tag("R33")
  @Tag("R34")
  void theListenersOfTwoNodesAreToldWhatThoseOfOneServerAre() throws Exception {
    List<String> one;
    try (TomcatNode plain = TomcatNode.start(new StandardManager(), (t, c) -> prepare(c))) {
      one = play(List.of(plain));
    }
    String application = "events-" + UUID.randomUUID();
    List<String> two;
    try (SessionStore storeA = open(application);
        SessionStore storeB = open(application);
        TomcatNode a = TomcatNode.start(manager(storeA), (t, c) -> prepare(c));
        TomcatNode b = TomcatNode.start(manager(storeB), (t, c) -> prepare(c))) {
      two = play(List.of(a, b));
    }
    assertThat(one).contains("sessionCreated []", "valueUnbound d=4").hasSizeGreaterThan(20);
    assertThat(two).containsExactlyElementsOf(one);
  }

  private static SojournManager manager(SessionStore store) {
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    manager.setAllowedClasses("io.sojourn.tomcat.*");
    return manager;
  }

  private static List<String> play(List<? extends ContainerNode> nodes) throws Exception {
    EVENTS.clear();
    HttpClient client = HttpClient.newBuilder().cookieHandler(new CookieManager()).build();
    int turn = 0;
    for (String step : SCRIPT) {
      ContainerNode node = nodes.get(turn++ % nodes.size());
      EVENTS.add("- " + step);
      HttpRequest request = HttpRequest.newBuilder(node.uri().resolve("events?" + step)).build();
      EVENTS.add(client.send(request, HttpResponse.BodyHandlers.ofString()).body());
    }
    return List.copyOf(EVENTS);
  }

  private static void prepare(StandardContext context) {
    Tomcat.addServlet(context, "events", new Events());
    context.addServletMappingDecoded("/events", "events");
    Listener listener = new Listener();
    context.addApplicationLifecycleListener(listener);
    context.addApplicationEventListener(listener);
  }

  private static final class Events extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      List<String> words = List.of(request.getQueryString().split("[=:]", 3));
      String name = words.size() > 1 ? words.get(1) : "";
      HttpSession session = request.getSession();
      String fresh = session.isNew() ? "new" : "known";
      switch (words.get(0)) {
        case "set" -> session.setAttribute(name, words.get(2));
        case "bind" -> session.setAttribute(name, new Bound(words.get(2)));
        case "again" -> session.setAttribute(name, session.getAttribute(name));
        case "remove" -> session.removeAttribute(name);
        case "nothing" -> session.setAttribute(name, null);
        case "rename" -> request.changeSessionId();
        case "end" -> session.invalidate();
        default -> {}
      }
      response.getWriter().print(fresh);
    }
  }

  /** Writes down when it is bound. */
  private static final class Bound implements HttpSessionBindingListener, Serializable {
    private static final long serialVersionUID = 1L;
    private final String value;

    Bound(String value) {
      this.value = value;
    }

    @Override
    public void valueBound(HttpSessionBindingEvent event) {
      EVENTS.add("valueBound " + event.getName() + "=" + value + names(event.getSession()));
    }

    @Override
    public void valueUnbound(HttpSessionBindingEvent event) {
      // The session has ended by then when it is invalidated, and may not be asked.
      EVENTS.add("valueUnbound " + event.getName() + "=" + value);
    }

    @Override
    public String toString() {
      return "bound " + value;
    }
  }

  private static String names(HttpSession session) {
    return " " + new TreeSet<>(Collections.list(session.getAttributeNames()));
  }

  private static final class Listener
      implements HttpSessionListener, HttpSessionAttributeListener, HttpSessionIdListener {
    @Override
    public void sessionCreated(HttpSessionEvent event) {
      EVENTS.add("sessionCreated" + names(event.getSession()));
    }

    @Override
    public void sessionDestroyed(HttpSessionEvent event) {
      EVENTS.add("sessionDestroyed" + names(event.getSession()));
    }

    @Override
    public void sessionIdChanged(HttpSessionEvent event, String oldId) {
      boolean changed = !event.getSession().getId().equals(oldId);
      EVENTS.add("sessionIdChanged " + changed + names(event.getSession()));
    }

    @Override
    public void attributeAdded(HttpSessionBindingEvent event) {
      EVENTS.add("attributeAdded " + event.getName() + "=" + event.getValue());
    }

    @Override
    public void attributeRemoved(HttpSessionBindingEvent event) {
      EVENTS.add("attributeRemoved " + event.getName() + "=" + event.getValue());
    }

    @Override
    public void attributeReplaced(HttpSessionBindingEvent event) {
      EVENTS.add("attributeReplaced " + event.getName() + "=" + event.getValue());
    }
  }
}
