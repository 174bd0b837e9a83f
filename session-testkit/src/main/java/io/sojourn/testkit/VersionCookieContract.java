package io.sojourn.testkit;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContractClient.Answer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The cookies that tell a server with {@code freshness="causal"} what its client has seen are like
 * the session's in all but name and value, whatever the container is told of that one.
 */
public abstract class VersionCookieContract {

  /** For subclasses. */
  protected VersionCookieContract() {}

  /** What a container can be told of its session cookie. */
  public enum Setting {
    /** It is called {@code SID}. */
    NAME,
    /** It is for {@code /shop}, in the domain {@code shop.example}. */
    PATH_AND_DOMAIN,
    /** It is for secure connections only. */
    SECURE,
    /** The connection is secure, for all that the container knows. */
    SECURE_CONNECTION,
    /** It is not sent along from other sites. */
    SAME_SITE_STRICT,
    /** Scripts may read it. */
    NOT_HTTP_ONLY,
    /** It stays for 3,600 seconds when the browser is closed. */
    AGE,
    /** All of these. */
    ALL;

    /** Whether scripts may not read it. */
    public boolean isHttpOnly() {
      return this != NOT_HTTP_ONLY && this != ALL;
    }

    private String cookieName() {
      return this == NAME || this == ALL ? "SID" : "JSESSIONID";
    }

    /** The attributes that it must have at least. */
    private Map<String, String> attributes() {
      return switch (this) {
        case NAME, NOT_HTTP_ONLY -> Map.of();
        case PATH_AND_DOMAIN -> Map.of("path", "/shop", "domain", "shop.example");
        case SECURE, SECURE_CONNECTION -> Map.of("secure", "");
        case SAME_SITE_STRICT -> Map.of("samesite", "Strict");
        case AGE -> Map.of("max-age", "3600");
        case ALL -> {
          Map<String, String> all = new TreeMap<>();
          for (Setting each : values()) {
            all.putAll(each == ALL ? Map.of() : each.attributes());
          }
          yield all;
        }
      };
    }
  }

  /**
   * Starts a server with a {@link ContractServlet} and causal freshness.
   *
   * @param store where it keeps its sessions; not its own to close
   * @throws Exception if it does not start
   */
  protected abstract ContainerNode start(SessionStore store, Setting setting) throws Exception;

  /** Opens the store. */
  protected abstract SessionStore open(String application);

  @ParameterizedTest
  @EnumSource
  void itIsLikeTheSessionsWhateverIsConfiguredOfThat(Setting setting) throws Exception {
    try (CountingStore store = new CountingStore(open("cookies-" + UUID.randomUUID()));
        ContainerNode node = start(store, setting)) {
      ContractClient client = new ContractClient();
      Map<String, SetCookie> begun = cookies(client.send(node, "set:a:1"));
      assertThat(begun).hasSize(2).containsKey(setting.cookieName());
      SetCookie session = requireNonNull(begun.get(setting.cookieName()));
      assertThat(session.attributes).containsAllEntriesOf(setting.attributes());
      assertThat(session.attributes.containsKey("httponly")).isEqualTo(setting.isHttpOnly());
      String first = versionCookie(setting, begun);
      assertThat(requireNonNull(begun.get(first)).attributes).isEqualTo(session.attributes);

      assertThat(client.send(node, "get:a").lines()).containsExactly("1");
      assertThat(store.takeCalls()).as("it is heeded").isEqualTo(Map.of("create", 1));

      Map<String, SetCookie> changed = cookies(client.send(node, "set:a:2"));
      assertThat(changed).hasSize(2).containsKey(first);
      SetCookie removed = requireNonNull(changed.remove(first));
      assertThat(removed.isRemoval).isTrue();
      assertThat(removed.place()).isEqualTo(session.place());
      assertThat(versionCookie(setting, changed)).isNotEqualTo(first);
      assertThat(changed.values()).containsExactly(session);
    }
  }

  private static String versionCookie(Setting setting, Map<String, SetCookie> cookies) {
    List<String> found =
        cookies.keySet().stream()
            .filter(name -> name.matches(setting.cookieName() + "_V[0-9A-V]"))
            .toList();
    assertThat(found).hasSize(1);
    return found.get(0);
  }

  private static Map<String, SetCookie> cookies(Answer answer) {
    assertThat(answer.status()).isEqualTo(200);
    Map<String, SetCookie> cookies = new TreeMap<>();
    for (String header : answer.cookies()) {
      String[] parts = header.split("; *");
      Map<String, String> attributes = new TreeMap<>();
      for (String part : List.of(parts).subList(1, parts.length)) {
        String[] attribute = part.split("=", 2);
        String name = attribute[0].toLowerCase(Locale.ROOT);
        // The second in which it was said.
        boolean moment = name.equals("expires");
        attributes.put(name, attribute.length == 1 || moment ? "" : attribute[1]);
      }
      String name = parts[0].split("=", 2)[0];
      boolean isRemoval = ContractClient.isRemoval(header);
      assertThat(cookies.put(name, new SetCookie(attributes, isRemoval))).as(header).isNull();
    }
    return cookies;
  }

  /** A Set-Cookie header, but for name and value. */
  private record SetCookie(Map<String, String> attributes, boolean isRemoval) {

    /** What has to be the same for one to take away the other. */
    Map<String, String> place() {
      Map<String, String> place = new TreeMap<>(attributes);
      place.remove("max-age");
      place.remove("expires");
      return place;
    }
  }
}
