package io.sojourn.jetty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.sojourn.SessionStore;
import io.sojourn.testkit.PatientStores;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.Principal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.security.auth.Subject;
import org.eclipse.jetty.security.Constraint;
import org.eclipse.jetty.security.HashLoginService;
import org.eclipse.jetty.security.LoginService;
import org.eclipse.jetty.security.RolePrincipal;
import org.eclipse.jetty.security.SecurityHandler;
import org.eclipse.jetty.security.UserIdentity;
import org.eclipse.jetty.security.UserStore;
import org.eclipse.jetty.security.openid.OpenIdAuthenticator;
import org.eclipse.jetty.security.openid.OpenIdConfiguration;
import org.eclipse.jetty.security.openid.OpenIdCredentials;
import org.eclipse.jetty.security.openid.OpenIdLoginService;
import org.eclipse.jetty.security.openid.OpenIdUserPrincipal;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Session;
import org.eclipse.jetty.util.security.Password;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A login at an OpenID provider that goes from one server to the next. */
class OpenIdIT {

  private static final Pattern COOKIE = Pattern.compile("JSESSIONID=([^;]*)");
  private static final String USER = "u-42";
  private static final Constraint CUSTOMERS = Constraint.from("customer");

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
  private final HttpClient http = HttpClient.newHttpClient();
  private final AtomicInteger tokens = new AtomicInteger();
  private final List<SessionStore> stores = new ArrayList<>();
  private final List<JettyNode> nodes = new ArrayList<>();

  private HttpServer provider;
  private String issuer;
  private @Nullable String cookie;

  // ---------------------------------------------------------------- the provider

  @BeforeEach
  void startProvider() throws IOException {
    provider = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    issuer = "http://127.0.0.1:" + provider.getAddress().getPort();
    provider.createContext(
        "/.well-known/openid-configuration",
        exchange ->
            answer(
                exchange,
                """
                {"issuer": "%1$s", "authorization_endpoint": "%1$s/auth", "token_endpoint": "%1$s/token"}
                """
                    .formatted(issuer)));
    provider.createContext("/auth", OpenIdIT::sendBack);
    provider.createContext(
        "/token",
        exchange -> {
          assertThat(new String(exchange.getRequestBody().readAllBytes(), UTF_8))
              .contains("code=the-code");
          tokens.incrementAndGet();
          answer(
              exchange,
              """
              {"access_token": "the-access-token", "token_type": "Bearer", "id_token": "%s"}
              """
                  .formatted(idToken()));
        });
    provider.start();
  }

  private static void answer(HttpExchange exchange, String json) throws IOException {
    byte[] bytes = json.getBytes(UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(200, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  /** Whoever comes is who they say they are. */
  private static void sendBack(HttpExchange exchange) throws IOException {
    String query = exchange.getRequestURI().getRawQuery();
    exchange
        .getResponseHeaders()
        .set(
            "Location",
            URLDecoder.decode(parameter(query, "redirect_uri"), UTF_8)
                + "?code=the-code&state="
                + parameter(query, "state"));
    exchange.sendResponseHeaders(302, -1);
    exchange.close();
  }

  private static String parameter(String query, String name) {
    Matcher matcher = Pattern.compile("(?:^|&)" + name + "=([^&]*)").matcher(query);
    assertThat(matcher.find()).as(name).isTrue();
    return matcher.group(1);
  }

  private String idToken() {
    return base64("{\"alg\": \"RS256\"}")
        + "."
        + base64(
            """
            {"iss": "%s", "sub": "%s", "aud": ["shop", "bank"], "azp": "shop", "exp": %d,
             "email": "anna@example.org", "address": {"city": "Ulm"}, "verified": true, "nick": null}
            """
                .formatted(issuer, USER, Instant.now().plusSeconds(3600).getEpochSecond()))
        + "."
        + base64("signature");
  }

  private static String base64(String text) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(UTF_8));
  }

  // ---------------------------------------------------------------- the servers

  /** Two servers, whose users have the roles that this service says. */
  private void start(Constraint account, Function<OpenIdConfiguration, LoginService> service)
      throws Exception {
    for (int i = 0; i < 2; i++) {
      SessionStore store = PatientStores.open(url, "openid", () -> Duration.ZERO);
      stores.add(store);
      SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
      sessions.setSessionStore(store);
      sessions.setAllowedClasses(
          "io.sojourn.jetty.OpenIdIT$Member org.eclipse.jetty.security.openid.OpenIdUserPrincipal"
              + " org.eclipse.jetty.security.openid.OpenIdCredentials");
      nodes.add(
          JettyNode.start(
              sessions,
              "",
              node -> {
                node.context().add(new Account(), "/account");
                node.context().protect(security(account, service));
              }));
    }
  }

  private SecurityHandler security(
      Constraint account, Function<OpenIdConfiguration, LoginService> service) {
    OpenIdConfiguration configuration = new OpenIdConfiguration(issuer, "shop", "s3cret");
    configuration.setLogoutWhenIdTokenIsExpired(true);
    SecurityHandler.PathMapped security = new SecurityHandler.PathMapped();
    security.addBean(configuration);
    security.setLoginService(service.apply(configuration));
    security.setAuthenticator(new OpenIdAuthenticator(configuration));
    security.put("/account", account);
    return security;
  }

  private static LoginService roles() {
    return with(new HashLoginService("shop"), "customer");
  }

  private static LoginService with(HashLoginService service, String... roles) {
    UserStore users = new UserStore();
    users.addUser(USER, new Password(""), roles);
    service.setUserStore(users);
    return service;
  }

  @AfterEach
  void stop() {
    nodes.forEach(JettyNode::close);
    stores.forEach(SessionStore::close);
    provider.stop(0);
  }

  /** Says who is there. */
  private static final class Account extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      if (request.getParameter("logout") != null) {
        request.getSession().invalidate();
        return;
      }
      OpenIdUserPrincipal user = (OpenIdUserPrincipal) request.getUserPrincipal();
      Map<String, Object> claims = user.getCredentials().getClaims();
      response
          .getWriter()
          .print(
              request.getAuthType()
                  + " "
                  + request.getRemoteUser()
                  + " customer="
                  + request.isUserInRole("customer")
                  + " admin="
                  + request.isUserInRole("admin")
                  + " expired="
                  + user.getCredentials().isExpired()
                  + " "
                  + claims.get("email")
                  + " "
                  + claims.get("address")
                  + " "
                  + claims.get("verified")
                  + " "
                  + List.of((Object[]) claims.get("aud")));
    }
  }

  /** All servers are one to a browser, as they are behind a balancer. */
  private HttpResponse<String> get(URI address) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(address);
    if (cookie != null) {
      request.header("Cookie", "JSESSIONID=" + cookie);
    }
    HttpResponse<String> response =
        http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    for (String set : response.headers().allValues("Set-Cookie")) {
      Matcher matcher = COOKIE.matcher(set);
      if (matcher.find()) {
        cookie = matcher.group(1);
      }
    }
    return response;
  }

  private HttpResponse<String> account(int node) throws Exception {
    return get(nodes.get(node).uri().resolve("account"));
  }

  private static URI location(HttpResponse<String> response) {
    return URI.create(response.headers().firstValue("Location").orElseThrow());
  }

  private void logIn(int node) throws Exception {
    URI login = location(account(node));
    assertThat(login.toString()).startsWith(issuer + "/auth?");
    HttpResponse<String> loggedIn = get(location(get(login)));
    assertThat(location(loggedIn)).hasPath("/account");
  }

  // ---------------------------------------------------------------- tests

  @Test
  @Tag("R62")
  @Tag("R65")
  void whoHasLoggedInOnOneServerIsLoggedInOnAnotherWithRolesAndClaims() throws Exception {
    start(CUSTOMERS, configuration -> new OpenIdLoginService(configuration, roles()));
    logIn(0);
    for (int node : new int[] {0, 1, 1, 0}) {
      assertThat(account(node).body())
          .isEqualTo(
              "OPENID u-42 customer=true admin=false expired=false anna@example.org {city=Ulm}"
                  + " true [shop, bank]");
    }
    assertThat(tokens).hasValue(1);
    assertThat(get(nodes.get(1).uri().resolve("account?logout=1")).statusCode()).isEqualTo(200);
    assertThat(location(account(0)).toString()).startsWith(issuer);
  }

  @Test
  @Tag("R65")
  void soIsOneWhoseRolesNobodyKnows() throws Exception {
    start(Constraint.ANY_USER, OpenIdLoginService::new);
    logIn(0);
    assertThat(account(1).body()).startsWith("OPENID u-42 customer=false admin=false");
    assertThat(tokens).hasValue(1);
  }

  @Test
  @Tag("R65")
  void soIsOneWhoseRolesAServiceKnowsThatJettyWrapsByItself() throws Exception {
    start(CUSTOMERS, configuration -> roles());
    logIn(0);
    for (int node : new int[] {1, 0}) {
      assertThat(account(node).body()).startsWith("OPENID u-42 customer=true admin=false");
    }
    assertThat(tokens).hasValue(1);
  }

  /** A service of one's own, which says by itself who a user is and what the user may. */
  private static class OwnService extends HashLoginService {

    private final Function<Subject, UserIdentity> identity;

    OwnService(Function<Subject, UserIdentity> identity) {
      super("shop");
      setUserStore(new UserStore());
      this.identity = identity;
    }

    @Override
    public UserIdentity getUserIdentity(Subject subject, Principal user, boolean create) {
      return identity.apply(subject);
    }
  }

  private static Principal principal(Subject subject) {
    return subject.getPrincipals().iterator().next();
  }

  @Test
  @Tag("R65")
  void nobodyGetsARoleElsewhereThatTheLoginHasNot() throws Exception {
    start(
        CUSTOMERS,
        configuration ->
            with(
                new OwnService(
                    subject -> UserIdentity.from(subject, principal(subject), "customer")),
                "customer",
                "admin"));
    logIn(0);
    for (int node : new int[] {0, 1}) {
      assertThat(account(node).body()).startsWith("OPENID u-42 customer=true admin=false");
    }
  }

  @Test
  @Tag("R65")
  void aServiceThatCannotBeAskedAgainFailsNoLogin() throws Exception {
    List<String> warnings = Collections.synchronizedList(new ArrayList<>());
    Handler handler = collecting(warnings);
    Logger root = Logger.getLogger("");
    root.addHandler(handler);
    try {
      start(
          Constraint.ANY_USER,
          configuration ->
              new OwnService(
                  subject -> UserIdentity.from(subject, principal(subject), "customer")) {
                @Override
                public UserIdentity login(
                    String name,
                    Object credentials,
                    Request request,
                    Function<Boolean, Session> session) {
                  throw new IllegalStateException("No password for " + name);
                }
              });
      logIn(0);
      assertThat(account(0).body()).startsWith("OPENID u-42 customer=true");
      assertThat(account(1).body()).startsWith("OPENID u-42 customer=false");
    } finally {
      root.removeHandler(handler);
    }
    assertThat(warnings)
        .singleElement()
        .asString()
        .contains("OpenIdIT", "IllegalStateException", "RolePrincipals")
        .doesNotContain(USER);
  }

  private static Handler collecting(List<String> warnings) {
    return new Handler() {
      @Override
      public void publish(LogRecord line) {
        if (line.getLoggerName().startsWith("io.sojourn")) {
          warnings.add(line.getLevel() + line.getMessage());
        }
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
  }

  @Test
  @Tag("R65")
  void rolesThatAreInTheSubjectAreTheRoles() throws Exception {
    start(
        CUSTOMERS,
        configuration ->
            new OwnService(
                subject -> {
                  Subject whole = new Subject();
                  whole.getPrincipals().add(principal(subject));
                  whole.getPrincipals().add(new RolePrincipal("customer"));
                  return UserIdentity.from(whole, principal(subject), "customer");
                }));
    logIn(0);
    assertThat(account(1).body()).startsWith("OPENID u-42 customer=true admin=false");
  }

  /** An application's own user. */
  private static final class Member extends OpenIdUserPrincipal {
    private static final long serialVersionUID = 1L;

    Member(OpenIdCredentials credentials) {
      super(credentials);
    }

    @Override
    public String getName() {
      return "member " + super.getName();
    }
  }

  @Test
  @Tag("R65")
  void aPrincipalOfAClassThatExtendsJettysTravelsAsWhatItIs() throws Exception {
    start(
        Constraint.ANY_USER,
        configuration ->
            new OwnService(
                subject ->
                    UserIdentity.from(
                        subject,
                        new Member(((OpenIdUserPrincipal) principal(subject)).getCredentials()))));
    logIn(0);
    assertThat(account(1).body()).startsWith("OPENID member u-42").contains("anna@example.org");
  }
}
