package io.sojourn.tomcat;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.PatientStores;
import jakarta.servlet.Filter;
import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.websocket.DeploymentException;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.Session;
import jakarta.websocket.server.ServerContainer;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.catalina.core.StandardContext;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;
import org.apache.tomcat.websocket.server.WsSci;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A WebSocket whose handshake begins the session. */
class HandshakeIT {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  /** Says nothing. */
  public static final class Silent extends Endpoint {
    @Override
    public void onOpen(Session socket, EndpointConfig config) {}
  }

  private static final class Endpoints implements ServletContextListener {
    @Override
    public void contextInitialized(ServletContextEvent event) {
      ServerContainer container =
          (ServerContainer) event.getServletContext().getAttribute(ServerContainer.class.getName());
      try {
        container.addEndpoint(ServerEndpointConfig.Builder.create(Silent.class, "/socket").build());
      } catch (DeploymentException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private static void prepare(StandardContext context) {
    Filter begins =
        (request, response, chain) -> {
          ((HttpServletRequest) request).getSession().setAttribute("begun", "by the handshake");
          chain.doFilter(request, response);
        };
    FilterDef definition = new FilterDef();
    definition.setFilterName("begins");
    definition.setFilter(begins);
    context.addFilterDef(definition);
    FilterMap mapping = new FilterMap();
    mapping.setFilterName("begins");
    mapping.addURLPattern("/socket");
    context.addFilterMap(mapping);
    context.addServletContainerInitializer(new WsSci(), null);
    context.addApplicationLifecycleListener(new Endpoints());
  }

  private static SojournManager manager(SessionStore store) {
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    return manager;
  }

  @Test
  @Tag("G1")
  @Tag("R12")
  void theSessionThatAHandshakeBeginsIsStoredWhenItsCookieArrives() throws Exception {
    try (SessionStore storeA = PatientStores.open(url, "sockets", () -> Duration.ZERO);
        SessionStore storeB = PatientStores.open(url, "sockets", () -> Duration.ZERO);
        TomcatNode a = TomcatNode.start(manager(storeA), (tomcat, context) -> prepare(context));
        TomcatNode b = TomcatNode.start(manager(storeB));
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), a.uri().getPort())) {
      List<String> head = shakeHands(socket, a.uri());
      assertThat(head.get(0)).startsWith("HTTP/1.1 101");
      String id =
          head.stream()
              .filter(line -> line.startsWith("Set-Cookie: JSESSIONID="))
              .map(line -> line.replaceAll(".*JSESSIONID=|;.*", ""))
              .findFirst()
              .orElseThrow();
      ContractClient client = new ContractClient();
      client.useSessionId(id);
      assertThat(client.send(b, "get:begun").line()).isEqualTo("by the handshake");
    }
  }

  /** The lines of the answer's head. */
  private static List<String> shakeHands(Socket socket, URI node) throws Exception {
    socket.setSoTimeout(30_000);
    String request =
        "GET /socket HTTP/1.1\r\nHost: "
            + node.getAuthority()
            + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.getOutputStream().write(request.getBytes(US_ASCII));
    BufferedReader reader =
        new BufferedReader(new InputStreamReader(socket.getInputStream(), US_ASCII));
    List<String> head = new ArrayList<>();
    for (String line = reader.readLine();
        line != null && !line.isEmpty();
        line = reader.readLine()) {
      head.add(line);
    }
    return head;
  }
}
