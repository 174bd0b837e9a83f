package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.InMemorySessionStore;
import io.sojourn.StoreUnavailableException;
import io.sojourn.testkit.ContractClient;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import jakarta.servlet.http.HttpSessionBindingEvent;
import jakarta.servlet.http.HttpSessionBindingListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.apache.catalina.Context;
import org.apache.catalina.Session;
import org.apache.catalina.authenticator.FormAuthenticator;
import org.apache.catalina.authenticator.NonLoginAuthenticator;
import org.apache.catalina.authenticator.SingleSignOn;
import org.apache.catalina.connector.Request;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.realm.NullRealm;
import org.apache.catalina.session.StandardManager;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.LoginConfig;
import org.apache.tomcat.util.descriptor.web.SecurityConstraint;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the {@code <Manager>} element may say, given as Tomcat gives it. */
class SojournManagerIT {

  private static List<String> refusal(SojournManager manager) {
    return ManagerElement.refusal(manager, (tomcat, context) -> {});
  }

  @ParameterizedTest
  @CsvSource({
    "touchInterval, soon",
    "touchInterval, -1",
    "dirtyCheck, sometimes",
    "onDecodeFailure, explode",
    "onStoreFailure, 503",
    "nearCacheSize, 0",
    "nearCacheBytes, 0",
    "freshness, sometimes",
    "maxStaleness, 5",
    "allowedClasses, com.acme.[",
    "store, reddis://127.0.0.1",
    "store, ''",
    "store, jdbc:nothing://127.0.0.1/x",
    "maximumPoolSize, many",
    "maxActiveSessions, many",
    "application, ${shop.name}",
    "username, ${DB_USER}",
    "concurrency, sometimes",
    "serializeTimeout, 0",
    "serializeTimeout, 3",
    "newSessionTimeout, 0",
    "serializePaths, /cart/.*",
    "maxActiveSessions, 20000",
    "processExpiresFrequency, 0",
    "notifyAttributeListenerOnUnchangedValue, yes",
    "notifyBindingListenerOnUnchangedValue, 1",
    "persistAuthentication, on",
    "sessionActivityCheck, ''",
    "sessionLastAccessAtStart, never",
    "warnOnSessionAttributeFilterFailure, TRU",
    "sessionAttributeNameFilter, [a",
    "sessionAttributeValueClassNameFilter, (",
    "secureRandomAlgorithm, DICE",
    "secureRandomProvider, NOBODY",
    "secureRandomClass, com.acme.Dice",
    "secureRandomClass, java.lang.String",
    "codec, json",
    "compression, zip",
    "maxEncodedBytes, 67108865",
    "maxDepth, 0",
    "maxObjects, many",
    "encryption, sometimes",
    "encryption, migrate",
    "encryptionKeys, ${SESSION_KEYS}",
  })
  @Tag("R71")
  void aWrongSettingStopsTheStartWithOneMessageThatNamesIt(String name, String value) {
    SojournManager manager =
        ManagerElement.of("store", "jdbc:h2:mem:" + UUID.randomUUID(), name, value);
    assertThat(refusal(manager))
        .anySatisfy(message -> assertThat(message).contains(name).contains(value));
  }

  @Test
  @Tag("R71")
  void aPatternThatIsNoneStopsTheStartWithOneMessageThatNamesIt() {
    SojournManager manager =
        ManagerElement.of(
            "store", "jdbc:h2:mem:x", "concurrency", "serialize", "serializePaths", "/cart/[");
    assertThat(refusal(manager))
        .singleElement()
        .asString()
        .contains("serializePaths", "/cart/[", "regular expression");
  }

  @Test
  @Tag("R71")
  @Tag("G4")
  void turnsThatNobodyCouldTakeWithoutTheStoreStopTheStartWithOneMessage() {
    SojournManager manager =
        ManagerElement.of(
            "store", "jdbc:h2:mem:x", "concurrency", "serialize", "onStoreFailure", "serve-local");
    assertThat(refusal(manager))
        .singleElement()
        .asString()
        .contains("onStoreFailure=\"serve-local\"", "concurrency=\"serialize\"");
  }

  @Test
  @Tag("R71")
  @Tag("R58")
  void aKeyThatIsNoneStopsTheStartWithOneMessageThatDoesNotShowIt() {
    SojournManager manager =
        ManagerElement.of("store", "jdbc:h2:mem:x", "encryptionKeys", "2026:c2VjcmV0");
    assertThat(refusal(manager))
        .singleElement()
        .asString()
        .contains("encryptionKeys", "'2026'", "openssl")
        .doesNotContain("c2VjcmV0");
  }

  @Test
  @Tag("R71")
  void anUnknownSettingIsNamedWithoutItsValueWhichMayBeASecret() {
    SojournManager manager = ManagerElement.of("store", "jdbc:h2:mem:x", "passwort", "s3cret");
    assertThat(refusal(manager))
        .anySatisfy(
            message ->
                assertThat(message).contains("passwort", "password").doesNotContain("s3cret"));
  }

  @Test
  @Tag("R67")
  void aReferenceThatTomcatCouldNotReplaceIsNamedWithoutTheRestOfTheValue() {
    SojournManager manager =
        ManagerElement.of("store", "jdbc:h2:mem:x", "password", "s3cret${DB_PASSWORD}");
    assertThat(refusal(manager))
        .anySatisfy(
            message ->
                assertThat(message)
                    .contains("password=", "${DB_PASSWORD}")
                    .doesNotContain("s3cret"));
  }

  @ParameterizedTest
  @CsvSource({
    "redis://anna@127.0.0.1:6379, password, b",
    "redis://127.0.0.1:6379/2, database, 3",
    "redis-cluster://127.0.0.1:6379, database, 3",
    "redis://127.0.0.1:6379, trustStorePassword, b",
    "redis://127.0.0.1:6379, sentinelPassword, b",
    "jdbc:mariadb://127.0.0.1/shop?user=anna, username, b",
    "jdbc:mariadb://127.0.0.1/shop?password=a, password, b",
    "jdbc:mysql://anna@127.0.0.1/shop, username, b",
    "jdbc:mysql://anna:a@127.0.0.1/shop, password, b",
    "'jdbc:mysql://127.0.0.1:1,anna:a@127.0.0.1:2/shop', password, b",
    "'jdbc:mysql://(host=127.0.0.1, user=anna)/shop', username, b",
    "jdbc:mysql://address=(host=127.0.0.1)(password=a)/shop, password, b",
    "jdbc:h2:mem:x;USER=a, username, b",
    "jndi:jdbc/sessions, maximumPoolSize, 3",
    "memory:, timeout, 3s",
    "memory:, secureRandomProvider, SunJCE",
  })
  @Tag("R71")
  void aContradictionStopsTheStartWithOneMessageThatNamesIt(String url, String name, String value) {
    assertThat(refusal(ManagerElement.of("store", url, name, value)))
        .singleElement()
        .asString()
        .contains(name);
  }

  @Test
  @Tag("R71")
  void whatIsSaidOfAStoreBesideOneThatIsHandedOverStopsTheStartWithOneMessageThatNamesIt() {
    SojournManager manager =
        ManagerElement.of("store", "redis://:s3cret@127.0.0.1", "password", "s3cret");
    try (InMemorySessionStore store = new InMemorySessionStore()) {
      manager.setSessionStore(store);
      assertThat(refusal(manager))
          .singleElement()
          .asString()
          .contains("password, store cannot be set beside", "setSessionStore")
          .doesNotContain("s3cret");
    }
  }

  @Test
  @Tag("R71")
  void aMissingStoreIsSaid() {
    assertThat(refusal(new SojournManager()))
        .anySatisfy(message -> assertThat(message).contains("store=\"...\" is missing"));
  }

  @Test
  @Tag("R66")
  void aSingleSignOnThatKnowsOneNodeOnlyStopsTheStartWithOneMessageThatNamesIt() {
    assertThat(
            ManagerElement.refusal(
                ManagerElement.of("store", "memory:"),
                (tomcat, context) -> tomcat.getHost().getPipeline().addValve(new SingleSignOn())))
        .singleElement()
        .asString()
        .contains(
            SingleSignOn.class.getName(),
            "localhost",
            SojournSingleSignOn.class.getName(),
            "remove it");
  }

  @Test
  @Tag("R61")
  @Tag("R71")
  void anAuthenticatorThatNeedsPasswordsInSessionsStopsTheStartWithOneMessageThatNamesIt() {
    FormAuthenticator authenticator = new FormAuthenticator();
    authenticator.setCache(false);
    assertThat(
            ManagerElement.refusal(
                ManagerElement.of("store", "memory:"),
                (tomcat, context) -> context.getPipeline().addValve(authenticator)))
        .singleElement()
        .asString()
        .contains("cache=\"false\"", FormAuthenticator.class.getName());
  }

  @Test
  @Tag("R39")
  void whatIsArrangedWithAnAuthenticatorEndsWithTheManager() throws Exception {
    List<StandardContext> contexts = new ArrayList<>();
    try (TomcatNode withForm =
            TomcatNode.start(
                ManagerElement.of("store", "memory:"),
                (tomcat, context) -> {
                  context.setLoginConfig(new LoginConfig("FORM", "test", "/login", "/failed"));
                  context.getPipeline().addValve(new FormAuthenticator());
                  contexts.add(context);
                });
        TomcatNode withNone =
            TomcatNode.start(
                ManagerElement.of("store", "memory:"),
                (tomcat, context) -> contexts.add(context))) {
      assertThat(withForm.uri()).isNotEqualTo(withNone.uri());
      StandardContext form = contexts.get(0);
      StandardContext none = contexts.get(1);
      NonLoginAuthenticator relieved = (NonLoginAuthenticator) none.getAuthenticator();
      for (int i = 0; i < 3; i++) {
        // For error pages, for login pages, for outages.
        assertThat(form.findFilterDefs()).hasSize(3);
        assertThat(form.findFilterMaps()).hasSize(3);
        assertThat(relieved.getCache()).isFalse();
        form.reload();
        none.reload();
      }
      form.stop();
      none.stop();
      assertThat(form.findFilterDefs()).isEmpty();
      assertThat(form.findFilterMaps()).isEmpty();
      assertThat(relieved.getCache()).isTrue();
    }
  }

  /** By JMX, for instance. It may have constraints that the context does not know. */
  @Test
  @Tag("R39")
  void aRealmThatTakesTheOthersPlaceWhileTheApplicationRunsIsAsked() throws Exception {
    List<StandardContext> contexts = new ArrayList<>();
    try (TomcatNode node =
        TomcatNode.start(
            ManagerElement.of("store", "memory:"), (tomcat, context) -> contexts.add(context))) {
      ContractClient client = new ContractClient();
      for (int i = 0; i < 3; i++) {
        assertThat(client.send(node, "set:a:1").status()).isEqualTo(200);
      }
      contexts.get(0).getParent().getParent().setRealm(new ForbiddingRealm());
      assertThat(client.send(node, "get:a").status()).isEqualTo(403);
      assertThat(new ContractClient().send(node, "get:a").status()).isEqualTo(403);
    }
  }

  /** Lets nobody see anything. */
  private static final class ForbiddingRealm extends NullRealm {
    @Override
    public SecurityConstraint[] findSecurityConstraints(Request request, Context context) {
      SecurityConstraint nobody = new SecurityConstraint();
      nobody.setAuthConstraint(true);
      return new SecurityConstraint[] {nobody};
    }
  }

  @Test
  void aManagerThatAnotherTakesThePlaceOfLeavesNothingInTheContext() throws Exception {
    List<StandardContext> contexts = new ArrayList<>();
    SojournManager own = ManagerElement.of("store", "memory:", "concurrency", "serialize");
    // As with a Manager element for all applications and one in an application's own file.
    try (TomcatNode node =
        TomcatNode.start(
            ManagerElement.of("store", "memory:"),
            (tomcat, context) -> {
              context.setManager(own);
              contexts.add(context);
            })) {
      assertThat(contexts.get(0).getPipeline().getValves())
          .filteredOn(valve -> valve instanceof SojournValve)
          .hasSize(1);
      assertThat(new ContractClient().send(node, "set:a:1", "get:a").line()).isEqualTo("1");
      contexts.get(0).setManager(new StandardManager());
      assertThat(contexts.get(0).getPipeline().getValves())
          .noneMatch(valve -> valve instanceof SojournValve);
      assertThat(contexts.get(0).findFilterDefs()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @Tag("R43")
  void aValueThatCannotBeStoredIsRefusedWhetherOrNotTheApplicationIsDistributable(
      boolean distributable) throws Exception {
    List<String> bound = new ArrayList<>();
    try (TomcatNode node =
        TomcatNode.start(
            ManagerElement.of("store", "memory:"),
            (tomcat, context) -> {
              context.setDistributable(distributable);
              Tomcat.addServlet(context, "refused", new Refused(bound));
              context.addServletMappingDecoded("/refused", "refused");
            })) {
      Browser.Answer answer = new Browser().get(node.uri().resolve("refused"));
      assertThat(answer.body())
          .contains("IllegalArgumentException", "'socket'", Unstorable.class.getName())
          .endsWith("[good]");
      assertThat(bound).isEmpty();
    }
  }

  /** Cannot be on two nodes. */
  private record Unstorable(List<String> bound) implements HttpSessionBindingListener {
    @Override
    public void valueBound(HttpSessionBindingEvent event) {
      bound.add(event.getName());
    }
  }

  private static final class Refused extends HttpServlet {
    private static final long serialVersionUID = 1L;
    private final transient List<String> bound;

    Refused(List<String> bound) {
      this.bound = bound;
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      HttpSession session = request.getSession();
      session.setAttribute("good", "1");
      try {
        session.setAttribute("socket", new Unstorable(bound));
      } catch (IllegalArgumentException e) {
        response.getWriter().print(e);
      }
      response.getWriter().print(Collections.list(session.getAttributeNames()));
    }
  }

  /** As in {@code META-INF/context.xml}. */
  @Test
  @Tag("R67")
  void aSecretMayBeThatOfASystemProperty(@TempDir Path folder) throws Exception {
    String database = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
    DriverManager.getConnection(database, "sa", "s3cret").close();
    Path file =
        Files.writeString(
            folder.resolve("context.xml"),
            """
            <Context>
              <Manager className="io.sojourn.tomcat.SojournManager" store="%s" username="sa"
                  password="${sojourn.test.password}"/>
            </Context>
            """
                .formatted(database));
    System.setProperty("sojourn.test.password", "s3cret");
    Tomcat tomcat = new Tomcat();
    try (LogRecords log = new LogRecords()) {
      tomcat.setBaseDir(folder.toString());
      tomcat.setPort(0);
      StandardContext context =
          (StandardContext) tomcat.addWebapp(tomcat.getHost(), "", folder.toString());
      context.setConfigFile(file.toUri().toURL());
      tomcat.start();
      assertThat(context.getState().isAvailable()).isTrue();
      SojournManager manager = (SojournManager) context.getManager();
      Session begun = manager.createSession(null);
      begun.getSession().setAttribute("n", "1");
      assertThat(manager.getStoreFailures()).isZero();
      assertThat(manager.getStoreCalls()).isPositive();
      assertThat(log.all())
          .allSatisfy(line -> assertThat(line.getMessage() + "").doesNotContain("s3cret"));
    } finally {
      System.clearProperty("sojourn.test.password");
      tomcat.stop();
      tomcat.destroy();
    }
  }

  @Test
  @Tag("R67")
  void credentialsAreNotShown() {
    SojournManager manager = ManagerElement.of("store", "redis://anna:s3cret@127.0.0.1:6379");
    assertThat(manager.getStore()).contains("127.0.0.1:6379").doesNotContain("s3cret");
    assertThat(manager.toString()).doesNotContain("s3cret");
  }

  @Test
  @Tag("R69")
  void aManagerConfiguredByUrlKeepsSessionsInThatStore() throws Exception {
    String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
    ContractClient client = new ContractClient();
    try (TomcatNode first = TomcatNode.start(ManagerElement.patient(url, "maximumPoolSize", "2"))) {
      assertThat(client.send(first, "set:a:1").status()).isEqualTo(200);
    }
    try (TomcatNode second = TomcatNode.start(ManagerElement.patient(url))) {
      assertThat(client.send(second, "get:a").line()).isEqualTo("1");
    }
  }

  @Test
  @Tag("R24")
  void aStoreHandedOverStaysOpen() throws Exception {
    InMemorySessionStore store = new InMemorySessionStore();
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    TomcatNode.start(manager).close();
    store.ping();
    store.close();
    assertThatThrownBy(store::ping).isInstanceOf(StoreUnavailableException.class);
  }

  @Test
  @Tag("R75")
  void whatHasToBeDoneAboutMissingTablesIsNotLoggedAtEachRequest() throws Exception {
    List<String> logged = Collections.synchronizedList(new ArrayList<>());
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord line) {
            logged.add(line.getMessage() + line.getThrown());
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger root = Logger.getLogger("");
    String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
    try (TomcatNode node = TomcatNode.start(ManagerElement.of("store", url, "schema", "check"))) {
      root.addHandler(handler);
      for (int i = 0; i < 20; i++) {
        assertThat(new ContractClient().send(node, "set:a:1").status()).isEqualTo(503);
      }
    } finally {
      root.removeHandler(handler);
    }
    // Once while it runs, and once when it stops and has changes that it could not save.
    assertThat(logged.stream().filter(line -> line.contains("CREATE TABLE"))).hasSize(2);
  }
}
