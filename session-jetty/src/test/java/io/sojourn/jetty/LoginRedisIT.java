package io.sojourn.jetty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.LoadResult;
import io.sojourn.PrincipalKey;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.Serializable;
import java.net.InetAddress;
import java.net.Socket;
import java.security.Principal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;
import org.eclipse.jetty.jmx.MBeanContainer;
import org.eclipse.jetty.security.AbstractLoginService;
import org.eclipse.jetty.security.Constraint;
import org.eclipse.jetty.security.HashLoginService;
import org.eclipse.jetty.security.LoginService;
import org.eclipse.jetty.security.RolePrincipal;
import org.eclipse.jetty.security.SecurityHandler;
import org.eclipse.jetty.security.UserIdentity;
import org.eclipse.jetty.security.UserPrincipal;
import org.eclipse.jetty.security.UserStore;
import org.eclipse.jetty.security.authentication.FormAuthenticator;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Session;
import org.eclipse.jetty.util.security.Credential;
import org.eclipse.jetty.util.security.Password;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
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
  private final List<MBeanServer> beans = new ArrayList<>();

  private @Nullable String cookie;
  private @Nullable String encryptionKeys;

  LoginRedisIT(RedisServer redis) {
    this.redis = redis;
  }

  private void start(LoginService users) throws Exception {
    for (int i = 0; i < 3; i++) {
      SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
      SessionStore store = PatientStores.open(redis.url(), application, () -> Duration.ZERO);
      stores.add(store);
      sessions.setSessionStore(store);
      sessions.setEncryptionKeys(encryptionKeys);
      sessions.setAllowedClasses("io.sojourn.jetty.*, " + UserPrincipal.class.getName());
      MBeanServer beansOfNode = MBeanServerFactory.newMBeanServer();
      beans.add(beansOfNode);
      nodes.add(
          JettyNode.start(
              sessions,
              "",
              node -> {
                node.server().addBean(new MBeanContainer(beansOfNode));
                node.context().add(new Account(), "/account");
                node.context().add(new Name(), "/name");
                node.context().protect(security(users));
              }));
    }
  }

  @AfterEach
  void stop() {
    nodes.forEach(JettyNode::close);
    stores.forEach(SessionStore::close);
  }

  private static LoginService jettys() {
    UserStore users = new UserStore();
    users.addUser("anna", new Password(PASSWORD), new String[] {"customer"});
    users.addUser("bob", new Password(PASSWORD), new String[] {"customer"});
    HashLoginService service = new HashLoginService("shop");
    service.setUserStore(users);
    return service;
  }

  private static SecurityHandler security(LoginService users) {
    SecurityHandler.PathMapped security = new SecurityHandler.PathMapped();
    security.setLoginService(users);
    security.setAuthenticator(new FormAuthenticator("/login", "/failed", false));
    security.put("/account", Constraint.from("customer"));
    return security;
  }

  /** A principal that knows more than a name, and nothing of Jetty. */
  private static final class Member implements Principal, Serializable {
    private static final long serialVersionUID = 1L;
    private final String name;
    private final int number;

    Member(String name, int number) {
      this.name = name;
      this.number = number;
    }

    @Override
    public String getName() {
      return name;
    }

    @Override
    public String toString() {
      return "member " + number;
    }
  }

  /** One of Jetty's that knows more than a name. */
  private static final class Customer extends UserPrincipal {
    private static final long serialVersionUID = 1L;
    private final int number;

    Customer(String name, @Nullable Credential credential, int number) {
      super(name, credential);
      this.number = number;
    }

    @Override
    public String toString() {
      return "customer " + number;
    }
  }

  /** Checks passwords as Jetty does, and then says in its own way who that is. */
  private static final class OwnLoginService extends AbstractLoginService {

    private final Principal user;

    OwnLoginService(Principal user) {
      this.user = user;
    }

    @Override
    protected UserPrincipal loadUserInfo(String name) {
      return new UserPrincipal(name, new Password(PASSWORD));
    }

    @Override
    protected List<RolePrincipal> loadRoleInfo(UserPrincipal known) {
      return List.of(new RolePrincipal("customer"));
    }

    @Override
    public @Nullable UserIdentity login(
        String name,
        Object credentials,
        Request request,
        Function<Boolean, Session> getOrCreateSession) {
      UserIdentity identity = super.login(name, credentials, request, getOrCreateSession);
      return identity == null ? null : UserIdentity.from(identity.getSubject(), user, "customer");
    }
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
                  + " ("
                  + request.getUserPrincipal()
                  + ")"
                  + " customer="
                  + request.isUserInRole("customer")
                  + " admin="
                  + request.isUserInRole("admin")
                  + " item="
                  + request.getParameter("item"));
    }
  }

  /** Says whose the session is. */
  private static final class Name extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) {
      request.getSession().setAttribute(PrincipalKey.NAME_ATTRIBUTE, request.getParameter("user"));
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
    start(jettys());
    assertThat(send(0, "POST", "/account", "item=apple")).contains("Location: /login");
    String before = String.valueOf(cookie);
    assertThat(send(1, "POST", "/j_security_check", "j_username=anna&j_password=" + PASSWORD))
        .contains("/account");
    assertThat(cookie).isNotEqualTo(before);
    // Jetty gives the form back, not the method.
    assertThat(send(2, "GET", "/account", ""))
        .contains("GET by anna (anna) customer=true admin=false item=apple");
    assertThat(send(0, "GET", "/account", ""))
        .contains("GET by anna (anna) customer=true admin=false item=null");

    assertThat(stored(before)).isInstanceOf(LoadResult.Missing.class);
    assertNoPasswordIsStored();

    assertThat(send(1, "GET", "/account?logout=1", "")).contains(" 200 ");
    assertThat(send(2, "GET", "/account", "")).contains("Location: /login");
  }

  @Test
  @Tag("R65")
  void aPrincipalOfTheApplicationsOwnIsKnownOnEveryServer() throws Exception {
    start(new OwnLoginService(new Member("anna", 7)));
    logIn();
    for (int node = 0; node < 3; node++) {
      assertThat(send(node, "GET", "/account", ""))
          .contains("GET by anna (member 7) customer=true admin=false");
    }
    assertThat(send(1, "GET", "/account?logout=1", "")).contains(" 200 ");
    assertThat(send(0, "GET", "/account", "")).contains("Location: /login");
  }

  @Test
  @Tag("R61")
  @Tag("R65")
  void aPrincipalThatExtendsJettysIsToo() throws Exception {
    start(new OwnLoginService(new Customer("anna", null, 8)));
    logIn();
    for (int node = 0; node < 3; node++) {
      assertThat(send(node, "GET", "/account", ""))
          .contains("GET by anna (customer 8) customer=true admin=false");
    }
  }

  @Test
  @Tag("R61")
  @Tag("R65")
  void oneThatHoldsAPasswordIsKnownElsewhereByNameAndRoles() throws Exception {
    start(new OwnLoginService(new Customer("anna", new Password(PASSWORD), 8)));
    logIn();
    assertNoPasswordIsStored();
    assertThat(send(0, "GET", "/account", ""))
        .contains("GET by anna (customer 8) customer=true admin=false");
    assertThat(send(2, "GET", "/account", ""))
        .contains("GET by anna (anna) customer=true admin=false");
  }

  private void logIn() throws IOException {
    logIn(0, "anna");
  }

  private String logIn(int node, String user) throws IOException {
    cookie = null;
    assertThat(send(node, "GET", "/account", "")).contains("Location: /login");
    String form = "j_username=" + user + "&j_password=" + PASSWORD;
    assertThat(send(node, "POST", "/j_security_check", form)).contains("/account");
    return String.valueOf(cookie);
  }

  /** Of the MBean of a server's context. */
  private Object invoke(int node, String operation, String user) throws JMException {
    MBeanServer ofNode = beans.get(node);
    ObjectName name =
        ofNode
            .queryNames(new ObjectName("io.sojourn.jetty:type=usersessions,*"), null)
            .iterator()
            .next();
    return ofNode.invoke(
        name, operation, new Object[] {user}, new String[] {String.class.getName()});
  }

  private static String[] keys(String... ids) {
    return Stream.of(ids).map(id -> SessionKey.of(id).hex()).toArray(String[]::new);
  }

  @Test
  @Tag("R73")
  void aUserIsLoggedOutEverywhereFromOneServerAndNobodyElseIs() throws Exception {
    start(jettys());
    String laptop = logIn(0, "anna");
    String phone = logIn(1, "anna");
    String bobs = logIn(0, "bob");
    String left = logIn(2, "anna");
    assertThat(send(1, "GET", "/account?logout=1", "")).contains(" 200 ");
    for (int node = 0; node < 3; node++) {
      assertThat((String[]) invoke(node, "listSessionsOf", "anna"))
          .as("all but " + SessionKey.of(left))
          .containsExactlyInAnyOrder(keys(laptop, phone));
    }
    assertThat(invoke(1, "expireSessionsOf", "anna")).isEqualTo(2);
    for (int node = 0; node < 3; node++) {
      for (String gone : List.of(laptop, phone)) {
        cookie = gone;
        assertThat(send(node, "GET", "/account", "")).contains("Location: /login");
      }
      cookie = bobs;
      assertThat(send(node, "GET", "/account", "")).contains("GET by bob");
    }
    assertThat((String[]) invoke(2, "listSessionsOf", "bob")).containsExactly(keys(bobs));
  }

  @Test
  @Tag("R73")
  void anApplicationMayNameItsUserItself() throws Exception {
    start(jettys());
    assertThat(send(0, "GET", "/name?user=carla", "")).contains(" 200 ");
    assertThat((String[]) invoke(1, "listSessionsOf", "carla"))
        .containsExactly(keys(String.valueOf(cookie)));
    assertThat(send(1, "GET", "/name", "")).contains(" 200 ");
    assertThat((String[]) invoke(0, "listSessionsOf", "carla")).isEmpty();
  }

  @Test
  @Tag("R61")
  void withEncryptionNeitherTheUserNorWhatWaitsForTheLoginIsReadableInTheStore() throws Exception {
    encryptionKeys = "a:" + Base64.getEncoder().encodeToString(new byte[32]);
    start(jettys());
    assertThat(send(0, "POST", "/account", "item=apple")).contains("Location: /login");
    assertThat(storedText()).doesNotContain("apple").doesNotContain("/account");
    assertThat(send(1, "POST", "/j_security_check", "j_username=anna&j_password=" + PASSWORD))
        .contains("/account");
    assertThat(send(2, "GET", "/account", ""))
        .contains("GET by anna (anna) customer=true admin=false item=apple");
    assertThat(storedText()).doesNotContain("anna").doesNotContain("customer");
  }

  private void assertNoPasswordIsStored() {
    assertThat(storedText()).contains("anna", "customer").doesNotContain(PASSWORD);
  }

  /** What somebody would read in the values of the session's attributes. */
  private String storedText() {
    LoadResult found = stored(String.valueOf(cookie));
    assertThat(found).isInstanceOf(LoadResult.Found.class);
    StringBuilder text = new StringBuilder();
    ((LoadResult.Found) found)
        .session()
        .attributes()
        .values()
        .forEach(attribute -> text.append(new String(attribute.value().bytes(), UTF_8)));
    return text.toString();
  }

  private LoadResult stored(String id) {
    return stores.get(0).load(SessionKey.of(id), SessionStore.NO_VERSION);
  }
}
