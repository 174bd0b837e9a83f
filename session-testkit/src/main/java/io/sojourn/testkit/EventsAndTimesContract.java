package io.sojourn.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionStore;
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
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EventListener;
import java.util.List;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What listeners are told on two servers that take turns, and what a session says of its times
 * there, is what it is on one server that keeps its sessions by itself. All servers are in this
 * process.
 */
public abstract class EventsAndTimesContract {

  private static final int REQUESTS = 12;

  /**
   * What all servers' listeners were told. Requests come one after the other, so it has an order.
   */
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

  /** For subclasses. */
  protected EventsAndTimesContract() {}

  /** Opens the store. Called once for each server. */
  protected abstract SessionStore open(String application);

  /**
   * Starts a server whose every access is stored.
   *
   * @param store where it keeps its sessions; null: as the container does without Sojourn
   * @param servlet what answers at {@code work}
   * @throws Exception if it does not start
   */
  protected abstract ContainerNode start(
      @Nullable SessionStore store, HttpServlet servlet, EventListener listener) throws Exception;

  /** Waits until the server is done with all requests, which it may be later than it answers. */
  protected abstract void awaitIdle(ContainerNode node);

  /** What a test does with servers. */
  private interface Play {
    List<String> on(List<ContainerNode> nodes) throws Exception;
  }

  private List<String> onOne(HttpServlet servlet, Play play) throws Exception {
    try (ContainerNode plain = start(null, servlet, new Listener())) {
      return play.on(List.of(plain));
    }
  }

  private List<String> onTwo(HttpServlet servlet, Play play) throws Exception {
    String application = "events-" + UUID.randomUUID();
    try (SessionStore storeA = open(application);
        SessionStore storeB = open(application);
        ContainerNode a = start(storeA, servlet, new Listener());
        ContainerNode b = start(storeB, servlet, new Listener())) {
      return play.on(List.of(a, b));
    }
  }

  private static String get(HttpClient client, ContainerNode node, String query) throws Exception {
    URI uri = node.uri().resolve("work?" + query);
    return client
        .send(
            HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(60)).build(),
            HttpResponse.BodyHandlers.ofString())
        .body();
  }

  private static HttpClient browser() {
    return HttpClient.newBuilder().cookieHandler(new CookieManager()).build();
  }

  // ---------------------------------------------------------------- events

  @Test
  @Tag("R33")
  @Tag("R34")
  void theListenersOfTwoServersAreToldWhatThoseOfOneServerAre() throws Exception {
    List<String> one = onOne(new Events(), this::play);
    List<String> two = onTwo(new Events(), this::play);
    assertThat(one).contains("sessionCreated []", "valueUnbound d=4").hasSizeGreaterThan(20);
    assertThat(two).containsExactlyElementsOf(one);
  }

  private List<String> play(List<ContainerNode> nodes) throws Exception {
    EVENTS.clear();
    HttpClient client = browser();
    int turn = 0;
    for (String step : SCRIPT) {
      ContainerNode node = nodes.get(turn++ % nodes.size());
      EVENTS.add("- " + step);
      EVENTS.add(get(client, node, step));
    }
    return List.copyOf(EVENTS);
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

  // ---------------------------------------------------------------- times

  @Test
  @Tag("R31")
  void lastAccessIsTheRequestBeforeWhicheverServerHadIt() throws Exception {
    assertTimes(onOne(new Times(), this::visit));
    assertTimes(onTwo(new Times(), this::visit));
  }

  private List<String> visit(List<ContainerNode> nodes) throws Exception {
    HttpClient client = browser();
    List<String> seen = new ArrayList<>();
    for (int i = 0; i < REQUESTS; i++) {
      ContainerNode node = nodes.get(i % nodes.size());
      // Some set something, which is saved; some only read.
      seen.add(System.currentTimeMillis() + " " + get(client, node, i % 3 == 0 ? "set" : "see"));
      awaitIdle(node);
      nextMillisecond();
    }
    return seen;
  }

  private static void assertTimes(List<String> lines) {
    List<Seen> seen = lines.stream().map(Seen::of).toList();
    for (int i = 0; i < REQUESTS; i++) {
      Seen now = seen.get(i);
      assertThat(now.created).isEqualTo(seen.get(0).created).isBetween(seen.get(0).sent, now.end);
      assertThat(now.fresh).isEqualTo(i == 0);
      if (i == 0) {
        assertThat(now.accessed).isEqualTo(now.created);
      } else {
        Seen before = seen.get(i - 1);
        // Tomcat's own says when that request ended.
        assertThat(now.accessed).as("request %d", i).isBetween(before.sent, now.sent - 1);
      }
    }
  }

  /** So that no two requests are within one. */
  private static void nextMillisecond() {
    long now = System.currentTimeMillis();
    while (System.currentTimeMillis() <= now + 1) {
      Thread.onSpinWait();
    }
  }

  /** What one request saw; when it was sent and served by the same clock. */
  private record Seen(long sent, long end, long created, long accessed, boolean fresh) {
    static Seen of(String body) {
      List<String> words = List.of(body.split(" ", -1));
      return new Seen(
          Long.parseLong(words.get(0)),
          Long.parseLong(words.get(1)),
          Long.parseLong(words.get(2)),
          Long.parseLong(words.get(3)),
          Boolean.parseBoolean(words.get(4)));
    }
  }

  private static final class Times extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      HttpSession session = request.getSession();
      if ("set".equals(request.getQueryString())) {
        session.setAttribute("at", System.currentTimeMillis());
      }
      String times =
          session.getCreationTime() + " " + session.getLastAccessedTime() + " " + session.isNew();
      response.getWriter().print(System.currentTimeMillis() + " " + times);
    }
  }
}
