package io.sojourn;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Nodes whose store loses acknowledged saves in a failover. */
class StoreHistoryTest {

  private static final String ID = "s";
  private static final Duration HALF_AN_HOUR = Duration.ofMinutes(30);
  private static final Duration MAX_STALENESS = Duration.ofSeconds(5);

  private Duration time = Duration.ZERO;
  private long seen;

  /** A primary and a replica, which takes its place without the last saves. */
  private static final class Servers {
    private final InMemorySessionStore primary = new InMemorySessionStore();
    private final InMemorySessionStore replica = new InMemorySessionStore();
    private boolean replicated = true;
    private boolean failedOver;

    @Nullable Object call(Method method, @Nullable Object @Nullable [] arguments) throws Throwable {
      try {
        if (replicated && !failedOver) {
          Object unused = method.invoke(replica, arguments);
        }
        return method.invoke(failedOver ? replica : primary, arguments);
      } catch (InvocationTargetException e) {
        throw requireNonNull(e.getCause());
      }
    }

    /** All that it has. */
    Map<String, String> stored() {
      SessionStore store = failedOver ? replica : primary;
      LoadResult.Found found =
          (LoadResult.Found) store.load(SessionKey.of(ID), SessionStore.NO_VERSION);
      Map<String, String> texts = new TreeMap<>();
      found
          .session()
          .attributes()
          .forEach(
              (name, attribute) ->
                  texts.put(name, new String(attribute.value().bytes(), StandardCharsets.UTF_8)));
      return texts;
    }
  }

  /** A node's way to them. A failover is noticed in the first call after it, not before. */
  private static final class Way {
    private final Servers servers;
    private boolean noticed;
    private int calls;

    Way(Servers servers) {
      this.servers = servers;
    }

    SessionStore store() {
      return (SessionStore)
          Proxy.newProxyInstance(
              SessionStore.class.getClassLoader(),
              new Class<?>[] {SessionStore.class},
              (proxy, method, arguments) -> {
                if (method.getName().equals("history")) {
                  return noticed ? 1L : 0L;
                }
                if (!method.getName().equals("refusal")) {
                  noticed = servers.failedOver;
                  calls++;
                }
                return servers.call(method, arguments);
              });
    }
  }

  private SessionRepository node(Way way, SessionPolicy.Freshness freshness) {
    return new SessionRepository(
        way.store(),
        new TextCodec(),
        SessionPolicy.DEFAULT.with(freshness, MAX_STALENESS),
        () -> time);
  }

  private LiveSession opened(SessionRepository node) {
    LiveSession session = requireNonNull(node.open(ID, copy -> seen));
    seen = Math.max(seen, session.seenVersion());
    return session;
  }

  private void save(SessionRepository node, LiveSession session) {
    assertThat(node.flush(session)).isTrue();
    seen = Math.max(seen, session.seenVersion());
  }

  private static Map<String, String> shown(LiveSession session) {
    Map<String, String> texts = new TreeMap<>();
    session
        .attributeNames()
        .forEach(name -> texts.put(name, (String) requireNonNull(session.attribute(name))));
    return texts;
  }

  private static void change(LiveSession session, Random random, int value) {
    String name = "attribute" + random.nextInt(3);
    if (random.nextInt(4) == 0) {
      session.removeAttribute(name);
    } else {
      session.setAttribute(name, Integer.toString(value));
    }
  }

  private void fail(Servers servers) {
    servers.failedOver = true;
    time = time.plus(MAX_STALENESS).plusMillis(1);
  }

  /** What is lost, and what is saved in its place, have the same numbers, or not quite. */
  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "TRACKED")
  @Tag("R8")
  @Tag("G1")
  void noNodeShowsWhatAFailoverHasLost(SessionPolicy.Freshness freshness) {
    for (int seed = 0; seed < 500; seed++) {
      Random random = new Random(seed);
      Servers servers = new Servers();
      List<SessionRepository> nodes =
          List.of(node(new Way(servers), freshness), node(new Way(servers), freshness));
      seen = SessionStore.NO_VERSION;
      LiveSession begun = nodes.get(0).create(ID, HALF_AN_HOUR);
      begun.setAttribute("attribute0", "begun");
      save(nodes.get(0), begun);
      int failover = 3 + random.nextInt(6);
      servers.replicated = false;
      for (int step = 0; step < 20; step++) {
        SessionRepository node = nodes.get(random.nextInt(2));
        boolean within = random.nextBoolean();
        if (step == failover && !within) {
          fail(servers);
        }
        LiveSession session = opened(node);
        assertThat(shown(session)).as("seed %s, step %s", seed, step).isEqualTo(servers.stored());
        if (random.nextInt(3) > 0) {
          change(session, random, step);
          if (step == failover && within) {
            fail(servers);
          }
          save(node, session);
        } else if (step == failover) {
          fail(servers);
        }
      }
    }
  }

  /** A request was using it when the failover came: what it does lasts, what was lost does not. */
  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "TRACKED")
  @Tag("G2")
  void whatARequestDoesDuringAFailoverIsSaved(SessionPolicy.Freshness freshness) {
    Servers servers = new Servers();
    SessionRepository a = node(new Way(servers), freshness);
    SessionRepository b = node(new Way(servers), freshness);
    LiveSession session = a.create(ID, HALF_AN_HOUR);
    session.setAttribute("list", new ArrayList<>(List.of("one")));
    session.setAttribute("text", "kept");
    save(a, session);
    a.beginUse(session);
    servers.replicated = false;
    session.setAttribute("text", "lost");
    session.setAttribute("again", "lost");
    save(a, session);
    list(session).add("two");
    fail(servers);
    opened(b).setAttribute("other", "new");
    save(b, opened(b));
    assertThat(b.flush(opened(b))).isTrue();
    // Another request of the same node has noticed.
    assertThat(opened(a)).isSameAs(session);
    assertThat(session.attribute("text")).isEqualTo("kept");
    assertThat(session.attribute("again")).isNull();
    session.setAttribute("again", "lost");
    save(a, session);
    a.endUse(session);
    assertThat(servers.stored())
        .isEqualTo(Map.of("list", "[one,two", "text", "kept", "again", "lost", "other", "new"));
    assertThat(list(opened(a))).isEqualTo(List.of("one", "two"));
  }

  @SuppressWarnings("unchecked")
  private static List<String> list(LiveSession session) {
    return (List<String>) requireNonNull(session.attribute("list"));
  }

  /** A failover costs a whole load of each session. */
  @Test
  @Tag("R19")
  void oneCallIsEnoughBeforeAndAfterAFailover() {
    Servers servers = new Servers();
    Way way = new Way(servers);
    SessionRepository node = node(way, SessionPolicy.Freshness.STRICT);
    LiveSession session = node.create(ID, HALF_AN_HOUR);
    session.setAttribute("text", "one");
    save(node, session);
    way.calls = 0;
    assertThat(opened(node).attribute("text")).isEqualTo("one");
    assertThat(way.calls).isEqualTo(1);
    fail(servers);
    // It has to be asked anew what it said while it was not known who it was.
    assertThat(opened(node).attribute("text")).isEqualTo("one");
    assertThat(way.calls).isEqualTo(3);
    assertThat(opened(node).attribute("text")).isEqualTo("one");
    assertThat(way.calls).isEqualTo(4);
  }
}
