package io.sojourn.jetty;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.FaultyStore;
import io.sojourn.testkit.PatientStores;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import jakarta.servlet.http.HttpSessionEvent;
import jakarta.servlet.http.HttpSessionListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What those who run a Jetty meet: applications that come and go, outages, sessions in long use.
 */
abstract class OperationsContract {

  private final String application = "operations-" + UUID.randomUUID();
  private final AtomicReference<Duration> clock = new AtomicReference<>(Duration.ZERO);
  private final List<AutoCloseable> closeables = new ArrayList<>();

  /** Where the store is. */
  abstract String url();

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
  }

  private SessionStore store() {
    SessionStore store = PatientStores.open(url(), application, clock::get);
    closeables.add(store);
    return store;
  }

  private JettyNode node(SessionStore store, Consumer<JettyNode> preparation) throws Exception {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setSessionStore(store);
    return node(sessions, preparation);
  }

  private JettyNode node(SojournSessionCacheFactory sessions, Consumer<JettyNode> preparation)
      throws Exception {
    JettyNode node = JettyNode.start(sessions, "", preparation);
    closeables.add(0, node);
    return node;
  }

  @Test
  @Tag("R24")
  @Tag("R69")
  void anApplicationThatIsUndeployedLeavesTheOthersTheirStore() throws Exception {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setStore(url());
    PatientStores.options(url()).forEach(sessions::setStoreOption);
    sessions.setApplication(application);
    JettyNode node = node(sessions, starting -> {});
    ServletContext context = JettyNode.context("/second");
    node.add(context);
    ContainerNode second = node.at(context);
    ContractClient client = new ContractClient();
    ContractClient clientOfSecond = new ContractClient();
    client.send(node, "set:a:1");
    clientOfSecond.send(second, "set:a:2");
    assertThat(clientOfSecond.send(second, "get:a").line()).isEqualTo("2");
    second.close();
    assertThat(client.send(node, "get:a", "set:b:3", "get:b").lines()).containsExactly("1", "3");
    assertThat(new ContractClient().send(node, "set:a:1", "get:a").line()).isEqualTo("1");
  }

  @Test
  @Tag("R24")
  void aStoreHandedOverStaysOpen() throws Exception {
    SessionStore store = store();
    JettyNode node = node(store, starting -> {});
    new ContractClient().send(node, "set:a:1");
    node.close();
    store.ping();
  }

  @Test
  @Tag("R37")
  void aSessionThatIsReadWithoutARequestStaysAliveAndOneThatIsOnlyHeldDoesNot() throws Exception {
    AtomicReference<@Nullable HttpSession> taken = new AtomicReference<>();
    List<String> destroyed = new CopyOnWriteArrayList<>();
    Consumer<JettyNode> listening =
        node ->
            node.context()
                .add(
                    new HttpSessionListener() {
                      @Override
                      public void sessionDestroyed(HttpSessionEvent event) {
                        destroyed.add(event.getSession().getId());
                      }
                    });
    JettyNode a =
        node(
            store(),
            node -> {
              listening.accept(node);
              node.context()
                  .add(
                      new HttpServlet() {
                        private static final long serialVersionUID = 1L;

                        @Override
                        protected void doGet(
                            HttpServletRequest request, HttpServletResponse response) {
                          taken.set(request.getSession());
                        }
                      },
                      "/take/*");
            });
    JettyNode b = node(store(), listening);
    ContractClient client = new ContractClient();
    client.send(a, "set:a:1", "timeout:600");
    client.send(a.at("take/"));
    a.awaitIdle(); // while a request uses it, it is not asked for again
    HttpSession held = requireNonNull(taken.get());
    for (int minutes = 0; minutes <= 60; minutes += 9) {
      clock.set(Duration.ofMinutes(minutes));
      assertThat(held.getAttribute("a")).isEqualTo("1");
      b.scavenge();
    }
    assertThat(client.send(b, "get:a").line()).isEqualTo("1");
    assertThat(destroyed).isEmpty();
    clock.set(Duration.ofHours(2));
    b.scavenge();
    assertThat(destroyed).hasSize(1);
    assertThatThrownBy(() -> held.getAttribute("a")).isInstanceOf(IllegalStateException.class);
  }

  @Test
  @Tag("R58")
  void whatIsLoggedAtTheFinestLevelHoldsNoIdThatOpensASession() throws Exception {
    List<String> logged = Collections.synchronizedList(new ArrayList<>());
    Handler handler = handler(line -> logged.add(new SimpleFormatter().format(line)));
    handler.setLevel(Level.ALL);
    // What the server itself logs at that level is its own, and has whole requests.
    List<Logger> loggers =
        Stream.of("io.sojourn", "io.lettuce", "com.zaxxer.hikari").map(Logger::getLogger).toList();
    ContractClient client = new ContractClient();
    List<String> ids = new ArrayList<>();
    try {
      loggers.forEach(
          logger -> {
            logger.addHandler(handler);
            logger.setLevel(Level.ALL);
            logger.setUseParentHandlers(false);
          });
      FaultyStore faulty = new FaultyStore(store());
      JettyNode node =
          node(
              faulty,
              starting ->
                  starting
                      .context()
                      .add(
                          new HttpSessionListener() {
                            @Override
                            public void sessionDestroyed(HttpSessionEvent event) {
                              throw new IllegalStateException("The test made this listener throw");
                            }
                          }));
      client.send(node, "set:a:1");
      ids.add(requireNonNull(client.sessionId()));
      client.send(node, "changeId");
      ids.add(requireNonNull(client.sessionId()));
      faulty.failAll();
      assertThat(client.send(node, "get:a", "set:a:2").status()).isEqualTo(503);
      faulty.fail();
      client.send(node, "get:a");
      client.send(node, "invalidate");
      node.close();
    } finally {
      loggers.forEach(
          logger -> {
            logger.removeHandler(handler);
            logger.setLevel(null);
            logger.setUseParentHandlers(true);
          });
    }
    assertThat(String.join("", logged))
        .contains("sessionDestroyed", "503")
        .doesNotContain(ids)
        .doesNotContain(ids.get(0).substring(2));
  }

  private static Handler handler(Consumer<LogRecord> each) {
    return new Handler() {
      @Override
      public void publish(LogRecord line) {
        each.accept(line);
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
  }

  @Test
  @Tag("G4")
  @Tag("R75")
  void anOutageUnderLoadWritesFewLines() throws Exception {
    FaultyStore faulty = new FaultyStore(store());
    JettyNode node = node(faulty, starting -> {});
    ContractClient client = new ContractClient();
    client.send(node, "set:a:1");
    node.awaitIdle();
    List<String> logged = Collections.synchronizedList(new ArrayList<>());
    Handler handler =
        handler(
            line -> {
              String logger = String.valueOf(line.getLoggerName());
              // Jetty's connections say what clients, of whatever test, have broken off.
              if (logger.startsWith("io.sojourn.")
                  || (logger.startsWith("org.eclipse.jetty.")
                      && !logger.startsWith("org.eclipse.jetty.io."))) {
                logged.add(logger + ": " + line.getMessage());
              }
            });
    Logger root = Logger.getLogger("");
    root.addHandler(handler);
    try {
      faulty.failAll();
      for (int i = 0; i < 100; i++) {
        assertThat(client.send(node, "get:a", "set:a:2").status()).isEqualTo(503);
        assertThat(new ContractClient().send(node, "set:a:1").status()).isEqualTo(503);
      }
      node.scavenge();
      faulty.fail();
      assertThat(client.send(node, "get:a").line()).isEqualTo("1");
    } finally {
      root.removeHandler(handler);
    }
    assertThat(logged).isNotEmpty().hasSizeLessThan(10);
  }
}
