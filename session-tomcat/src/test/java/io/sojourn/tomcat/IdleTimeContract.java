package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.PatientStores;
import jakarta.servlet.http.HttpSession;
import jakarta.servlet.http.HttpSessionEvent;
import jakarta.servlet.http.HttpSessionListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.apache.catalina.core.StandardContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Whose clock says how long a session has been idle, and what counts as its use. */
abstract class IdleTimeContract {

  private final List<AutoCloseable> closeables = new ArrayList<>();

  /** Sessions as the listeners of either node were told that they were created. */
  private final List<HttpSession> created = new CopyOnWriteArrayList<>();

  private final List<String> destroyed = new CopyOnWriteArrayList<>();
  private volatile Supplier<Duration> clock = () -> Duration.ZERO;
  private TomcatNode a;
  private TomcatNode b;

  /** Where the store is. */
  abstract String url();

  @BeforeEach
  void start() throws Exception {
    String application = "idle-" + UUID.randomUUID();
    a = start(application);
    b = start(application);
  }

  private TomcatNode start(String application) throws Exception {
    SessionStore store = PatientStores.open(url(), application, () -> clock.get());
    closeables.add(store);
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    TomcatNode node = TomcatNode.start(manager, (tomcat, context) -> listen(context));
    closeables.add(0, node);
    return node;
  }

  private void listen(StandardContext context) {
    context.addApplicationLifecycleListener(
        new HttpSessionListener() {
          @Override
          public void sessionCreated(HttpSessionEvent event) {
            created.add(event.getSession());
          }

          @Override
          public void sessionDestroyed(HttpSessionEvent event) {
            destroyed.add(event.getSession().getId());
          }
        });
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
  }

  @Test
  @Tag("G6")
  @Tag("R27")
  void aSessionThatTheNodesClockTakesForExpiredLivesAsLongAsTheStoresClockSays() {
    ContractClient client = new ContractClient();
    client.send(a, "set:a:1", "timeout:1");
    // From now on the store's clock is far behind, however slow the machine is.
    clock = () -> Duration.ofMinutes(-1);
    client.send(b, "get:a");
    long begin = System.currentTimeMillis();
    await().until(() -> System.currentTimeMillis() > begin + 2500);
    a.scavenge();
    b.scavenge();
    assertThat(created.get(0).getAttribute("a")).isEqualTo("1");
    assertThat(client.send(b, "get:a").line()).isEqualTo("1");
    assertThat(client.send(a, "get:a").line()).isEqualTo("1");
    assertThat(destroyed).isEmpty();
    clock = () -> Duration.ofHours(1);
    a.scavenge();
    b.scavenge();
    assertThat(destroyed).hasSize(1);
  }

  @Test
  @Tag("R37")
  void aSessionThatIsReadWithoutARequestStaysAliveAndOneThatIsOnlyHeldDoesNot() {
    ContractClient client = new ContractClient();
    client.send(a, "set:a:1", "timeout:600");
    a.awaitIdle(); // while a request uses it, it is not asked for again
    HttpSession held = created.get(0);
    for (int minutes = 0; minutes <= 60; minutes += 9) {
      Duration now = Duration.ofMinutes(minutes);
      clock = () -> now;
      assertThat(held.getAttribute("a")).isEqualTo("1");
      b.scavenge();
    }
    assertThat(client.send(b, "get:a").line()).isEqualTo("1");
    assertThat(destroyed).isEmpty();
    clock = () -> Duration.ofHours(2);
    b.scavenge();
    assertThat(destroyed).hasSize(1);
    assertThatThrownBy(() -> held.getAttribute("a")).isInstanceOf(IllegalStateException.class);
  }
}
