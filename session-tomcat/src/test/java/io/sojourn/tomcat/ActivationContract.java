package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionStore;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import jakarta.servlet.http.HttpSessionActivationListener;
import jakarta.servlet.http.HttpSessionEvent;
import java.io.IOException;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import java.util.UUID;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** When attributes are told that they are activated and passivated, counted over two nodes. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ActivationContract {

  private static final String NODE = "node";

  /** What attributes were told on either node. Requests come one after the other. */
  private static final List<String> EVENTS = Collections.synchronizedList(new ArrayList<>());

  private final List<AutoCloseable> closeables = new ArrayList<>();
  private final String application = "activation-" + UUID.randomUUID();
  private Browser browser = new Browser();
  private TomcatNode a;
  private TomcatNode b;

  /** Opens the store. Called once for each server. */
  abstract SessionStore open(String application);

  @BeforeAll
  void startServers() throws Exception {
    a = start("A");
    b = start("B");
  }

  private TomcatNode start(String name) throws Exception {
    SessionStore store = open(application);
    closeables.add(store);
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    manager.setAllowedClasses("io.sojourn.tomcat.*");
    TomcatNode node = TomcatNode.start(manager, (tomcat, context) -> prepare(context, name));
    closeables.add(0, node);
    return node;
  }

  @AfterAll
  void stopServers() throws Exception {
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
  }

  @BeforeEach
  void nothingHasHappened() {
    browser = new Browser();
    EVENTS.clear();
  }

  private String ask(TomcatNode node, String query) {
    Browser.Answer answer = browser.get(node.uri().resolve("activation?" + query));
    assertThat(answer.status()).as(query).isEqualTo(200);
    return answer.body();
  }

  private static List<String> takeEvents() {
    List<String> taken = List.copyOf(EVENTS);
    EVENTS.clear();
    return taken;
  }

  @Test
  @Tag("R34")
  void anAttributeIsToldWhenItIsEncodedAndWhenItIsFirstReadWhereItWasDecoded() {
    ask(a, "set=pump:full");
    assertThat(takeEvents()).containsExactly("A passivate pump full", "A activate pump full");

    assertThat(ask(b, "names")).isEqualTo("[pump]");
    assertThat(takeEvents()).as("a request that does not read it").isEmpty();

    assertThat(ask(b, "get=pump")).isEqualTo("full, running");
    assertThat(takeEvents()).as("its first read").containsExactly("B activate pump full");

    assertThat(ask(b, "get=pump")).isEqualTo("full, running");
    assertThat(ask(a, "get=pump")).isEqualTo("full, running");
    assertThat(takeEvents()).as("reads of what the node has").isEmpty();

    assertThat(ask(b, "change=pump:half")).isEqualTo("half, running");
    assertThat(takeEvents())
        .as("changed in place")
        .containsExactly("B passivate pump half", "B activate pump half");

    assertThat(ask(a, "get=pump")).isEqualTo("half, running");
    assertThat(takeEvents()).as("another object").containsExactly("A activate pump half");

    ask(a, "text=other:1");
    ask(b, "text=other:2");
    assertThat(takeEvents()).as("saves of something else").isEmpty();

    ask(b, "again=pump");
    assertThat(takeEvents()).as("set to what it is").isEmpty();

    ask(a, "remove=pump");
    assertThat(ask(b, "get=pump")).isEqualTo("null");
    assertThat(takeEvents()).as("removed").isEmpty();
  }

  @Test
  @Tag("R34")
  void whatANodeHasDecodedIsToldThatTheApplicationStopsThere() throws Exception {
    ask(a, "set=pump:full");
    ask(a, "set=unread:full");
    TomcatNode c = start("C");
    ask(c, "get=pump");
    takeEvents();
    c.close();
    assertThat(takeEvents()).containsExactly("C passivate pump full");
    assertThat(ask(a, "get=pump")).isEqualTo("full, running");
    assertThat(takeEvents()).isEmpty();
  }

  @Test
  @Tag("R34")
  @Tag("R35")
  void anAttributeThatFailsWhenItIsToldIsServedAndSavedLikeAnyOther() {
    ask(a, "set=broken:full");
    assertThat(takeEvents()).hasSize(2);
    assertThat(ask(b, "get=broken")).isEqualTo("full, running");
    ask(b, "change=broken:half");
    assertThat(ask(a, "get=broken")).isEqualTo("half, running");
  }

  @Test
  @Tag("R34")
  @Tag("R43")
  void anAttributeThatCanBeEncodedOnlyOnceItIsToldIsSaved() {
    ask(a, "set=holder:full");
    assertThat(ask(b, "get=holder")).isEqualTo("full, running");
    ask(b, "change=holder:half");
    assertThat(ask(a, "get=holder")).isEqualTo("half, running");
  }

  @Test
  @Tag("R34")
  void anAttributeThatReadsAnotherWhenItIsToldFindsItActive() {
    ask(a, "set=pump:full");
    ask(a, "set=reader:full");
    takeEvents();
    ask(b, "get=reader");
    assertThat(takeEvents()).containsExactly("B activate reader full", "B activate pump full");
    assertThat(ask(b, "get=pump")).isEqualTo("full, running");
    assertThat(takeEvents()).isEmpty();
  }

  // ---------------------------------------------------------------- the application

  private static void prepare(StandardContext context, String name) {
    context.addParameter(NODE, name);
    Tomcat.addServlet(context, "activation", new Application());
    context.addServletMappingDecoded("/activation", "activation");
  }

  /** Something that is of one form while it runs on a node, and of another in the store. */
  private static final class Pump implements HttpSessionActivationListener, Serializable {
    private static final long serialVersionUID = 1L;
    private final String name;
    private @Nullable String packed;
    private @Nullable StringBuilder running;

    @SuppressWarnings("UnusedVariable") // it is read by who encodes this
    private @Nullable Handle handle;

    Pump(String name, String level) {
      this.name = name;
      run(level);
    }

    private void run(String level) {
      running = new StringBuilder(level);
      handle = name.equals("holder") ? new Handle() : null;
    }

    private void level(String newLevel) {
      if (running != null) {
        running.setLength(0);
        running.append(newLevel);
      }
    }

    @Override
    public void sessionWillPassivate(HttpSessionEvent event) {
      String level = String.valueOf(running);
      note("passivate", level, event);
      packed = level;
      running = null;
      handle = null;
    }

    @Override
    public void sessionDidActivate(HttpSessionEvent event) {
      String level = String.valueOf(packed);
      note("activate", level, event);
      packed = null;
      run(level);
      if (name.equals("reader")) {
        assertThat(event.getSession().getAttribute("pump")).hasToString("full, running");
      } else if (name.equals("broken")) {
        throw new IllegalStateException("broken");
      }
    }

    private void note(String what, String level, HttpSessionEvent event) {
      String node = event.getSession().getServletContext().getInitParameter(NODE);
      EVENTS.add(node + " " + what + " " + name + " " + level);
    }

    @Override
    public String toString() {
      boolean complete = running != null && name.equals("holder") == (handle != null);
      return complete ? running + ", running" : "packed";
    }
  }

  /** Something of this node that no other could have. */
  private static final class Handle implements Serializable {
    private static final long serialVersionUID = 1L;

    private void writeObject(ObjectOutputStream out) throws NotSerializableException {
      throw new NotSerializableException("A handle cannot be written to " + out);
    }
  }

  private static final class Application extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      List<String> words = List.of(request.getQueryString().split("[=:]", 3));
      String name = words.size() > 1 ? words.get(1) : "";
      HttpSession session = request.getSession();
      switch (words.get(0)) {
        case "set" -> session.setAttribute(name, new Pump(name, words.get(2)));
        case "again" -> session.setAttribute(name, session.getAttribute(name));
        case "text" -> session.setAttribute(name, words.get(2));
        case "change" -> ((Pump) session.getAttribute(name)).level(words.get(2));
        case "remove" -> session.removeAttribute(name);
        default -> {}
      }
      response
          .getWriter()
          .print(
              words.get(0).equals("names")
                  ? new TreeSet<>(Collections.list(session.getAttributeNames()))
                  : session.getAttribute(name));
    }
  }
}
