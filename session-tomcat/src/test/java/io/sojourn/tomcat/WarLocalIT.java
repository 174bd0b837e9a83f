package io.sojourn.tomcat;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.testkit.ApplicationClasses;
import io.sojourn.testkit.Heap;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.io.File;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.Manager;
import org.apache.catalina.Valve;
import org.apache.catalina.authenticator.FormAuthenticator;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.core.ThreadLocalLeakPreventionListener;
import org.apache.catalina.session.PersistentManager;
import org.apache.catalina.session.StandardManager;
import org.apache.catalina.startup.ContextConfig;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.IntrospectionUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Web applications that have all of Sojourn in their own {@code WEB-INF/lib} and parameters in
 * their {@code web.xml}, in a Tomcat whose own class path has it, too, for those that ask for that.
 */
@ExtendWith(RealServers.class)
class WarLocalIT {

  private static final int REDEPLOYS = Integer.getInteger("sojourn.test.localRedeploys", 2);
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /**
   * Java 25 keeps the type of the last record softly. Tomcat's types take its place only where they
   * are not in the class path, as they are here.
   */
  private static final long SOFTLY_KEPT = Runtime.version().feature() < 25 ? 0 : 1;

  /** What a store and the manager are made of, each in a jar or folder of the class path. */
  private static final Pattern LIBRARY =
      Pattern.compile(
          "/session-(core|jdbc|redis|tomcat)/|kryo|caffeine|HikariCP|lettuce|netty-|react(or|ive)-"
              + "|redis-authx|slf4j|mariadb-java-client|mysql-connector|objenesis|minlog|reflectasm");

  private static final String WEB_XML =
      """
      <web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
        %s
        <distributable/>
        <servlet>
          <servlet-name>garage</servlet-name>
          <servlet-class>io.sojourn.testkit.redeployed.Garage</servlet-class>
        </servlet>
        <servlet-mapping>
          <servlet-name>garage</servlet-name>
          <url-pattern>/garage</url-pattern>
        </servlet-mapping>
        <login-config>
          <auth-method>FORM</auth-method>
          <form-login-config>
            <form-login-page>/login.html</form-login-page>
            <form-error-page>/error.html</form-error-page>
          </form-login-config>
        </login-config>
      </web-app>
      """;

  private enum Kind {
    MARIADB,
    REDIS
  }

  private final MariaDbServer mariaDb;
  private final RedisServer redis;
  private final Tomcat tomcat = new Tomcat();
  private final List<WeakReference<ClassLoader>> loaders = new ArrayList<>();

  private Path folder = Path.of("");

  WarLocalIT(MariaDbServer mariaDb, RedisServer redis) {
    this.mariaDb = mariaDb;
    this.redis = redis;
  }

  @BeforeEach
  void start(@TempDir Path temporary) throws LifecycleException, IOException {
    folder = temporary;
    tomcat.setBaseDir(folder.toString());
    Files.createDirectories(folder.resolve("webapps"));
    Connector connector = new Connector();
    connector.setPort(0);
    connector.setProperty("address", "127.0.0.1");
    tomcat.setConnector(connector);
    // As in the server.xml that comes with Tomcat: threads that have served an application end
    // when it stops.
    tomcat.getServer().addLifecycleListener(new ThreadLocalLeakPreventionListener());
    // A Tomcat that starts without a host warns of it.
    var unused = tomcat.getHost();
    tomcat.start();
  }

  @AfterEach
  void stop() throws LifecycleException {
    tomcat.stop();
    tomcat.destroy();
  }

  private String url(Kind kind) {
    return switch (kind) {
      case MARIADB -> mariaDb.jdbcUrl(mariaDb.newDatabase());
      case REDIS -> redis.url();
    };
  }

  /** A context parameter for each name and value, in turn. */
  private static String parameters(String... parameters) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < parameters.length; i += 2) {
      text.append("<context-param><param-name>")
          .append(parameters[i])
          .append("</param-name><param-value>")
          .append(parameters[i + 1].replace("&", "&amp;"))
          .append("</param-value></context-param>\n");
    }
    return text.toString();
  }

  /** An application's folder with these parameters in its web.xml. */
  private Path application(boolean withLibraries, String... parameters) throws IOException {
    Path application = Files.createDirectory(folder.resolve("webapps/" + UUID.randomUUID()));
    ApplicationClasses.bring(application, ApplicationClasses.GARAGE);
    Files.writeString(
        application.resolve("WEB-INF/web.xml"), WEB_XML.formatted(parameters(parameters)));
    if (withLibraries) {
      Path libraries = Files.createDirectory(application.resolve("WEB-INF/lib"));
      for (String entry : classPath()) {
        Path path = Path.of(entry);
        if (LIBRARY.matcher(entry).find() && Files.exists(path) && !entry.endsWith("-tests.jar")) {
          bring(path, libraries);
        }
      }
    }
    return application;
  }

  private static List<String> classPath() {
    String path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return List.of(path.split(File.pathSeparator, -1));
  }

  private static void bring(Path jarOrFolder, Path libraries) throws IOException {
    if (Files.isRegularFile(jarOrFolder)) {
      Files.copy(jarOrFolder, libraries.resolve(jarOrFolder.getFileName()));
      return;
    }
    if (!jarOrFolder.endsWith("target/classes")) {
      return;
    }
    String name = String.valueOf(jarOrFolder.getName(jarOrFolder.getNameCount() - 3));
    try (Stream<Path> files = Files.walk(jarOrFolder);
        JarOutputStream jar =
            new JarOutputStream(Files.newOutputStream(libraries.resolve(name + ".jar")))) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        jar.putNextEntry(new JarEntry(jarOrFolder.relativize(file).toString()));
        Files.copy(file, jar);
      }
    }
  }

  private StandardContext deploy(Path application, Consumer<StandardContext> preparation) {
    StandardContext context = new StandardContext();
    context.setName("/shop");
    context.setPath("/shop");
    context.setDocBase(application.toString());
    context.addLifecycleListener(new Tomcat.DefaultWebXmlListener());
    ContextConfig config = new ContextConfig();
    config.setDefaultWebXml(tomcat.noDefaultWebXmlPath());
    context.addLifecycleListener(config);
    // Initializers are found without it.
    context.getJarScanner().setJarScanFilter((type, name) -> false);
    // Which would need --add-opens. Tomcat 11 has not all of them.
    for (String kept : List.of("ObjectStreamClassCaches", "RmiTargets", "ThreadLocals")) {
      IntrospectionUtils.setProperty(context, "clearReferences" + kept, "false");
    }
    preparation.accept(context);
    tomcat.getHost().addChild(context);
    return context;
  }

  private StandardContext deploy(Path application) {
    return deploy(application, context -> {});
  }

  private URI garage(String query) {
    return URI.create(
        "http://127.0.0.1:" + tomcat.getConnector().getLocalPort() + "/shop/garage" + query);
  }

  private static boolean isOwn(Object ours, StandardContext context) {
    return ours.getClass().getClassLoader() == context.getLoader().getClassLoader();
  }

  /** Redeployed and reloaded, with work in the background, an application keeps its sessions. */
  @ParameterizedTest
  @EnumSource(Kind.class)
  @Tag("G1")
  @Tag("R23")
  @Tag("R39")
  void redeploysAndReloadsKeepSessionsAndLeaveNoClassLoaderAndNoThread(Kind kind) throws Exception {
    String url = url(kind);
    List<String> parameters =
        new ArrayList<>(
            List.of(
                "sojourn.store",
                url,
                "sojourn.application",
                "local-" + UUID.randomUUID(),
                "sojourn.freshness",
                kind == Kind.REDIS ? "tracked" : "strict"));
    PatientStores.options(url)
        .forEach((name, value) -> parameters.addAll(List.of("sojourn." + name, value)));
    Path application = application(true, parameters.toArray(String[]::new));
    Browser browser = new Browser();
    Map<String, Integer> threads = Map.of();
    int miles = 0;
    List<LogRecord> warnings;
    try (LogRecords log = new LogRecords()) {
      for (int i = 0; i < REDEPLOYS; i++) {
        StandardContext context = deploy(application);
        assertThat(context.getState().isAvailable()).isTrue();
        assertThat(browser.get(garage("?drive")).body()).isEqualTo("" + ++miles);
        if (i == 0) {
          remember(context);
          context.reload();
          assertThat(browser.get(garage("?drive")).body()).isEqualTo("" + ++miles);
        }
        workInBackground(context);
        remember(context);
        tomcat.getHost().removeChild(context);
        if (i == 0) {
          threads = Heap.threads();
        }
      }
      warnings = log.warnings();
    }
    assertThat(loaders).hasSize(REDEPLOYS + 1);
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(alive()).isLessThanOrEqualTo(SOFTLY_KEPT));
    Map<String, Integer> before = threads;
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(Heap.threads())
                    .allSatisfy(
                        (name, count) ->
                            assertThat(count)
                                .as(name)
                                .isLessThanOrEqualTo(before.getOrDefault(name, 0))));
    assertThat(warnings).extracting(LogRecord::getMessage).isEmpty();
  }

  private void remember(StandardContext context) {
    Manager manager = context.getManager();
    Valve first = context.getPipeline().getFirst();
    assertThat(manager.getClass().getName()).isEqualTo(SojournManager.class.getName());
    assertThat(first.getClass().getName()).isEqualTo(SojournValve.class.getName());
    assertThat(isOwn(manager, context)).isTrue();
    assertThat(isOwn(first, context)).isTrue();
    assertThat(context.getPipeline().getValves())
        .satisfiesOnlyOnce(valve -> assertThat(isOwn(valve, context)).isTrue())
        .satisfiesOnlyOnce(valve -> assertThat(valve).isInstanceOf(FormAuthenticator.class));
    loaders.add(new WeakReference<>(context.getLoader().getClassLoader()));
  }

  /**
   * As often as it takes until expired sessions are looked for, on a thread that outlives the
   * application, as Tomcat does.
   */
  private void workInBackground(StandardContext context) throws Exception {
    tomcat
        .getServer()
        .getUtilityExecutor()
        .submit(
            () -> {
              for (int i = 0; i < 6; i++) {
                context.backgroundProcess();
              }
            })
        .get();
  }

  private long alive() {
    System.gc();
    return loaders.stream().filter(loader -> loader.get() != null).count();
  }

  /** As a {@code <Manager>} element does. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "sojourn.touchInterval|soon|touchInterval=\"soon\"",
        "sojourn.tuochInterval|60|tuochInterval",
        "sojourn.password|${NOT_SET_ANYWHERE}|password=\"...\" refers to ${NOT_SET_ANYWHERE}",
        "sojourn.maxActiveSessions|many|maxActiveSessions=\"many\" must be a whole number",
      })
  @Tag("R71")
  void aParameterThatMakesNoSenseStopsTheApplicationWithAMessageThatNamesIt(String mistake)
      throws IOException {
    String[] parts = mistake.split("\\|", -1);
    assertThat(refusal(application(true, "sojourn.store", redis.url(), parts[0], parts[1])))
        .contains(parts[2]);
  }

  @Test
  @Tag("R71")
  void withoutAStoreTheApplicationDoesNotStart() throws IOException {
    assertThat(refusal(application(true))).contains("sojourn.store is missing");
  }

  @Test
  @Tag("R71")
  void anotherManagerInTheContextIsAContradiction() throws IOException {
    Path application = application(true, "sojourn.store", "memory:");
    assertThat(refusal(application, context -> context.setManager(new PersistentManager())))
        .contains(PersistentManager.class.getName());
  }

  @Test
  @Tag("R71")
  void theServersSingleSignOnIsRefusedAsItKnowsNoManagerOfAnotherJar() throws IOException {
    SojournSingleSignOn signOns = new SojournSingleSignOn();
    signOns.setStore("memory:");
    tomcat.getHost().getPipeline().addValve(signOns);
    assertThat(refusal(application(true, "sojourn.store", "memory:")))
        .contains(SojournSingleSignOn.class.getName() + " of localhost is of another jar");
  }

  private String refusal(Path application) {
    return refusal(application, context -> {});
  }

  private String refusal(Path application, Consumer<StandardContext> preparation) {
    try (LogRecords log = new LogRecords()) {
      StandardContext context = deploy(application, preparation);
      assertThat(context.getState().isAvailable()).isFalse();
      tomcat.getHost().removeChild(context);
      return log.thrown().stream()
          .flatMap(thrown -> Stream.of(thrown, thrown.getCause()))
          .filter(Objects::nonNull)
          .map(Throwable::getMessage)
          .collect(joining("\n"));
    }
  }

  /** {@code <Manager pathname=""/>}, as many have it, is Tomcat's own. */
  @Test
  @Tag("R69")
  void tomcatsOwnManagerInTheContextIsReplaced() throws IOException {
    Path application = application(true, "sojourn.store", "memory:");
    StandardContext context =
        deploy(
            application,
            starting -> {
              StandardManager manager = new StandardManager();
              manager.setPathname("");
              starting.setManager(manager);
            });
    remember(context);
  }

  @Test
  @Tag("R69")
  void theManagerOfTheContextWinsAndTheLogSaysSo() throws IOException {
    SojournManager shared = ManagerElement.of("store", "memory:");
    Path application = application(true, "sojourn.store", redis.url());
    try (LogRecords log = new LogRecords()) {
      StandardContext context = deploy(application, starting -> starting.setManager(shared));
      assertThat(context.getState().isAvailable()).isTrue();
      assertThat(context.getManager()).isSameAs(shared);
      assertThat(new Browser().get(garage("?drive")).body()).isEqualTo("1");
      assertThat(log.all())
          .filteredOn(record -> record.getMessage().contains("WEB-INF/lib"))
          .singleElement()
          .extracting(LogRecord::getLevel)
          .isEqualTo(Level.INFO);
    }
  }

  @Test
  @Tag("R69")
  void whereTheServersClassesGoBeforeTheApplicationsItsJarKeepsTheSessions() throws IOException {
    StandardContext context =
        deploy(
            application(true, "sojourn.store", "memory:"), starting -> starting.setDelegate(true));
    assertThat(context.getState().isAvailable()).isTrue();
    assertThat(context.getManager()).isExactlyInstanceOf(SojournManager.class);
  }

  /** The initializer is found in the class path of the server by every application. */
  @Test
  @Tag("R68")
  void anApplicationThatDoesNotAskForTheServersIsLeftAlone() throws IOException {
    StandardContext context = deploy(application(false));
    assertThat(context.getState().isAvailable()).isTrue();
    assertThat(context.getManager()).isExactlyInstanceOf(StandardManager.class);
    assertThat(new Browser().get(garage("?drive")).body()).isEqualTo("1");
  }

  @Test
  @Tag("R69")
  void anApplicationCanAskForTheServersByParameter() throws Exception {
    StandardContext context =
        deploy(application(false, "sojourn.store", "memory:", "sojourn.application", "asked"));
    assertThat(context.getManager())
        .isInstanceOfSatisfying(
            SojournManager.class,
            manager -> assertThat(manager.getApplication()).isEqualTo("asked"));
    assertThat(context.getPipeline().getFirst()).isInstanceOf(SojournValve.class);
    assertThat(new Browser().get(garage("?drive")).body()).isEqualTo("1");
    context.stop();
    assertThat(context.getPipeline().getValves()).doesNotHaveAnyElementsOfTypes(SojournValve.class);
  }
}
