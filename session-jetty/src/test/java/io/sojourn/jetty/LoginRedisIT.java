package io.sojourn.jetty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.LoadResult;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.security.Constraint;
import org.eclipse.jetty.security.HashLoginService;
import org.eclipse.jetty.security.SecurityHandler;
import org.eclipse.jetty.security.UserStore;
import org.eclipse.jetty.security.authentication.FormAuthenticator;
import org.eclipse.jetty.util.security.Password;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A login by FORM that goes from one server to the next. */
@ExtendWith(RealServers.class)
class LoginRedisIT {

  private static final Pattern COOKIE = Pattern.compile("Set-Cookie: JSESSIONID=([^;\\r]*)");
  private static final String PASSWORD = "s3cret-of-anna";

  private final String application = "login-" + UUID.randomUUID();
  private final RedisServer redis;
  private final List<SessionStore> stores = new ArrayList<>();
  private final List<JettyNode> nodes = new ArrayList<>();

  private @Nullable String cookie;

  LoginRedisIT(RedisServer redis) {
    this.redis = redis;
  }

  @BeforeEach
  void start() throws Exception {
    for (int i = 0; i < 3; i++) {
      SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
      SessionStore store = PatientStores.open(redis.url(), application, () -> Duration.ZERO);
      stores.add(store);
      sessions.setSessionStore(store);
      nodes.add(
          JettyNode.start(
              sessions,
              "",
              node -> {
                node.context().add(new Account(), "/account");
                node.context().protect(security());
              }));
    }
  }

  @AfterEach
  void stop() {
    nodes.forEach(JettyNode::close);
    stores.forEach(SessionStore::close);
  }

  private static SecurityHandler security() {
    UserStore users = new UserStore();
    users.addUser("anna", new Password(PASSWORD), new String[] {"customer"});
    HashLoginService service = new HashLoginService("shop");
    service.setUserStore(users);
    SecurityHandler.PathMapped security = new SecurityHandler.PathMapped();
    security.setLoginService(service);
    security.setAuthenticator(new FormAuthenticator("/login", "/failed", false));
    security.put("/account", Constraint.from("customer"));
    return security;
  }

  /** Says who is there, and what was sent. */
  private static final class Account extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      if (request.getParameter("logout") != null) {
        request.getSession().invalidate();
      }
      response
          .getWriter()
          .print(
              request.getMethod()
                  + " by "
                  + request.getRemoteUser()
                  + " customer="
                  + request.isUserInRole("customer")
                  + " admin="
                  + request.isUserInRole("admin")
                  + " item="
                  + request.getParameter("item"));
    }
  }

  /** All servers are one to a browser, as they are behind a balancer. */
  private String send(int node, String method, String path, String form) throws IOException {
    try (Socket socket =
        new Socket(InetAddress.getLoopbackAddress(), nodes.get(node).uri().getPort())) {
      String head =
          method
              + " "
              + path
              + " HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n"
              + (cookie == null ? "" : "Cookie: JSESSIONID=" + cookie + "\r\n")
              + (method.equals("GET")
                  ? ""
                  : "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
                      + form.length()
                      + "\r\n")
              + "\r\n";
      socket.getOutputStream().write((head + form).getBytes(UTF_8));
      String answer = new String(socket.getInputStream().readAllBytes(), UTF_8);
      Matcher matcher = COOKIE.matcher(answer);
      if (matcher.find()) {
        cookie = matcher.group(1);
      }
      return answer;
    }
  }

  @Test
  @Tag("R61")
  @Tag("R62")
  @Tag("R64")
  @Tag("R65")
  void aLoginBegunOnOneServerEndsOnAnotherAndIsKnownOnAThird() throws Exception {
    assertThat(send(0, "POST", "/account", "item=apple")).contains("Location: /login");
    String before = String.valueOf(cookie);
    assertThat(send(1, "POST", "/j_security_check", "j_username=anna&j_password=" + PASSWORD))
        .contains("/account");
    assertThat(cookie).isNotEqualTo(before);
    // Jetty gives the form back, not the method.
    assertThat(send(2, "GET", "/account", ""))
        .contains("GET by anna customer=true admin=false item=apple");
    assertThat(send(0, "GET", "/account", ""))
        .contains("GET by anna customer=true admin=false item=null");

    assertThat(stored(before)).isInstanceOf(LoadResult.Missing.class);
    LoadResult after = stored(String.valueOf(cookie));
    assertThat(after).isInstanceOf(LoadResult.Found.class);
    ((LoadResult.Found) after)
        .session()
        .attributes()
        .values()
        .forEach(
            attribute ->
                assertThat(new String(attribute.value().bytes(), UTF_8)).doesNotContain(PASSWORD));

    assertThat(send(1, "GET", "/account?logout=1", "")).contains(" 200 ");
    assertThat(send(2, "GET", "/account", "")).contains("Location: /login");
  }

  private LoadResult stored(String id) {
    return stores.get(0).load(SessionKey.of(id), SessionStore.NO_VERSION);
  }
}
