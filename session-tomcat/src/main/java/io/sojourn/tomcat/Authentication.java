package io.sojourn.tomcat;

import jakarta.security.auth.message.config.AuthConfigFactory;
import jakarta.servlet.ServletRequestListener;
import jakarta.servlet.http.HttpServletRequest;
import java.beans.PropertyChangeListener;
import java.util.stream.Stream;
import org.apache.catalina.Authenticator;
import org.apache.catalina.Container;
import org.apache.catalina.Context;
import org.apache.catalina.Realm;
import org.apache.catalina.Valve;
import org.apache.catalina.authenticator.AuthenticatorBase;
import org.apache.catalina.authenticator.FormAuthenticator;
import org.apache.catalina.authenticator.NonLoginAuthenticator;
import org.apache.catalina.authenticator.SingleSignOn;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.realm.RealmBase;
import org.apache.catalina.util.SessionConfig;
import org.apache.tomcat.util.IntrospectionUtils;
import org.jspecify.annotations.Nullable;

/** What has to be arranged with a context's authenticator while the manager runs. Thread-safe. */
final class Authentication implements AutoCloseable {

  private final Context context;

  /** As the authenticator of this application calls it. */
  private final String application;

  /** Whether listeners are handed each request before it comes by, and may ask it for its user. */
  private final boolean isSeenEarly;

  /**
   * Whether the realm adds nothing to the context's constraints: to look for it takes a lock of the
   * context, the host and the engine each.
   */
  private volatile boolean isRealmOrdinary;

  private final PropertyChangeListener realmChanges =
      event -> {
        if ("realm".equals(event.getPropertyName())) {
          isRealmOrdinary = false;
        }
      };

  /** Whether there is no module, which the authenticator remembers for good. */
  private volatile boolean isWithoutModule;

  private final @Nullable SojournSingleSignOn singleSignOn;
  private final @Nullable LoginPageFilter loginPages;

  /** The authenticator of an application without a login configuration, if we stand in for it. */
  private final @Nullable NonLoginAuthenticator relieved;

  /**
   * Arranges it.
   *
   * @throws IllegalArgumentException if it cannot work over several nodes
   */
  Authentication(Context context) {
    this.context = context;
    this.isSeenEarly =
        Stream.of(context.getApplicationEventListeners())
            .anyMatch(ServletRequestListener.class::isInstance);
    this.application =
        context.getServletContext().getVirtualServerName()
            + " "
            + context.getServletContext().getContextPath();
    Authenticator authenticator = context.getAuthenticator();
    singleSignOn = findSingleSignOn(context);
    if (singleSignOn != null) {
      refuseWithSingleSignOn(context, singleSignOn, authenticator);
    }
    LoginPageFilter filter = null;
    if (authenticator instanceof FormAuthenticator form) {
      if (!form.getCache()) {
        throw new IllegalArgumentException(
            "cache=\"false\" of the authenticator "
                + form.getClass().getName()
                + " keeps each user's password in the session, and passwords are not stored; remove"
                + " that setting");
      }
      filter = new LoginPageFilter();
      filter.addTo(context);
    }
    this.loginPages = filter;
    NonLoginAuthenticator without = null;
    if (authenticator instanceof NonLoginAuthenticator found
        && found.getClass() == NonLoginAuthenticator.class
        && found.getCache()) {
      found.setCache(false);
      without = found;
    }
    this.relieved = without;
    for (Container each = context; each != null; each = each.getParent()) {
      each.addPropertyChangeListener(realmChanges);
    }
    this.isRealmOrdinary = isOrdinary(context.getRealm());
  }

  private static boolean isOrdinary(@Nullable Realm realm) {
    try {
      return realm != null
          && realm
              .getClass()
              .getMethod("findSecurityConstraints", Request.class, Context.class)
              .getDeclaringClass()
              .equals(RealmBase.class);
    } catch (NoSuchMethodException e) {
      return false;
    }
  }

  private static @Nullable SojournSingleSignOn findSingleSignOn(Context context) {
    SojournSingleSignOn found = null;
    for (Container parent = context.getParent(); parent != null; parent = parent.getParent()) {
      for (Valve valve : parent.getPipeline().getValves()) {
        if (valve instanceof SojournSingleSignOn ours) {
          found = ours;
        } else if (valve.getClass().getName().equals(SojournSingleSignOn.class.getName())) {
          throw new IllegalArgumentException(
              "The valve "
                  + valve.getClass().getName()
                  + " of "
                  + parent.getName()
                  + " is of another jar than this manager, which cannot share its logins; remove the"
                  + " jar from the application's WEB-INF/lib: that in Tomcat's lib has the manager, too");
        } else if (valve instanceof SingleSignOn) {
          throw new IllegalArgumentException(
              "The valve "
                  + valve.getClass().getName()
                  + " of "
                  + parent.getName()
                  + " knows only who has logged in on this node, and would log out who comes from"
                  + " another; put "
                  + SojournSingleSignOn.class.getName()
                  + " in its place, or remove it");
        }
      }
    }
    return found;
  }

  private static void refuseWithSingleSignOn(
      Context context, SojournSingleSignOn valve, @Nullable Authenticator authenticator) {
    // Not every release has it.
    if (authenticator != null
        && "password"
            .equals(IntrospectionUtils.getProperty(authenticator, "ssoReauthenticationMode"))) {
      throw new IllegalArgumentException(
          "ssoReauthenticationMode=\"password\" of the authenticator "
              + authenticator.getClass().getName()
              + " needs each user's password at each request, and passwords are not stored; remove"
              + " that setting");
    }
    if (SessionConfig.getSessionCookieName(context).equals(valve.getCookieName())) {
      throw new IllegalArgumentException(
          "The session cookie of this application and cookieName=\""
              + valve.getCookieName()
              + "\" of "
              + SojournSingleSignOn.class.getName()
              + " are the same; each needs a name of its own");
    }
  }

  /** What keeps who is logged in for several applications; null if nothing does. */
  @Nullable SojournSingleSignOn singleSignOn() {
    return singleSignOn;
  }

  /** Whether the authenticator answers this request without a look at its session. */
  boolean asksNothingOf(Request request) {
    return context.getAuthenticator() == null || (relieved != null && !isRestricted(request));
  }

  /**
   * Before the authenticator: the session is asked who the user is now, or when that matters.
   *
   * @param next the valve that would be next
   * @return the one to go on with: past an authenticator that would do nothing but open the session
   * @throws io.sojourn.StoreUnavailableException if it cannot be found out who has signed on
   */
  Valve begin(Request request, Response response, Valve next) {
    boolean isKnown = request.getPrincipal() != null;
    if (singleSignOn != null) {
      singleSignOn.identify(request, response);
    }
    if (request.getRequestedSessionId() == null) {
      return next;
    }
    if (relieved == null) {
      if (!isLeftAlone(request, next)) {
        return next;
      }
      ask(request);
      return next.getNext();
    }
    if (isKnown) {
      return next;
    }
    boolean isRestricted = isRestricted(request);
    if (isRestricted) {
      SessionRequest.identify(request);
    }
    ask(request);
    // It would look for constraints once more and hand the request on.
    return next == relieved && !isRestricted && isWithoutModule ? next.getNext() : next;
  }

  /** Whoever wants to know who the user is has the session asked. */
  private static void ask(Request request) {
    HttpServletRequest present = request.getRequest();
    if (!(present instanceof SessionRequest)) {
      request.setRequest(new SessionRequest(present, request));
    }
  }

  /**
   * Whether the next valve is an authenticator of Tomcat's own that hands the request on, having
   * opened its session for nothing: to see who the user of a page is that is everybody's. FORM also
   * looks whether a login leads back to the page, which only a file's request cannot have begun.
   */
  private boolean isLeftAlone(Request request, Valve next) {
    return next == context.getAuthenticator()
        && next instanceof AuthenticatorBase authenticator
        && authenticator.getClass().getPackage() == AuthenticatorBase.class.getPackage()
        && authenticator.getCache()
        && !isSeenEarly
        && (!(authenticator instanceof FormAuthenticator) || SojournValve.isForFile(request))
        && !isRestricted(request);
  }

  private boolean isRestricted(Request request) {
    return isConstrained(request) || context.getPreemptiveAuthentication() || hasModule();
  }

  private boolean isConstrained(Request request) {
    return (!isRealmOrdinary || context.findConstraints().length > 0)
        && context.getRealm().findSecurityConstraints(request, context) != null;
  }

  /** Whether a module of Jakarta Authentication decides who the user is. */
  private boolean hasModule() {
    if (isWithoutModule) {
      return false;
    }
    AuthConfigFactory factory = AuthConfigFactory.getFactory();
    return factory != null && factory.getConfigProvider("HttpServlet", application, null) != null;
  }

  /**
   * After the request: what is known of its session anyway is known to the access log, too.
   *
   * @param wasAsked whether the request went through the authenticator
   */
  void end(Request request, RequestScope scope, boolean wasAsked) {
    // Later than the authenticator, which looks once: one that is registered later, it never asks.
    if (wasAsked && !isWithoutModule) {
      isWithoutModule = !hasModule();
    }
    if ((relieved != null || !wasAsked) && scope.usesAny()) {
      if (request.getRequest() instanceof SessionRequest asked) {
        asked.identify();
      } else {
        SessionRequest.identify(request);
      }
    }
  }

  /** The request is over, and no other thread goes on with it. Repeatable. */
  void release(Request request) {
    if (singleSignOn != null) {
      singleSignOn.release(request);
    }
  }

  @Override
  public void close() {
    if (loginPages != null) {
      loginPages.removeFrom(context);
    }
    if (relieved != null) {
      relieved.setCache(true);
    }
    for (Container each = context; each != null; each = each.getParent()) {
      each.removePropertyChangeListener(realmChanges);
    }
  }
}
