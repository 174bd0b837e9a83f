package io.sojourn.tomcat;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.InMemorySessionStore;
import io.sojourn.LoadResult;
import io.sojourn.PrincipalKey;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.CountingStore;
import io.sojourn.testkit.FaultyStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import io.sojourn.tomcat.Browser.Answer;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Constructor;
import java.net.URI;
import java.security.Principal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.stream.Stream;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.authenticator.AuthenticatorBase;
import org.apache.catalina.authenticator.BasicAuthenticator;
import org.apache.catalina.authenticator.FormAuthenticator;
import org.apache.catalina.authenticator.NonLoginAuthenticator;
import org.apache.catalina.authenticator.SingleSignOn;
import org.apache.catalina.realm.RealmBase;
import org.apache.catalina.session.StandardManager;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.IntrospectionUtils;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Who has logged in to one application on one node is logged in to all applications on all nodes,
 * and a logout is one from all of them: nodes with an application for each way to log in, and one
 * with Tomcat's own manager.
 */
@ExtendWith(RealServers.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Tag("R66")
class SingleSignOnIT {

  private static final String COOKIE = "JSESSIONIDSSO";
  private static final String LOGIN = "?do=login&user=root&password=secret";

  private final RedisServer redis;
  private final String run = UUID.randomUUID().toString();
  private final List<AutoCloseable> closeables = new ArrayList<>();
  private final AtomicReference<Duration> clock = new AtomicReference<>(Duration.ZERO);
  private final List<Node> nodes = new ArrayList<>();
  private Browser browser = new Browser();

  SingleSignOnIT(RedisServer redis) {
    this.redis = redis;
  }

  /** A node, its store of logins, its applications, and their stores of sessions. */
  private record Node(
      TomcatNode tomcat,
      CountingStore logins,
      FaultyStore faults,
      Map<String, ContainerNode> applications,
      Map<String, FaultyStore> sessions) {

    URI at(String path) {
      return tomcat.uri().resolve(path);
    }

    /** The calls for logins since the last time; expired ones are looked for at any time. */
    Map<String, Integer> takeCalls() {
      Map<String, Integer> calls = new HashMap<>(logins.takeCalls());
      calls.remove("claimExpired");
      return calls;
    }
  }

  @BeforeAll
  void startNodes() throws Exception {
    nodes.add(startNode(redis.url()));
    nodes.add(startNode(redis.url()));
  }

  /**
   * Starts a node.
   *
   * @param url of its stores
   * @param attributes of its valve and managers, names and values in turn
   */
  private Node startNode(String url, String... attributes) throws Exception {
    FaultyStore faulty = new FaultyStore(open(url, "sso"));
    CountingStore logins = new CountingStore(faulty);
    SojournSingleSignOn valve = valve(attributes);
    valve.setSessionStore(logins);
    valve.setAllowedClasses("io.sojourn.tomcat.*");
    SojournManager root = new SojournManager();
    root.setSessionStore(open(url, "root"));
    TomcatNode tomcat =
        TomcatNode.start(root, (server, context) -> server.getHost().getPipeline().addValve(valve));
    closeables.add(0, tomcat);
    Node node = new Node(tomcat, logins, faulty, new HashMap<>(), new HashMap<>());
    deploy(node, url, "form", "FORM", new FormAuthenticator(), attributes);
    deploy(node, url, "basic", "BASIC", new BasicAuthenticator(), attributes);
    deploy(node, url, "open", "NONE", new NonLoginAuthenticator(), attributes);
    tomcat.deploy(
        "foreign",
        new StandardManager(),
        context -> AuthenticationContract.protect(context, "BASIC", new BasicAuthenticator()));
    return node;
  }

  private SessionStore open(String url, String application) {
    SessionStore store = PatientStores.open(url, application + "-" + run, clock::get);
    closeables.add(store);
    return store;
  }

  private void deploy(
      Node node,
      String url,
      String name,
      String method,
      AuthenticatorBase authenticator,
      String... attributes)
      throws Exception {
    FaultyStore store = new FaultyStore(open(url, name));
    node.sessions.put(name, store);
    SojournManager manager = set(new SojournManager(), attributes);
    manager.setSessionStore(store);
    manager.setAllowedClasses("io.sojourn.tomcat.*");
    node.applications.put(
        name,
        node.tomcat.deploy(
            name,
            manager,
            context -> AuthenticationContract.protect(context, method, authenticator)));
  }

  @AfterAll
  void stopNodes() throws Exception {
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
  }

  @BeforeEach
  void allIsWell() {
    browser = new Browser();
    clock.set(Duration.ZERO);
    nodes.forEach(node -> node.faults.fail());
  }

  private Node a() {
    return nodes.get(0);
  }

  private Node b() {
    return nodes.get(1);
  }

  private Answer get(Node node, String path) {
    return browser.get(node.at(path));
  }

  /** Logs anna in by a form. */
  private void logIn(Node node) {
    assertThat(get(node, "form/members/").body()).startsWith("GET /login ");
    Answer redirect =
        browser.post(
            node.at("form/j_security_check"), "j_username", "anna", "j_password", "secret");
    assertThat(browser.get(redirect.locationAt(node.tomcat)).body()).contains("user=anna");
  }

  private String login() {
    return requireNonNull(browser.cookie(COOKIE, "/"));
  }

  /** What is stored of the browser's login. */
  private LoadResult loaded() {
    SessionKey key = SessionKey.of(SessionKey.of(login()).hex());
    return a().logins.load(key, SessionStore.NO_VERSION);
  }

  private SessionRecord stored() {
    return ((LoadResult.Found) loaded()).session();
  }

  private void assertLoggedIn(String user) {
    for (Node node : List.of(a(), b())) {
      for (String application : List.of("form", "basic", "open", "foreign")) {
        assertThat(get(node, application + "/members/").body())
            .as(application)
            .contains("user=" + user + " remote=" + user, "member=true");
      }
    }
  }

  private void assertLoggedOut() {
    for (Node node : List.of(a(), b())) {
      assertThat(get(node, "form/members/").body()).startsWith("GET /login ");
      assertThat(get(node, "basic/members/").status()).isEqualTo(401);
      assertThat(get(node, "foreign/members/").status()).isEqualTo(401);
      assertThat(get(node, "open/public/").body()).contains("user=null");
    }
  }

  // ---------------------------------------------------------------- in

  @Test
  @Tag("R65")
  void whoLogsInToOneApplicationIsKnownToAllOnAllNodesWithTheRoles() {
    assertLoggedOut();
    logIn(a());
    assertThat(get(b(), "basic/members/").body())
        .contains("user=anna remote=anna type=FORM member=true admin=false");
    assertThat(get(b(), "open/public/").body()).contains("user=anna", "member=true admin=false");
    assertLoggedIn("anna");
  }

  @Test
  @Tag("R65")
  void aLoginByBasicOrByTheApplicationIsOneToo() {
    browser.authorize("root", "secret");
    assertThat(get(a(), "basic/members/").body()).contains("user=root");
    browser.forgetPassword();
    assertLoggedIn("root");
    browser = new Browser();
    get(b(), "open/public/" + LOGIN);
    assertThat(get(a(), "form/members/").body())
        .contains("user=root remote=root", "member=true admin=true");
    assertLoggedIn("root");
  }

  @Test
  @Tag("R73")
  void theSessionsOfALoginAreFoundByItsUserInEachApplication() {
    logIn(a());
    assertLoggedIn("anna");
    for (String application : List.of("form", "basic")) {
      String id = requireNonNull(browser.cookie("JSESSIONID", "/" + application));
      PrincipalKey anna = PrincipalKey.of("localhost/" + application, "anna");
      assertThat(requireNonNull(b().sessions.get(application)).findByPrincipal(anna, 1000))
          .contains(SessionKey.of(id));
    }
  }

  @Test
  @Tag("R45")
  void aPrincipalOfAClassOfOnesOwnIsKnownToAll() {
    get(a(), "open/public/?do=login&user=own&password=secret");
    assertThat(get(b(), "form/members/").body()).contains("user=own", "principal=Member");
  }

  // ---------------------------------------------------------------- out

  @ParameterizedTest
  @CsvSource({"basic, logout", "basic, invalidate", "form, logout", "form, invalidate"})
  void aLogoutFromOneIsOneFromAllAndTheirSessionsEnd(String application, String how) {
    logIn(a());
    assertLoggedIn("anna");
    get(a(), "form/public/?do=mark&value=1");
    get(a(), "open/public/?do=mark&value=2");
    get(b(), application + "/public/?do=" + how);
    assertThat(get(a(), "form/public/").body()).contains("user=null", "mark=null");
    assertLoggedOut();
    assertThat(browser.cookie(COOKIE, "/")).isNull();
    logIn(b());
    assertThat(get(a(), "form/public/").body()).contains("user=anna", "mark=null");
  }

  @Test
  void aLogoutFromAnApplicationWithAnotherManagerIsOneFromAll() {
    logIn(a());
    assertLoggedIn("anna");
    get(b(), "foreign/members/?do=logout");
    assertLoggedOut();
  }

  @Test
  void aSessionWithoutTheCookieEndsWithItsLoginToo() {
    logIn(a());
    get(a(), "basic/members/");
    Browser withoutCookie = new Browser();
    for (String application : List.of("form", "basic")) {
      String path = "/" + application;
      withoutCookie.plant("JSESSIONID", requireNonNull(browser.cookie("JSESSIONID", path)), path);
    }
    assertThat(withoutCookie.get(b().at("form/members/")).body()).contains("user=anna");
    get(b(), "basic/public/?do=logout");
    assertThat(withoutCookie.get(a().at("form/members/")).body()).startsWith("GET /login ");
  }

  @Test
  void whoLogsOutWithoutTheCookieIsLoggedOutOfAll() {
    logIn(a());
    get(a(), "basic/members/");
    Browser withoutCookie = new Browser();
    withoutCookie.plant(
        "JSESSIONID", requireNonNull(browser.cookie("JSESSIONID", "/form")), "/form");
    withoutCookie.get(b().at("form/public/?do=logout"));
    assertLoggedOut();
  }

  @Test
  @Tag("G10")
  void anotherUsersLoginDoesNotOpenASessionOfTheOneBefore() {
    logIn(a());
    get(a(), "open/members/");
    get(a(), "open/public/?do=mark&value=annas");
    get(b(), "form/public/?do=logout");
    get(b(), "basic/public/" + LOGIN);
    assertThat(get(a(), "open/public/").body()).contains("user=root", "mark=null");
  }

  @Test
  @Tag("G10")
  void aLoginNeverTurnsIntoAnotherUsers() {
    get(a(), "open/public/?do=login&user=unstorable&password=secret");
    String before = login();
    SessionRecord unreadable = stored();
    get(b(), "open/public/" + LOGIN);
    assertThat(login()).isNotEqualTo(before);
    assertLoggedIn("root");
    Browser first = new Browser();
    first.plant(COOKIE, before, "/");
    assertThat(first.get(a().at("form/members/")).body()).startsWith("GET /login ");
    browser.plant(COOKIE, before, "/");
    assertThat(stored().version()).isEqualTo(unreadable.version());
  }

  @Test
  @Tag("G10")
  void whoIsAskedForAPasswordInSpiteOfTheLoginDoesNotChangeIt() throws Exception {
    BasicAuthenticator asking = new BasicAuthenticator();
    // Not every release has it.
    boolean known = IntrospectionUtils.setProperty(asking, "ssoReauthenticationMode", "FULL");
    SojournManager manager = new SojournManager();
    manager.setSessionStore(open(redis.url(), "full"));
    try (ContainerNode full =
        a().tomcat
            .deploy("full", manager, c -> AuthenticationContract.protect(c, "BASIC", asking))) {
      logIn(a());
      browser.authorize("root", "secret");
      String user = known ? "user=root" : "user=anna";
      assertThat(browser.get(full.uri().resolve("members/")).body()).contains(user);
      browser.forgetPassword();
      assertLoggedIn("anna");
    }
  }

  @Test
  @Tag("G10")
  void aSessionIsNotOpenToWhoShowsAnotherUsersLogin() {
    logIn(a());
    for (String application : List.of("open", "foreign")) {
      get(a(), application + "/members/?do=mark&value=annas");
    }
    Browser other = new Browser();
    other.get(b().at("basic/public/" + LOGIN));
    for (String application : List.of("open", "foreign")) {
      String path = "/" + application;
      other.plant("JSESSIONID", requireNonNull(browser.cookie("JSESSIONID", path)), path);
      assertThat(other.get(a().at(application + "/members/")).body())
          .as(application)
          .contains("user=root", "mark=null");
    }
    assertThat(get(b(), "open/members/").body()).contains("user=anna", "mark=annas");
    other.get(b().at("basic/public/?do=logout"));
    assertLoggedIn("anna");
  }

  @Test
  @Tag("R11")
  void aSessionThatIsUsedOutsideARequestEndsWithItsLogin() {
    logIn(a());
    get(a(), "form/public/?do=mark&value=1");
    get(a(), "form/public/?do=keep");
    HttpSession kept = requireNonNull(AuthenticationServlet.kept);
    assertThat(kept.getAttribute("mark")).isEqualTo("1");
    get(b(), "basic/members/?do=logout");
    assertThatThrownBy(() -> kept.getAttribute("mark")).isInstanceOf(IllegalStateException.class);
  }

  @Test
  @Tag("R45")
  void aPrincipalOfAnApplicationsOwnClassIsNotKeptForOthers() throws Exception {
    SojournManager manager = new SojournManager();
    manager.setSessionStore(open(redis.url(), "own"));
    manager.setAllowedClasses("io.sojourn.tomcat.*");
    try (LogRecords log = new LogRecords();
        ContainerNode own =
            a().tomcat
                .deploy(
                    "own",
                    manager,
                    context -> {
                      AuthenticationContract.protect(context, "NONE", new NonLoginAuthenticator());
                      context.setRealm(new OwnClassRealm());
                    })) {
      browser.get(own.uri().resolve("public/?do=login&user=own&password=secret"));
      assertThat(get(b(), "form/members/").body()).startsWith("GET /login ");
      // Before the codec has seen the class, which it would keep, and the application with it.
      assertThat(log.warnings())
          .anyMatch(record -> record.getMessage().contains("a web application's own"));
    }
  }

  /** Its principals are of a class that the application has loaded itself. */
  private static final class OwnClassRealm extends RealmBase {

    @Override
    protected String getPassword(String user) {
      return "secret";
    }

    @Override
    protected Principal getPrincipal(String user) {
      try {
        Constructor<?> constructor =
            new OwnClassLoader()
                .loadClass(AuthenticationRealm.Member.class.getName())
                .getDeclaredConstructor(String.class, List.class);
        constructor.setAccessible(true);
        return (Principal) constructor.newInstance(user, List.of("member"));
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** As a web application's: what it has itself it does not leave to its parent. */
  private static final class OwnClassLoader extends ClassLoader {

    OwnClassLoader() {
      super(SingleSignOnIT.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith(AuthenticationRealm.class.getName())) {
        return super.loadClass(name, resolve);
      }
      String file = name.replace('.', '/') + ".class";
      try (InputStream in = requireNonNull(getParent().getResourceAsStream(file))) {
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }

  // ---------------------------------------------------------------- time

  @Test
  @Tag("R30")
  void aSessionThatIsGivenMoreTimeGivesItToItsLogin() {
    logIn(a());
    a().takeCalls();
    get(a(), "form/members/?do=idle&value=7200");
    assertThat(a().takeCalls()).isEqualTo(Map.of("load", 1, "save", 1));
    assertThat(stored().timeout().maxInactiveInterval()).hasMinutes(120);
    a().takeCalls();
    get(a(), "form/members/?do=idle&value=3600");
    assertThat(a().takeCalls()).isEqualTo(Map.of("load", 1));
    assertThat(stored().timeout().maxInactiveInterval()).hasMinutes(120);
  }

  @Test
  @Tag("G6")
  void aLoginLivesAsLongAsTheSessionThatIsUsedLast() {
    logIn(a());
    get(b(), "basic/members/");
    assertThat(stored().timeout().maxInactiveInterval()).hasMinutes(30);
    clock.set(Duration.ofMinutes(20));
    assertThat(get(b(), "basic/public/").body()).contains("user=anna");
    clock.set(Duration.ofMinutes(40));
    // The first application's session has expired by itself, and ends nobody's login.
    requireNonNull(a().applications.get("form")).scavenge();
    assertThat(get(a(), "form/members/").body()).contains("user=anna", "mark=null");
    clock.set(Duration.ofMinutes(75));
    assertThat(loaded()).isInstanceOf(LoadResult.Missing.class);
    assertLoggedOut();
  }

  // ---------------------------------------------------------------- failures

  @Test
  @Tag("G5")
  void aNodeThatDiesLogsNobodyOut() throws Exception {
    Node doomed = startNode(redis.url());
    logIn(doomed);
    doomed.faults.failAll();
    doomed.tomcat.close();
    assertLoggedIn("anna");
  }

  @Test
  @Tag("G5")
  @Tag("G10")
  void loginsInADatabaseAreFollowedOutliveTheirNodeAndEndForAll() throws Exception {
    String url = StoreKind.H2.url(redis);
    Node doomed = startNode(url);
    Node other = startNode(url);
    assertThat(get(other, "basic/members/").status()).isEqualTo(401);
    logIn(doomed);
    for (String application : List.of("form", "basic", "open", "foreign")) {
      assertThat(get(other, application + "/members/").body())
          .as(application)
          .contains("user=anna remote=anna", "member=true");
    }
    get(doomed, "form/public/?do=mark&value=1");
    doomed.faults.failAll();
    doomed.tomcat.close();
    Node another = startNode(url);
    assertThat(get(another, "form/members/").body()).contains("user=anna", "mark=1");
    assertThat(get(another, "basic/members/").body()).contains("user=anna");
    get(other, "basic/public/?do=logout");
    assertThat(get(another, "basic/members/").status()).isEqualTo(401);
    for (Node node : List.of(other, another)) {
      assertThat(get(node, "form/members/").body()).startsWith("GET /login ");
      assertThat(get(node, "open/public/").body()).contains("user=null");
    }
    assertThat(browser.cookie(COOKIE, "/")).isNull();
  }

  @Test
  @Tag("G4")
  @Tag("R12")
  void anOutageIsAnsweredAsOneAndLogsNobodyOut() {
    logIn(a());
    get(a(), "basic/members/");
    String login = login();
    a().faults.failAll();
    for (String path : List.of("form/members/", "basic/members/", "open/public/", "foreign/")) {
      Answer answer = get(a(), path);
      assertThat(answer.status()).as(path).isEqualTo(503);
      assertThat(answer.setCookies()).as(path).isEmpty();
      assertThat(answer.body()).as(path).doesNotContain("/login");
    }
    assertThat(get(a(), "form/public/?do=logout").status()).isEqualTo(503);
    assertThat(new Browser().get(a().at("form/public/")).status()).isEqualTo(200);
    assertThat(get(b(), "form/members/").body()).contains("user=anna");
    a().faults.fail();
    assertLoggedIn("anna");
    assertThat(login()).isEqualTo(login);
  }

  @Test
  @Tag("G4")
  void aLoginThatCannotBeStoredIsNoneAndLeavesNoCookie() {
    get(a(), "form/public/?do=mark&value=1");
    assertThat(get(a(), "form/members/").body()).startsWith("GET /login ");
    a().faults.fail("create");
    Answer answer =
        browser.post(a().at("form/j_security_check"), "j_username", "anna", "j_password", "secret");
    assertThat(answer.status()).isEqualTo(503);
    assertThat(browser.cookie(COOKIE, "/")).isNull();
    // What the client had without a login it still has.
    assertThat(get(b(), "form/public/").body()).contains("user=null", "mark=1");
    a().faults.fail();
    Answer redirect =
        browser.post(a().at("form/j_security_check"), "j_username", "anna", "j_password", "secret");
    assertThat(browser.get(redirect.locationAt(b().tomcat)).body()).contains("user=anna", "mark=1");
    assertLoggedIn("anna");
  }

  @Test
  @Tag("G4")
  void aLoginThatCannotBeStoredIsAnsweredAsAnOutageByAnotherManagersApplicationToo() {
    get(a(), "foreign/public/?do=mark&value=1");
    a().faults.fail("create");
    Answer byItself = get(a(), "foreign/public/" + LOGIN);
    assertThat(byItself.status()).isEqualTo(503);
    browser.authorize("anna", "secret");
    assertThat(get(a(), "foreign/members/").status()).isEqualTo(503);
    assertThat(browser.cookie(COOKIE, "/")).isNull();
    browser.forgetPassword();
    a().faults.fail();
    assertThat(get(a(), "foreign/members/").status()).isEqualTo(401);
    assertThat(get(a(), "foreign/public/").body()).contains("user=null", "mark=1");
  }

  // ---------------------------------------------------------------- secrets, costs

  @Test
  @Tag("G10")
  @Tag("R61")
  void neitherTheCookieNorASessionIdNorAPasswordIsStored() {
    logIn(a());
    get(a(), "basic/members/");
    String id = formId();
    List<String> values = storedValues();
    assertThat(values).hasSizeGreaterThan(2).anyMatch(value -> value.contains("anna"));
    assertThat(values)
        .noneMatch(
            value -> value.contains(login()) || value.contains(id) || value.contains("secret"));
    // What a session knows of its login is none's cookie.
    Browser thief = new Browser();
    thief.plant(COOKIE, SessionKey.of(login()).hex(), "/");
    assertThat(thief.get(b().at("form/members/")).body()).startsWith("GET /login ");
  }

  /** What somebody would read of the browser's login and of its session with the form. */
  private List<String> storedValues() {
    SessionKey key = SessionKey.of(formId());
    LoadResult session =
        requireNonNull(a().sessions.get("form")).load(key, SessionStore.NO_VERSION);
    List<String> values = new ArrayList<>();
    for (SessionRecord record : List.of(stored(), ((LoadResult.Found) session).session())) {
      record
          .attributes()
          .values()
          .forEach(value -> values.add(new String(value.value().bytes(), ISO_8859_1)));
    }
    return values;
  }

  @Test
  @Tag("R61")
  void theUserAndTheRoleAreReadableInTheStoreOnlyWithoutEncryption() throws Exception {
    logIn(a());
    assertThat(String.join("", storedValues())).contains("anna", "member");
    browser = new Browser();
    String key = "2026:" + Base64.getEncoder().encodeToString(new byte[32]);
    Node first = startNode(redis.url(), "encryptionKeys", key);
    Node second = startNode(redis.url(), "encryptionKeys", key);
    logIn(first);
    assertThat(get(second, "basic/members/").body()).contains("user=anna", "member=true");
    assertThat(get(first, "open/members/").body()).contains("user=anna", "member=true");
    assertThat(storedValues())
        .hasSizeGreaterThan(2)
        .noneMatch(value -> value.contains("anna") || value.contains("member"));
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R58")
  void whatIsLoggedAtTheFinestLevelHoldsNeitherTheCookieNorASessionId(StoreKind kind)
      throws Exception {
    // What the server itself logs at that level is its own, and has whole requests.
    List<Logger> loggers =
        Stream.of("io.sojourn", "io.lettuce", "com.zaxxer.hikari").map(Logger::getLogger).toList();
    Set<String> ids = new LinkedHashSet<>();
    StringBuilder text = new StringBuilder();
    try (LogRecords logged = new LogRecords()) {
      loggers.forEach(logger -> logger.setLevel(Level.ALL));
      Node node = startNode(kind.url(redis));
      get(node, "form/public/?do=mark&value=1");
      ids.add(formId());
      assertThat(get(node, "form/members/").body()).startsWith("GET /login ");
      ids.add(formId());
      logIn(node);
      ids.addAll(List.of(formId(), login()));
      assertThat(get(node, "basic/members/").body()).contains("user=anna");
      ids.add(requireNonNull(browser.cookie("JSESSIONID", "/basic")));

      FaultyStore sessions = requireNonNull(node.sessions.get("form"));
      for (FaultyStore away : List.of(sessions, node.faults)) {
        away.failAll();
        assertThat(get(node, "form/members/?do=mark&value=2").status()).isEqualTo(503);
        away.fail();
      }
      assertThat(get(node, "form/members/").body()).contains("user=anna", "mark=1");

      clock.set(Duration.ofMinutes(75));
      node.applications.values().forEach(ContainerNode::scavenge);
      assertThat(get(node, "form/members/").body()).startsWith("GET /login ");
      ids.add(formId());
      node.tomcat.close();
      logged.all().forEach(line -> text.append(new SimpleFormatter().format(line)));
    } finally {
      loggers.forEach(logger -> logger.setLevel(null));
    }
    assertThat(ids).hasSizeGreaterThan(5);
    assertThat(text.toString())
        .contains("have expired", "503", kind == StoreKind.H2 ? "expired" : "lettuce")
        .doesNotContain(ids);
  }

  private String formId() {
    return requireNonNull(browser.cookie("JSESSIONID", "/form"));
  }

  @Test
  @Tag("G9")
  void aRequestCostsOneCallWithTheCookieAndNoneWithout() {
    logIn(a());
    get(a(), "basic/members/");
    a().takeCalls();
    for (String path : List.of("form/members/", "form/public/", "basic/members/", "open/public/")) {
      get(a(), path);
      assertThat(a().takeCalls()).as(path).isEqualTo(Map.of("load", 1));
    }
    browser = new Browser();
    get(a(), "form/public/?do=begin");
    get(a(), "form/members/");
    assertThat(a().takeCalls()).isEmpty();
    browser.plant(COOKIE, "forged", "/");
    get(a(), "form/public/");
    assertThat(a().takeCalls()).isEqualTo(Map.of("load", 1));
    assertThat(browser.cookie(COOKIE, "/")).isNull();
  }

  // ---------------------------------------------------------------- configuration

  /** The valve that these attributes make, given as names and values in turn. */
  private static SojournSingleSignOn valve(String... attributes) {
    return set(new SojournSingleSignOn(), attributes);
  }

  private static <T> T set(T element, String... attributes) {
    for (int i = 0; i < attributes.length; i += 2) {
      assertThat(IntrospectionUtils.setProperty(element, attributes[i], attributes[i + 1]))
          .isTrue();
    }
    return element;
  }

  private static void assertRefused(SojournSingleSignOn valve, String... said) {
    assertThatThrownBy(valve::start)
        .isInstanceOf(LifecycleException.class)
        .hasMessageContaining("SojournSingleSignOn cannot start: ")
        .hasMessageContainingAll(said);
  }

  @ParameterizedTest
  @CsvSource({
    "requireReauthentication, true, passwords are not stored",
    "requireReauthentication, yes, must be true or false",
    "cookieName, '', cookie",
    "cookieName, 'two words', two words",
    "cookieDomain, .example.com, .example.com",
    "store, redis, scheme",
    "store, '', is missing",
    "store, jndi:jdbc/sessions, by its own URL",
    "password, ${unset.secret}, unset.secret",
    "cookieNmae, X, cookieNmae",
    "encryption, migrate, encryptionKeys",
    "encryptionKeys, short, encryptionKeys",
    "allowedClasses, com..acme, com..acme",
  })
  @Tag("R71")
  void whatMakesNoSenseStopsTheStartWithOneMessageThatNamesIt(
      String name, String value, String said) {
    SojournSingleSignOn valve = valve("store", "redis://127.0.0.1:1", name, value);
    new Tomcat().getHost().getPipeline().addValve(valve);
    assertRefused(valve, name, said);
  }

  @Test
  @Tag("R71")
  void whatIsSaidOfAStoreBesideOneThatIsHandedOverStopsTheStart() {
    SojournSingleSignOn valve = valve("timeout", "3s");
    try (InMemorySessionStore store = new InMemorySessionStore()) {
      valve.setSessionStore(store);
      new Tomcat().getHost().getPipeline().addValve(valve);
      assertRefused(valve, "timeout cannot be set beside", "setSessionStore");
    }
  }

  @Test
  @Tag("R71")
  void itBelongsIntoAHostAndBesideNoOther() {
    SojournSingleSignOn ofTheEngine = valve("store", "memory:");
    new Tomcat().getEngine().getPipeline().addValve(ofTheEngine);
    assertRefused(ofTheEngine, "<Host>", "Tomcat");
    SojournSingleSignOn second = valve("store", "memory:");
    Tomcat tomcat = new Tomcat();
    tomcat.getEngine().getPipeline().addValve(new SingleSignOn());
    tomcat.getHost().getPipeline().addValve(second);
    assertRefused(second, SingleSignOn.class.getName(), "remove one");
  }

  @Test
  @Tag("R71")
  void anApplicationThatCannotTakePartDoesNotStart() {
    FormAuthenticator byPassword = new FormAuthenticator();
    boolean known =
        IntrospectionUtils.setProperty(byPassword, "ssoReauthenticationMode", "PASSWORD");
    if (known) {
      assertThat(
              ManagerElement.refusal(
                  ManagerElement.of("store", "memory:"),
                  (tomcat, context) -> {
                    tomcat.getHost().getPipeline().addValve(valve("store", "memory:"));
                    context.getPipeline().addValve(byPassword);
                  }))
          .singleElement()
          .asString()
          .contains("ssoReauthenticationMode=\"password\"", FormAuthenticator.class.getName());
    }
    assertThat(
            ManagerElement.refusal(
                ManagerElement.of("store", "memory:"),
                (tomcat, context) ->
                    tomcat
                        .getHost()
                        .getPipeline()
                        .addValve(valve("store", "memory:", "cookieName", "JSESSIONID"))))
        .singleElement()
        .asString()
        .contains("cookieName=\"JSESSIONID\"");
  }
}
