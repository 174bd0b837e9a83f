package io.sojourn.tomcat;

import io.sojourn.AttributeCodec;
import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import io.sojourn.LiveSession;
import io.sojourn.NewSessionTimeout;
import io.sojourn.PrincipalKey;
import io.sojourn.RequestLeases;
import io.sojourn.SessionBusyException;
import io.sojourn.SessionException;
import io.sojourn.SessionKey;
import io.sojourn.SessionPolicy;
import io.sojourn.SessionRepository;
import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.codec.MeasuredCodec;
import io.sojourn.metrics.SessionFigures;
import io.sojourn.settings.SessionSettings;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.LifecycleState;
import org.apache.catalina.Session;
import org.apache.catalina.connector.Request;
import org.apache.catalina.session.Constants;
import org.apache.catalina.session.ManagerBase;
import org.apache.catalina.session.StandardSession;
import org.apache.juli.logging.Log;
import org.apache.juli.logging.LogFactory;
import org.apache.tomcat.util.IntrospectionUtils;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a web application's sessions in a store that all servers share. Takes the place of Tomcat's
 * own manager:
 *
 * <pre>{@code
 * <Manager className="io.sojourn.tomcat.SojournManager" store="redis://10.0.0.5:6379"/>
 * }</pre>
 *
 * <p>The setters are the attributes of that element; docs/configuration.md explains them. They take
 * text, so that a value that makes no sense stops the start with one message that names it.
 *
 * <p>Thread-safe once started; to be configured by one thread before.
 */
public final class SojournManager extends ManagerBase {

  private static final Log LOG = LogFactory.getLog(SojournManager.class);

  private static final Pattern KEY = Pattern.compile("[0-9a-f]{64}");

  private static final int MAX_REPORTED = 100;

  private final Map<String, String> storeOptions = new ConcurrentHashMap<>();
  private final SojournValve valve = new SojournValve(this);
  private final Set<String> reported = ConcurrentHashMap.newKeySet();
  private final OutageFilter outageFilter = new OutageFilter();

  private Supplier<Duration> clockOffset = () -> Duration.ZERO;

  /** Sessions in the store that are about to get their Tomcat side, by id. */
  private final Map<String, LiveSession> reserved = new ConcurrentHashMap<>();

  private @Nullable String storeUrl;
  private @Nullable SessionStore givenStore;
  private @Nullable String application;
  private final SessionSettings settings = new SessionSettings();

  private final Misfits misfits = new Misfits();

  private final AtomicLong created = new AtomicLong();

  private volatile int idsMadeTwice;

  private @Nullable SessionStore ownStore;
  private volatile @Nullable Running running;

  /** What a started manager works with. */
  private record Running(
      SessionRepository repository,
      MeasuredCodec codec,
      SessionFigures figures,
      Authentication authentication,
      Optional<Predicate<String>> serialized,
      Duration patience,
      NewSessionTimeout newSessionTimeout,
      @Nullable String route,
      SessionPolicy policy,
      SeenVersions.Names seenNames) {}

  /** A manager to be configured. */
  public SojournManager() {
    sessions = new SessionDirectory(this);
  }

  // ---------------------------------------------------------------- configuration

  /**
   * Sets the store's URL: {@code redis:}, {@code jdbc:}, {@code jndi:} or {@code memory:}.
   * Required, unless a store is handed over.
   */
  public void setStore(String url) {
    this.storeUrl = url;
  }

  /** The store's URL, without credentials. */
  public @Nullable String getStore() {
    return storeUrl == null ? null : StoreConfiguration.of(storeUrl, "").printableUrl();
  }

  /** Hands over a store to use, in place of a URL. It stays the caller's to close. */
  public void setSessionStore(SessionStore store) {
    this.givenStore = store;
  }

  /** Has the near cache grow old faster, for tests. */
  void setClockOffset(Supplier<Duration> offset) {
    this.clockOffset = offset;
  }

  /**
   * Sets whose sessions these are: servers with the same name share them. By default the host's
   * name, the context's path and its version, if it has one.
   */
  public void setApplication(String name) {
    this.application = name;
  }

  /** Whose sessions these are. */
  public String getApplication() {
    String name = application;
    if (name == null) {
      Context context = getContext();
      String version = context.getWebappVersion();
      name =
          context.getParent().getName()
              + context.getPath()
              + (version.isEmpty() ? "" : "##" + version);
    }
    return name;
  }

  /** Sets how many seconds the stored time of last access may lag behind. */
  public void setTouchInterval(String seconds) {
    settings.set("touchInterval", seconds);
  }

  /** How many seconds the stored time of last access may lag behind. */
  public String getTouchInterval() {
    return settings.get("touchInterval");
  }

  /**
   * Sets whether attributes that were only read are checked for changes ({@code read}) or not
   * ({@code set}).
   */
  public void setDirtyCheck(String mode) {
    settings.set("dirtyCheck", mode);
  }

  /** Whether attributes that were only read are checked for changes. */
  public String getDirtyCheck() {
    return settings.get("dirtyCheck");
  }

  /**
   * Sets what reading an attribute does that this node cannot decode: {@code fail} or {@code
   * absent}.
   */
  public void setOnDecodeFailure(String mode) {
    settings.set("onDecodeFailure", mode);
  }

  /** What reading an attribute does that this node cannot decode. */
  public String getOnDecodeFailure() {
    return settings.get("onDecodeFailure");
  }

  /**
   * Sets what becomes of requests while the store cannot be asked: they are answered 503 ({@code
   * unavailable}), or served from this node's copy ({@code serve-local}).
   */
  public void setOnStoreFailure(String mode) {
    settings.set("onStoreFailure", mode);
  }

  /** What becomes of requests while the store cannot be asked. */
  public String getOnStoreFailure() {
    return settings.get("onStoreFailure");
  }

  /** Sets how many sessions this node keeps decoded. */
  public void setNearCacheSize(String sessions) {
    settings.set("nearCacheSize", sessions);
  }

  /** How many sessions this node keeps decoded. */
  public String getNearCacheSize() {
    return settings.get("nearCacheSize");
  }

  /** Sets how many bytes the attributes of those sessions may take, encoded. */
  public void setNearCacheBytes(String bytes) {
    settings.set("nearCacheBytes", bytes);
  }

  /** How many bytes the attributes of those sessions may take, encoded. */
  public String getNearCacheBytes() {
    return settings.get("nearCacheBytes");
  }

  /**
   * Sets when the store is asked whether a session has changed: at each request ({@code strict}),
   * or when its client has seen a later version than this node has ({@code causal}), and when the
   * store has told of a change ({@code tracked}).
   */
  public void setFreshness(String mode) {
    settings.set("freshness", mode);
  }

  /** When the store is asked whether a session has changed. */
  public String getFreshness() {
    return settings.get("freshness");
  }

  /** Sets for how many seconds a session is used at the most without asking the store. */
  public void setMaxStaleness(String seconds) {
    settings.set("maxStaleness", seconds);
  }

  /** For how many seconds a session is used at the most without asking the store. */
  public String getMaxStaleness() {
    return Objects.requireNonNullElse(
        settings.find("maxStaleness"),
        Long.toString(SessionPolicy.DEFAULT.maxStaleness().toSeconds()));
  }

  /**
   * Sets which classes may be in a session beside the JDK's value types and the application's own.
   */
  public void setAllowedClasses(String patterns) {
    settings.set("allowedClasses", patterns);
  }

  /** Which classes may be in a session beside the JDK's value types and the application's own. */
  public String getAllowedClasses() {
    return settings.get("allowedClasses");
  }

  /**
   * Sets what encodes attributes: {@code kryo}, small and fast where that is faithful, {@code
   * java}, Java serialization, or the name of a class that implements {@link AttributeCodec}. Each
   * decodes what the first two have encoded.
   */
  public void setCodec(String name) {
    settings.set("codec", name);
  }

  /** What encodes attributes. */
  public String getCodec() {
    return settings.get("codec");
  }

  /** Sets how many bytes an attribute may take, encoded. */
  public void setMaxEncodedBytes(String bytes) {
    settings.set("maxEncodedBytes", bytes);
  }

  /** How many bytes an attribute may take, encoded. */
  public String getMaxEncodedBytes() {
    return settings.get("maxEncodedBytes");
  }

  /**
   * Sets how deep an attribute's objects may be nested; half as deep where Java serialization is
   * needed.
   */
  public void setMaxDepth(String depth) {
    settings.set("maxDepth", depth);
  }

  /** How deep an attribute's objects may be nested. */
  public String getMaxDepth() {
    return settings.get("maxDepth");
  }

  /** Sets of how many objects an attribute may be made. */
  public void setMaxObjects(String objects) {
    settings.set("maxObjects", objects);
  }

  /** Of how many objects an attribute may be made. */
  public String getMaxObjects() {
    return settings.get("maxObjects");
  }

  /**
   * Sets whether attributes of 4 KB or more are compressed: {@code none} or {@code lz4}. What is
   * compressed is read either way.
   */
  public void setCompression(String name) {
    settings.set("compression", name);
  }

  /** Whether attributes are compressed. */
  public String getCompression() {
    return settings.get("compression");
  }

  /**
   * Sets the keys that attributes are encrypted with, {@code id:key} each; the first encrypts.
   * There is no getter, so that JMX does not show them.
   */
  public void setEncryptionKeys(String keys) {
    settings.set("encryptionKeys", keys);
  }

  /**
   * Sets what is done with what is not encrypted: {@code required} refuses it, {@code migrate}
   * reads it, {@code prepare} writes it, too.
   */
  public void setEncryption(String mode) {
    settings.set("encryption", mode);
  }

  /** What is done with what is not encrypted. */
  public String getEncryption() {
    return settings.get("encryption");
  }

  /**
   * Sets whether requests of one session run side by side ({@code parallel}) or one after the
   * other, on all nodes ({@code serialize}).
   */
  public void setConcurrency(String mode) {
    settings.set("concurrency", mode);
  }

  /** Whether requests of one session run side by side. */
  public String getConcurrency() {
    return settings.get("concurrency");
  }

  /**
   * Sets which requests have their session to themselves, if not all: those whose path within the
   * context this regular expression matches as a whole.
   */
  public void setSerializePaths(String pattern) {
    settings.set("serializePaths", pattern);
  }

  /** Which requests have their session to themselves; null if all. */
  public @Nullable String getSerializePaths() {
    return settings.find("serializePaths");
  }

  /** Sets how many seconds a request waits for its session before it is answered 503. */
  public void setSerializeTimeout(String seconds) {
    settings.set("serializeTimeout", seconds);
  }

  /** How many seconds a request waits for its session before it is answered 503. */
  public String getSerializeTimeout() {
    return Objects.requireNonNullElse(
        settings.find("serializeTimeout"),
        Integer.toString(SessionSettings.DEFAULT_SERIALIZE_TIMEOUT));
  }

  /**
   * Sets for how many seconds a new session lives until its client comes back with it. Not set, it
   * lives as long as any other.
   */
  public void setNewSessionTimeout(String seconds) {
    settings.set("newSessionTimeout", seconds);
  }

  /** For how many seconds a new session lives until its client comes back; null if as others. */
  public @Nullable String getNewSessionTimeout() {
    return settings.find("newSessionTimeout");
  }

  // Tomcat takes any text but "true" for false. Its own setters are there beside these.

  /** As {@link #setNotifyAttributeListenerOnUnchangedValue(boolean)}, from text. */
  public void setNotifyAttributeListenerOnUnchangedValue(String value) {
    setNotifyAttributeListenerOnUnchangedValue(
        misfits.flag("notifyAttributeListenerOnUnchangedValue", value));
  }

  /** As {@link #setNotifyBindingListenerOnUnchangedValue(boolean)}, from text. */
  public void setNotifyBindingListenerOnUnchangedValue(String value) {
    setNotifyBindingListenerOnUnchangedValue(
        misfits.flag("notifyBindingListenerOnUnchangedValue", value));
  }

  /** As {@link #setPersistAuthentication(boolean)}, from text. */
  public void setPersistAuthentication(String value) {
    setPersistAuthentication(misfits.flag("persistAuthentication", value));
  }

  /** As {@link #setSessionActivityCheck(boolean)}, from text. */
  public void setSessionActivityCheck(String value) {
    setSessionActivityCheck(misfits.flag("sessionActivityCheck", value));
  }

  /** As {@link #setSessionLastAccessAtStart(boolean)}, from text. */
  public void setSessionLastAccessAtStart(String value) {
    setSessionLastAccessAtStart(misfits.flag("sessionLastAccessAtStart", value));
  }

  /** As {@link #setWarnOnSessionAttributeFilterFailure(boolean)}, from text. */
  public void setWarnOnSessionAttributeFilterFailure(String value) {
    setWarnOnSessionAttributeFilterFailure(
        misfits.flag("warnOnSessionAttributeFilterFailure", value));
  }

  // These can be set by JMX, too, while the manager runs: then who sets one is told.

  @Override
  public void setMaxActiveSessions(int sessions) {
    Running current = running;
    if (current != null) {
      refuseMoreThanFit(sessions, current.policy);
    }
    super.setMaxActiveSessions(sessions);
  }

  @Override
  public void setProcessExpiresFrequency(int rounds) {
    note("processExpiresFrequency", Integer.toString(rounds), rounds > 0, "1 or more");
    super.setProcessExpiresFrequency(rounds);
  }

  @Override
  public void setSessionAttributeNameFilter(@Nullable String pattern) {
    try {
      super.setSessionAttributeNameFilter(pattern);
      note("sessionAttributeNameFilter", String.valueOf(pattern), true, "");
    } catch (PatternSyntaxException e) {
      note("sessionAttributeNameFilter", e.getPattern(), false, "a regular expression");
    }
  }

  @Override
  public void setSessionAttributeValueClassNameFilter(@Nullable String pattern) {
    try {
      super.setSessionAttributeValueClassNameFilter(pattern);
      note("sessionAttributeValueClassNameFilter", String.valueOf(pattern), true, "");
    } catch (PatternSyntaxException e) {
      note("sessionAttributeValueClassNameFilter", e.getPattern(), false, "a regular expression");
    }
  }

  private void note(String attribute, String value, boolean fits, String expected) {
    if (running == null) {
      misfits.note(attribute, value, fits, expected);
    } else if (!fits) {
      throw Misfits.misfit(attribute, value, expected);
    }
  }

  /**
   * Takes an attribute of the {@code <Manager>} element that this class has no setter for: it is
   * the store's, which refuses what it does not know when the manager starts.
   *
   * @return true: taken
   */
  public boolean setProperty(String name, String value) {
    storeOptions.put(name, value);
    return true;
  }

  @Override
  public String getName() {
    return "SojournManager";
  }

  // ---------------------------------------------------------------- lifecycle

  /** The valve goes in here and not at the start, so that it stands before an authenticator. */
  @Override
  public void setContext(@Nullable Context context) {
    Context before = getContext();
    if (before != null && before != context) {
      before.getPipeline().removeValve(valve);
    }
    super.setContext(context);
    if (context != null && before != context) {
      context.getPipeline().addValve(valve);
    }
  }

  SojournValve valve() {
    return valve;
  }

  /** Also where another manager has taken this one's place before it was started. */
  @Override
  protected void destroyInternal() throws LifecycleException {
    Context context = getContext();
    if (context != null) {
      context.getPipeline().removeValve(valve);
    }
    super.destroyInternal();
  }

  @Override
  protected void startInternal() throws LifecycleException {
    super.startInternal();
    try {
      refuseReferences();
      refuseMisfits();
      Randomness.refuse(
          getSecureRandomClass(), getSecureRandomAlgorithm(), getSecureRandomProvider());
      SessionPolicy policy = settings.policy();
      refuseMoreThanFit(getMaxActiveSessions(), policy);
      MeasuredCodec codec =
          new MeasuredCodec(
              settings.codec(
                  getContext().getLoader().getClassLoader(),
                  SojournManager.class.getClassLoader()));
      Optional<Predicate<String>> serialized = settings.serialized();
      Duration patience = settings.serializeTimeout();
      NewSessionTimeout newSessionTimeout = settings.newSessionTimeout();
      String route = route();
      refuseDotsInIds(route);
      SessionStore store = openStore();
      Authentication authentication = new Authentication(getContext());
      SessionRepository repository = new SessionRepository(store, codec, policy, clockOffset);
      running =
          new Running(
              repository,
              codec,
              new SessionFigures(getApplication(), repository, codec),
              authentication,
              serialized,
              patience,
              newSessionTimeout,
              route,
              policy,
              SeenVersions.Names.of(this));
      outageFilter.addTo(getContext());
      valve.open();
    } catch (IllegalArgumentException e) {
      closeOwnStore();
      throw new LifecycleException("SojournManager cannot start: " + e.getMessage(), e);
    }
    DispatchFilter.addTo(getContext());
    setState(LifecycleState.STARTING);
  }

  /** Better than a password that is the name of one. */
  private void refuseReferences() {
    Map<String, String> attributes = new TreeMap<>(storeOptions);
    attributes.put("store", Objects.requireNonNullElse(storeUrl, ""));
    attributes.put("application", Objects.requireNonNullElse(application, ""));
    attributes.put("allowedClasses", settings.get("allowedClasses"));
    attributes.put(
        "encryptionKeys", Objects.requireNonNullElse(settings.find("encryptionKeys"), ""));
    attributes.forEach(Misfits::refuseReference);
  }

  private static void refuseMoreThanFit(int maxActiveSessions, SessionPolicy policy) {
    if (maxActiveSessions > policy.nearCacheSize()) {
      throw new IllegalArgumentException(
          "maxActiveSessions=\""
              + maxActiveSessions
              + "\" can never be reached: nearCacheSize is "
              + policy.nearCacheSize());
    }
  }

  /** Tomcat hands a value here, too, that a setter of ManagerBase for a number does not take. */
  private void refuseMisfits() {
    misfits.refuse();
    storeOptions.forEach(
        (name, value) -> {
          if (IntrospectionUtils.getProperty(this, name) != null) {
            throw new IllegalArgumentException(name + "=\"" + value + "\" must be a whole number");
          }
        });
  }

  private @Nullable String route() {
    String route = getJvmRoute();
    return route == null || route.isEmpty() ? null : route;
  }

  /** An id ends at its first dot, since nobody else than its node could tell a route from it. */
  private void refuseDotsInIds(@Nullable String route) {
    String id = generateSessionId();
    if (!id.equals(withoutRoute(id)) && !id.equals(withoutRoute(id) + "." + route)) {
      throw new IllegalArgumentException(
          "<SessionIdGenerator className=\""
              + getSessionIdGenerator().getClass().getName()
              + "\"> makes ids with a dot in them, which would be taken for the beginning of a"
              + " route");
    }
  }

  private SessionStore openStore() {
    SessionStore given = givenStore;
    String url = storeUrl;
    if (given != null) {
      SessionSettings.refuseBesideStoreHandedOver(url, storeOptions);
      return given;
    }
    if (url == null || url.isBlank()) {
      throw new IllegalArgumentException(
          "store=\"...\" is missing: the URL of the store, for instance"
              + " store=\"redis://127.0.0.1:6379\"");
    }
    SessionStore opened =
        SessionStores.open(
            new StoreConfiguration(url, getApplication(), storeOptions, () -> Duration.ZERO),
            SojournManager.class.getClassLoader());
    ownStore = opened;
    return opened;
  }

  @Override
  protected void stopInternal() throws LifecycleException {
    setState(LifecycleState.STOPPING);
    DispatchFilter.removeFrom(getContext());
    outageFilter.remove();
    valve.close();
    Running stopping = running;
    if (stopping != null) {
      // While a listener can still read the rest of its session.
      stopping.repository.sessions().forEach(LiveSession::passivate);
      running = null;
      stopping.authentication.close();
      stopping.repository.close();
    }
    closeOwnStore();
    super.stopInternal();
  }

  private void closeOwnStore() {
    SessionStore store = ownStore;
    ownStore = null;
    if (store != null) {
      store.close();
    }
  }

  /** Nothing to load: sessions are loaded when they are asked for. */
  @Override
  public void load() {}

  /** Nothing to unload: what has been answered for is in the store. */
  @Override
  public void unload() {}

  // ---------------------------------------------------------------- sessions

  SessionRepository repository() {
    return running().repository;
  }

  /** Null while the manager is stopped. */
  @Nullable SessionRepository repositoryIfRunning() {
    Running current = running;
    return current == null ? null : current.repository;
  }

  /** Whether this attribute is kept from the store, by its name or its value's class. */
  boolean staysHere(String name, Object value) {
    Pattern names = getSessionAttributeNamePattern();
    Pattern classes = getSessionAttributeValueClassNamePattern();
    return Constants.excludedAttributeNames.contains(name)
        || (names != null && !names.matcher(name).matches())
        || (classes != null && !classes.matcher(value.getClass().getName()).matches());
  }

  long touchMillis() {
    return running().policy.touchInterval().toMillis();
  }

  Optional<String> refusal(Object value) {
    return running().codec.refusal(value);
  }

  boolean isRunning() {
    return running != null;
  }

  /** What has been arranged with the context's authenticator; null while the manager is stopped. */
  @Nullable Authentication authentication() {
    Running current = running;
    return current == null ? null : current.authentication;
  }

  /** A login in the form in which it is stored; what of it cannot be stored is logged. */
  Map<String, Object> stored(StoredLogin.Login login) {
    return StoredLogin.of(login, this::encodingFailure, this::reportOnce);
  }

  private Optional<String> encodingFailure(Object value) {
    try {
      EncodedValue unused = running().codec.encode(value);
      return Optional.empty();
    } catch (EncodeException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  /** One line for each message, such as that of a kind of principal, not for each login. */
  void reportOnce(String message) {
    if (reported.size() < MAX_REPORTED && reported.add(message)) {
      LOG.warn(message);
    }
  }

  /** What of a session is not as any node of ours would have stored it is logged, and ignored. */
  void unreadable(LiveSession session, String attribute, IllegalArgumentException why) {
    LOG.warn(
        "Attribute '"
            + attribute
            + "' of session "
            + session.key()
            + " is ignored: "
            + why.getMessage());
  }

  /** What a request is told that goes on when its application has been stopped. */
  StoreUnavailableException notRunning() {
    return new StoreUnavailableException(
        "SojournManager of " + getApplication() + " is not running: the application is stopped",
        null);
  }

  private Running running() {
    Running current = running;
    if (current == null) {
      throw notRunning();
    }
    return current;
  }

  /**
   * The session with this id, as of now.
   *
   * @param id as the client sent it
   * @return null if there is no such session
   * @throws SessionBusyException if it is to be this request's alone, and others have it for too
   *     long
   * @throws StoreUnavailableException if the store cannot be asked. Not an {@link
   *     java.io.IOException}: Tomcat takes that for a missing session and begins a new one
   */
  @Override
  public @Nullable Session findSession(@Nullable String id) {
    if (id == null) {
      return null;
    }
    RequestScope scope = RequestScope.current();
    RequestScope.Lookup before = scope == null ? null : scope.lookup(this, id);
    if (before != null) {
      return before.session();
    }
    Running current = running;
    if (current == null) {
      if (scope == null) {
        return null;
      }
      // A request that outlives its application has not lost its session.
      throw notRunning();
    }
    if (scope == null && Asker.isMapper()) {
      return answerMapper(current, id);
    }
    try {
      return open(current, scope, id);
    } catch (StoreUnavailableException | SessionBusyException e) {
      if (scope != null) {
        scope.failed(e);
      }
      throw e;
    }
  }

  private @Nullable Session answerMapper(Running current, String id) {
    try {
      SojournSession session = open(current, null, id);
      if (session != null) {
        RequestScope.mapped(id, session);
      }
      return session;
    } catch (StoreUnavailableException e) {
      RequestScope.unmapped(id, e);
      return null;
    }
  }

  private @Nullable SojournSession open(Running current, @Nullable RequestScope scope, String id) {
    LiveSession live = openLive(current, scope, withoutRoute(id));
    SojournSession session = live == null ? null : session(live, id);
    if (session != null && isSignedOff(current, scope, session)) {
      session.expireAlone(true);
      session = null;
    } else if (session != null && isOfAnother(current, scope, session)) {
      session = null;
    }
    if (scope != null) {
      scope.remember(this, id, session);
    }
    return session;
  }

  /** Whether the login over several applications has ended that this session belongs to. */
  private static boolean isSignedOff(
      Running current, @Nullable RequestScope scope, SojournSession session) {
    SojournSingleSignOn signOns = current.authentication.singleSignOn();
    String login = signOns == null ? null : session.signOn();
    return signOns != null
        && login != null
        && signOns.isOver(login, scope == null ? null : scope.request());
  }

  /** The same for who uses it without a request. */
  boolean isSignedOff(SojournSession session) {
    Running current = running;
    return current != null && isSignedOff(current, null, session);
  }

  /**
   * Whether it belongs to somebody's login over several applications, and the client has shown
   * somebody else's: to this request it is not there.
   */
  private static boolean isOfAnother(
      Running current, @Nullable RequestScope scope, SojournSession session) {
    SojournSingleSignOn signOns = current.authentication.singleSignOn();
    String login = signOns == null ? null : session.signOn();
    return signOns != null
        && login != null
        && scope != null
        && signOns.isOfAnother(login, scope.request());
  }

  /** A session has been given this time, in seconds: the login that it belongs to lives as long. */
  void extendSignOn(SojournSession session, int interval) {
    Authentication authentication = authentication();
    SojournSingleSignOn signOns = authentication == null ? null : authentication.singleSignOn();
    String login = signOns == null ? null : session.signOn();
    if (signOns != null && login != null) {
      signOns.extend(login, Duration.ofSeconds(Math.max(0, interval)));
    }
  }

  /** Ends the login over several applications that a session belongs to which is being ended. */
  void signOff(SojournSession session) {
    Authentication authentication = authentication();
    SojournSingleSignOn signOns = authentication == null ? null : authentication.singleSignOn();
    String login = signOns == null ? null : session.signOn();
    if (signOns != null && login != null) {
      signOns.end(login);
    }
  }

  private @Nullable LiveSession openLive(Running current, @Nullable RequestScope scope, String id) {
    RequestLeases leases = scope == null ? null : scope.leases(this);
    if (leases != null) {
      return leases.open(id);
    }
    SeenVersions seen = scope == null ? null : scope.seen(this);
    return seen == null ? current.repository.open(id) : current.repository.open(id, seen::seen);
  }

  /** What is to be asked and told of what this request's client has seen; null if nothing. */
  @Nullable SeenVersions seenBy(Request request) {
    Running current = running;
    return current == null || current.policy.freshness() == SessionPolicy.Freshness.STRICT
        ? null
        : new SeenVersions(request, this, current.seenNames);
  }

  /**
   * Begins a session.
   *
   * @param proposed the id of a session in another context that this one is to have, too; null if
   *     it is to have one of its own. Several requests may propose it at once, on several nodes:
   *     one begins the session, the others join it
   * @throws StoreUnavailableException if the store cannot be asked
   */
  @Override
  public Session createSession(@Nullable String proposed) {
    Running current = running;
    if (proposed == null || current == null) {
      return beginNew(proposed);
    }
    RequestScope scope = RequestScope.current();
    try {
      Session session = createOrJoin(current, scope, proposed);
      if (scope != null) {
        scope.remember(this, proposed, (SojournSession) session);
      }
      return session;
    } catch (StoreUnavailableException | SessionBusyException e) {
      if (scope != null) {
        scope.failed(e);
      }
      throw e;
    }
  }

  private Session createOrJoin(Running current, @Nullable RequestScope scope, String proposed) {
    String id = withoutRoute(proposed);
    Duration interval = Duration.ofMinutes(getContext().getSessionTimeout());
    LiveSession begun = current.repository.createNow(id, interval);
    if (begun == null) {
      Session present = open(current, scope, proposed);
      if (present != null) {
        return present;
      }
      // One that has expired and that nobody has ended yet, which Tomcat's own manager would end
      // now; or one that began under this id and has another one since.
      processExpires();
      begun = current.repository.createNow(id, interval);
      if (begun == null) {
        return beginNew(null);
      }
    }
    if (reserved.putIfAbsent(id, begun) != null) {
      // Another request of this node began it in the same millisecond, which the store takes for
      // one creation that was sent twice.
      Session present = open(current, scope, proposed);
      return present == null ? beginNew(null) : present;
    }
    try {
      return beginNew(proposed);
    } finally {
      if (reserved.remove(id, begun)) {
        var unused = current.repository.invalidate(begun);
      }
    }
  }

  private Session beginNew(@Nullable String id) {
    Session session = super.createSession(id);
    created.incrementAndGet();
    return session;
  }

  /** The session without its container, for a new one that has just been given this id. */
  LiveSession begin(String id, Duration interval) {
    LiveSession stored = reserved.remove(id);
    return stored == null ? repository().create(id, interval) : stored;
  }

  NewSessionTimeout newSessionTimeout() {
    return running().newSessionTimeout;
  }

  /** What this request is to have to itself; null if it shares its sessions. */
  @Nullable RequestLeases leasesFor(Request request) {
    Running current = running;
    return current != null
            && current.serialized.isPresent()
            && current.serialized.get().test(pathOf(request))
        ? new RequestLeases(current.repository, current.patience)
        : null;
  }

  private static String pathOf(Request request) {
    String info = request.getPathInfo();
    return info == null ? request.getServletPath() : request.getServletPath() + info;
  }

  private SojournSession session(LiveSession live, String id) {
    synchronized (live) {
      if (live.attachment() instanceof SojournSession session) {
        return session;
      }
      SojournSession session = new SojournSession(this, live, id);
      live.attach(session, new Activation(session));
      noteActive();
      return session;
    }
  }

  private void noteActive() {
    int active = held();
    if (active > getMaxActive()) {
      setMaxActive(active);
    }
  }

  /** An id without the suffix that names a node; to balancers, too, it begins at the first dot. */
  static String withoutRoute(String id) {
    int dot = id.indexOf('.');
    return dot < 0 ? id : id.substring(0, dot);
  }

  /** An id as this node would have made it; as it is if it has no route, or this node has none. */
  String withLocalRoute(String id) {
    Running current = running;
    String route = current == null ? null : current.route;
    return route == null || id.indexOf('.') < 0 ? id : withoutRoute(id) + "." + route;
  }

  @Override
  protected StandardSession getNewSession() {
    return new SojournSession(this);
  }

  /** Tomcat's way to a new id, until there is one under which the store can keep the session. */
  @Override
  public String rotateSessionId(Session session) {
    LiveSession live = ((SojournSession) session).live();
    String newId;
    do {
      newId = generateSessionId();
    } while (!repository().canRename(live, withoutRoute(newId)));
    changeSessionId(session, newId);
    return newId;
  }

  @Override
  protected void changeSessionId(
      Session session,
      String newId,
      boolean notifySessionListeners,
      boolean notifyContainerListeners) {
    LiveSession live = ((SojournSession) session).live();
    if (!repository().rename(live, withoutRoute(newId))) {
      throw new IdChangeLostException(
          "The id of session "
              + live.key()
              + " cannot be changed: another request has ended the session or changed its id since"
              + " this one opened it; try again");
    }
    RequestScope scope = RequestScope.current();
    if (scope != null && scope.isOf(this)) {
      scope.renamed((SojournSession) session, newId);
    }
    super.changeSessionId(session, newId, notifySessionListeners, notifyContainerListeners);
  }

  /** Counts; the repository holds the sessions. */
  @Override
  public void add(Session session) {
    noteActive();
  }

  /** Counts what this node has ended; the repository holds the sessions. */
  @Override
  public void remove(Session session, boolean update) {
    super.remove(session, update && ((SojournSession) session).isEndedHere());
  }

  /** How many sessions this node has begun. */
  @Override
  public long getSessionCounter() {
    return created.get();
  }

  @Override
  public void setSessionCounter(long sessions) {
    created.set(sessions);
  }

  /**
   * Ids that were made twice, as it has been set last: Tomcat 10.1 has the figure and counts none,
   * Tomcat 11 has it no more.
   */
  @Override
  @SuppressWarnings("deprecation")
  public int getDuplicates() {
    return idsMadeTwice;
  }

  @Override
  @SuppressWarnings("deprecation")
  public void setDuplicates(int ids) {
    idsMadeTwice = ids;
  }

  /** The sessions that this node holds at the moment, to be looked at. */
  @Override
  public Session[] findSessions() {
    return sessionsHere().stream()
        .map(session -> new ListedSession(this, session))
        .toArray(Session[]::new);
  }

  List<SojournSession> sessionsHere() {
    Running current = running;
    return current == null
        ? List.of()
        : current.repository.sessions().stream()
            .filter(live -> !live.isGone())
            .map(live -> session(live, idHere(live)))
            .toList();
  }

  private String idHere(LiveSession live) {
    String route = running().route;
    return route == null ? live.id() : live.id() + "." + route;
  }

  /**
   * A session to be looked at: this node's copy of it if it has one, or else what the store has.
   *
   * @param keyOrId the hexadecimal form of its key, or its id
   */
  @Nullable ListedSession look(String keyOrId) {
    Running current = running;
    if (current == null) {
      return null;
    }
    SessionRepository repository = current.repository;
    LiveSession live =
        KEY.matcher(keyOrId).matches()
            ? repository.look(SessionKey.ofBytes(HexFormat.of().parseHex(keyOrId)))
            : null;
    if (live == null) {
      live = repository.look(SessionKey.of(withoutRoute(keyOrId)));
    }
    return live == null ? null : new ListedSession(this, session(live, live.id()));
  }

  /**
   * The keys of a user's sessions, on all nodes, with blanks between: of the first 1,000.
   *
   * @param user by the name that {@code getRemoteUser} answers
   * @throws StoreUnavailableException if the store cannot be asked
   */
  public String listSessionsOf(String user) {
    return repository().findByPrincipal(principalKey(user)).stream()
        .map(SessionKey::hex)
        .collect(Collectors.joining(" "));
  }

  /**
   * Ends all sessions of a user, on all nodes: their listeners are told here. Repeatable.
   *
   * @param user by the name that {@code getRemoteUser} answers
   * @return how many
   * @throws StoreUnavailableException if the store cannot be asked; some may have been ended
   */
  public int expireSessionsOf(String user) {
    return repository()
        .endSessionsOf(principalKey(user), live -> session(live, live.id()).expire());
  }

  PrincipalKey principalKey(String user) {
    return PrincipalKey.of(getApplication(), user);
  }

  /** How many sessions this node holds at the moment. */
  @Override
  public int getActiveSessions() {
    Running current = running;
    if (current != null && OldVersion.mayBeAskedFor(getContext()) && Asker.isDeployer()) {
      return OldVersion.isOutOfUse(this, current.repository)
          ? 0
          : Math.max(1, current.repository.size());
    }
    return held();
  }

  private int held() {
    Running current = running;
    return current == null ? 0 : current.repository.size();
  }

  /**
   * Whether these two certainly have the same sessions: a URL may lead each to a store of its own.
   */
  boolean sharesSessionsWith(SojournManager other) {
    String url = storeUrl;
    boolean sameStore =
        url == null
            ? givenStore != null && other.givenStore == givenStore
            : (url.startsWith("redis") || url.startsWith("jdbc:"))
                && url.equals(other.storeUrl)
                && storeOptions.equals(other.storeOptions);
    return sameStore && other.getApplication().equals(getApplication());
  }

  // ---------------------------------------------------------------- figures

  /** How many calls of the store this node has made since the start. */
  public long getStoreCalls() {
    return figure(SessionFigures::getStoreCalls);
  }

  /** How many of them failed because the store could not be asked. */
  public long getStoreFailures() {
    return figure(SessionFigures::getStoreFailures);
  }

  /** How many milliseconds all of them took. */
  public long getStoreTime() {
    return figure(SessionFigures::getStoreTime);
  }

  /** How many sessions were opened without asking the store. */
  public long getNearCacheHits() {
    return figure(SessionFigures::getNearCacheHits);
  }

  /** How many were opened with what this node had and what the store said had changed. */
  public long getNearCacheRefreshes() {
    return figure(SessionFigures::getNearCacheRefreshes);
  }

  /** How many had to be loaded as a whole, or were not there. */
  public long getNearCacheMisses() {
    return figure(SessionFigures::getNearCacheMisses);
  }

  /** How many this node has let go of to make room. */
  public long getNearCacheEvictions() {
    return figure(SessionFigures::getNearCacheEvictions);
  }

  /** How many bytes the attributes take of the sessions that this node holds, encoded. */
  public long getNearCacheBytesHeld() {
    return figure(SessionFigures::getNearCacheBytesHeld);
  }

  /**
   * How many saves came after another node's that this one had not seen. Both last, but what was
   * only seen to have changed in place yields to what the other one wrote.
   */
  public long getLostRaces() {
    return figure(SessionFigures::getLostRaces);
  }

  /**
   * How many saves came too late and are lost: the session had ended, or its lease had gone to
   * another request.
   */
  public long getRefusedSaves() {
    return figure(SessionFigures::getRefusedSaves);
  }

  /** How many times a session was used that the store could not be asked about. */
  public long getServedLocally() {
    return figure(SessionFigures::getServedLocally);
  }

  /** How many sessions have changes at the moment that could not be saved yet. */
  public int getUnsavedSessions() {
    return (int) figure(SessionFigures::getUnsavedSessions);
  }

  /** How many bytes of attributes have come from the store. */
  public long getBytesLoaded() {
    return figure(SessionFigures::getBytesLoaded);
  }

  /** How many bytes of attributes have been sent to the store. */
  public long getBytesSaved() {
    return figure(SessionFigures::getBytesSaved);
  }

  /** How often an attribute that was only read was encoded to see whether it has changed. */
  public long getDirtyChecks() {
    return figure(SessionFigures::getDirtyChecks);
  }

  /** How many milliseconds all of that took. */
  public long getDirtyCheckTime() {
    return figure(SessionFigures::getDirtyCheckTime);
  }

  /** How many attributes could not be encoded, each time that it was tried. */
  public long getEncodeFailures() {
    return figure(SessionFigures::getEncodeFailures);
  }

  /** How many stored attributes could not be decrypted or decoded, each time that it was tried. */
  public long getDecodeFailures() {
    return figure(SessionFigures::getDecodeFailures);
  }

  /** How many attributes were refused for a class that may not be in a session. */
  public long getRefusedClasses() {
    return figure(SessionFigures::getRefusedClasses);
  }

  private long figure(ToLongFunction<SessionFigures> which) {
    Running current = running;
    return current == null ? 0 : which.applyAsLong(current.figures);
  }

  // ---------------------------------------------------------------- in the background

  @Override
  public void backgroundProcess() {
    try {
      if (running != null) {
        repository().maintain();
      }
      super.backgroundProcess();
    } catch (SessionException e) {
      LOG.warn("Sessions of " + getApplication() + " could not be looked after: " + e.getMessage());
    }
  }

  /** Ends the sessions whose expiry the store has given to this node. */
  @Override
  public void processExpires() {
    long start = System.currentTimeMillis();
    if (running != null) {
      int ended = repository().scavenge(live -> session(live, live.id()).expireClaimed());
      if (ended > 0 && LOG.isDebugEnabled()) {
        LOG.debug(ended + " sessions of " + getApplication() + " have expired");
      }
    }
    processingTime += System.currentTimeMillis() - start;
  }

  /**
   * A last flush when the response has been sent: too late for an error page, so a failure is
   * logged and tried again later.
   */
  void flushLate(SojournSession session) {
    try {
      session.flush();
    } catch (SessionException e) {
      valve.logOf(e).failed("Changes made after the response are not saved yet", e);
    }
  }
}
