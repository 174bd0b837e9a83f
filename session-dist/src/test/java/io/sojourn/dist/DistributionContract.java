package io.sojourn.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.awaitility.Awaitility.await;

import com.google.errorprone.annotations.FormatMethod;
import io.sojourn.EncodedValue;
import io.sojourn.LoadResult;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.codec.ClassFilter;
import io.sojourn.codec.KryoCodec;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mariadb.jdbc.Driver;

/**
 * Two Tomcats as they are downloaded, with our jar in lib and one line in conf/context.xml, and web
 * applications that know nothing of it: Tomcat's own examples, on Redis at {@code /examples} and on
 * MariaDB at {@code /database}, and one that brings along other versions of our libraries.
 */
@ExtendWith(RealServers.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
abstract class DistributionContract {

  private static final String REDIS_PASSWORD = "r3dis-s3cret";
  private static final String ADMIN_PASSWORD = "adm1n-s3cret";
  private static final String ENCRYPTION_KEY = "c2VjcmV0" + "k".repeat(35) + "=";
  private static final String EXAMPLE = "/servlets/servlet/SessionExample";
  private static final String CART = "/jsp/sessions/carts.jsp";
  private static final Pattern ACCOUNT = Pattern.compile("user=([^&]*)&password=([^&]*)");

  /** What an application does with its own Kryo and Netty, and what it sees of them. */
  static final String LIBRARIES_JSP =
      """
      <%@ page import="com.esotericsoftware.kryo.kryo5.*,com.esotericsoftware.kryo.kryo5.io.*,java.util.*" %><%
        List<String> visits = (List<String>) session.getAttribute("visits");
        if (visits == null) {
          session.setAttribute("visits", visits = new ArrayList<>());
        }
        Kryo kryo = new Kryo();
        kryo.register(ArrayList.class);
        Output output = new Output(100, -1);
        kryo.writeObject(output, new ArrayList<>(visits));
        visits.add(request.getParameter("visit"));
        List<?> before = kryo.readObject(new Input(output.toBytes()), ArrayList.class);
      %>kryo=<%= Kryo.class.getProtectionDomain().getCodeSource().getLocation() %>
      netty=<%= io.netty.util.Version.identify() %>
      before=<%= before %> visits=<%= visits %>
      """;

  /** All that can be seen by JMX of what Tomcat manages, and of ours. */
  private static final String JMX_JSP =
      """
      <%@ page import="java.lang.management.*,javax.management.*" %><%
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        for (ObjectName name : server.queryNames(null, null)) {
          if (name.getDomain().startsWith("java") || name.getDomain().startsWith("JM")) {
            continue;
          }
          for (MBeanAttributeInfo attribute : server.getMBeanInfo(name).getAttributes()) {
            Object value;
            try {
              value = server.getAttribute(name, attribute.getName());
            } catch (Exception e) {
              value = e;
            }
            out.println(name + " " + attribute.getName() + "=" + value);
          }
        }
      %>
      """;

  /** What an application is configured by that has our jar in its own WEB-INF/lib. */
  private static final String OWN_WEB_XML =
      """
      <web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
        <context-param>
          <param-name>sojourn.store</param-name>
          <param-value>redis://127.0.0.1:%d</param-value>
        </context-param>
        <context-param>
          <param-name>sojourn.username</param-name>
          <param-value>sojourn</param-value>
        </context-param>
        <context-param>
          <param-name>sojourn.password</param-name>
          <param-value>${SOJOURN_REDIS_PASSWORD}</param-value>
        </context-param>
        <context-param>
          <param-name>sojourn.timeout</param-name>
          <param-value>10s</param-value>
        </context-param>
      </web-app>
      """;

  private static final String OWN_JSP =
      """
      <%@ page import="java.util.*" %><%
        List<String> visits = (List<String>) session.getAttribute("visits");
        if (visits == null) {
          session.setAttribute("visits", visits = new ArrayList<>());
        }
        visits.add(request.getParameter("visit"));
        Class<?> ours = Class.forName("io.sojourn.tomcat.SojournManager");
      %>ours=<%= ours.getProtectionDomain().getCodeSource().getLocation() %>
      visits=<%= visits %>
      """;

  private final String line;

  private Tomcat first;
  private Tomcat second;
  private RedisServer redis;
  private String databaseUrl;
  private Matcher account;

  /**
   * A contract.
   *
   * @param line of Tomcat's versions, such as 10 or 11
   */
  DistributionContract(String line) {
    this.line = line;
  }

  @BeforeAll
  void start(MariaDbServer mariaDb, @TempDir Path folder) throws IOException {
    redis =
        RedisServer.startPrivate("--user", "sojourn on >" + REDIS_PASSWORD + " ~sojourn:* +@all");
    databaseUrl = mariaDb.jdbcUrl(mariaDb.newDatabase());
    account = ACCOUNT.matcher(databaseUrl);
    assertThat(account.find()).isTrue();
    Path war = folder.resolve("libraries.war");
    War.write(
        war,
        DistributedJar.TARGET.resolve("application-lib"),
        Map.of("libraries.jsp", LIBRARIES_JSP, "jmx.jsp", JMX_JSP));
    Path ownManager = folder.resolve("local.war");
    War.write(
        ownManager,
        Files.createDirectory(folder.resolve("nothing")),
        Map.of(
            "META-INF/context.xml",
            "<Context><Manager className=\"" + OwnManager.class.getName() + "\"/></Context>"),
        OwnManager.class);
    Path ownJar = Files.createDirectory(folder.resolve("own-lib"));
    Files.copy(DistributedJar.FILE, ownJar.resolve(DistributedJar.FILE.getFileName()));
    Path own = folder.resolve("own.war");
    War.write(
        own,
        ownJar,
        Map.of("own.jsp", OWN_JSP, "WEB-INF/web.xml", OWN_WEB_XML.formatted(redis.port())));
    first = install(folder.resolve("first"), "first", war, ownManager, own);
    second = install(folder.resolve("second"), "second", war, ownManager, own);
    Path secrets = folder.resolve("secrets");
    Files.createDirectories(secrets.resolve("sessions"));
    Files.writeString(secrets.resolve("sessions/password"), account.group(2) + "\n");
    Map<String, String> environment =
        Map.of(
            "SOJOURN_REDIS_PASSWORD",
            REDIS_PASSWORD,
            "SOJOURN_ENCRYPTION_KEY",
            ENCRYPTION_KEY,
            "SERVICE_BINDING_ROOT",
            secrets.toString());
    first.start(environment);
    second.start(environment);
    first.awaitStart();
    second.awaitStart();
  }

  private Tomcat install(Path home, String node, Path... wars) throws IOException {
    Tomcat tomcat = new Tomcat(line, home, node);
    Files.copy(DistributedJar.FILE, home.resolve("lib").resolve(DistributedJar.FILE.getFileName()));
    String driver = Driver.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    Files.copy(Path.of(driver), home.resolve("lib/driver.jar"));
    tomcat.edit(
        "conf/context.xml",
        "</Context>",
        manager(
                "store='redis://127.0.0.1:%d' username='sojourn' password='${SOJOURN_REDIS_PASSWORD}'"
                    + " timeout='10s'",
                redis.port())
            + "</Context>");
    tomcat.write(
        "conf/catalina.properties",
        Files.readString(home.resolve("conf/catalina.properties"))
            + "\norg.apache.tomcat.util.digester.PROPERTY_SOURCE="
            + "org.apache.tomcat.util.digester.EnvironmentPropertySource,"
            + "org.apache.tomcat.util.digester.ServiceBindingPropertySource\n");
    tomcat.write(
        "conf/logging.properties",
        Files.readString(home.resolve("conf/logging.properties"))
            + "\njava.util.logging.ConsoleHandler.level = ALL\nio.sojourn.level = ALL\n");
    tomcat.write(
        "conf/tomcat-users.xml",
        "<tomcat-users><user username='admin' password='"
            + ADMIN_PASSWORD
            + "' roles='manager-gui,manager-script,manager-jmx'/></tomcat-users>");
    copyFolder(home.resolve("webapps/examples"), home.resolve("applications/examples"));
    context(
        tomcat,
        "database",
        home.resolve("applications/examples"),
        manager(
            "store='%s' username='%s' password='${chomp:sessions.password}'"
                + " connectionTimeout='10s' socketTimeout='10s'",
            databaseUrl.substring(0, databaseUrl.indexOf('?')), account.group(1)));
    // So that Tomcat asks its own lib before the application's: the jar is not there for others.
    context(tomcat, "libraries", wars[0], "<Loader delegate='true'/>");
    Files.copy(wars[1], home.resolve("webapps/local.war"), StandardCopyOption.REPLACE_EXISTING);
    // It has nothing of conf/context.xml, so no manager of the server's.
    tomcat.write(
        "conf/Catalina/localhost/own.xml", "<Context docBase='" + wars[2] + "' override='true'/>");
    if (node.equals("first")) {
      tomcat.write("applications/page/index.html", "A page");
      Path page = home.resolve("applications/page");
      String redisUrl = "store='redis://127.0.0.1:" + redis.port() + "' ";
      String secretAttributes =
          redisUrl
              + "username='sojourn' password='${SOJOURN_REDIS_PASSWORD}'"
              + " encryptionKeys='2026:${SOJOURN_ENCRYPTION_KEY}'";
      context(tomcat, "page", page, manager("%s", secretAttributes));
      // On a host of its own, since one that brings the jar along cannot be behind it.
      tomcat.edit(
          "conf/server.xml",
          "</Engine>",
          "<Host name='members' appBase='members'><Valve"
              + " className='io.sojourn.tomcat.SojournSingleSignOn' "
              + secretAttributes
              + "/></Host></Engine>");
      context(tomcat, "mistaken", page, manager("%stimeuot='2s'", redisUrl));
      context(tomcat, "unset", page, manager("%spassword='${SOJOURN_NOT_SET}'", redisUrl));
    }
    return tomcat;
  }

  @FormatMethod
  private static String manager(String attributes, Object... arguments) {
    return "<Manager className='io.sojourn.tomcat.SojournManager' "
        + attributes.formatted(arguments)
        + "/>\n";
  }

  private static void context(Tomcat tomcat, String name, Path docBase, String content)
      throws IOException {
    tomcat.write(
        "conf/Catalina/localhost/" + name + ".xml",
        "<Context docBase='" + docBase + "'>" + content + "</Context>");
  }

  private static void copyFolder(Path from, Path to) throws IOException {
    Files.createDirectories(to.getParent());
    try (var files = Files.walk(from)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  @AfterAll
  void stop() {
    for (AutoCloseable open : new AutoCloseable[] {first, second, redis}) {
      if (open != null) {
        assertThatCode(open::close).doesNotThrowAnyException();
      }
    }
  }

  @Test
  void itIsTheTomcatThatItClaimsToBe() {
    assertThat(first.log()).contains("Apache Tomcat/" + line + ".");
  }

  /** All requests in turn to one and the other server; then one is killed. */
  @Order(Integer.MAX_VALUE)
  @Test
  @Tag("G1")
  @Tag("G5")
  @Tag("R25")
  void theExamplesGoOnWhenAServerIsKilled() throws Exception {
    Browser onRedis = new Browser();
    Browser onDatabase = new Browser();
    Browser onOwn = new Browser();
    visit(onRedis, "/examples");
    visit(onDatabase, "/database");
    onOwn.page(first.uri("/own/own.jsp?visit=one"));
    String own = onOwn.sessionId("/own");
    first.kill();
    goOn(onRedis, "/examples");
    goOn(onDatabase, "/database");
    assertThat(onOwn.page(second.uri("/own/own.jsp?visit=two"))).contains("visits=[one, two]");
    assertThat(onOwn.sessionId("/own")).isEqualTo(own);
  }

  private void visit(Browser browser, String application) {
    browser.page(first.uri(application + EXAMPLE + "?dataname=fruit&datavalue=apple"));
    assertThat(browser.page(second.uri(application + EXAMPLE + "?dataname=nut&datavalue=hazel")))
        .contains("fruit = apple", "nut = hazel");
    String id = browser.sessionId(application);
    assertThat(browser.page(first.uri(application + EXAMPLE + "?dataname=fruit")))
        .contains("nut = hazel")
        .doesNotContain("fruit = apple");
    // The cart is changed in place: nobody calls setAttribute again.
    browser.page(first.uri(application + CART + "?itemId=0&submit=add"));
    browser.page(second.uri(application + CART + "?itemId=1&submit=add"));
    assertThat(items(browser.page(first.uri(application + CART)))).hasSize(2);
    browser.page(second.uri(application + CART + "?itemId=0&submit=remove"));
    browser.page(first.uri(application + CART + "?itemId=2&submit=add"));
    assertThat(items(browser.page(second.uri(application + CART)))).hasSize(2);
    browser.page(first.uri(application + EXAMPLE + "?dataname=last&datavalue=word"));
    assertThat(browser.sessionId(application)).isEqualTo(id);
  }

  private void goOn(Browser browser, String application) {
    String id = browser.sessionId(application);
    assertThat(browser.page(second.uri(application + EXAMPLE)))
        .contains("nut = hazel", "last = word");
    assertThat(items(browser.page(second.uri(application + CART + "?itemId=3&submit=add"))))
        .hasSize(3);
    assertThat(browser.sessionId(application)).isEqualTo(id);
  }

  private static List<String> items(String page) {
    return Pattern.compile("<li>\\s*(\\S.*)")
        .matcher(page)
        .results()
        .map(found -> found.group(1))
        .toList();
  }

  /** A class that is not relocated reads what the relocated one has written. */
  @ParameterizedTest
  @ValueSource(strings = {"/examples", "/database"})
  void whatIsStoredDoesNotDependOnTheNamesOfOurLibraries(String application) {
    Browser browser = new Browser();
    browser.page(first.uri(application + EXAMPLE + "?dataname=fruit&datavalue=apple"));
    ClassLoader loader = getClass().getClassLoader();
    String url = application.equals("/examples") ? redis.url() : databaseUrl;
    try (SessionStore store =
        PatientStores.open(url, "localhost" + application, () -> Duration.ZERO)) {
      LoadResult found = store.load(SessionKey.of(browser.sessionId(application)), 0);
      assertThat(found)
          .isInstanceOfSatisfying(
              LoadResult.Found.class,
              session ->
                  assertThat(
                          new KryoCodec(loader, ClassFilter.ofApplication(loader, ""))
                              .decode(value(session, "fruit")))
                      .isEqualTo("apple"));
    }
  }

  private static EncodedValue value(LoadResult.Found found, String name) {
    return Objects.requireNonNull(found.session().attributes().get(name)).value();
  }

  @Test
  @Tag("R68")
  void anApplicationHasItsOwnVersionsOfOurLibraries() {
    Browser browser = new Browser();
    assertThat(browser.page(first.uri("/libraries/libraries.jsp?visit=one")))
        .containsPattern("kryo=file:.*/WEB-INF/lib/kryo5-5\\.5\\.0\\.jar")
        .contains("netty={netty-common=netty-common-4.1.118.Final", "before=[]", "visits=[one]");
    assertThat(browser.page(second.uri("/libraries/libraries.jsp?visit=two")))
        .containsPattern("kryo=file:.*/WEB-INF/lib/kryo5-5\\.5\\.0\\.jar")
        .contains("before=[one]", "visits=[one, two]");
  }

  /** Its own Tomcat looks for what is left behind, and logs and lists it. */
  @Test
  @Tag("G1")
  @Tag("R39")
  @Tag("R68")
  void anApplicationBringsTheJarAlongInItsOwnLib() {
    Browser browser = new Browser();
    // Tomcat's compiler keeps the classes of whoever needs it first, in exceptions that it
    // prepares.
    browser.page(first.uri("/libraries/jmx.jsp"));
    assertThat(browser.page(first.uri("/own/own.jsp?visit=one")))
        .containsPattern("ours=file:.*/WEB-INF/lib/sojourn-tomcat\\.jar")
        .contains("visits=[one]");
    assertThat(browser.page(second.uri("/own/own.jsp?visit=two"))).contains("visits=[one, two]");
    String id = browser.sessionId("/own");
    Browser admin = new Browser();
    admin.authorize("admin", ADMIN_PASSWORD);
    assertThat(admin.page(first.uri("/manager/text/reload?path=/own"))).startsWith("OK");
    assertThat(browser.page(first.uri("/own/own.jsp?visit=three")))
        .contains("visits=[one, two, three]");
    assertThat(browser.page(second.uri("/own/own.jsp?visit=four")))
        .contains("visits=[one, two, three, four]");
    assertThat(browser.sessionId("/own")).isEqualTo(id);
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () -> assertThat(admin.page(first.uri("/manager/text/findleaks"))).isBlank());
    assertThat(first.log())
        .doesNotContain("memory leak", "illegal access", "Illegal access", "failed to stop");
  }

  /** Not by falling back to Tomcat's own manager, which would lose sessions. */
  @Test
  void aManagerInTheApplicationsOwnLibIsNotFoundByTomcat() {
    assertThat(new Browser().status(first.uri("/local/"))).isEqualTo(404);
    assertThat(first.log()).contains("ClassNotFoundException: " + OwnManager.class.getName());
  }

  @Test
  @Tag("R71")
  void aMistakeInTheLineStopsThatApplicationWithOneMessageThatNamesIt() {
    assertThat(new Browser().page(first.uri("/page/"))).contains("A page");
    assertThat(new Browser().status(first.uri("/mistaken/"))).isEqualTo(404);
    assertThat(first.log().lines())
        .filteredOn(
            logged -> logged.contains("SojournManager cannot start") && logged.contains("timeuot"))
        .singleElement(InstanceOfAssertFactories.STRING)
        .contains("the option 'timeuot' is not known");
  }

  @Test
  @Tag("R67")
  void aSecretThatNobodyHasSetStopsTheApplication() {
    assertThat(new Browser().status(first.uri("/unset/"))).isEqualTo(404);
    assertThat(first.log()).contains("password=\"...\" refers to ${SOJOURN_NOT_SET}");
  }

  @Test
  @Tag("R58")
  @Tag("R67")
  void secretsAndIdsAreNeitherInLogsNorInJmx() {
    Browser browser = new Browser();
    browser.page(first.uri("/examples" + EXAMPLE));
    browser.page(first.uri("/database" + EXAMPLE));
    String jmx = browser.page(first.uri("/libraries/jmx.jsp"));
    assertThat(jmx)
        .contains("type=Manager,host=localhost,context=/examples store=redis://127.0.0.1:")
        .contains("type=Manager,host=localhost,context=/page stateName=STARTED")
        .containsPattern("type=Valve,host=members,name=SojournSingleSignOn store=redis://127")
        .containsPattern("type=Valve,host=members,name=SojournSingleSignOn stateName=STARTED");
    for (String text : List.of(jmx, first.log())) {
      assertThat(text)
          .doesNotContain(REDIS_PASSWORD)
          .doesNotContain(account.group(2))
          .doesNotContain(ENCRYPTION_KEY)
          .doesNotContain(browser.sessionId("/examples"))
          .doesNotContain(browser.sessionId("/database"));
    }
  }

  /** The application as it comes with Tomcat, seen by a browser. */
  @ParameterizedTest
  @ValueSource(strings = {"/examples", "/database"})
  void tomcatsManagerApplicationListsInspectsAndEndsSessions(String application) {
    Browser browser = new Browser();
    browser.page(first.uri(application + EXAMPLE + "?dataname=fruit&datavalue=apple"));
    browser.page(second.uri(application + EXAMPLE + "?dataname=nut&datavalue=hazel"));
    String id = browser.sessionId(application) + ".second";
    Browser admin = new Browser();
    admin.authorize("admin", ADMIN_PASSWORD);

    assertThat(admin.page(second.uri("/manager/text/list")))
        .containsPattern(application + ":running:[1-9]\\d*:");
    assertThat(admin.page(second.uri("/manager/text/sessions?path=" + application)))
        .contains("OK - Session information for application at context path [" + application + "]")
        .containsPattern("\\[[1-9]\\d*] sessions");

    // Links have no session id in them any more once the cookie has come back.
    assertThat(admin.page(second.uri("/manager/html"))).contains("Tomcat Web Application Manager");
    String main = admin.page(second.uri("/manager/html"));
    String list =
        admin.page(second.uri(link(main, "/manager/html/sessions\\?path=" + application)));
    assertThat(list).contains("<h1>Sessions Administration for " + application, id);
    String detail = admin.page(second.uri(link(list, "[^\"]*action=sessionDetail[^\"]*" + id)));
    assertThat(detail)
        .contains("Details for Session " + id, "2 attributes")
        .contains(">apple<", ">hazel<", "class java.lang.String");

    String form = link(detail, "[^\"]*/manager/html/sessions");
    admin.page(
        second.uri(form + "&action=removeSessionAttribute&attributeName=nut&sessionId=" + id));
    assertThat(browser.page(first.uri(application + EXAMPLE)))
        .contains("fruit = apple")
        .doesNotContain("nut = hazel");

    String gone = admin.page(second.uri(form + "&action=invalidateSessions&sessionIds=" + id));
    assertThat(gone).contains("1 sessions invalidated.").doesNotContain(id);
    assertThat(browser.page(first.uri(application + EXAMPLE))).doesNotContain("fruit = apple");
    assertThat(browser.page(second.uri(application + EXAMPLE))).doesNotContain("fruit = apple");

    browser.page(first.uri(application + EXAMPLE + "?dataname=fruit&datavalue=pear"));
    browser.page(second.uri(application + EXAMPLE));
    assertThat(admin.page(second.uri("/manager/text/expire?path=" + application + "&idle=0")))
        .containsPattern("Inactive for \\[>0] minutes: \\[[1-9]\\d*] sessions were expired");
    assertThat(browser.page(first.uri(application + EXAMPLE))).doesNotContain("fruit = pear");
    assertThat(browser.page(second.uri(application + EXAMPLE))).doesNotContain("fruit = pear");
  }

  /** The first address in a page that begins so. */
  private static String link(String page, String pattern) {
    String text = page.replace("&#47;", "/").replace("&amp;", "&");
    Matcher link = Pattern.compile("(?:href|action)=\"(" + pattern + "[^\"]*)\"").matcher(text);
    assertThat(link.find()).as(() -> pattern + " in " + text).isTrue();
    return link.group(1);
  }

  @Test
  @Tag("R58")
  void theOperationsForJmxNameNoSessionByItsId() {
    Browser browser = new Browser();
    browser.page(first.uri("/examples" + EXAMPLE + "?dataname=fruit&datavalue=apple"));
    String id = browser.sessionId("/examples");
    String key = SessionKey.of(id).hex();
    Browser admin = new Browser();
    admin.authorize("admin", ADMIN_PASSWORD);
    String proxy =
        "/manager/jmxproxy/?invoke=Catalina%3Atype%3DManager%2Chost%3Dlocalhost%2Ccontext%3D%2Fexamples&op=";
    assertThat(admin.page(first.uri(proxy + "listSessionIds"))).contains(key).doesNotContain(id);
    assertThat(admin.page(second.uri(proxy + "getSessionAttribute&ps=" + key + ",fruit")))
        .contains("apple");
    admin.page(second.uri(proxy + "expireSession&ps=" + key));
    assertThat(browser.page(first.uri("/examples" + EXAMPLE))).doesNotContain("fruit = apple");
  }

  @Test
  void whatTheLibrariesLogArrivesInTomcatsLogWithoutAWordAboutProviders() {
    assertThat(first.log())
        .contains("io.sojourn.shaded.hikari", "io.sojourn.shaded.lettuce")
        .doesNotContain("SLF4J(", "No SLF4J providers");
  }
}
