package io.sojourn.tomcat;

import java.io.Serializable;
import java.security.Principal;
import java.util.List;
import java.util.Map;
import org.apache.catalina.realm.GenericPrincipal;
import org.apache.catalina.realm.RealmBase;
import org.jspecify.annotations.Nullable;

/** Some users with the password "secret", each with a principal of another kind. */
final class AuthenticationRealm extends RealmBase {

  /** A principal of the application's own, with what its realm needs. */
  record Member(String name, List<String> roles) implements Principal, Serializable {
    @Override
    public String getName() {
      return name;
    }
  }

  /** One that Java cannot serialize. */
  static final class Unstorable implements Principal {
    private final String name;

    Unstorable(String name) {
      this.name = name;
    }

    @Override
    public String getName() {
      return name;
    }
  }

  @Override
  protected String getPassword(String user) {
    return "secret";
  }

  @Override
  protected @Nullable Principal getPrincipal(String user) {
    List<String> roles = List.of("member");
    return switch (user) {
      case "anna" -> new GenericPrincipal("anna", roles);
      case "root" -> new GenericPrincipal("root", List.of("member", "admin"));
      // As JAASRealm and DataSourceRealm do.
      case "jaas" -> new GenericPrincipal("jaas", roles, new Member("jaas", roles));
      case "local" -> new GenericPrincipal("local", roles, new Unstorable("local"));
      case "rich" -> new GenericPrincipal("rich", roles, null, null, null, Map.of("mail", "r@x"));
      case "own" -> new Member("own", roles);
      case "unstorable" -> new Unstorable("unstorable");
      default -> null;
    };
  }

  @Override
  protected boolean hasRoleInternal(Principal principal, String role) {
    if (principal instanceof Member member) {
      return member.roles().contains(role);
    }
    return principal instanceof Unstorable
        ? role.equals("member")
        : super.hasRoleInternal(principal, role);
  }
}
