package io.sojourn.tomcat;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.InMemorySessionStore;
import io.sojourn.LoadResult;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.codec.ClassFilter;
import io.sojourn.codec.KryoCodec;
import io.sojourn.testkit.CountingStore;
import io.sojourn.testkit.FaultyStore;
import io.sojourn.tomcat.Browser.Answer;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.apache.catalina.authenticator.AuthenticatorBase;
import org.apache.catalina.authenticator.BasicAuthenticator;
import org.apache.catalina.authenticator.FormAuthenticator;
import org.apache.catalina.authenticator.NonLoginAuthenticator;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.LoginConfig;
import org.apache.tomcat.util.descriptor.web.SecurityCollection;
import org.apache.tomcat.util.descriptor.web.SecurityConstraint;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Who has logged in on one node is logged in on all of them: three nodes, each with a route of its
 * own and a web application for each way to log in.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class AuthenticationContract {

  private static final String ALLOWED = "io.sojourn.tomcat.*";
  private static final String PAGE = "form/members/page?x=1";

  private final String run = UUID.randomUUID().toString();
  private final List<AutoCloseable> closeables = new ArrayList<>();
  private final List<Node> nodes = new ArrayList<>();
  private Browser browser = new Browser();

  /** What else the managers are to be told. */
  void configure(SojournManager manager) {}

  /** Opens the store, once for each node and application. */
  abstract SessionStore open(String application);

  /**
   * A node with what a test needs of its stores.
   *
   * @param counting by application
   * @param faulty by application
   */
  private record Node(
      TomcatNode tomcat, Map<String, CountingStore> counting, Map<String, FaultyStore> faulty) {

    URI at(String path) {
      return tomcat.uri().resolve(path);
    }

    CountingStore store(String application) {
      return requireNonNull(counting.get(application));
    }

    FaultyStore faults(String application) {
      return requireNonNull(faulty.get(application));
    }
  }

  @BeforeAll
  final void startNodes() throws Exception {
    for (int i = 0; i < 3; i++) {
      nodes.add(startNode(ALLOWED));
    }
  }

  private Node startNode(String allowedClasses) throws Exception {
    SojournManager root = new SojournManager();
    root.setSessionStore(new InMemorySessionStore());
    String route = "node" + closeables.size();
    Node node =
        new Node(
            TomcatNode.start(root, (tomcat, context) -> tomcat.getEngine().setJvmRoute(route)),
            new HashMap<>(),
            new HashMap<>());
    closeables.add(0, node.tomcat);
    deploy(node, allowedClasses, "form", "FORM", new FormAuthenticator());
    FormAuthenticator keeping = new FormAuthenticator();
    keeping.setChangeSessionIdOnAuthentication(false);
    deploy(node, allowedClasses, "keeping", "FORM", keeping);
    deploy(node, allowedClasses, "posting", "FORM", new FormAuthenticator());
    deploy(node, allowedClasses, "basic", "BASIC", new BasicAuthenticator());
    deploy(node, allowedClasses, "open", "NONE", new NonLoginAuthenticator());
    return node;
  }

  private void deploy(
      Node node, String allowedClasses, String name, String method, AuthenticatorBase valve)
      throws Exception {
    SessionStore store = open(name + "-" + run);
    closeables.add(store);
    FaultyStore faulty = new FaultyStore(store);
    CountingStore counting = new CountingStore(faulty);
    node.counting.put(name, counting);
    node.faulty.put(name, faulty);
    SojournManager manager = new SojournManager();
    manager.setSessionStore(counting);
    manager.setAllowedClasses(allowedClasses);
    configure(manager);
    node.tomcat.deploy(
        name,
        manager,
        context -> {
          protect(context, method, valve);
          if (name.equals("posting")) {
            context.findConstraints()[0].findCollections()[0].addMethod("POST");
          }
        });
  }

  /** Makes an application of this context whose {@code /members} have to log in. */
  static void protect(StandardContext context, String method, AuthenticatorBase valve) {
    context.setRealm(new AuthenticationRealm());
    context.setLoginConfig(new LoginConfig(method, "test", "/login", "/failed"));
    context.getPipeline().addValve(valve);
    Tomcat.addServlet(context, "page", new AuthenticationServlet());
    for (String path : List.of("/members/*", "/public/*", "/login", "/failed")) {
      context.addServletMappingDecoded(path, "page");
    }
    SecurityCollection members = new SecurityCollection();
    members.addPatternDecoded("/members/*");
    SecurityConstraint constraint = new SecurityConstraint();
    constraint.addCollection(members);
    constraint.addAuthRole("member");
    context.addSecurityRole("member");
    context.addConstraint(constraint);
  }

  @AfterAll
  final void stopNodes() throws Exception {
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
  }

  @BeforeEach
  final void allIsWell() {
    browser = new Browser();
    nodes.forEach(node -> node.faulty.values().forEach(store -> store.fail()));
  }

  private Node a() {
    return nodes.get(0);
  }

  private Node b() {
    return nodes.get(1);
  }

  private Node c() {
    return nodes.get(2);
  }

  private Answer get(Node node, String path) {
    return browser.get(node.at(path));
  }

  private Answer logIn(Node node, String application, String user, String password) {
    return browser.post(
        node.at(application + "/j_security_check"), "j_username", user, "j_password", password);
  }

  /** Logs in by a form, on two nodes. */
  private void logIn(String user) {
    assertLoginPage(get(a(), PAGE));
    Answer redirect = logIn(b(), "form", user, "secret");
    assertThat(browser.get(redirect.locationAt(c().tomcat)).body()).contains("user=" + user);
  }

  private static void assertLoginPage(Answer answer) {
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.body()).startsWith("GET /login ");
  }

  private String sessionId(String application) {
    String id = browser.cookie("JSESSIONID", "/" + application);
    return requireNonNull(id);
  }

  // ---------------------------------------------------------------- FORM

  @Test
  @Tag("R64")
  @Tag("R65")
  @Tag("R70")
  void aFormLoginMayGoOverAnotherNodeAtEachStep() {
    assertLoginPage(get(a(), PAGE));
    Answer redirect = logIn(b(), "form", "anna", "secret");
    assertThat(redirect.status()).isEqualTo(303);
    assertThat(browser.get(redirect.locationAt(c().tomcat)).body())
        .isEqualTo(
            "GET /members {x=1} user=anna remote=anna type=FORM member=true admin=false"
                + " principal=GenericPrincipal mark=null");
    for (int i = 0; i < 9; i++) {
      assertThat(get(nodes.get(i % 3), "form/public/").body())
          .contains("user=anna remote=anna type=FORM member=true");
    }
  }

  @Test
  @Tag("R64")
  void aPostThatMetTheLoginPageIsReplayedOnAnotherNode() {
    assertLoginPage(
        browser.post(a().at("form/members/order"), "item", "grüße & <täglich>", "n", "2"));
    Answer redirect = logIn(b(), "form", "anna", "secret");
    assertThat(browser.get(redirect.locationAt(c().tomcat)).body())
        .startsWith("POST /members {item=grüße & <täglich>, n=2} user=anna");
  }

  @Test
  @Tag("R64")
  void aWrongPasswordLeavesTheLoginOpenOnAllNodes() {
    assertLoginPage(get(a(), PAGE));
    assertThat(logIn(b(), "form", "anna", "wrong").body()).startsWith("POST /failed ");
    assertLoginPage(get(c(), PAGE));
    Answer redirect = logIn(a(), "form", "anna", "secret");
    assertThat(browser.get(redirect.locationAt(b().tomcat)).body())
        .startsWith("GET /members {x=1} user=anna");
  }

  @Test
  @Tag("R30")
  void theShorterTimeoutOfALoginEndsWithItOnAnotherNode() {
    get(a(), PAGE);
    assertThat(timeout("form")).hasSeconds(120);
    Answer redirect = logIn(b(), "form", "anna", "secret");
    browser.get(redirect.locationAt(c().tomcat));
    assertThat(timeout("form")).hasMinutes(30);
  }

  private Duration timeout(String application) {
    return found(application).timeout().maxInactiveInterval();
  }

  SessionRecord found(String application) {
    LoadResult found =
        a().store(application)
            .load(
                SessionKey.of(SojournManager.withoutRoute(sessionId(application))),
                SessionStore.NO_VERSION);
    return ((LoadResult.Found) found).session();
  }

  @Test
  @Tag("R62")
  void eachStepOfALoginChangesTheIdAndTheOldOneOpensNothingOnAnyNode() {
    long changes = idChanges();
    get(a(), "form/public/?do=mark&value=1");
    String before = sessionId("form");
    assertLoginPage(get(b(), PAGE));
    String atLoginPage = sessionId("form");
    Answer redirect = logIn(c(), "form", "anna", "secret");
    String after = sessionId("form");
    assertThat(List.of(before, atLoginPage, after)).doesNotHaveDuplicates();
    // The two and, as each node has a route, two for these.
    assertThat(idChanges() - changes).as("told to listeners").isEqualTo(4);
    Browser thief = new Browser();
    for (Node node : nodes) {
      for (String id : List.of(before, atLoginPage)) {
        thief.plant("JSESSIONID", id, "/form");
        assertThat(thief.get(node.at("form/public/")).body()).contains("user=null", "mark=null");
      }
    }
    assertThat(browser.get(redirect.locationAt(a().tomcat)).body()).contains("user=anna", "mark=1");
  }

  /** How often the session listeners of all nodes were told of a changed id. */
  private long idChanges() {
    return nodes.stream()
        .map(node -> new Browser().get(node.at("form/?op=events")).body().strip())
        .flatMap(events -> Stream.of(events.split(";")))
        .filter("id changed"::equals)
        .count();
  }

  @Test
  @Tag("R62")
  void aLoginIsNotFinishedUnderAnIdThatWasNotGivenForIt() {
    get(a(), "form/public/?do=begin");
    // Tomcat expects the id that came with a login page; here none did.
    Answer answer = logIn(b(), "form", "anna", "secret");
    assertThat(answer.status()).isEqualTo(408);
    assertThat(get(c(), "form/public/").body()).contains("user=null");
  }

  @Test
  @Tag("G1")
  @Tag("R12")
  void theLoginPageLeavesOnlyOnceItsSessionIsStored() {
    get(a(), "form/public/?do=mark&value=0");
    a().faults("form").fail("create", "save");
    assertThat(get(a(), "form/members/page?do=mark&value=1").status()).isEqualTo(503);
    assertThat(new Browser().get(a().at(PAGE)).status()).isEqualTo(503);
    assertThat(get(b(), "form/public/").body()).contains("mark=0");
    a().faults("form").fail();
    assertLoginPage(get(a(), "form/members/page?do=mark&value=1"));
    assertThat(get(b(), "form/public/").body()).contains("mark=1");
  }

  @Test
  @Tag("R58")
  @Tag("R61")
  void neitherPasswordNorIdIsStored() {
    browser.authorize("anna", "secret");
    get(a(), "keeping/public/?do=begin");
    assertLoginPage(
        browser.post(a().at("keeping/members/x;jsessionid=" + sessionId("keeping")), "item", "1"));
    assertNoSecrets();
    Answer redirect = logIn(b(), "keeping", "anna", "secret");
    assertNoSecrets();
    assertThat(browser.get(redirect.locationAt(c().tomcat)).body())
        .startsWith("POST /members {item=1} user=anna");
    assertNoSecrets();
  }

  /** Looks at what is stored of the session. */
  void assertNoSecrets() {
    String id = SojournManager.withoutRoute(sessionId("keeping"));
    Map<String, String> stored = new HashMap<>();
    found("keeping")
        .attributes()
        .forEach((name, value) -> stored.put(name, new String(value.value().bytes(), ISO_8859_1)));
    assertThat(stored).isNotEmpty();
    assertThat(stored.values())
        .noneMatch(text -> text.contains("secret") || text.contains("YW5uYTpzZWNyZXQ="));
    assertThat(stored.values()).noneMatch(text -> text.contains(id));
  }

  @Test
  @Tag("R61")
  void theSavedRequestTheUserAndTheRoleAreReadableInTheStoreOnlyWithoutEncryption() {
    assertLoginPage(browser.post(a().at("form/members/order"), "item", "apple"));
    assertReadableOnlyWithoutEncryption(storedText(), "/form/members/order", "item=apple");
    Answer redirect = logIn(b(), "form", "anna", "secret");
    assertReadableOnlyWithoutEncryption(storedText(), "anna", "item=apple");
    assertThat(browser.get(redirect.locationAt(c().tomcat)).body())
        .startsWith("POST /members {item=apple} user=anna")
        .contains("member=true");
    get(a(), "form/public/?do=mark&value=pear");
    assertReadableOnlyWithoutEncryption(storedText(), "anna", "member", "pear");
    assertThat(get(b(), PAGE).body()).contains("user=anna", "member=true", "mark=pear");
  }

  /** What somebody would read in the names and values of the session's attributes. */
  private String storedText() {
    StringBuilder text = new StringBuilder();
    found("form")
        .attributes()
        .forEach(
            (name, value) ->
                text.append(name).append(new String(value.value().bytes(), ISO_8859_1)));
    return text.toString();
  }

  /** Looks for these texts in what is stored. */
  void assertReadableOnlyWithoutEncryption(String stored, String... texts) {
    assertThat(stored).contains(texts);
  }

  // ---------------------------------------------------------------- BASIC

  @Test
  @Tag("R65")
  void aBasicLoginIsKnownToAllNodesWithoutItsPassword() {
    assertThat(get(a(), "basic/members/").status()).isEqualTo(401);
    browser.authorize("anna", "secret");
    assertThat(get(a(), "basic/members/?do=mark&value=1").body())
        .contains("user=anna remote=anna type=BASIC");
    String before = sessionId("basic");
    assertThat(get(b(), "basic/members/").body()).contains("user=anna", "mark=1");
    assertThat(sessionId("basic")).isNotEqualTo(before);
    browser.forgetPassword();
    assertThat(get(c(), "basic/members/").body())
        .contains("user=anna remote=anna type=BASIC member=true", "mark=1");
    get(a(), "basic/members/?do=logout");
    assertThat(get(b(), "basic/members/").status()).isEqualTo(401);
    assertThat(get(c(), "basic/public/").body()).contains("user=null", "mark=1");
  }

  // ---------------------------------------------------------------- login and logout

  @ParameterizedTest
  @ValueSource(strings = {"form", "basic", "open"})
  @Tag("R65")
  void aLoginByTheApplicationOnOneNodeEndsWithALogoutOnAnother(String application) {
    get(a(), application + "/public/?do=mark&value=1");
    String before = sessionId(application);
    get(a(), application + "/public/?do=login&user=root&password=secret");
    assertThat(sessionId(application)).isNotEqualTo(before);
    for (Node node : nodes) {
      assertThat(get(node, application + "/public/").body())
          .contains("user=root remote=root", "member=true admin=true", "mark=1");
      assertThat(get(node, application + "/members/").body()).contains("user=root");
    }
    get(b(), application + "/public/?do=logout");
    for (Node node : nodes) {
      assertThat(get(node, application + "/public/").body())
          .contains("user=null remote=null type=null member=false", "mark=1");
      assertThat(get(node, application + "/members/").body()).doesNotContain("user=root");
    }
  }

  @Test
  @Tag("R5")
  void whoIsLoggedInIsForgottenWithTheSession() {
    logIn("anna");
    get(b(), "form/public/?do=invalidate");
    for (Node node : nodes) {
      assertThat(get(node, "form/public/").body()).contains("user=null");
    }
  }

  @Test
  @Tag("G5")
  @Tag("R65")
  void whoLoggedInOnANodeThatDiesStaysLoggedIn() throws Exception {
    Node doomed = startNode(ALLOWED);
    assertLoginPage(browser.get(doomed.at(PAGE)));
    Answer redirect = logIn(doomed, "form", "anna", "secret");
    doomed.faulty.values().forEach(FaultyStore::failAll);
    doomed.tomcat.close();
    assertThat(browser.get(redirect.locationAt(a().tomcat)).body())
        .startsWith("GET /members {x=1} user=anna");
    assertThat(get(b(), PAGE).body()).contains("user=anna");
  }

  @Test
  @Tag("R51")
  void whatARequestSetsWhileTheUserLogsInElsewhereIsInTheRenamedSession() {
    get(a(), "form/public/?do=begin");
    Browser slow = new Browser();
    slow.plant("JSESSIONID", sessionId("form"), "/form");
    assertLoginPage(get(b(), PAGE));
    logIn(c(), "form", "anna", "secret");
    get(a(), "form/public/?do=mark&value=7");
    assertThat(get(b(), PAGE).body()).contains("user=anna", "mark=7");
    assertThat(slow.get(c().at("form/public/")).body()).contains("user=null", "mark=null");
  }

  // ---------------------------------------------------------------- principals

  @ParameterizedTest
  @CsvSource({
    "anna, GenericPrincipal, GenericPrincipal",
    "jaas, Member, Member",
    "local, Unstorable, GenericPrincipal",
    "rich, GenericPrincipal, GenericPrincipal",
    "own, Member, Member",
  })
  @Tag("R45")
  @Tag("R65")
  void aPrincipalKeepsNameRolesAndWhatOfItCanBeStored(String user, String here, String there) {
    get(a(), "open/public/?do=begin");
    assertThat(get(a(), "open/public/?do=login&user=" + user + "&password=secret").body())
        .contains("user=" + user, "member=true", "principal=" + here);
    assertThat(get(a(), "open/public/").body()).contains("member=true", "principal=" + here);
    for (Node node : List.of(b(), c())) {
      assertThat(get(node, "open/public/").body())
          .contains("user=" + user + " remote=" + user, "member=true admin=false")
          .contains("principal=" + there + " ");
      assertThat(get(node, "open/members/").body()).contains("user=" + user);
    }
  }

  @Test
  @Tag("R43")
  @Tag("R65")
  void aPrincipalThatCannotBeStoredIsKnownToItsNodeOnlyAndNothingElseIsLost() throws Exception {
    Node own = startNode(ALLOWED);
    get(own, "open/public/?do=begin");
    List<String> log =
        logged(
            () -> {
              get(own, "open/public/?do=login&user=unstorable&password=secret");
              get(own, "open/public/?do=mark&value=1");
              assertThat(get(own, "open/public/").body()).contains("user=unstorable", "mark=1");
              assertThat(get(b(), "open/public/").body()).contains("user=null", "mark=1");
              assertThat(get(own, "open/public/").body()).contains("user=unstorable");
              get(b(), "open/public/?do=logout");
              assertThat(get(own, "open/public/").body()).contains("user=null", "mark=1");
            });
    assertThat(log)
        .filteredOn(line -> line.contains("principal"))
        .singleElement()
        .asString()
        .contains("AuthenticationRealm$Unstorable", "on this node only");
  }

  @Test
  @Tag("G8")
  @Tag("R41")
  @Tag("R57")
  void whomANodeCannotReadIsNotLoggedInThereAndStaysLoggedInElsewhere() throws Exception {
    Node strict = startNode("");
    get(a(), "open/public/?do=mark&value=1");
    get(a(), "open/public/?do=login&user=own&password=secret");
    List<String> log =
        logged(
            () -> {
              for (int i = 0; i < 3; i++) {
                assertThat(get(strict, "open/public/").body()).contains("user=null", "mark=1");
              }
            });
    assertThat(log)
        .filteredOn(line -> line.contains("io.sojourn.user"))
        .singleElement()
        .asString()
        .contains("AuthenticationRealm$Member");
    assertThat(get(b(), "open/public/").body()).contains("user=own");
    get(strict, "open/public/?do=logout");
    assertThat(get(b(), "open/public/").body()).contains("user=null", "mark=1");
  }

  @Test
  @Tag("G10")
  @Tag("R57")
  void whatIsNoLoginIsIgnoredWithOneLineAndTheSessionGoesOn() throws Exception {
    KryoCodec codec = new KryoCodec(getClass().getClassLoader(), ClassFilter.of(""));
    List<EncodedValue> planted =
        List.of(
            EncodedValue.of(new byte[] {1, 2, 3}),
            codec.encode("root"),
            codec.encode(new HashMap<>(Map.of("name", "root", "roles", "admin"))),
            codec.encode(new HashMap<>(Map.of("name", 7))),
            codec.encode(
                new HashMap<>(Map.of("name", "root", "roles", new String[] {null, "admin"}))),
            codec.encode(new HashMap<>(Map.of("principal", "root"))));
    for (EncodedValue value : planted) {
      browser = new Browser();
      get(a(), "open/public/?do=mark&value=1");
      plant("open", "io.sojourn.user", value);
      List<String> log =
          logged(
              () -> {
                for (int i = 0; i < 2; i++) {
                  assertThat(get(b(), "open/public/").body())
                      .contains("user=null", "admin=false", "mark=1");
                }
              });
      assertThat(log).filteredOn(line -> line.contains("io.sojourn.user")).hasSize(1);
      get(b(), "open/public/?do=login&user=anna&password=secret");
      assertThat(get(c(), "open/public/").body()).contains("user=anna", "mark=1");
    }
  }

  @Test
  @Tag("G10")
  @Tag("R57")
  void whatIsNoSavedRequestIsIgnoredAndTheLoginCanBeginAnew() {
    KryoCodec codec = new KryoCodec(getClass().getClassLoader(), ClassFilter.of(""));
    List<EncodedValue> planted =
        List.of(
            EncodedValue.of(new byte[] {1, 2, 3}),
            codec.encode(7),
            codec.encode(new HashMap<>(Map.of("method", "GET"))),
            codec.encode(
                new HashMap<>(
                    Map.of(
                        "method",
                        "GET",
                        "uri",
                        "/form/members/",
                        "decodedUri",
                        "/form/members/",
                        "headers",
                        new String[] {null}))));
    for (EncodedValue value : planted) {
      browser = new Browser();
      get(a(), "form/public/?do=mark&value=1");
      assertLoginPage(get(a(), PAGE));
      plant("form", "io.sojourn.request", value);
      assertThat(logIn(b(), "form", "anna", "wrong").body()).startsWith("POST /failed ");
      assertLoginPage(get(c(), PAGE));
      Answer redirect = logIn(b(), "form", "anna", "secret");
      assertThat(browser.get(redirect.locationAt(c().tomcat)).body())
          .startsWith("GET /members {x=1} user=anna")
          .contains("mark=1");
    }
  }

  /** Writes this into the browser's session, past all nodes. */
  private void plant(String application, String name, EncodedValue value) {
    SessionKey origin = found(application).origin();
    SessionDelta delta =
        new SessionDelta(
            origin, Map.of(name, new AttributeChange.Set(value)), Optional.empty(), Duration.ZERO);
    assertThat(a().store(application).save(delta)).isPresent();
  }

  @Test
  @Tag("G10")
  void anApplicationNeitherSeesNorSetsWhatBelongsToTheContainer() {
    logIn("anna");
    get(a(), "form/public/?do=mark&value=1");
    assertThat(get(b(), "form/public/?do=names").body()).isEqualTo("[mark] null refused");
    assertThat(get(c(), "form/public/").body()).contains("user=anna");
  }

  /** What is logged meanwhile. */
  private static List<String> logged(Runnable actions) {
    List<String> lines = Collections.synchronizedList(new ArrayList<>());
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord logged) {
            lines.add(String.valueOf(logged.getMessage()));
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger root = Logger.getLogger("");
    root.addHandler(handler);
    try {
      actions.run();
    } finally {
      root.removeHandler(handler);
    }
    return List.copyOf(lines);
  }

  // ---------------------------------------------------------------- cost

  @ParameterizedTest
  @ValueSource(strings = {"basic", "open"})
  @Tag("G9")
  @Tag("R78")
  void aRequestThatAsksNeitherForItsSessionNorForItsUserCostsNoCall(String application) {
    get(a(), application + "/public/?do=begin");
    get(a(), application + "/public/?do=login&user=anna&password=secret");
    CountingStore calls = b().store(application);
    calls.takeCalls();
    for (int i = 0; i < 3; i++) {
      assertThat(get(b(), application + "/public/?do=nothing").body()).isEqualTo("nothing");
    }
    assertThat(calls.takeCalls()).isEmpty();
    assertThat(get(b(), application + "/public/").body()).contains("user=anna", "member=true");
    assertThat(calls.takeCalls()).isEqualTo(Map.of("load", 1));
    assertThat(get(b(), application + "/members/?do=nothing").body()).isEqualTo("nothing");
    assertThat(calls.takeCalls()).isEqualTo(Map.of("load", 1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"form", "basic", "open"})
  @Tag("R65")
  void whoeverEndsTheSessionIsKnownUntilTheResponseIsMade(String application) {
    get(a(), application + "/public/?do=begin");
    get(a(), application + "/public/?do=login&user=anna&password=secret");
    assertThat(get(b(), application + "/public/?do=invalidate").body()).contains("user=anna");
    assertThat(get(c(), application + "/public/").body()).contains("user=null");
  }

  @Test
  @Tag("R64")
  void aPostThatNeededALoginIsReplayedWhereAGetNeedsNone() {
    assertLoginPage(browser.post(a().at("posting/members/order"), "item", "apple"));
    assertThat(get(b(), "posting/members/other").body()).contains("user=null");
    Answer redirect = logIn(b(), "posting", "anna", "secret");
    assertThat(browser.get(redirect.locationAt(c().tomcat)).body())
        .startsWith("POST /members {item=apple} user=anna");
  }
}
