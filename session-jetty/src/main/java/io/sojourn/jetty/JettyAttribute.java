package io.sojourn.jetty;

import java.security.Principal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import javax.security.auth.Subject;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.security.LoginService;
import org.eclipse.jetty.security.RolePrincipal;
import org.eclipse.jetty.security.SecurityHandler;
import org.eclipse.jetty.security.UserIdentity;
import org.eclipse.jetty.security.UserPrincipal;
import org.eclipse.jetty.security.authentication.SessionAuthentication;
import org.eclipse.jetty.security.openid.OpenIdCredentials;
import org.eclipse.jetty.security.openid.OpenIdLoginService;
import org.eclipse.jetty.security.openid.OpenIdUserPrincipal;
import org.eclipse.jetty.util.Fields;
import org.jspecify.annotations.Nullable;

/**
 * What Jetty's authenticators keep in a session as attributes of Jetty's own classes, in the form
 * in which it is stored (docs/format.md): the JDK's types and the application's, and no password.
 */
enum JettyAttribute {

  /** Who is logged in: name and roles, and a principal of a class that is not Jetty's. */
  USER("org.eclipse.jetty.security.UserIdentity", "io.sojourn.user") {
    @Override
    @Nullable Object toStored(Object value, SojournSessionCache cache) {
      return Login.toStored(value, cache::encodingFailure, cache::reportOnce);
    }

    @Override
    @Nullable Object fromStored(Object stored) {
      return Login.fromStored(stored);
    }
  },

  /** Where a user wanted to go who was asked to log in. */
  URI("org.eclipse.jetty.security.form_URI", "io.sojourn.form.uri") {
    @Override
    @Nullable Object toStored(Object value, SojournSessionCache cache) {
      return value instanceof HttpURI uri
          ? withoutId(uri.toString(), cache.manager().getSessionIdPathParameterName())
          : null;
    }

    @Override
    @Nullable Object fromStored(Object stored) {
      return stored instanceof String text ? HttpURI.from(text).asImmutable() : null;
    }
  },

  /** The form that such a user has sent. */
  POST("org.eclipse.jetty.security.form_POST", "io.sojourn.form.post") {
    @Override
    @Nullable Object toStored(Object value, SojournSessionCache cache) {
      if (!(value instanceof Fields fields)) {
        return null;
      }
      List<String> texts = new ArrayList<>();
      for (Fields.Field field : fields) {
        for (String each : field.getValues()) {
          texts.add(field.getName());
          texts.add(each);
        }
      }
      return texts.toArray(String[]::new);
    }

    @Override
    @Nullable Object fromStored(Object stored) {
      if (!(stored instanceof String[] texts)) {
        return null;
      }
      Fields fields = new Fields(true);
      for (int i = 0; i + 1 < texts.length; i += 2) {
        fields.add(texts[i], texts[i + 1]);
      }
      return fields;
    }
  };

  private final String name;
  private final String storedName;

  JettyAttribute(String name, String storedName) {
    this.name = name;
    this.storedName = storedName;
  }

  /** The one that Jetty calls so; null if it is an attribute like any other. */
  static @Nullable JettyAttribute named(String name) {
    for (JettyAttribute attribute : values()) {
      if (attribute.name.equals(name)) {
        return attribute;
      }
    }
    return null;
  }

  /** What Jetty calls it. */
  String jettysName() {
    return name;
  }

  /** The name of the user that Jetty's object for a login is about; null if it is none. */
  static @Nullable String userName(@Nullable Object value) {
    return value == null ? null : Login.userName(value);
  }

  String storedName() {
    return storedName;
  }

  /** The form to store; null if the value is not of the kind that can be. */
  abstract @Nullable Object toStored(Object value, SojournSessionCache cache);

  /** Reads that form; null if it is another. */
  abstract @Nullable Object fromStored(Object stored);

  /** An address without the session's id, which would open the session. */
  private static String withoutId(String address, @Nullable String idParameter) {
    if (idParameter == null) {
      return address;
    }
    int end = address.indexOf('?');
    String path = end < 0 ? address : address.substring(0, end);
    return path.replaceAll(";" + Pattern.quote(idParameter) + "=[^;/?#]*", "")
        + address.substring(path.length());
  }

  /** In a class of its own, since a server need not have Jetty's module for security. */
  private static final class Login {

    private static final String AUTH_TYPE = "authType";
    private static final String NAME = "name";
    private static final String ROLES = "roles";
    private static final String USER_PRINCIPAL = "userPrincipal";
    private static final String LOGIN = "login";
    private static final String CLAIMS = "claims";

    static @Nullable Object toStored(
        Object value, Function<Object, Optional<String>> encodingFailure, Consumer<String> report) {
      if (!(value instanceof SessionAuthentication login)) {
        return null;
      }
      Map<String, Object> stored = new LinkedHashMap<>();
      stored.put(AUTH_TYPE, login.getAuthenticationType());
      Principal principal = login.getUserIdentity().getUserPrincipal();
      Map<String, Object> claims = claims(principal, encodingFailure);
      if (claims != null) {
        stored.put(CLAIMS, claims);
      } else if (principal.getClass() != UserPrincipal.class) {
        Optional<String> failure =
            hasCredential(principal)
                ? Optional.of("it holds a credential")
                : encodingFailure.apply(principal);
        String type = "A principal of class " + principal.getClass().getName();
        if (failure.isEmpty()) {
          stored.put(USER_PRINCIPAL, principal);
        } else if (principal instanceof UserPrincipal) {
          report.accept(
              type
                  + " is not stored, other nodes know its user's name and roles only: "
                  + failure.get());
        } else {
          report.accept(
              type
                  + " is not stored, so its user is logged in on this node only: "
                  + failure.get());
          // A logout or another login anywhere is to end that.
          stored.put(LOGIN, UUID.randomUUID().toString());
          return stored;
        }
      }
      UserIdentity user = login.getUserIdentity();
      Set<String> roles = roles(user);
      if (claims != null && roles.isEmpty()) {
        roles = OpenId.roles(user, report);
      }
      stored.put(NAME, principal.getName());
      stored.put(ROLES, roles.toArray(String[]::new));
      return stored;
    }

    static @Nullable String userName(Object value) {
      return value instanceof SessionAuthentication login
          ? login.getUserIdentity().getUserPrincipal().getName()
          : null;
    }

    private static Set<String> roles(UserIdentity user) {
      TreeSet<String> roles = new TreeSet<>();
      for (RolePrincipal role : user.getSubject().getPrincipals(RolePrincipal.class)) {
        roles.add(role.getName());
      }
      return roles;
    }

    /** What an OpenID provider says of its user; null if this is none, or it cannot be stored. */
    private static @Nullable Map<String, Object> claims(
        Principal principal, Function<Object, Optional<String>> encodingFailure) {
      try {
        Map<String, Object> claims = OpenId.claims(principal);
        return claims != null && encodingFailure.apply(claims).isEmpty() ? claims : null;
      } catch (LinkageError e) {
        return null; // not even Jetty's module is there
      }
    }

    /** A password, or what is made of one: that is not to be stored. */
    private static boolean hasCredential(Principal principal) {
      if (!(principal instanceof UserPrincipal user)) {
        return false;
      }
      Subject subject = new Subject();
      user.configureSubject(subject);
      return !subject.getPrivateCredentials().isEmpty();
    }

    static @Nullable Object fromStored(Object stored) {
      if (!(stored instanceof Map<?, ?> map)
          || !(map.get(AUTH_TYPE) instanceof String authType)
          || !(map.get(NAME) instanceof String name)
          || !(map.get(ROLES) instanceof String[] roles)) {
        return null;
      }
      Principal user = user(map, name);
      Subject subject = new Subject();
      subject.getPrincipals().add(user);
      for (String role : roles) {
        subject.getPrincipals().add(new RolePrincipal(role));
      }
      subject.setReadOnly();
      return new SessionAuthentication(authType, UserIdentity.from(subject, user, roles), null);
    }

    private static Principal user(Map<?, ?> map, String name) {
      if (map.get(USER_PRINCIPAL) instanceof Principal principal) {
        return principal;
      }
      if (map.get(CLAIMS) instanceof Map<?, ?> claims) {
        try {
          return OpenId.principal(claims);
        } catch (LinkageError e) {
          // Without Jetty's module nobody asks for more than the name.
        }
      }
      return new UserPrincipal(name, null);
    }
  }

  /** In a class of its own, since few servers have Jetty's module for OpenID. */
  private static final class OpenId {

    static @Nullable Map<String, Object> claims(Principal principal) {
      // One of a class that extends it is more than its claims.
      return principal.getClass() == OpenIdUserPrincipal.class
          ? new LinkedHashMap<>(((OpenIdUserPrincipal) principal).getCredentials().getClaims())
          : null;
    }

    static Principal principal(Map<?, ?> claims) {
      Map<String, Object> copy = new LinkedHashMap<>();
      claims.forEach((name, value) -> copy.put(String.valueOf(name), value));
      return new OpenIdUserPrincipal(new OpenIdCredentials(copy));
    }

    /**
     * Where another login service knows the roles, the user's identity answers for one at a time:
     * so the service is asked once more, as at the login. What it says then gives nobody a role
     * that the login has not.
     */
    static Set<String> roles(UserIdentity user, Consumer<String> report) {
      LoginService service = service();
      if (service == null) {
        return new TreeSet<>();
      }
      try {
        UserIdentity known =
            service.login(user.getUserPrincipal().getName(), "", null, create -> null);
        Set<String> roles = known == null ? new TreeSet<>() : Login.roles(known);
        if (roles.removeIf(role -> !user.isUserInRole(role))) {
          report.accept(unsure(service, "lists others than the user has"));
        }
        return roles;
      } catch (RuntimeException e) {
        report.accept(
            unsure(service, "fails when it is asked for them: " + e.getClass().getName()));
        return new TreeSet<>();
      }
    }

    private static @Nullable LoginService service() {
      SecurityHandler security = SecurityHandler.getCurrentSecurityHandler();
      LoginService service = security == null ? null : security.getLoginService();
      // If it is none of OpenID's, the authenticator has wrapped it, and keeps that to itself.
      return service instanceof OpenIdLoginService own ? own.getBean(LoginService.class) : service;
    }

    private static String unsure(LoginService service, String why) {
      return "Other nodes may not know all roles of users of OpenID: the login service "
          + service.getClass().getName()
          + " "
          + why
          + ". Let its getUserIdentity put them into the Subject, as RolePrincipals";
    }
  }
}
