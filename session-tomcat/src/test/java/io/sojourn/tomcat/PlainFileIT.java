package io.sojourn.tomcat;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.InMemorySessionStore;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.CountingStore;
import jakarta.servlet.ServletException;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.catalina.authenticator.FormAuthenticator;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.connector.ResponseFacade;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.servlets.DefaultServlet;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.valves.ValveBase;
import org.apache.tomcat.util.descriptor.web.ErrorPage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Files that Tomcat's own servlet sends: nothing is between them and the client. */
class PlainFileIT {

  private static final int SIZE = 100_000;

  /** Writes down how each request was answered. */
  private static final class Watch extends ValveBase {
    final List<String> answers = new CopyOnWriteArrayList<>();

    Watch() {
      super(true);
    }

    @Override
    public void invoke(Request request, Response response) throws IOException, ServletException {
      getNext().invoke(request, response);
      boolean sendfile = request.getAttribute("org.apache.tomcat.sendfile.filename") != null;
      boolean own = response.getResponse() instanceof ResponseFacade;
      answers.add((sendfile ? "sendfile" : "written") + (own ? ", unwrapped" : ", wrapped"));
    }
  }

  private static void prepare(Tomcat tomcat, StandardContext context, Watch watch) {
    tomcat.getHost().getPipeline().addValve(watch);
    Tomcat.addServlet(context, "files", new DefaultServlet());
    context.addServletMappingDecoded("/files/*", "files");
    ErrorPage page = new ErrorPage();
    page.setErrorCode(404);
    page.setLocation("/?op=set:missed:1");
    context.addErrorPage(page);
    try {
      Files.createDirectories(Path.of(context.getDocBase(), "files"));
      Files.write(Path.of(context.getDocBase(), "files/big.bin"), new byte[SIZE]);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  @Tag("G1")
  @Tag("G9")
  void aPlainFileIsSentByTheKernelAndAsksNothingOfTheStore() throws Exception {
    Watch watch = new Watch();
    try (CountingStore store = new CountingStore(new InMemorySessionStore())) {
      SojournManager manager = new SojournManager();
      manager.setSessionStore(store);
      try (TomcatNode node =
          TomcatNode.start(manager, (tomcat, context) -> prepare(tomcat, context, watch))) {
        ContractClient client = new ContractClient();
        client.send(node, "set:a:1");
        store.takeCalls();
        HttpResponse<byte[]> file = get(node, "files/big.bin", requireNonNull(client.sessionId()));
        assertThat(file.body()).hasSize(SIZE);
        assertThat(watch.answers).containsExactly("written, wrapped", "sendfile, unwrapped");
        assertThat(store.takeCalls()).isEmpty();
        assertThat(get(node, "files/missing.bin", requireNonNull(client.sessionId())).statusCode())
            .isEqualTo(404);
        assertThat(client.send(node, "get:missed").line()).isEqualTo("1");
      }
    }
  }

  @Test
  @Tag("G4")
  @Tag("G9")
  void aFileOfAnApplicationWithALoginPageAsksNothingOfTheStore() throws Exception {
    Watch watch = new Watch();
    try (CountingStore store = new CountingStore(new InMemorySessionStore())) {
      SojournManager manager = new SojournManager();
      manager.setSessionStore(store);
      try (TomcatNode node =
          TomcatNode.start(
              manager,
              (tomcat, context) -> {
                prepare(tomcat, context, watch);
                AuthenticationContract.protect(context, "FORM", new FormAuthenticator());
              })) {
        ContractClient client = new ContractClient();
        client.send(node, "set:a:1");
        store.takeCalls();
        String id = requireNonNull(client.sessionId());
        assertThat(get(node, "files/big.bin", id).body()).hasSize(SIZE);
        assertThat(store.takeCalls()).isEmpty();
        // A login may lead back to any other.
        assertThat(get(node, "public/?do=nothing", id).body()).asString().isEqualTo("nothing");
        assertThat(store.takeCalls()).isEqualTo(Map.of("load", 1));
      }
    }
  }

  private static HttpResponse<byte[]> get(TomcatNode node, String path, @Nullable String id)
      throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(node.uri().resolve(path))
            .header("Cookie", "JSESSIONID=" + id)
            .build();
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofByteArray());
  }
}
