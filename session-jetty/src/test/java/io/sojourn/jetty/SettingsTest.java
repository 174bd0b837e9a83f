package io.sojourn.jetty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.InMemorySessionStore;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.handler.ContextHandler;
import org.eclipse.jetty.session.NullSessionCacheFactory;
import org.eclipse.jetty.session.SessionCache;
import org.eclipse.jetty.session.SessionHandler;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What can be set, where it can be set, and what is refused. */
class SettingsTest {

  private static final Path MODULE = Path.of("src/main/config/modules/session-store-sojourn.mod");
  private static final Path XML = Path.of("src/main/config/etc/sessions/sojourn/session-store.xml");
  private static final Pattern PROPERTY = Pattern.compile("jetty\\.session\\.sojourn\\.(\\w+)");

  /** These two are options of every store that has users, and may be in the environment. */
  private static final Set<String> OPTIONS = Set.of("username", "password");

  /** Jetty's own settings, and how its modules call them. */
  private static final Map<String, String> OF_JETTY =
      Map.of(
          "evictionPolicy", "jetty.session.evictionPolicy",
          "saveOnInactiveEviction", "jetty.session.saveOnInactiveEviction",
          "saveOnCreate", "jetty.session.saveOnCreate",
          "removeUnloadableSessions", "jetty.session.removeUnloadableSessions",
          "flushOnResponseCommit", "jetty.session.flushOnResponseCommit",
          "invalidateOnShutdown", "jetty.session.invalidateOnShutdown",
          "savePeriodSec", "jetty.session.savePeriod.seconds");

  private static List<Method> setters() {
    return Stream.of(SojournSessionCacheFactory.class.getMethods())
        .filter(
            method ->
                method.getName().startsWith("set")
                    && method.getParameterCount() == 1
                    && method.getParameterTypes()[0] == String.class)
        .toList();
  }

  private static Set<String> settings() {
    Set<String> names = new TreeSet<>(OPTIONS);
    for (Method method : setters()) {
      String name = method.getName().substring(3);
      names.add(Character.toLowerCase(name.charAt(0)) + name.substring(1));
    }
    names.removeAll(OF_JETTY.keySet());
    return names;
  }

  private static Set<String> properties(Path file) throws IOException {
    return PROPERTY
        .matcher(Files.readString(file))
        .results()
        .map((MatchResult found) -> found.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void everySettingIsAPropertyOfTheModuleAndInTheDocument() throws IOException {
    assertThat(properties(MODULE)).isEqualTo(settings());
    assertThat(properties(XML)).isEqualTo(settings());
    String document = Files.readString(Path.of("../docs/configuration.md"));
    String jettys = document.substring(document.indexOf("## Jetty 12"));
    assertThat(settings()).allMatch(name -> jettys.contains("`" + name + "`"));
    String xml = Files.readString(XML);
    OF_JETTY.forEach(
        (name, property) -> {
          assertThat(xml).contains("<Set name=\"" + name + "\" property=\"" + property + "\" />");
          assertThat(jettys).contains("`" + property + "`");
        });
    assertThat(jettys).contains("`jetty.session.gracePeriod.seconds`");
  }

  @ParameterizedTest
  @Tag("R71")
  @CsvSource(
      quoteCharacter = '|',
      value = {
        "setTouchInterval, -1, touchInterval=\"-1\" must be a whole number",
        "setTouchInterval, soon, touchInterval=\"soon\" must be a whole number",
        "setNearCacheSize, 0, nearCacheSize=\"0\" must be a whole number",
        "setDirtyCheck, never, dirtyCheck=\"never\" must be one of: read",
        "setOnDecodeFailure, ignore, onDecodeFailure=\"ignore\" must be one of: fail",
        "setOnStoreFailure, 503, onStoreFailure=\"503\" must be one of: unavailable, serve-local",
        "setFreshness, sometimes, freshness=\"sometimes\" must be one of: strict",
        "setMaxStaleness, 5, maxStaleness=\"5\" has a meaning only with freshness=\"causal\"",
        "setConcurrency, single, concurrency=\"single\" must be one of: parallel",
        "setSerializePaths, /cart, serializePaths=\"/cart\" has a meaning only with",
        "setSerializeTimeout, 0, serializeTimeout=\"0\" must be a whole number",
        "setSerializeTimeout, 3, serializeTimeout=\"3\" has a meaning only with",
        "setNewSessionTimeout, 0, newSessionTimeout=\"0\" must be a whole number",
        "setCodec, json, codec=\"json\" must be one of: kryo",
        "setAllowedClasses, com acme!, allowedClasses=\"com acme!\": ",
        "setEncryption, migrate, encryption=\"migrate\" has a meaning only with",
        "setEncryptionKeys, a:secret, encryptionKeys=\"...\": ",
        "setStore, , store=\"...\" is missing",
        "setEvictionPolicy, -2, evictionPolicy=\"-2\" must be a whole number",
        "setSaveOnCreate, yes, saveOnCreate=\"yes\" must be one of: true, false",
        "setSaveOnInactiveEviction, 1, saveOnInactiveEviction=\"1\" must be one of: true, false",
        "setRemoveUnloadableSessions, true, removeUnloadableSessions=\"true\" is nothing that",
        "setFlushOnResponseCommit, false, flushOnResponseCommit=\"false\" is nothing that",
        "setInvalidateOnShutdown, true, invalidateOnShutdown=\"true\" is nothing that",
        "setSavePeriodSec, -1, savePeriodSec=\"-1\" must be a whole number",
      })
  void aValueThatMakesNoSenseStopsTheStart(String setter, String value, String message)
      throws Exception {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setStore("memory:");
    SojournSessionCacheFactory.class
        .getMethod(setter, String.class)
        .invoke(sessions, value == null ? "" : value);
    assertThatThrownBy(sessions::start)
        .hasMessageContaining(message)
        .hasMessageNotContaining("secret");
    assertThatThrownBy(() -> sessions.getSessionCache(new SessionHandler()))
        .hasMessageContaining(message);
  }

  @Test
  @Tag("R71")
  void whatIsSaidOfAStoreBesideOneThatIsHandedOverStopsTheStart() {
    try (InMemorySessionStore store = new InMemorySessionStore()) {
      SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
      sessions.setSessionStore(store);
      sessions.setStoreOptions("password=s3cret");
      assertThatThrownBy(sessions::start)
          .hasMessageContaining("password cannot be set beside")
          .hasMessageNotContaining("s3cret");
      sessions.setStore("redis://:s3cret@127.0.0.1");
      assertThatThrownBy(sessions::start)
          .hasMessageContaining("password, store cannot be set beside")
          .hasMessageNotContaining("s3cret");
    }
  }

  @Test
  @Tag("R71")
  void anUnknownOptionOfTheStoreStopsTheContext() throws Exception {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setStore("memory:");
    sessions.setStoreOptions("colour=red");
    Server server = new Server();
    SessionHandler handler = new SessionHandler();
    ContextHandler context = new ContextHandler(handler, "/shop");
    server.setHandler(context);
    handler.setSessionCache(sessions.getSessionCache(handler));
    assertThatThrownBy(server::start).hasMessageContaining("colour");
    server.stop();
    assertThatThrownBy(() -> sessions.setStoreOptions("red")).hasMessageContaining("'red'");
  }

  @Test
  @Tag("R71")
  void aMisspeltPropertyOfTheModuleIsNamedWithWhereItStands(@TempDir Path base) throws IOException {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.refuseUnknownProperties(null);
    Path folder = Files.createDirectory(base.resolve("start.d"));
    Path ini = folder.resolve("session-store-sojourn.ini");
    // As a user finds it, with everything there to be switched on.
    String template = Files.readString(MODULE);
    template = template.substring(template.indexOf("[ini-template]") + "[ini-template]".length());
    Files.writeString(ini, template.replaceAll("(?m)^#jetty", "jetty"));
    sessions.refuseUnknownProperties(base.toString());
    Files.writeString(
        ini,
        """
        # jetty.session.sojourn.comment=1
        jetty.session.sojourn.pasword=s3cret
        jetty.session.sojourn.freshness?=causal
        jetty.session.gracePeriod.seconds=3600
        jetty.session.other=1
        """);
    Files.writeString(base.resolve("start.ini"), "jetty.session.sojourn.Store = memory:\n");
    assertThatThrownBy(() -> sessions.refuseUnknownProperties(base.toString()))
        .hasMessageStartingWith(
            "jetty.session.sojourn.Store (in "
                + base.resolve("start.ini")
                + "), jetty.session.sojourn.pasword (in "
                + ini
                + ") is no setting")
        .hasMessageContaining("password, ")
        .satisfies(refusal -> assertThat(refusal).message().contains(OF_JETTY.values()))
        .hasMessageEndingWith(
            "; jetty.session.gracePeriod.seconds (in "
                + ini
                + ") has no meaning here, since the store's clock decides what has expired: leave"
                + " it out")
        .hasMessageNotContaining("s3cret");
    Files.writeString(ini, "jetty.session.gracePeriod.seconds=3600");
    Files.writeString(base.resolve("start.ini"), "");
    assertThatThrownBy(() -> sessions.refuseUnknownProperties(base.toString()))
        .hasMessageStartingWith("jetty.session.gracePeriod.seconds (in " + ini + ") has no meaning")
        .hasMessageNotContaining("is no setting");
  }

  @Test
  @Tag("R67")
  void anySettingMayBeInAnEnvironmentVariableASystemPropertyOrAFile(@TempDir Path folder)
      throws Exception {
    Path secret = Files.writeString(folder.resolve("secret"), "from file$1\n");
    System.setProperty("io.sojourn.test.secret", "from property");
    try {
      assertThat(References.replaced("password", "${file:" + secret + "}"))
          .isEqualTo("from file$1");
      assertThat(References.replaced("password", "a${io.sojourn.test.secret}b"))
          .isEqualTo("afrom propertyb");
      assertThat(References.replaced("password", "${PATH}")).isEqualTo(System.getenv("PATH"));
    } finally {
      System.clearProperty("io.sojourn.test.secret");
    }
    for (Method setter : setters()) {
      String value = setter.getName().equals("setStoreOptions") ? "o=s3cret" : "s3cret";
      SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
      assertThatThrownBy(() -> setter.invoke(sessions, value + "${s3cret.NOT_SET_ANYWHERE}"))
          .as(setter.getName())
          .cause()
          .hasMessageContaining("has a reference ${...}, and there is no")
          .hasMessageNotContaining("s3cret");
    }
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    assertThatThrownBy(() -> sessions.setStoreOption("password", "${file:" + folder + "/none}"))
        .hasMessageStartingWith("password=")
        .hasMessageContaining("${file:...}, and the file in it cannot be read (NoSuchFile")
        .hasMessageNotContaining("none");
    sessions.setStore("memory:");
    String key = "a:" + Base64.getEncoder().encodeToString(new byte[32]);
    sessions.setEncryptionKeys("${file:" + Files.writeString(folder.resolve("key"), key) + "}");
    sessions.start();
  }

  @Test
  @Tag("R67")
  void aValueMayHaveTheTextOfAReference() {
    assertThat(References.replaced("password", "a$${b}c$d$${")).isEqualTo("a${b}c$d${");
    assertThat(References.replaced("password", "$$$${PATH}$")).isEqualTo("$$${PATH}$");
  }

  @Test
  @Tag("R67")
  void whatIsTakenFromTheEnvironmentIsTakenAsItStandsThereWhereNothingElseIsSet() {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setStore("memory:");
    sessions.setStoreOption("username", "anna");
    sessions.takeFrom(
        Map.of(
            "SOJOURN_USERNAME", "bert",
            "SOJOURN_PASSWORD", "a${b}",
            "SOJOURN_ENCRYPTION_KEYS", "a:${c}"));
    assertThat(sessions.storeOptions()).isEqualTo(Map.of("username", "anna", "password", "a${b}"));
    assertThatThrownBy(sessions::start)
        .hasMessageStartingWith("encryptionKeys=")
        .hasMessageNotContaining("${c}");
    sessions.setEncryptionKeys("a:" + Base64.getEncoder().encodeToString(new byte[32]));
    sessions.takeFrom(Map.of("SOJOURN_ENCRYPTION_KEYS", "a:${c}"));
    assertThatCode(() -> sessions.codec(getClass().getClassLoader())).doesNotThrowAnyException();
  }

  @Test
  @Tag("R63")
  void applicationsAreNamedByHostAndPath() {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    ContextHandler root = new ContextHandler("/");
    ContextHandler shop = new ContextHandler("/shop");
    assertThat(sessions.application(root)).isEqualTo("/");
    assertThat(sessions.application(shop)).isEqualTo("/shop");
    shop.setVirtualHosts(java.util.List.of("shop.example"));
    assertThat(sessions.application(shop)).isEqualTo("shop.example/shop");
    sessions.setApplication("localhost");
    assertThat(sessions.application(root)).isEqualTo("localhost");
    assertThat(sessions.application(shop)).isEqualTo("localhost/shop");
  }

  @Test
  @Tag("R90")
  void settingsOfJettysCachesThatItCannotKeepAreRefused() {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setStore("memory:");
    SessionCache cache = sessions.getSessionCache(new SessionHandler());
    cache.setFlushOnResponseCommit(true);
    cache.setInvalidateOnShutdown(false);
    cache.setRemoveUnloadableSessions(false);
    assertThatThrownBy(() -> cache.setEvictionPolicy(-2)).hasMessageContaining("evictionPolicy");
    assertThatThrownBy(() -> cache.setFlushOnResponseCommit(false))
        .hasMessageContaining("flushOnResponseCommit");
    assertThatThrownBy(() -> cache.setInvalidateOnShutdown(true))
        .hasMessageContaining("invalidateOnShutdown");
    assertThatThrownBy(() -> cache.setRemoveUnloadableSessions(true))
        .hasMessageContaining("removeUnloadableSessions");
    Server server = new Server();
    server.addBean(new NullSessionCacheFactory());
    sessions.setServer(server);
    assertThatThrownBy(sessions::start).hasMessageContaining("NullSessionCacheFactory");
  }

  @Test
  @Tag("R71")
  @Tag("R90")
  void thoseThatItCanKeepAreTheFactorysForEachContextThatHasNoneOfItsOwn() {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setStore("memory:");
    sessions.setEvictionPolicy("1800");
    sessions.setSaveOnCreate("true");
    sessions.setSaveOnInactiveEviction("True");
    sessions.setRemoveUnloadableSessions("false");
    sessions.setFlushOnResponseCommit("true");
    sessions.setInvalidateOnShutdown("false");
    SessionCache cache = sessions.getSessionCache(new SessionHandler());
    assertThat(cache.getEvictionPolicy()).isEqualTo(1800);
    assertThat(cache.isSaveOnCreate()).isTrue();
    assertThat(cache.isSaveOnInactiveEviction()).isTrue();
    cache.setEvictionPolicy(SessionCache.EVICT_ON_SESSION_EXIT);
    cache.setSaveOnCreate(false);
    cache.setSaveOnInactiveEviction(false);
    assertThat(cache.getEvictionPolicy()).isEqualTo(SessionCache.EVICT_ON_SESSION_EXIT);
    assertThat(cache.isSaveOnCreate()).isFalse();
    assertThat(cache.isSaveOnInactiveEviction()).isFalse();
    assertThat(sessions.getSessionCache(new SessionHandler()).getEvictionPolicy()).isEqualTo(1800);
    sessions.setEvictionPolicy("0");
    sessions.setOnStoreFailure("serve-local");
    assertThatThrownBy(sessions::start)
        .hasMessageContaining("evictionPolicy=\"0\" does not go with onStoreFailure");
  }

  @Test
  @Tag("R71")
  void settingsOfAContextThatContradictEachOtherOpenNoStore() throws Exception {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setStore("memory:");
    sessions.setStoreOptions("colour=red"); // what opens it refuses that
    sessions.setOnStoreFailure("serve-local");
    Server server = new Server();
    SessionHandler handler = new SessionHandler();
    server.setHandler(new ContextHandler(handler, "/shop"));
    SessionCache cache = sessions.getSessionCache(handler);
    cache.setEvictionPolicy(SessionCache.EVICT_ON_SESSION_EXIT);
    handler.setSessionCache(cache);
    assertThatThrownBy(server::start)
        .hasMessageContaining("evictionPolicy=\"0\" does not go with onStoreFailure");
    server.stop();
  }

  @Test
  @Tag("R71")
  void theSavePeriodIsTheTouchIntervalByJettysName() {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setStore("memory:");
    sessions.setSavePeriodSec("30");
    assertThat(sessions.policy().touchInterval()).hasSeconds(30);
    sessions.setTouchInterval("30");
    assertThatThrownBy(sessions::start)
        .hasMessageContaining("savePeriodSec=\"30\" is Jetty's name for touchInterval");
  }
}
