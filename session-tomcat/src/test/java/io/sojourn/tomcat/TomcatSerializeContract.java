package io.sojourn.tomcat;

import static java.util.Objects.requireNonNull;

import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.CountingStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.SerializeContract;
import jakarta.servlet.http.HttpServlet;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What {@code concurrency="serialize"} promises, on Tomcat. */
abstract class TomcatSerializeContract extends SerializeContract {

  TomcatSerializeContract(String url) {
    super(url);
  }

  @Override
  protected final ContainerNode start(
      Map<String, String> settings, Map<String, HttpServlet> servlets) throws Exception {
    return TomcatNode.start(manager(settings), (tomcat, context) -> add(servlets, context));
  }

  private static SojournManager manager(Map<String, String> settings) {
    Map<String, String> all =
        new HashMap<>(PatientStores.options(requireNonNull(settings.get("store"))));
    all.putAll(settings);
    return element(all);
  }

  private static SojournManager element(Map<String, String> settings) {
    return ManagerElement.of(
        settings.entrySet().stream()
            .flatMap(setting -> Stream.of(setting.getKey(), setting.getValue()))
            .toArray(String[]::new));
  }

  private static void add(Map<String, HttpServlet> servlets, StandardContext context) {
    context.setCrossContext(true);
    servlets.forEach(
        (path, servlet) -> {
          Tomcat.addServlet(context, path, servlet).setAsyncSupported(true);
          context.addServletMappingDecoded(path, path);
        });
  }

  @Test
  @Tag("G3")
  void requestsThatDispatchIntoEachOthersContextsDoNotWaitForEachOther() throws Exception {
    SojournManager second = manager(settings("serializeTimeout", "5"));
    second.setApplication(second.getApplication() + "-second");
    try (TomcatNode node =
        TomcatNode.start(
            manager(settings("serializeTimeout", "5")),
            (tomcat, context) -> {
              add(servlets(), context);
              context.setSessionCookiePath("/");
            })) {
      ContainerNode other = node.deploy("second", second, context -> add(servlets(), context));
      dispatchIntoEachOthersContexts(node, other);
      other.close();
    }
  }

  @Test
  @Tag("G3")
  @Tag("R54")
  void requestsOfOneServerThatWaitForEachOtherDoNotPollTheStore() throws Exception {
    Map<String, String> settings = settings();
    String url = requireNonNull(settings.remove("store"));
    String application = requireNonNull(settings.remove("application"));
    CountingStore store =
        new CountingStore(PatientStores.open(url, application, () -> Duration.ZERO));
    SojournManager manager = element(settings);
    manager.setSessionStore(store);
    try (store;
        TomcatNode node = TomcatNode.start(manager)) {
      waitWithoutPolling(node, store, node::awaitRequests);
    }
  }
}
