package io.sojourn.tomcat;

import java.security.Principal;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.catalina.realm.GenericPrincipal;
import org.jspecify.annotations.Nullable;

/**
 * Who is logged in, as an attribute of the session: a map that the application's codec encodes
 * (docs/format.md). What Tomcat's realms make becomes a name and roles, never a class of Tomcat's;
 * a principal of any other class is stored as it is, if the codec takes it. There is no password in
 * it.
 */
final class StoredLogin {

  /*
   * A principal that cannot be stored leaves a map without it. It is no login for any other node, but a logout on one of them
   * takes it away, and the node that knows the principal sees that.
   */

  /** The attribute's name. */
  static final String NAME = AttributeMap.RESERVED + "user";

  private static final String AUTH_TYPE = "authType";
  private static final String USER = "name";
  private static final String ROLES = "roles";
  private static final String USER_PRINCIPAL = "userPrincipal";
  private static final String ATTRIBUTES = "attributes";
  private static final String PRINCIPAL = "principal";

  private StoredLogin() {}

  /**
   * What a session knows of its user.
   *
   * @param principal who it is
   * @param authType how that was found out
   */
  record Login(@Nullable Principal principal, @Nullable String authType) {

    static final Login NOBODY = new Login(null, null);

    boolean isNobody() {
      return principal == null && authType == null;
    }
  }

  /**
   * The form to store.
   *
   * @param refusal why the codec cannot encode an object, if so
   * @param report told what is left out, and why
   */
  static Map<String, Object> of(
      Login login, Function<Object, Optional<String>> refusal, Consumer<String> report) {
    Map<String, Object> stored = new LinkedHashMap<>();
    putIfPresent(stored, AUTH_TYPE, login.authType());
    Principal principal = login.principal();
    if (principal instanceof GenericPrincipal generic && isTomcats(generic)) {
      stored.put(USER, generic.getName());
      stored.put(ROLES, generic.getRoles());
      Principal user = generic.getUserPrincipal();
      if (user != generic) {
        put(stored, USER_PRINCIPAL, user, refusal, report);
      }
      Map<String, Object> attributes = attributes(generic);
      if (!attributes.isEmpty()) {
        put(stored, ATTRIBUTES, attributes, refusal, report);
      }
    } else if (principal != null) {
      put(stored, PRINCIPAL, principal, refusal, report);
    }
    return stored;
  }

  private static boolean isTomcats(GenericPrincipal principal) {
    return principal.getClass().getName().startsWith("org.apache.catalina.");
  }

  private static Map<String, Object> attributes(GenericPrincipal principal) {
    Map<String, Object> attributes = new LinkedHashMap<>();
    for (String name : Collections.list(principal.getAttributeNames())) {
      putIfPresent(attributes, name, principal.getAttribute(name));
    }
    return attributes;
  }

  private static void putIfPresent(Map<String, Object> map, String key, @Nullable Object value) {
    if (value != null) {
      map.put(key, value);
    }
  }

  private static void put(
      Map<String, Object> stored,
      String key,
      Object value,
      Function<Object, Optional<String>> refusal,
      Consumer<String> report) {
    Optional<String> why = refusal.apply(value);
    if (why.isEmpty()) {
      stored.put(key, value);
      return;
    }
    report.accept(
        switch (key) {
              case PRINCIPAL ->
                  "A principal of class "
                      + value.getClass().getName()
                      + " is not stored, so its user is logged in on this node only: ";
              case USER_PRINCIPAL ->
                  "A user principal of class "
                      + value.getClass().getName()
                      + " is not stored, other nodes know its user's name and roles only: ";
              default -> "A principal's attributes are not stored, other nodes do not know them: ";
            }
            + why.get());
  }

  /**
   * Reads that form.
   *
   * @throws IllegalArgumentException if it is another
   */
  static Login read(Object stored) {
    StoredMap map = StoredMap.of(stored);
    String authType = map.get(AUTH_TYPE, String.class);
    Principal principal = map.get(PRINCIPAL, Principal.class);
    String user = map.get(USER, String.class);
    if (principal == null && user != null) {
      principal =
          new GenericPrincipal(
              user,
              map.texts(ROLES),
              map.get(USER_PRINCIPAL, Principal.class),
              null,
              null,
              attributes(map));
    }
    return principal == null ? Login.NOBODY : new Login(principal, authType);
  }

  private static @Nullable Map<String, Object> attributes(StoredMap map) {
    Map<?, ?> stored = map.get(ATTRIBUTES, Map.class);
    if (stored == null) {
      return null;
    }
    Map<String, Object> attributes = new LinkedHashMap<>();
    for (Map.Entry<?, ?> entry : stored.entrySet()) {
      if (!(entry.getKey() instanceof String name) || entry.getValue() == null) {
        throw new IllegalArgumentException("an attribute that is none");
      }
      attributes.put(name, entry.getValue());
    }
    return attributes;
  }
}
