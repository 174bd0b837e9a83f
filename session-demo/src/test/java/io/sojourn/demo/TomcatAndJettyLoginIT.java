package io.sojourn.demo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.jetty.SojournSessionCacheFactory;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import io.sojourn.tomcat.SojournManager;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.io.Serializable;
import java.net.CookieManager;
import java.net.HttpCookie;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.Principal;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.apache.catalina.authenticator.FormAuthenticator;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.realm.GenericPrincipal;
import org.apache.catalina.realm.RealmBase;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.LoginConfig;
import org.apache.tomcat.util.descriptor.web.SecurityCollection;
import org.apache.tomcat.util.descriptor.web.SecurityConstraint;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.security.Constraint;
import org.eclipse.jetty.security.HashLoginService;
import org.eclipse.jetty.security.SecurityHandler;
import org.eclipse.jetty.security.UserStore;
import org.eclipse.jetty.util.security.Password;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A user of a Tomcat and a Jetty that are configured as docs/configuration.md says, so that both
 * keep the sessions of {@code localhost/shop}.
 */
@ExtendWith(RealServers.class)
class TomcatAndJettyLoginIT {

  private static final String PASSWORD = "s3cret-of-anna";

  /** Which of the two comes first. */
  private enum First {
    TOMCAT,
    JETTY
  }

  private enum Store {
    H2,
    REDIS
  }

  private final RedisServer redis;
  private final CookieManager cookies = new CookieManager();
  private final HttpClient browser =
      HttpClient.newBuilder().cookieHandler(cookies).connectTimeout(Duration.ofSeconds(5)).build();

  private @Nullable ContainerNode tomcat;
  private @Nullable ContainerNode jetty;

  TomcatAndJettyLoginIT(RedisServer redis) {
    this.redis = redis;
  }

  private List<ContainerNode> start(Store store, First first) throws Exception {
    String url =
        store == Store.REDIS
            ? redis.url()
            : "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
    SojournManager manager = new SojournManager();
    manager.setStore(url);
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setStore(url);
    manager.setAllowedClasses("io.sojourn.demo.*");
    sessions.setAllowedClasses("io.sojourn.demo.*");
    // Tomcat has it by itself.
    sessions.setApplication("localhost");
    PatientStores.options(url)
        .forEach(
            (name, value) -> {
              assertThat(manager.setProperty(name, value)).isTrue();
              sessions.setStoreOption(name, value);
            });
    ContainerNode ofTomcat =
        PairedServers.tomcat("/shop", "t1", manager, TomcatAndJettyLoginIT::prepare);
    tomcat = ofTomcat;
    ContainerNode ofJetty =
        PairedServers.jetty("/shop", "j1", sessions, TomcatAndJettyLoginIT::prepare);
    jetty = ofJetty;
    return first == First.TOMCAT ? List.of(ofTomcat, ofJetty) : List.of(ofJetty, ofTomcat);
  }

  @AfterEach
  void stop() {
    try {
      if (tomcat != null) {
        tomcat.close();
      }
    } finally {
      if (jetty != null) {
        jetty.close();
      }
    }
  }

  private static void prepare(StandardContext context) {
    context.setRealm(new Users());
    context.setLoginConfig(new LoginConfig("FORM", "shop", "/login", "/failed"));
    context.getPipeline().addValve(new FormAuthenticator());
    Tomcat.addServlet(context, "page", new Account());
    context.addServletMappingDecoded("/*", "page");
    SecurityCollection account = new SecurityCollection();
    account.addPatternDecoded("/account");
    SecurityConstraint constraint = new SecurityConstraint();
    constraint.addCollection(account);
    constraint.addAuthRole("customer");
    context.addSecurityRole("customer");
    context.addConstraint(constraint);
  }

  private static void prepare(ServletContextHandler context) {
    UserStore users = new UserStore();
    users.addUser("anna", new Password(PASSWORD), new String[] {"customer"});
    HashLoginService service = new HashLoginService("shop");
    service.setUserStore(users);
    SecurityHandler.PathMapped security = new SecurityHandler.PathMapped();
    security.setLoginService(service);
    security.setAuthenticator(
        new org.eclipse.jetty.security.authentication.FormAuthenticator(
            "/login", "/failed", false));
    security.put("/account", Constraint.from("customer"));
    context.setSecurityHandler(security);
    context.addServlet(new ServletHolder(new Account()), "/*");
  }

  /** Anna, and of a class that Jetty does not make Bert. */
  private static final class Users extends RealmBase {

    @Override
    protected String getPassword(String user) {
      return PASSWORD;
    }

    @Override
    protected @Nullable Principal getPrincipal(String user) {
      return switch (user) {
        case "anna" -> new GenericPrincipal(user, List.of("customer"));
        case "bert" -> new Member(user);
        default -> null;
      };
    }

    @Override
    protected boolean hasRoleInternal(Principal principal, String role) {
      return principal instanceof Member || super.hasRoleInternal(principal, role);
    }
  }

  /** A principal of a class of the application's own. */
  private record Member(String name) implements Principal, Serializable {
    @Override
    public String getName() {
      return name;
    }
  }

  /** Says who is there, and what the session has. */
  private static final class Account extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response)
        throws IOException, ServletException {
      HttpSession session = request.getSession();
      if (request.getParameter("mark") != null) {
        session.setAttribute("mark", request.getParameter("mark"));
      }
      if (request.getParameter("logout") != null) {
        request.logout();
      }
      response
          .getWriter()
          .print(
              request.getPathInfo()
                  + " user="
                  + request.getRemoteUser()
                  + " customer="
                  + request.isUserInRole("customer")
                  + " admin="
                  + request.isUserInRole("admin")
                  + " type="
                  + request.getAuthType()
                  + " item="
                  + request.getParameter("item")
                  + " names="
                  + names(session)
                  + " reserved="
                  + session.getAttribute("io.sojourn.user"));
    }
  }

  /** Without what Jetty's authenticators set themselves. */
  private static Set<String> names(HttpSession session) {
    Set<String> names = new TreeSet<>(Collections.list(session.getAttributeNames()));
    names.removeIf(name -> name.startsWith("org.eclipse.jetty."));
    return names;
  }

  private String get(ContainerNode node, String path) throws Exception {
    return send(HttpRequest.newBuilder(node.uri().resolve(path))).body();
  }

  private HttpResponse<String> post(ContainerNode node, String path, String form) throws Exception {
    return send(
        HttpRequest.newBuilder(node.uri().resolve(path))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString(form)));
  }

  private HttpResponse<String> login(ContainerNode node, String user) throws Exception {
    return post(node, "j_security_check", "j_username=" + user + "&j_password=" + PASSWORD);
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return browser.send(
        request.timeout(Duration.ofSeconds(60)).build(), BodyHandlers.ofString(UTF_8));
  }

  private String id() {
    List<HttpCookie> sessions =
        cookies.getCookieStore().getCookies().stream()
            .filter(cookie -> cookie.getName().equals("JSESSIONID"))
            .toList();
    assertThat(sessions).hasSize(1);
    return sessions.get(0).getValue();
  }

  private static String idWithoutNode(String id) {
    return id.substring(0, id.indexOf('.'));
  }

  @ParameterizedTest
  @CsvSource({"TOMCAT, REDIS", "JETTY, REDIS", "TOMCAT, H2", "JETTY, H2"})
  @Tag("R65")
  @Tag("R70")
  void aUserWhoLogsInOnOneIsKnownOnTheOtherUntilALogoutOnEither(First first, Store store)
      throws Exception {
    List<ContainerNode> nodes = start(store, first);
    ContainerNode here = nodes.get(0);
    ContainerNode there = nodes.get(1);
    get(here, "account");
    String before = id();
    assertThat(login(here, "anna").statusCode()).isBetween(302, 303);
    assertThat(get(here, "account?mark=1"))
        .startsWith("/account user=anna customer=true admin=false type=FORM");
    String after = id();
    assertThat(idWithoutNode(after)).isNotEqualTo(idWithoutNode(before));

    assertThat(get(there, "account"))
        .startsWith("/account user=anna customer=true admin=false type=FORM")
        .endsWith("names=[mark] reserved=null");
    assertThat(idWithoutNode(id())).isEqualTo(idWithoutNode(after));
    assertThat(id()).isNotEqualTo(after);
    assertThat(get(here, "account"))
        .startsWith("/account user=anna")
        .endsWith("names=[mark] reserved=null");
    assertThat(id()).isEqualTo(after);

    assertThat(get(there, "account?logout=1")).contains("user=null");
    assertThat(get(here, "open")).startsWith("/open user=null");
    assertThat(get(here, "account")).doesNotContain("user=anna");
  }

  /** Jetty goes on without it; Tomcat ends a session whose user it has not asked to log in. */
  @Test
  @Tag("R64")
  void whatWaitsForALoginWaitsWhereItIsAskedForOnly() throws Exception {
    start(Store.REDIS, First.TOMCAT);
    ContainerNode ofTomcat = requireNonNull(tomcat);
    ContainerNode ofJetty = requireNonNull(jetty);
    get(ofJetty, "open?mark=1");
    post(ofJetty, "account", "item=apple");
    assertThat(login(ofTomcat, "anna").statusCode()).isEqualTo(408);
    assertThat(get(ofTomcat, "account")).startsWith("/login user=null").contains("names=[] ");

    assertThat(post(ofTomcat, "account", "item=pear").body()).startsWith("/login user=null");
    HttpResponse<String> answer = login(ofJetty, "anna");
    assertThat(answer.statusCode()).isEqualTo(303);
    assertThat(get(ofJetty, "account"))
        .startsWith("/account user=anna customer=true admin=false type=FORM item=null");
    assertThat(get(ofTomcat, "account")).startsWith("/account user=anna");
  }

  @Test
  @Tag("R65")
  void aUserOfAClassOfTheApplicationsOwnIsNobodyOnTheOther() throws Exception {
    start(Store.REDIS, First.TOMCAT);
    ContainerNode ofTomcat = requireNonNull(tomcat);
    ContainerNode ofJetty = requireNonNull(jetty);
    get(ofTomcat, "account");
    assertThat(login(ofTomcat, "bert").statusCode()).isBetween(302, 303);
    assertThat(get(ofTomcat, "account?mark=1")).startsWith("/account user=bert customer=true");
    assertThat(get(ofJetty, "open")).startsWith("/open user=null").contains("names=[mark]");
    assertThat(get(ofTomcat, "account")).startsWith("/account user=bert");
  }
}
