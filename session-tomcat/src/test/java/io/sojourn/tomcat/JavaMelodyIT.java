package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.testkit.ContractClient;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import net.bull.javamelody.MonitoringFilter;
import net.bull.javamelody.SessionListener;
import org.apache.catalina.core.StandardContext;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An application that JavaMelody watches. Its listener puts itself into each session, to hear of
 * passivations, and keeps the sessions that it has heard of.
 */
class JavaMelodyIT {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
  private final ContractClient client = new ContractClient();
  private final List<String> complaints = Collections.synchronizedList(new ArrayList<>());

  private final Handler handler =
      new Handler() {
        @Override
        public void publish(LogRecord logged) {
          // What a listener throws, and what of a session is not saved or cannot be decoded.
          String name = String.valueOf(logged.getLoggerName());
          boolean concernsSessions =
              name.startsWith("org.apache.catalina.core.")
                  || name.startsWith("org.apache.catalina.session.");
          if (logged.getLevel().intValue() >= Level.WARNING.intValue()
              && (name.startsWith("io.sojourn.")
                  || (concernsSessions && logged.getThrown() != null))) {
            complaints.add(logged.getMessage() + logged.getThrown());
          }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  @BeforeEach
  void listen() {
    Logger.getLogger("").addHandler(handler);
  }

  @AfterEach
  void listenNoMore() {
    Logger.getLogger("").removeHandler(handler);
  }

  private TomcatNode start(Path statistics) throws Exception {
    return TomcatNode.start(
        ManagerElement.of(
            "store",
            url,
            "allowedClasses",
            "net.bull.javamelody.SessionListener, io.sojourn.testkit.*"),
        (tomcat, context) -> {
          try {
            prepare(context, statistics);
          } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  /** As with its jar in the application's folder, of which each node has one of its own. */
  private static void prepare(StandardContext context, Path statistics)
      throws IOException, URISyntaxException {
    Path jar =
        Path.of(MonitoringFilter.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Path libraries = Path.of(context.getDocBase(), "WEB-INF/lib");
    Files.createDirectories(libraries);
    Files.copy(jar, libraries.resolve(jar.getFileName()));
    context.addParameter("javamelody.storage-directory", statistics.toString());
    context.addApplicationListener(SessionListener.class.getName());
    FilterDef definition = new FilterDef();
    definition.setFilterName("javamelody");
    definition.setFilterClass(MonitoringFilter.class.getName());
    definition.setAsyncSupported("true");
    context.addFilterDef(definition);
    FilterMap mapping = new FilterMap();
    mapping.setFilterName("javamelody");
    mapping.addURLPattern("/*");
    context.addFilterMap(mapping);
  }

  @Test
  @Tag("R48")
  void itWatchesBothNodesAndTheSessionIsOne(@TempDir Path folder) throws Exception {
    try (TomcatNode a = start(folder.resolve("a"));
        TomcatNode b = start(folder.resolve("b"))) {
      for (int i = 0; i < 3; i++) {
        client.send(a, "add:cart:" + i + ".a");
        client.send(b, "add:cart:" + i + ".b");
      }
      assertThat(client.send(a, "get:cart").line()).isEqualTo("0.a,0.b,1.a,1.b,2.a,2.b");
      assertThat(new Browser().get(a.uri().resolve("monitoring")).body()).contains("JavaMelody");
      String id = String.valueOf(client.sessionId());
      assertThat(sessions(a)).contains(id);
      assertThat(client.send(b, "invalidate").status()).isEqualTo(200);
      assertThat(client.send(a, "get:cart").line()).isEqualTo("none");
    }
    assertThat(complaints).isEmpty();
  }

  /** What it says of the sessions that a node has begun. */
  private static String sessions(TomcatNode node) {
    return new Browser().get(node.uri().resolve("monitoring?part=sessions")).body();
  }
}
