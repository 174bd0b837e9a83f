package io.sojourn.dist;

import jakarta.servlet.http.HttpSession;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.HandshakeResponse;
import jakarta.websocket.OnMessage;
import jakarta.websocket.OnOpen;
import jakarta.websocket.Session;
import jakarta.websocket.server.HandshakeRequest;
import jakarta.websocket.server.ServerEndpoint;
import jakarta.websocket.server.ServerEndpointConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A WebSocket that adds its messages to what the session has. Packed into a war. */
@ServerEndpoint(value = "/socket", configurator = VisitsEndpoint.Handshake.class)
public final class VisitsEndpoint {

  /** Hands the session over. */
  public static final class Handshake extends ServerEndpointConfig.Configurator {

    /** For the container. */
    public Handshake() {}

    @Override
    public void modifyHandshake(
        ServerEndpointConfig config, HandshakeRequest request, HandshakeResponse response) {
      config.getUserProperties().put("session", request.getHttpSession());
    }
  }

  private @Nullable HttpSession session;

  /** For the container. */
  public VisitsEndpoint() {}

  /** Begins. */
  @OnOpen
  public void open(Session socket, EndpointConfig config) {
    session = (HttpSession) config.getUserProperties().get("session");
  }

  /** Adds a visit, and answers all. */
  @OnMessage
  public String visit(String visit) {
    HttpSession open = Objects.requireNonNull(session);
    List<Object> visits = new ArrayList<>((List<?>) open.getAttribute("visits"));
    visits.add(visit);
    open.setAttribute("visits", visits);
    return visits.toString();
  }
}
