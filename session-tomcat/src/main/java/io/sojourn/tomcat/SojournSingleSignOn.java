package io.sojourn.tomcat;

import io.sojourn.AttributeCodec;
import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import io.sojourn.LiveSession;
import io.sojourn.SessionException;
import io.sojourn.SessionKey;
import io.sojourn.SessionPolicy;
import io.sojourn.SessionRepository;
import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.settings.SessionSettings;
import io.sojourn.tomcat.StoredLogin.Login;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.security.Principal;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.apache.catalina.Container;
import org.apache.catalina.Context;
import org.apache.catalina.Host;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.Realm;
import org.apache.catalina.Session;
import org.apache.catalina.Valve;
import org.apache.catalina.authenticator.Constants;
import org.apache.catalina.authenticator.SingleSignOn;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ValveBase;
import org.apache.juli.logging.Log;
import org.apache.juli.logging.LogFactory;
import org.apache.tomcat.util.IntrospectionUtils;
import org.jspecify.annotations.Nullable;

/**
 * Single sign-on over several nodes: who has logged in to one application of a host is logged in to
 * all of them, on every node. Takes the place of Tomcat's own valve:
 *
 * <pre>{@code
 * <Host ...>
 *   <Valve className="io.sojourn.tomcat.SojournSingleSignOn" store="redis://10.0.0.5:6379"/>
 * </Host>
 * }</pre>
 *
 * <p>The setters are the attributes of that element; docs/configuration.md explains them. They take
 * text, so that a value that makes no sense stops the start with one message that names it.
 *
 * <p>Thread-safe once started; to be configured by one thread before.
 */
public final class SojournSingleSignOn extends SingleSignOn {

  /*
   * A login is a session of its own in the store, under the digest of the cookie's value; it holds who it is and nothing else.
   * An application's session remembers to which login it belongs, and is not there any more for whoever asks for it once that
   * login has ended. So a logout is one removal, however many sessions there are and wherever they are. Each request that asks
   * for such a session asks for the login too, which is an access: so the login expires when the last of its sessions would.
   */

  private static final Log LOG = LogFactory.getLog(SojournSingleSignOn.class);

  /** Of a request: the login that it uses, to be let go of at its end. */
  private static final String USED_NOTE = "io.sojourn.signOn.used";

  /** Of a session of another manager's: the login that it belongs to. */
  private static final String SESSION_NOTE = "io.sojourn.signOn";

  private static final Pattern COOKIE_NAME = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");

  private static final Pattern COOKIE_DOMAIN =
      Pattern.compile("[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?");

  private static final int MAX_REPORTED = 100;

  /** At every how many rounds of Tomcat's background work expired logins are removed. */
  private static final int EXPIRES_FREQUENCY = 6;

  /** Until the session is known that a login begins with. */
  private static final Duration FIRST_INTERVAL = Duration.ofMinutes(1);

  private final Map<String, String> storeOptions = new ConcurrentHashMap<>();
  private final SessionSettings settings = new SessionSettings();
  private final Misfits misfits = new Misfits();
  private final FailureLog outages = new FailureLog(LOG);
  private final Set<String> reported = ConcurrentHashMap.newKeySet();

  private @Nullable String storeUrl;
  private @Nullable SessionStore givenStore;
  private @Nullable String application;

  private @Nullable Outages outageValve;
  private @Nullable SessionStore ownStore;
  private volatile @Nullable Running running;
  private int rounds;

  /** What a started valve works with. */
  private record Running(SessionRepository repository, AttributeCodec codec) {}

  /** A valve to be configured. */
  public SojournSingleSignOn() {}

  // ---------------------------------------------------------------- configuration

  /**
   * Sets the store's URL, as that of {@link SojournManager}. Required, unless one is handed over.
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

  /**
   * Sets whose logins these are: hosts with the same name share them. By default {@code sso/} and
   * the host's name.
   */
  public void setApplication(String name) {
    this.application = name;
  }

  /** Whose logins these are. */
  public String getApplication() {
    String name = application;
    return name == null ? "sso/" + getContainer().getName() : name;
  }

  /** Sets which classes of principals are stored beside Tomcat's own. */
  public void setAllowedClasses(String patterns) {
    settings.set("allowedClasses", patterns);
  }

  /** Which classes of principals are stored beside Tomcat's own. */
  public String getAllowedClasses() {
    return settings.get("allowedClasses");
  }

  /**
   * Sets the keys that logins are encrypted with, {@code id:key} each; the first encrypts. There is
   * no getter, so that JMX does not show them.
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

  /** As {@link #setRequireReauthentication(boolean)}, from text; only {@code false} can be had. */
  public void setRequireReauthentication(String value) {
    setRequireReauthentication(misfits.flag("requireReauthentication", value));
  }

  /**
   * Takes an attribute of the {@code <Valve>} element that this class has no setter for: it is the
   * store's, which refuses what it does not know when the valve starts.
   *
   * @return true: taken
   */
  public boolean setProperty(String name, String value) {
    storeOptions.put(name, value);
    return true;
  }

  // ---------------------------------------------------------------- lifecycle

  @Override
  protected void startInternal() throws LifecycleException {
    try {
      refuseReferences();
      misfits.refuse();
      refuseWhatCannotBe();
      ClassLoader loader = SojournSingleSignOn.class.getClassLoader();
      AttributeCodec codec = settings.codec(loader, loader);
      SessionPolicy policy = settings.policy();
      running = new Running(new SessionRepository(openStore(loader), codec, policy), codec);
    } catch (IllegalArgumentException e) {
      throw new LifecycleException("SojournSingleSignOn cannot start: " + e.getMessage(), e);
    }
    outageValve = new Outages();
    getContainer().getPipeline().addValve(outageValve);
    super.startInternal();
  }

  private void refuseReferences() {
    Map<String, String> attributes = new TreeMap<>(storeOptions);
    attributes.put("store", Objects.requireNonNullElse(storeUrl, ""));
    attributes.put("application", Objects.requireNonNullElse(application, ""));
    attributes.put("allowedClasses", settings.get("allowedClasses"));
    attributes.put(
        "encryptionKeys", Objects.requireNonNullElse(settings.find("encryptionKeys"), ""));
    attributes.put("cookieName", Objects.requireNonNullElse(getCookieName(), ""));
    attributes.put("cookieDomain", Objects.requireNonNullElse(getCookieDomain(), ""));
    attributes.forEach(Misfits::refuseReference);
  }

  private void refuseWhatCannotBe() {
    if (getRequireReauthentication()) {
      throw new IllegalArgumentException(
          "requireReauthentication=\"true\" needs each user's password at each request, and"
              + " passwords are not stored; remove that setting");
    }
    if (getCookieName() == null || !COOKIE_NAME.matcher(getCookieName()).matches()) {
      throw new IllegalArgumentException(
          "cookieName=\"" + getCookieName() + "\" must be the name of a cookie");
    }
    String domain = getCookieDomain();
    if (domain != null && !COOKIE_DOMAIN.matcher(domain).matches()) {
      throw new IllegalArgumentException(
          "cookieDomain=\"" + domain + "\" must be a domain such as example.com");
    }
    if (!(getContainer() instanceof Host)) {
      throw new IllegalArgumentException(
          "the valve belongs into a <Host>, and not into "
              + (getContainer() == null ? "nothing" : getContainer().getName()));
    }
    for (Container parent = getContainer(); parent != null; parent = parent.getParent()) {
      for (Valve valve : parent.getPipeline().getValves()) {
        if (valve instanceof SingleSignOn && valve != this) {
          throw new IllegalArgumentException(
              "the valve "
                  + valve.getClass().getName()
                  + " of "
                  + parent.getName()
                  + " is there, too; remove one of them");
        }
      }
    }
  }

  private SessionStore openStore(ClassLoader loader) {
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
    StoreConfiguration configuration =
        new StoreConfiguration(url, getApplication(), storeOptions, () -> Duration.ZERO);
    if (configuration.scheme().equalsIgnoreCase("jndi")) {
      throw new IllegalArgumentException(
          "store=\""
              + configuration.printableUrl()
              + "\": data sources belong to applications, and a host finds none; name the database"
              + " by its own URL, jdbc:...");
    }
    SessionStore opened = SessionStores.open(configuration, loader);
    ownStore = opened;
    return opened;
  }

  @Override
  protected void stopInternal() throws LifecycleException {
    super.stopInternal();
    removeOutageValve();
    Running stopping = running;
    running = null;
    SessionStore store = ownStore;
    ownStore = null;
    try {
      if (stopping != null) {
        stopping.repository.close();
      }
    } finally {
      if (store != null) {
        store.close();
      }
    }
  }

  private void removeOutageValve() throws LifecycleException {
    Outages valve = outageValve;
    outageValve = null;
    if (valve != null) {
      if (valve.getState().isAvailable()) {
        valve.stop();
      }
      getContainer().getPipeline().removeValve(valve);
    }
  }

  private Running running() {
    Running current = running;
    if (current == null) {
      throw new StoreUnavailableException(
          "SojournSingleSignOn is not running: the server starts or stops", null);
    }
    return current;
  }

  private SessionRepository repository() {
    return running().repository;
  }

  /** Keeps logins alive that long requests use, and has the store rid of those that are over. */
  @Override
  public void backgroundProcess() {
    Running current = running;
    if (current == null) {
      return;
    }
    try {
      current.repository.maintain();
      rounds = (rounds + 1) % EXPIRES_FREQUENCY;
      if (rounds == 0) {
        int unused = current.repository.scavenge(login -> {});
      }
    } catch (SessionException e) {
      LOG.warn("Logins of " + getApplication() + " could not be looked after: " + e.getMessage());
    }
  }

  // ---------------------------------------------------------------- requests

  /**
   * Passes on a request for an application with a {@link SojournManager}, whose own valve asks who
   * the user is: there an outage is answered as for sessions.
   */
  @Override
  public void invoke(Request request, Response response) throws IOException, ServletException {
    Context context = request.getContext();
    if (context == null || context.getManager() instanceof SojournManager) {
      getNext().invoke(request, response);
      return;
    }
    try {
      try {
        identify(request, response);
        endIfOver(request);
      } catch (StoreUnavailableException e) {
        answerUnavailable(response, e);
        return;
      }
      getNext().invoke(request, response);
    } finally {
      release(request);
    }
  }

  private void answerUnavailable(Response response, StoreUnavailableException why)
      throws IOException {
    SojournValve.unavailable(response);
    response.sendError(
        HttpServletResponse.SC_SERVICE_UNAVAILABLE, "The session store is not available");
    outages.failed("A request was answered 503", why);
  }

  /**
   * Answers an outage that a login in an application with another manager has met, before Tomcat's
   * own valve for errors reports it as a failure of the application.
   */
  private final class Outages extends ValveBase {

    Outages() {
      super(true);
    }

    @Override
    public void invoke(Request request, Response response) throws IOException, ServletException {
      getNext().invoke(request, response);
      Context context = request.getContext();
      if (response.isCommitted()
          || context == null
          || context.getManager() instanceof SojournManager
          || !(request.getAttribute(RequestDispatcher.ERROR_EXCEPTION) instanceof Throwable thrown)
          || !(OutageFilter.sessionFailure(thrown) instanceof StoreUnavailableException outage)) {
        return;
      }
      response.reset();
      request.removeAttribute(RequestDispatcher.ERROR_EXCEPTION);
      Session session = request.getSessionInternal(false);
      if (session != null) {
        // Its id may have been changed for the login.
        request.changeSessionId(session.getId());
      }
      answerUnavailable(response, outage);
    }
  }

  private void endIfOver(Request request) {
    Session session = request.getSessionInternal(false);
    if (session != null
        && session.getNote(SESSION_NOTE) instanceof String login
        && (isOver(login, request) || isOfAnother(login, request))) {
      session.expire();
    }
  }

  /**
   * Finds out who the request's client has logged in as: one call of the store if it brings the
   * cookie, none without.
   *
   * @throws StoreUnavailableException if the store cannot be asked
   */
  void identify(Request request, Response response) {
    if (request.getPrincipal() != null) {
      return;
    }
    release(request);
    request.removeNote(Constants.REQ_SSOID_NOTE);
    String ssoId = cookie(request);
    if (ssoId == null) {
      return;
    }
    SessionRepository repository = repository();
    LiveSession entry = repository.open(loginId(ssoId));
    if (entry == null) {
      response.addCookie(removal(request));
      return;
    }
    repository.beginUse(entry);
    request.setNote(USED_NOTE, entry);
    Login login = read(entry);
    if (login.principal() != null) {
      // Not of one that is nobody's here: whoever logs in begins a login of his own.
      request.setNote(Constants.REQ_SSOID_NOTE, ssoId);
      request.setAuthType(login.authType());
      request.setUserPrincipal(login.principal());
    }
  }

  /** The request is over. Repeatable. */
  void release(Request request) {
    if (request.getNote(USED_NOTE) instanceof LiveSession entry) {
      request.removeNote(USED_NOTE);
      Running current = running;
      if (current != null) {
        current.repository.endUse(entry);
      }
    }
  }

  private @Nullable String cookie(Request request) {
    Cookie[] cookies = request.getCookies();
    if (cookies != null) {
      for (Cookie cookie : cookies) {
        if (cookie.getName().equals(getCookieName())) {
          return cookie.getValue();
        }
      }
    }
    return null;
  }

  /** Takes the place of the client's cookie, so with its path, domain and flags. */
  private Cookie removal(Request request) {
    Context context = request.getContext();
    Cookie cookie = new Cookie(getCookieName(), "REMOVE");
    cookie.setMaxAge(0);
    cookie.setPath("/");
    cookie.setSecure(request.isSecure());
    if (getCookieDomain() != null) {
      cookie.setDomain(getCookieDomain());
    }
    if (context.getUseHttpOnly()
        || context.getServletContext().getSessionCookieConfig().isHttpOnly()) {
      cookie.setHttpOnly(true);
    }
    // Not every release has it.
    if (Boolean.TRUE.equals(IntrospectionUtils.getProperty(context, "usePartitioned"))) {
      cookie.setAttribute("Partitioned", "true");
    }
    return cookie;
  }

  /**
   * What a session knows its login by. It opens nothing: whoever reads it in a session that is
   * stored would have to find a cookie of this digest.
   */
  private static String loginId(String ssoId) {
    return SessionKey.of(ssoId).hex();
  }

  private static Login read(LiveSession entry) {
    Object stored = entry.peek(StoredLogin.NAME);
    if (stored != null) {
      try {
        return StoredLogin.read(stored);
      } catch (IllegalArgumentException e) {
        LOG.warn("Login " + entry.key() + " is ignored: " + e.getMessage());
      }
    }
    return Login.NOBODY;
  }

  // ---------------------------------------------------------------- logins

  /**
   * Whether the login has ended that a session belongs to: no call of the store if it is the one
   * that this request's client has shown by its cookie.
   *
   * @throws StoreUnavailableException if the store cannot be asked
   */
  boolean isOver(String login, @Nullable Request request) {
    Object shown = request == null ? null : request.getNote(Constants.REQ_SSOID_NOTE);
    return !(shown instanceof String ssoId && loginId(ssoId).equals(login))
        && repository().open(login) == null;
  }

  /**
   * Whether the client of this request has shown the login of somebody else than the one whose
   * login a session belongs to.
   */
  boolean isOfAnother(String login, @Nullable Request request) {
    Object shown = request == null ? null : request.getNote(Constants.REQ_SSOID_NOTE);
    if (!(shown instanceof String ssoId) || loginId(ssoId).equals(login)) {
      return false;
    }
    String user = userOf(repository().look(SessionKey.of(login)));
    return user == null || !user.equals(userOf(find(ssoId)));
  }

  private static @Nullable String userOf(@Nullable LiveSession entry) {
    Principal principal = entry == null ? null : read(entry).principal();
    return principal == null ? null : principal.getName();
  }

  /**
   * Ends a login, on all nodes and in all applications. Of its sessions those end now that this
   * request uses, the others when somebody asks for them, or when they expire.
   *
   * @throws StoreUnavailableException if the store cannot be asked
   */
  void end(String login) {
    SessionRepository repository = repository();
    LiveSession entry = repository.open(login);
    if (entry != null) {
      boolean unused = repository.invalidate(entry);
    }
    RequestScope scope = RequestScope.current();
    if (scope != null) {
      for (SojournSession session : scope.sessions()) {
        if (login.equals(session.signOn())) {
          session.expireAlone(true);
        }
      }
    }
  }

  /**
   * Begins a login, which is stored when it is given its first session. Tomcat has somebody log out
   * in this way, too, who has not shown the cookie.
   */
  @Override
  protected void register(
      String ssoId,
      @Nullable Principal principal,
      @Nullable String authType,
      @Nullable String username,
      @Nullable String password) {
    if (principal != null) {
      LiveSession entry = repository().create(loginId(ssoId), FIRST_INTERVAL);
      entry.setAttribute(StoredLogin.NAME, stored(principal, authType));
      return;
    }
    RequestScope scope = RequestScope.current();
    if (scope != null) {
      Request request = scope.request();
      if (request != null && request.getNote(USED_NOTE) instanceof LiveSession shown) {
        end(shown.id());
      }
      for (SojournSession session : scope.sessions()) {
        String login = session.signOn();
        if (login != null) {
          end(login);
        }
      }
    }
  }

  /** A login stays its user's, whoever else is asked for a password in spite of it. */
  @Override
  protected boolean update(
      String ssoId,
      Principal principal,
      @Nullable String authType,
      @Nullable String username,
      @Nullable String password) {
    LiveSession entry = find(ssoId);
    String user = userOf(entry);
    if (entry == null || user == null || !user.equals(principal.getName())) {
      return false;
    }
    entry.setAttribute(StoredLogin.NAME, stored(principal, authType));
    return repository().flush(entry);
  }

  @Override
  protected boolean associate(String ssoId, Session session) {
    LiveSession entry = find(ssoId);
    if (entry == null) {
      return false;
    }
    Duration interval = interval(session);
    if (!entry.isStored() || isLonger(interval, entry.maxInactiveInterval())) {
      entry.setMaxInactiveInterval(interval);
    }
    try {
      if (!repository().flush(entry)) {
        return false;
      }
    } catch (SessionException e) {
      if (!entry.isStored()) {
        giveUp(entry, session);
      }
      throw e;
    }
    if (session instanceof SojournSession ours) {
      ours.setSignOn(loginId(ssoId), () -> userOf(entry));
    } else {
      session.setNote(SESSION_NOTE, loginId(ssoId));
    }
    return true;
  }

  /** A login that could not be stored has not begun, here neither. */
  private static void giveUp(LiveSession entry, Session session) {
    entry.removeAttribute(StoredLogin.NAME);
    session.setAuthType(null);
    session.setPrincipal(null);
  }

  /** A session of this login has been given this time: the login lives as long. */
  void extend(String login, Duration interval) {
    SessionRepository repository = repository();
    LiveSession entry = repository.look(SessionKey.of(login));
    if (entry != null && isLonger(interval, entry.maxInactiveInterval())) {
      entry.setMaxInactiveInterval(interval);
      boolean unused = repository.flush(entry);
    }
  }

  /** A login that this request has begun or has been told of. */
  private @Nullable LiveSession find(String ssoId) {
    return repository().look(SessionKey.of(loginId(ssoId)));
  }

  /**
   * How long a login has to live for this session; zero means for ever. FORM gives a session a
   * shorter time while its user logs in.
   */
  private static Duration interval(Session session) {
    Duration own = Duration.ofSeconds(Math.max(0, session.getMaxInactiveInterval()));
    Duration usual =
        Duration.ofMinutes(Math.max(0, session.getManager().getContext().getSessionTimeout()));
    return isLonger(usual, own) ? usual : own;
  }

  private static boolean isLonger(Duration one, Duration other) {
    boolean otherEnds = !other.isZero() && !other.isNegative();
    return otherEnds && (one.isZero() || one.compareTo(other) > 0);
  }

  @Override
  protected void deregister(String ssoId) {
    end(loginId(ssoId));
  }

  /** There is no password to do it with. */
  @Override
  protected boolean reauthenticate(String ssoId, Realm realm, Request request) {
    return false;
  }

  private Map<String, Object> stored(Principal principal, @Nullable String authType) {
    return StoredLogin.of(new Login(principal, authType), this::refusal, this::reportOnce);
  }

  private Optional<String> refusal(Object value) {
    Collection<?> parts = value instanceof Map<?, ?> map ? map.values() : List.of(value);
    for (Object part : parts) {
      if (!isKnownToAll(part.getClass())) {
        return Optional.of(
            part.getClass().getName()
                + " is a web application's own, and several are to know it; put it into Tomcat's"
                + " lib");
      }
    }
    try {
      EncodedValue unused = running().codec.encode(value);
      return Optional.empty();
    } catch (EncodeException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  /**
   * Whether it is no application's own class. The codec would refuse that, too, but remember it,
   * and with it an application that has been undeployed since.
   */
  private static boolean isKnownToAll(Class<?> type) {
    try {
      return Class.forName(type.getName(), false, SojournSingleSignOn.class.getClassLoader())
          == type;
    } catch (ClassNotFoundException | LinkageError e) {
      return false;
    }
  }

  private void reportOnce(String message) {
    if (reported.size() < MAX_REPORTED && reported.add(message)) {
      LOG.warn(message);
    }
  }
}
