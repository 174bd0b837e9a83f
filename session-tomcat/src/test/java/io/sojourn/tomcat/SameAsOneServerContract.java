package io.sojourn.tomcat;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionStore;
import io.sojourn.tomcat.Browser.Answer;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import jakarta.websocket.DeploymentException;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.HandshakeResponse;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.Session;
import jakarta.websocket.server.HandshakeRequest;
import jakarta.websocket.server.ServerContainer;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.catalina.authenticator.FormAuthenticator;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.session.StandardManager;
import org.apache.catalina.startup.Tomcat;
import org.apache.jasper.servlet.JasperInitializer;
import org.apache.jasper.servlet.JspServlet;
import org.apache.tomcat.websocket.server.WsSci;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Applications in each style answer the same script alike on one plain Tomcat with its own manager
 * and on two nodes that take turns with each request.
 */
abstract class SameAsOneServerContract {

  /** Opens the store. Called once for each server. */
  abstract SessionStore open(String application);

  /** Steps of one user: a path, or {@code ws:} and a message for the open WebSocket. */
  private static final List<String> SCRIPT =
      List.of(
          "app?see",
          "app?set=user:anna",
          "app?add=cart:tea",
          "app?see",
          "page.jsp?item=one",
          "page.jsp?item=two",
          "app?see",
          "async?set=colour:red",
          "async?add=cart:milk",
          "async?dispatch",
          "app?see",
          "ws:open",
          "ws:see",
          "ws:set=mood:good",
          "app?see",
          "app?set=mood:better",
          "ws:see",
          "page.jsp?item=three",
          "ws:see",
          "ws:remove=colour",
          "app?timeout=1234",
          "ws:see",
          "app?rename",
          "ws:set=after:rename",
          "app?remove=user",
          "app?see",
          "app?end",
          "ws:see",
          "ws:set=too:late",
          "app?see",
          "page.jsp?item=again",
          "async?add=cart:bread",
          "app?end=and:begin",
          "app?see");

  @Test
  @Tag("G1")
  @Tag("R8")
  @Tag("R55")
  void oneScriptShowsTheSameOnOneServerAsOnTwo() throws Exception {
    List<String> one;
    try (TomcatNode plain = TomcatNode.start(new StandardManager(), (t, c) -> prepare(c))) {
      one = new User(List.of(plain)).play();
    }
    String application = "same-" + UUID.randomUUID();
    List<String> two;
    try (SessionStore storeA = open(application);
        SessionStore storeB = open(application);
        TomcatNode a = TomcatNode.start(manager(storeA), (t, c) -> prepare(c));
        TomcatNode b = TomcatNode.start(manager(storeB), (t, c) -> prepare(c))) {
      two = new User(List.of(a, b)).play();
    }
    assertThat(one).hasSize(SCRIPT.size()).anyMatch(line -> line.contains("mood=better"));
    assertThat(one).noneMatch(line -> line.contains("-> 500"));
    assertThat(two).containsExactlyElementsOf(one);
  }

  /** Steps of one user of an application with a login page; {@code FOLLOW} goes where told to. */
  private static final List<String> LOGIN_SCRIPT =
      List.of(
          "GET public/",
          "GET public/?do=mark&value=1",
          "GET members/page?x=1",
          "LOGIN anna wrong",
          "GET public/",
          "GET members/page?x=2",
          "LOGIN anna secret",
          "FOLLOW",
          "GET public/",
          "GET members/page?do=mark&value=2",
          "GET public/?do=logout",
          "GET public/",
          "POST members/order tea",
          "GET public/",
          "LOGIN root secret",
          "FOLLOW",
          "GET members/",
          "GET public/?do=invalidate",
          "GET public/",
          "LOGIN anna secret",
          "GET public/?do=login&user=anna&password=secret",
          "GET members/page?x=3",
          "GET public/?do=invalidate",
          "GET members/page?x=4");

  @Test
  @Tag("R64")
  @Tag("R65")
  void oneLoginShowsTheSameOnOneServerAsOnTwo() throws Exception {
    List<String> one;
    try (TomcatNode plain = TomcatNode.start(new StandardManager(), (t, c) -> protect(c))) {
      one = logIn(List.of(plain));
    }
    String application = "same-login-" + UUID.randomUUID();
    List<String> two;
    try (SessionStore storeA = open(application);
        SessionStore storeB = open(application);
        TomcatNode a = TomcatNode.start(manager(storeA), (t, c) -> protect(c));
        TomcatNode b = TomcatNode.start(manager(storeB), (t, c) -> protect(c))) {
      two = logIn(List.of(a, b));
    }
    assertThat(one).anyMatch(line -> line.contains("POST /members {item=tea} user=root"));
    assertThat(one).noneMatch(line -> line.contains("-> 500"));
    assertThat(two).containsExactlyElementsOf(one);
  }

  private static void protect(StandardContext context) {
    AuthenticationContract.protect(context, "FORM", new FormAuthenticator());
  }

  private static List<String> logIn(List<TomcatNode> nodes) {
    Browser browser = new Browser();
    List<String> answers = new ArrayList<>();
    Answer last = null;
    for (String step : LOGIN_SCRIPT) {
      TomcatNode node = nodes.get(answers.size() % nodes.size());
      String id = browser.cookie("JSESSIONID", "/");
      List<String> words = List.of(step.split(" ", -1));
      last =
          switch (words.get(0)) {
            case "GET" -> browser.get(node.uri().resolve(words.get(1)));
            case "POST" -> browser.post(node.uri().resolve(words.get(1)), "item", words.get(2));
            case "LOGIN" ->
                browser.post(
                    node.uri().resolve("j_security_check"),
                    "j_username",
                    words.get(1),
                    "j_password",
                    words.get(2));
            default -> browser.get(requireNonNull(last).locationAt(node));
          };
      String to = last.location().map(URI::getPath).orElse("nowhere");
      boolean sameId = Objects.equals(id, browser.cookie("JSESSIONID", "/"));
      answers.add(
          step
              + " -> "
              + last.status()
              + " to "
              + to
              + ", same id: "
              + sameId
              + ", "
              + last.body());
    }
    return answers;
  }

  private static SojournManager manager(SessionStore store) {
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    return manager;
  }

  // ---------------------------------------------------------------- the applications

  /** Does one thing to a session, and answers what it has then. */
  private static String act(HttpSession session, String query) {
    List<String> words = List.of(query.split("[=:]", 3));
    String name = words.size() > 1 ? words.get(1) : "";
    String value = words.size() > 2 ? words.get(2) : "";
    switch (words.get(0)) {
      case "see" -> {}
      case "set" -> session.setAttribute(name, value);
      case "remove" -> session.removeAttribute(name);
      case "add" -> add(session, name, value);
      case "timeout" -> session.setMaxInactiveInterval(Integer.parseInt(name));
      default -> throw new IllegalArgumentException(query);
    }
    return see(session);
  }

  @SuppressWarnings("unchecked")
  private static void add(HttpSession session, String name, String item) {
    List<String> list = (List<String>) session.getAttribute(name);
    if (list == null) {
      list = new ArrayList<>();
      session.setAttribute(name, list);
    }
    list.add(item);
  }

  private static String see(HttpSession session) {
    StringBuilder seen = new StringBuilder();
    for (String name : new TreeSet<>(Collections.list(session.getAttributeNames()))) {
      seen.append(name).append('=').append(session.getAttribute(name)).append(' ');
    }
    return seen.append(session.getMaxInactiveInterval()).toString();
  }

  private static final class App extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      String query = request.getQueryString();
      if (query.startsWith("end")) {
        request.getSession().invalidate();
        response
            .getWriter()
            .print(query.equals("end") ? "ended" : act(request.getSession(), "see"));
      } else if (query.equals("rename")) {
        String before = request.getSession().getId();
        response.getWriter().print(!request.changeSessionId().equals(before));
      } else {
        HttpSession session = request.getSession();
        response.getWriter().print(session.isNew() + " " + act(session, query));
      }
    }
  }

  private static final class Async extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) {
      AsyncContext async = request.startAsync();
      String query = request.getQueryString();
      if (query.equals("dispatch")) {
        async.start(() -> async.dispatch("/app?set=dispatched:yes"));
        return;
      }
      HttpSession session = request.getSession();
      async.start(
          () -> {
            try {
              response.getWriter().print(act(session, query));
            } catch (IOException e) {
              throw new IllegalStateException(e);
            } finally {
              async.complete();
            }
          });
    }
  }

  /** Works on the HTTP session of its handshake. */
  public static final class Socket extends Endpoint {
    @Override
    public void onOpen(Session socket, EndpointConfig config) {
      HttpSession session = requireNonNull((HttpSession) config.getUserProperties().get("session"));
      socket.addMessageHandler(
          String.class,
          (MessageHandler.Whole<String>) message -> say(socket, answer(session, message)));
    }

    private static void say(Session socket, String answer) {
      try {
        socket.getBasicRemote().sendText(answer);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static String answer(HttpSession session, String message) {
      try {
        return act(session, message);
      } catch (IllegalStateException e) {
        return "no session any more";
      }
    }
  }

  private static final class Handshake extends ServerEndpointConfig.Configurator {
    @Override
    public void modifyHandshake(
        ServerEndpointConfig config, HandshakeRequest request, HandshakeResponse response) {
      config.getUserProperties().put("session", request.getHttpSession());
    }

    @Override
    public <T> T getEndpointInstance(Class<T> endpoint) throws InstantiationException {
      return endpoint.cast(new Socket());
    }
  }

  private static final class Endpoints implements ServletContextListener {
    @Override
    public void contextInitialized(ServletContextEvent event) {
      ServerContainer container =
          (ServerContainer) event.getServletContext().getAttribute(ServerContainer.class.getName());
      try {
        container.addEndpoint(
            ServerEndpointConfig.Builder.create(Socket.class, "/socket")
                .configurator(new Handshake())
                .build());
      } catch (DeploymentException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private static void prepare(StandardContext context) {
    Tomcat.addServlet(context, "app", new App()).setAsyncSupported(true);
    context.addServletMappingDecoded("/app", "app");
    Tomcat.addServlet(context, "async", new Async()).setAsyncSupported(true);
    context.addServletMappingDecoded("/async", "async");
    Tomcat.addServlet(context, "jsp", new JspServlet());
    context.addServletMappingDecoded("/page.jsp", "jsp");
    context.addServletContainerInitializer(new JasperInitializer(), null);
    context.addServletContainerInitializer(new WsSci(), null);
    context.addApplicationLifecycleListener(new Endpoints());
    try {
      Files.writeString(
          Path.of(context.getDocBase(), "page.jsp"),
          """
          <%@ page contentType="text/plain" %>
          <jsp:useBean id="items" class="java.util.ArrayList" scope="session" />
          <% items.add(request.getParameter("item")); %>
          <% session.setAttribute("last", request.getParameter("item")); %>
          ${sessionScope.items} ${last} ${pageContext.session.isNew()}
          """);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  // ---------------------------------------------------------------- the user

  /** A browser that asks its servers in turn. */
  private static final class User {

    private final List<TomcatNode> nodes;
    private final HttpClient http = HttpClient.newHttpClient();
    private final BlockingQueue<String> messages = new LinkedBlockingQueue<>();
    private @Nullable String cookie;
    private @Nullable WebSocket socket;
    private int turn;

    User(List<TomcatNode> nodes) {
      this.nodes = nodes;
    }

    List<String> play() throws Exception {
      List<String> answers = new ArrayList<>();
      for (String step : SCRIPT) {
        // What a request is still using there is not read again for a WebSocket.
        nodes.forEach(TomcatNode::awaitIdle);
        URI node = nodes.get(turn++ % nodes.size()).uri();
        String answer =
            step.equals("ws:open")
                ? connect(node)
                : step.startsWith("ws:") ? say(step.substring("ws:".length())) : get(node, step);
        answers.add(step + " -> " + answer.strip());
      }
      if (socket != null) {
        socket.abort();
      }
      return answers;
    }

    private String get(URI node, String path) throws Exception {
      HttpRequest.Builder request = HttpRequest.newBuilder(node.resolve(path));
      if (cookie != null) {
        request.header("Cookie", cookie);
      }
      HttpResponse<String> response =
          http.send(request.build(), HttpResponse.BodyHandlers.ofString());
      List<String> cookies = response.headers().allValues("Set-Cookie");
      for (String set : cookies) {
        cookie = set.split(";", 2)[0];
      }
      return response.statusCode() + " " + cookies.size() + " cookies, " + response.body();
    }

    private String connect(URI node) {
      WebSocket.Builder builder = http.newWebSocketBuilder();
      if (cookie != null) {
        builder.header("Cookie", cookie);
      }
      URI address = URI.create("ws://" + node.getAuthority() + "/socket");
      socket = builder.buildAsync(address, new Inbox(messages)).join();
      return "open";
    }

    private String say(String message) throws Exception {
      if (socket == null) {
        return "not open";
      }
      socket.sendText(message, true).join();
      return String.valueOf(messages.poll(30, TimeUnit.SECONDS));
    }
  }

  private record Inbox(BlockingQueue<String> messages) implements WebSocket.Listener {
    @Override
    public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence text, boolean last) {
      messages.add(text.toString());
      socket.request(1);
      return null;
    }
  }
}
