package io.sojourn.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An application that JavaMelody watches. Its listener puts itself into each session, to hear of
 * passivations, and keeps the sessions that it has heard of.
 */
public abstract class JavaMelodyContract {

  /** What may be in a session. */
  protected static final String ALLOWED_CLASSES =
      "net.bull.javamelody.SessionListener, io.sojourn.testkit.*";

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
  private final ContractClient client = new ContractClient();
  private final List<String> complaints = Collections.synchronizedList(new ArrayList<>());

  private final Handler handler =
      new Handler() {
        @Override
        public void publish(LogRecord logged) {
          // What a listener throws, and what of a session is not saved or cannot be decoded.
          String name = String.valueOf(logged.getLoggerName());
          if (logged.getLevel().intValue() >= Level.WARNING.intValue()
              && (name.startsWith("io.sojourn.")
                  || (concernsSessions(name) && logged.getThrown() != null))) {
            complaints.add(logged.getMessage() + logged.getThrown());
          }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  /** For subclasses. */
  protected JavaMelodyContract() {}

  /**
   * Starts a server with a {@link ContractServlet} for all paths, JavaMelody's filter before it and
   * its listener, all of its classes the web application's own.
   *
   * @param statistics where JavaMelody may keep what it has seen
   * @throws Exception if it does not start
   */
  protected abstract ContainerNode start(String storeUrl, Path statistics) throws Exception;

  /** Whether it is this logger that says what a session's listeners throw. */
  protected abstract boolean concernsSessions(String logger);

  @BeforeEach
  final void listen() {
    Logger.getLogger("").addHandler(handler);
  }

  @AfterEach
  final void listenNoMore() {
    Logger.getLogger("").removeHandler(handler);
  }

  @Test
  @Tag("R48")
  final void itWatchesBothNodesAndTheSessionIsOne(@TempDir Path folder) throws Exception {
    try (ContainerNode a = start(url, folder.resolve("a"));
        ContainerNode b = start(url, folder.resolve("b"))) {
      for (int i = 0; i < 3; i++) {
        client.send(a, "add:cart:" + i + ".a");
        client.send(b, "add:cart:" + i + ".b");
      }
      assertThat(client.send(a, "get:cart").line()).isEqualTo("0.a,0.b,1.a,1.b,2.a,2.b");
      // The listener is stored with the rest.
      assertThat(client.send(b, "names").line()).contains("javamelody.");
      assertThat(page(a, "monitoring")).contains("JavaMelody");
      String id = String.valueOf(client.sessionId());
      // The sessions that a node has begun.
      assertThat(page(a, "monitoring?part=sessions")).contains(id);
      assertThat(client.send(b, "invalidate").status()).isEqualTo(200);
      assertThat(client.send(a, "get:cart").line()).isEqualTo("none");
    }
    assertThat(complaints).isEmpty();
  }

  private static String page(ContainerNode node, String path) throws IOException {
    try (InputStream in = node.uri().resolve(path).toURL().openStream()) {
      return new String(in.readAllBytes(), UTF_8);
    }
  }
}
