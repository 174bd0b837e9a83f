package io.sojourn.jetty;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.PatientStores;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSessionAttributeListener;
import jakarta.servlet.http.HttpSessionBindingEvent;
import jakarta.servlet.http.HttpSessionBindingListener;
import jakarta.servlet.http.HttpSessionEvent;
import jakarta.servlet.http.HttpSessionIdListener;
import jakarta.servlet.http.HttpSessionListener;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A listener that throws is in the way of no other one, nor of the request. */
@Tag("R35")
class ListenersH2IT {

  private final AtomicReference<Duration> clock = new AtomicReference<>(Duration.ZERO);
  private final List<String> told = new CopyOnWriteArrayList<>();
  private final Told first = new Told("first");
  private final Told last = new Told("last");
  private final ContractClient client = new ContractClient();
  private SessionStore store;
  private JettyNode node;

  @BeforeEach
  void start() throws Exception {
    store =
        PatientStores.open(
            "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1", "/", clock::get);
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setSessionStore(store);
    sessions.setAllowedClasses(Sulking.class.getName());
    node =
        JettyNode.start(
            sessions,
            "",
            starting -> {
              starting.context().add(first);
              starting.context().add(new Throwing());
              starting.context().add(last);
              starting.context().add(new SulkingServlet(), "/sulking/*");
            });
  }

  @AfterEach
  void stop() {
    node.close();
    store.close();
  }

  /** Writes down what it is told. */
  private final class Told
      implements HttpSessionListener, HttpSessionAttributeListener, HttpSessionIdListener {

    private final String name;

    Told(String name) {
      this.name = name;
    }

    @Override
    public void sessionCreated(HttpSessionEvent event) {
      told.add(name + " created");
    }

    @Override
    public void sessionDestroyed(HttpSessionEvent event) {
      told.add(name + " destroyed with " + event.getSession().getAttribute("a"));
    }

    @Override
    public void sessionIdChanged(HttpSessionEvent event, String oldId) {
      told.add(name + " id changed");
    }

    @Override
    public void attributeAdded(HttpSessionBindingEvent event) {
      told.add(name + " added " + event.getValue());
    }

    @Override
    public void attributeReplaced(HttpSessionBindingEvent event) {
      told.add(name + " replaced " + event.getValue());
    }

    @Override
    public void attributeRemoved(HttpSessionBindingEvent event) {
      told.add(name + " removed " + event.getValue());
    }
  }

  /** Throws what an application throws, the errors of a broken deployment among it. */
  private static final class Throwing
      implements HttpSessionListener, HttpSessionAttributeListener, HttpSessionIdListener {

    @Override
    public void sessionCreated(HttpSessionEvent event) {
      throw new NoClassDefFoundError("The test made this listener throw");
    }

    @Override
    public void sessionDestroyed(HttpSessionEvent event) {
      throw new IllegalStateException("The test made this listener throw");
    }

    @Override
    public void sessionIdChanged(HttpSessionEvent event, String oldId) {
      throw new NoClassDefFoundError("The test made this listener throw");
    }

    @Override
    public void attributeAdded(HttpSessionBindingEvent event) {
      throw new IllegalStateException("The test made this listener throw");
    }

    @Override
    public void attributeReplaced(HttpSessionBindingEvent event) {
      throw new NoClassDefFoundError("The test made this listener throw");
    }

    @Override
    public void attributeRemoved(HttpSessionBindingEvent event) {
      throw new IllegalStateException("The test made this listener throw");
    }
  }

  /** A value that wants to be in no session, nor to leave one. */
  static final class Sulking implements HttpSessionBindingListener, Serializable {
    private static final long serialVersionUID = 1L;
    static final List<String> HEARD = new CopyOnWriteArrayList<>();

    private final String name;

    Sulking(String name) {
      this.name = name;
    }

    @Override
    public void valueBound(HttpSessionBindingEvent event) {
      HEARD.add(name + " bound");
      throw new IllegalStateException("The test made this value throw");
    }

    @Override
    public void valueUnbound(HttpSessionBindingEvent event) {
      HEARD.add(name + " unbound");
      throw new NoClassDefFoundError("The test made this value throw");
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static final class SulkingServlet extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) {
      String name = request.getPathInfo().replace("/", "");
      if (name.equals("none")) {
        request.getSession().removeAttribute("sulking");
      } else {
        request.getSession().setAttribute("sulking", new Sulking(name));
      }
    }
  }

  private List<String> takeTold() {
    List<String> taken = List.copyOf(told);
    told.clear();
    return taken;
  }

  private void send(String operation) {
    assertThat(client.send(node, operation).status()).as(operation).isEqualTo(200);
  }

  @Test
  void theOthersAreToldEachInItsOrder() {
    send("begin");
    assertThat(takeTold()).containsExactly("first created", "last created");
    String id = requireNonNull(client.sessionId());
    send("set:a:1");
    assertThat(takeTold()).containsExactly("first added 1", "last added 1");
    send("set:a:2");
    assertThat(takeTold()).containsExactly("first replaced 1", "last replaced 1");
    send("remove:a");
    assertThat(takeTold()).containsExactly("first removed 2", "last removed 2");
    send("changeId");
    assertThat(takeTold()).containsExactly("first id changed", "last id changed");
    assertThat(client.sessionId()).isNotEqualTo(id);
    send("set:a:3");
    takeTold();
    send("invalidate");
    assertThat(takeTold())
        .containsExactly(
            "last destroyed with 3", "first destroyed with 3", "first removed 3", "last removed 3");
    send("begin");
    takeTold();
    clock.set(Duration.ofHours(1));
    node.scavenge();
    assertThat(takeTold()).containsExactly("last destroyed with null", "first destroyed with null");
  }

  @Test
  void aValueThatThrowsIsInTheWayOfNoListenerAndOfNoRequest() {
    Sulking.HEARD.clear();
    send("begin");
    takeTold();
    for (String name : List.of("one", "two", "none")) {
      assertThat(client.send(node.at("sulking/" + name + "/")).status()).isEqualTo(200);
    }
    assertThat(Sulking.HEARD)
        .containsExactly("one bound", "one unbound", "two bound", "two unbound");
    assertThat(takeTold())
        .containsExactly(
            "first added one",
            "last added one",
            "first replaced one",
            "last replaced one",
            "first removed two",
            "last removed two");
  }

  @Test
  void aValueThatThrowsAtItsSessionsEndIsInTheWayOfNoListener() {
    for (String name : List.of("invalidated", "expired")) {
      Sulking.HEARD.clear();
      assertThat(client.send(node.at("sulking/" + name + "/")).status()).isEqualTo(200);
      takeTold();
      if (name.equals("invalidated")) {
        send("invalidate");
      } else {
        clock.set(Duration.ofHours(1));
        node.scavenge();
      }
      assertThat(Sulking.HEARD).containsExactly(name + " bound", name + " unbound");
      assertThat(takeTold()).endsWith("first removed " + name, "last removed " + name);
    }
  }

  @Test
  void oneThatIsAddedOrTakenAwayWhileTheServerRunsIsToldFromThenOrNoMore() throws Exception {
    Told late = new Told("late");
    node.context().add(new Throwing());
    node.context().add(late);
    send("begin");
    assertThat(takeTold()).containsExactly("first created", "last created", "late created");
    node.context().sessions().removeEventListener(first);
    send("set:a:1");
    assertThat(takeTold()).containsExactly("last added 1", "late added 1");
    node.context().sessions().addEventListener(first);
    send("set:a:2");
    assertThat(takeTold())
        .containsExactly("last replaced 1", "late replaced 1", "first replaced 1");
    node.context().sessions().removeEventListener(first);
    node.context().handler().stop();
    node.context().handler().start();
    send("set:a:3");
    assertThat(takeTold()).containsExactly("last replaced 2", "late replaced 2");
  }
}
