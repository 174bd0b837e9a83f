package io.sojourn.jetty;

import io.sojourn.AttributeCodec;
import io.sojourn.NewSessionTimeout;
import io.sojourn.SessionPolicy;
import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import io.sojourn.settings.SessionSettings;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.handler.ContextHandler;
import org.eclipse.jetty.session.AbstractSessionManager;
import org.eclipse.jetty.session.SessionCache;
import org.eclipse.jetty.session.SessionCacheFactory;
import org.eclipse.jetty.session.SessionDataStoreFactory;
import org.eclipse.jetty.session.SessionManager;
import org.eclipse.jetty.util.component.AbstractLifeCycle;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the sessions of a Jetty server's web applications in a store that all servers share.
 *
 * <pre>{@code
 * SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
 * sessions.setStore("redis://10.0.0.5:6379");
 * sessions.setServer(server);
 * server.addBean(sessions);
 * }</pre>
 *
 * <p>Every session handler that starts after that, and has no session cache of its own, has its
 * sessions there. One context alone: {@code handler.setSessionCache(sessions.getSessionCache(
 * handler))}.
 *
 * <p>docs/configuration.md explains the settings. They are text, so that a value that makes no
 * sense stops the start with one message that names it. In each, {@code ${name}} stands for a
 * system property or an environment variable, and {@code ${file:path}} for what is in a file; for
 * <code>${</code> itself write <code>$${</code>.
 *
 * <p>To be configured by one thread before the server starts.
 */
public final class SojournSessionCacheFactory extends AbstractLifeCycle
    implements SessionCacheFactory {

  private final Map<String, String> storeOptions = new TreeMap<>();

  /** What is set of the settings of Jetty's own caches, by their names. */
  private final Map<String, String> cacheSettings = new TreeMap<>();

  private @Nullable Server server;
  private @Nullable String storeUrl;
  private @Nullable SessionStore givenStore;
  private String application = "";
  private final SessionSettings settings = new SessionSettings();
  private boolean touchIntervalIsSet;
  private @Nullable String savePeriodSec;
  private Supplier<Duration> clockOffset = () -> Duration.ZERO;

  /** A factory to be configured. */
  public SojournSessionCacheFactory() {}

  // ---------------------------------------------------------------- configuration

  /** Sets the server whose bean it is, to be checked for others that would take its place. */
  public void setServer(Server server) {
    this.server = server;
  }

  /**
   * Sets the store's URL: {@code redis:}, {@code jdbc:}, {@code jndi:} or {@code memory:}.
   * Required, unless a store is handed over.
   */
  public void setStore(String url) {
    this.storeUrl = References.replaced("store", url);
  }

  /**
   * Hands over a store to use, in place of a URL, for one context. It stays the caller's to close.
   */
  public void setSessionStore(SessionStore store) {
    this.givenStore = store;
  }

  /** Has the near cache grow old faster, for tests. */
  void setClockOffset(Supplier<Duration> offset) {
    this.clockOffset = offset;
  }

  /** Sets an option of the store, which refuses what it does not know; null leaves it unset. */
  public void setStoreOption(String name, @Nullable String value) {
    if (value != null) {
      storeOptions.put(name, References.replaced(name, value));
    }
  }

  /** Sets options of the store: {@code name=value}, separated by semicolons or line ends. */
  public void setStoreOptions(String options) {
    for (String option : options.split("[;\\r\\n]", -1)) {
      int equals = option.indexOf('=');
      if (equals > 0) {
        setStoreOption(option.substring(0, equals).strip(), option.substring(equals + 1).strip());
      } else if (!option.isBlank()) {
        throw new IllegalArgumentException(
            "storeOptions=\"...\" must be name=value; name=value, and has '" + option + "'");
      }
    }
  }

  /**
   * Sets whose sessions these are, in front of each context's path: servers with the same name
   * share them. By default the context's first virtual host, if it has one.
   */
  public void setApplication(String name) {
    this.application = References.replaced("application", name);
  }

  /**
   * Takes what is not set from the environment, as it stands there: {@code SOJOURN_USERNAME},
   * {@code SOJOURN_PASSWORD} and {@code SOJOURN_ENCRYPTION_KEYS}.
   */
  public void takeFromEnvironment() {
    takeFrom(System.getenv());
  }

  void takeFrom(Map<String, String> environment) {
    takeOption("username", environment.get("SOJOURN_USERNAME"));
    takeOption("password", environment.get("SOJOURN_PASSWORD"));
    if (settings.find("encryptionKeys") == null) {
      settings.set("encryptionKeys", environment.get("SOJOURN_ENCRYPTION_KEYS"));
    }
  }

  private void takeOption(String name, @Nullable String value) {
    if (value != null) {
      storeOptions.putIfAbsent(name, value);
    }
  }

  private void set(String name, @Nullable String value) {
    settings.set(name, value == null ? null : References.replaced(name, value));
  }

  /**
   * Refuses properties of the module, {@code jetty.session.sojourn.*}, that set nothing, for a
   * server that is started by its module.
   *
   * @param jettyBase the folder with the server's ini files; null if it has none
   * @throws IllegalArgumentException if there is one; the message names all of them
   */
  public void refuseUnknownProperties(@Nullable String jettyBase) {
    Set<String> known = new TreeSet<>(settings.names());
    known.addAll(List.of("store", "username", "password", "storeOptions", "application"));
    ModuleProperties.refuseUnknown(jettyBase, known);
  }

  /** Sets how many seconds the stored time of last access may lag behind. */
  public void setTouchInterval(String seconds) {
    set("touchInterval", seconds);
    touchIntervalIsSet = true;
  }

  /**
   * Sets whether attributes that were only read are checked for changes ({@code read}) or not
   * ({@code set}).
   */
  public void setDirtyCheck(String mode) {
    set("dirtyCheck", mode);
  }

  /**
   * Sets what reading an attribute does that this node cannot decode: {@code fail} or {@code
   * absent}.
   */
  public void setOnDecodeFailure(String mode) {
    set("onDecodeFailure", mode);
  }

  /**
   * Sets what becomes of requests while the store cannot be asked: they are answered 503 ({@code
   * unavailable}), or served from this node's copy ({@code serve-local}).
   */
  public void setOnStoreFailure(String mode) {
    set("onStoreFailure", mode);
  }

  /** Sets how many sessions of each context this node keeps decoded. */
  public void setNearCacheSize(String sessions) {
    set("nearCacheSize", sessions);
  }

  /** Sets how many bytes the attributes of those sessions may take, encoded. */
  public void setNearCacheBytes(String bytes) {
    set("nearCacheBytes", bytes);
  }

  /**
   * Sets when the store is asked whether a session has changed: at each request ({@code strict}),
   * or when its client has seen a later version than this node has ({@code causal}), and when the
   * store has told of a change ({@code tracked}).
   */
  public void setFreshness(String mode) {
    set("freshness", mode);
  }

  /** Sets for how many seconds a session is used at the most without asking the store. */
  public void setMaxStaleness(String seconds) {
    set("maxStaleness", seconds);
  }

  /**
   * Sets whether requests of one session run side by side ({@code parallel}) or one after the
   * other, on all nodes ({@code serialize}).
   */
  public void setConcurrency(String mode) {
    set("concurrency", mode);
  }

  /**
   * Sets which requests have their session to themselves, if not all: those whose path within the
   * context this regular expression matches as a whole.
   */
  public void setSerializePaths(@Nullable String pattern) {
    set("serializePaths", pattern);
  }

  /** Sets how many seconds a request waits for its session before it is answered 503. */
  public void setSerializeTimeout(String seconds) {
    set("serializeTimeout", seconds);
  }

  /**
   * Sets for how many seconds a new session lives until its client comes back with it. Null: as
   * long as any other.
   */
  public void setNewSessionTimeout(@Nullable String seconds) {
    set("newSessionTimeout", seconds);
  }

  /**
   * Sets which classes may be in a session beside the JDK's value types and the application's own.
   */
  public void setAllowedClasses(String patterns) {
    set("allowedClasses", patterns);
  }

  /**
   * Sets what encodes attributes: {@code kryo}, small and fast where that is faithful, or {@code
   * java}, Java serialization. Either decodes both. Or the name of a class of the user's that
   * implements {@link AttributeCodec}.
   */
  public void setCodec(String name) {
    set("codec", name);
  }

  /** Sets whether large attributes are compressed: {@code none} or {@code lz4}. */
  public void setCompression(String name) {
    set("compression", name);
  }

  /** Sets how many bytes an attribute may take, encoded. */
  public void setMaxEncodedBytes(String bytes) {
    set("maxEncodedBytes", bytes);
  }

  /** Sets how deeply objects of an attribute may be nested. */
  public void setMaxDepth(String depth) {
    set("maxDepth", depth);
  }

  /** Sets how many objects an attribute may consist of. */
  public void setMaxObjects(String objects) {
    set("maxObjects", objects);
  }

  /**
   * Sets the keys that attributes are encrypted with, {@code id:key} each; the first encrypts. Null
   * for none.
   */
  public void setEncryptionKeys(@Nullable String keys) {
    set("encryptionKeys", keys);
  }

  /**
   * Sets what is done with what is not encrypted: {@code required} refuses it, {@code migrate}
   * reads it, {@code prepare} writes it, too.
   */
  public void setEncryption(String mode) {
    set("encryption", mode);
  }

  // ---------------------------------------------------------------- Jetty's own settings

  private void setOfCache(String name, String value) {
    cacheSettings.put(name, References.replaced(name, value));
  }

  /**
   * Sets when a session that nobody uses leaves this node's memory: when there is no room ({@code
   * -1}), when its last request is over ({@code 0}), or when it has not been used for so many
   * seconds.
   */
  public void setEvictionPolicy(String seconds) {
    setOfCache("evictionPolicy", seconds);
  }

  /**
   * Sets whether a session is saved before it leaves this node's memory. Either value will do: all
   * is saved by then.
   */
  public void setSaveOnInactiveEviction(String save) {
    setOfCache("saveOnInactiveEviction", save);
  }

  /**
   * Sets whether a new session is stored as soon as it begins, and not only when its response does.
   */
  public void setSaveOnCreate(String save) {
    setOfCache("saveOnCreate", save);
  }

  /** {@code false}: what cannot be read stays in the store. */
  public void setRemoveUnloadableSessions(String remove) {
    setOfCache("removeUnloadableSessions", remove);
  }

  /** {@code true}: what has changed is saved before the response leaves. */
  public void setFlushOnResponseCommit(String flush) {
    setOfCache("flushOnResponseCommit", flush);
  }

  /** {@code false}: sessions outlive the server. */
  public void setInvalidateOnShutdown(String invalidate) {
    setOfCache("invalidateOnShutdown", invalidate);
  }

  /** Sets the {@linkplain #setTouchInterval touch interval}, by the name that Jetty has for it. */
  public void setSavePeriodSec(String seconds) {
    savePeriodSec = References.replaced("savePeriodSec", seconds);
  }

  // ---------------------------------------------------------------- Jetty

  /** Refuses to start with settings that make no sense, before any context does. */
  @Override
  protected void doStart() throws Exception {
    check();
    super.doStart();
  }

  private void check() {
    SessionPolicy unusedPolicy = cacheSettings().applied(policy());
    Optional<Predicate<String>> unusedSerialized = serialized();
    Duration unusedTimeout = serializeTimeout();
    NewSessionTimeout unusedNewSessionTimeout = newSessionTimeout();
    AttributeCodec unusedCodec = codec(SojournSessionCacheFactory.class.getClassLoader());
    if (givenStore != null) {
      SessionSettings.refuseBesideStoreHandedOver(storeUrl, storeOptions);
    } else if (storeUrl == null || storeUrl.isBlank()) {
      throw new IllegalArgumentException(
          "store=\"...\" is missing: the URL of the store, for instance"
              + " store=\"redis://127.0.0.1:6379\"");
    }
    Server whole = server;
    if (whole != null) {
      refuseOthers(whole);
    }
  }

  private void refuseOthers(Server whole) {
    for (SessionCacheFactory other : whole.getBeans(SessionCacheFactory.class)) {
      if (other != this) {
        throw unwanted(other);
      }
    }
    SessionDataStoreFactory store = whole.getBean(SessionDataStoreFactory.class);
    if (store != null) {
      throw unwanted(store);
    }
  }

  static IllegalArgumentException unwanted(Object other) {
    return new IllegalArgumentException(
        "The server has a "
            + other.getClass().getName()
            + " beside Sojourn's session cache, which is cache and store in one; leave out the"
            + " module or bean that brings it");
  }

  @Override
  public SessionCache getSessionCache(SessionManager manager) {
    check();
    if (!(manager instanceof AbstractSessionManager jettys)) {
      throw new IllegalArgumentException(
          "Sojourn keeps sessions for Jetty's session handlers, not for " + manager.getClass());
    }
    Server whole = jettys.getServer();
    if (whole != null && whole.contains(this)) {
      refuseOthers(whole);
    }
    return new SojournSessionCache(jettys, this, cacheSettings());
  }

  /** Whose sessions those of this context are. */
  String application(ContextHandler context) {
    String name = application;
    if (name.isBlank()) {
      name = context.getVirtualHosts().isEmpty() ? "" : context.getVirtualHosts().get(0);
    }
    String path = context.getContextPath();
    String whole = name + (path.equals("/") ? "" : path);
    return whole.isEmpty() ? "/" : whole;
  }

  @Nullable SessionStore givenStore() {
    return givenStore;
  }

  SessionStore openStore(String application) {
    return SessionStores.open(
        new StoreConfiguration(
            String.valueOf(storeUrl), application, storeOptions, () -> Duration.ZERO),
        SojournSessionCacheFactory.class.getClassLoader());
  }

  Map<String, String> storeOptions() {
    return storeOptions;
  }

  Supplier<Duration> clockOffset() {
    return clockOffset;
  }

  Optional<Predicate<String>> serialized() {
    return settings.serialized();
  }

  Duration serializeTimeout() {
    return settings.serializeTimeout();
  }

  NewSessionTimeout newSessionTimeout() {
    return settings.newSessionTimeout();
  }

  private CacheSettings cacheSettings() {
    return CacheSettings.of(cacheSettings);
  }

  SessionPolicy policy() {
    String period = savePeriodSec;
    if (period != null) {
      int unused = SessionSettings.number("savePeriodSec", period, 0, Integer.MAX_VALUE);
      if (touchIntervalIsSet) {
        throw new IllegalArgumentException(
            "savePeriodSec=\""
                + period
                + "\" is Jetty's name for touchInterval, which is set, too: leave out one of them");
      }
      settings.set("touchInterval", period);
    }
    return settings.policy();
  }

  AttributeCodec codec(ClassLoader webApplication) {
    return settings.codec(webApplication, SojournSessionCacheFactory.class.getClassLoader());
  }
}
