package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionStore;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.session.ManagerBase;
import org.apache.catalina.session.StandardManager;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What a session says of its times on two nodes that take turns, where each access is stored, is
 * what it says on one Tomcat.
 */
abstract class AccessTimesContract {

  private static final int REQUESTS = 12;

  /** Opens the store. Called once for each server. */
  abstract SessionStore open(String application);

  @Test
  @Tag("R31")
  void lastAccessIsTheRequestBeforeWhicheverNodeHadIt() throws Exception {
    try (TomcatNode plain = start(new StandardManager())) {
      assertTimes(List.of(plain));
    }
    String application = "times-" + UUID.randomUUID();
    try (SessionStore storeA = open(application);
        SessionStore storeB = open(application);
        TomcatNode a = start(manager(storeA));
        TomcatNode b = start(manager(storeB))) {
      assertTimes(List.of(a, b));
    }
  }

  private static void assertTimes(List<TomcatNode> nodes) throws Exception {
    Browser browser = new Browser();
    List<Seen> seen = new ArrayList<>();
    for (int i = 0; i < REQUESTS; i++) {
      TomcatNode node = nodes.get(i % nodes.size());
      // Some set something, which is saved; some only read.
      String path = "times?" + (i % 3 == 0 ? "set" : "see");
      seen.add(Seen.of(browser.get(node.uri().resolve(path)).body()));
      node.awaitIdle();
      nextMillisecond();
    }
    for (int i = 0; i < REQUESTS; i++) {
      Seen now = seen.get(i);
      assertThat(now.created).isEqualTo(seen.get(0).created).isBetween(seen.get(0).begin, now.end);
      assertThat(now.fresh).isEqualTo(i == 0);
      if (i == 0) {
        assertThat(now.accessed).isEqualTo(now.created);
      } else {
        Seen before = seen.get(i - 1);
        // Tomcat's own says when that request ended.
        assertThat(now.accessed).as("request %d", i).isBetween(before.begin, now.begin - 1);
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

  /** What one request saw; its own times by the same clock. */
  private record Seen(long begin, long end, long created, long accessed, boolean fresh) {
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

  private static SojournManager manager(SessionStore store) {
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    manager.setTouchInterval("0");
    return manager;
  }

  private static TomcatNode start(ManagerBase manager) throws Exception {
    return TomcatNode.start(manager, (tomcat, context) -> prepare(context));
  }

  private static void prepare(StandardContext context) {
    Tomcat.addServlet(context, "times", new Times());
    context.addServletMappingDecoded("/times", "times");
  }

  private static final class Times extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      long begin = System.currentTimeMillis();
      HttpSession session = request.getSession();
      if ("set".equals(request.getQueryString())) {
        session.setAttribute("at", begin);
      }
      String times =
          session.getCreationTime() + " " + session.getLastAccessedTime() + " " + session.isNew();
      response.getWriter().print(begin + " " + System.currentTimeMillis() + " " + times);
    }
  }
}
