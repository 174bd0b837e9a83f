package io.sojourn;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.SessionPolicy.StoreFailure;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two nodes that go on by themselves while their store cannot be asked. */
@Tag("G4")
class ServeLocalTest {

  private static final Duration HALF_AN_HOUR = Duration.ofMinutes(30);
  private static final SessionPolicy POLICY = SessionPolicy.DEFAULT.with(StoreFailure.SERVE_LOCAL);

  private enum Failure {
    NONE,
    /** The call does not reach the store. */
    BEFORE,
    /** The call takes effect and its answer is lost. */
    AFTER,
    /** The store answers, but does not do it. */
    REFUSED
  }

  private final AtomicReference<Duration> clock = new AtomicReference<>(Duration.ZERO);
  private final InMemorySessionStore inner = new InMemorySessionStore(clock::get);
  private final TextCodec codec = new TextCodec();
  private final Link linkA = new Link();
  private final Link linkB = new Link();
  private final SessionRepository a = node(linkA, POLICY);
  private final SessionRepository b = node(linkB, POLICY);

  private SessionRepository node(Link link, SessionPolicy policy) {
    return new SessionRepository(link.store, codec, policy, clock::get);
  }

  /** A node's way to the store. */
  private final class Link {
    private static final Set<String> LOCAL =
        Set.of("canRename", "refusal", "watch", "history", "close");

    final SessionStore store =
        (SessionStore)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {SessionStore.class},
                (proxy, method, arguments) -> call(method, arguments));
    Failure failure = Failure.NONE;
    @Nullable Random random;

    /** What happens on the way of the next save, which does not arrive. */
    @Nullable Runnable insteadOfSave;

    private Object call(Method method, Object[] arguments) throws Throwable {
      if (LOCAL.contains(method.getName())) {
        return invoke(method, arguments);
      }
      Runnable instead = insteadOfSave;
      if (instead != null && method.getName().equals("save")) {
        insteadOfSave = null;
        instead.run();
        throw new StoreUnavailableException("down", null);
      }
      Random dice = random;
      Failure now =
          dice == null
              ? failure
              : List.of(Failure.NONE, Failure.BEFORE, Failure.AFTER).get(dice.nextInt(3));
      // Nobody could tell a session that was created so from one that was not, once it has ended.
      boolean certain = dice != null && method.getName().equals("create");
      if (now == Failure.BEFORE || (now == Failure.AFTER && certain)) {
        throw new StoreUnavailableException("down", null);
      }
      if (now == Failure.REFUSED && method.getName().equals("save")) {
        throw new SessionException("no such thing", null);
      }
      Object answer = invoke(method, arguments);
      if (now == Failure.AFTER) {
        throw new StoreUnavailableException("the answer is lost", null);
      }
      return answer;
    }

    private Object invoke(Method method, Object[] arguments) throws Throwable {
      try {
        Object answer = method.invoke(inner, arguments);
        if (!"load".equals(method.getName()) && arguments != null) {
          applied(arguments[0], answer);
        }
        return answer;
      } catch (InvocationTargetException e) {
        throw requireNonNull(e.getCause());
      }
    }
  }

  /** The attributes that the store was ever told of, as name=value; "-name" if removed. */
  private final List<String> applied = Collections.synchronizedList(new ArrayList<>());

  private void applied(Object what, Object answer) {
    if (what instanceof SessionDelta delta && !answer.toString().equals("OptionalLong.empty")) {
      delta
          .changes()
          .forEach(
              (name, change) ->
                  applied.add(
                      change.written().map(value -> name + "=" + text(value)).orElse("-" + name)));
    } else if (what instanceof NewSession created && answer.equals(true)) {
      created.attributes().forEach((name, value) -> applied.add(name + "=" + text(value)));
    }
  }

  private static String text(EncodedValue value) {
    return new String(value.bytes(), UTF_8);
  }

  private void bothAre(Failure failure) {
    linkA.failure = failure;
    linkB.failure = failure;
  }

  private interface Work {
    void on(LiveSession session);
  }

  /** A request; false if it finds no session. */
  private static boolean request(SessionRepository node, String id, Work work) {
    LiveSession session = node.open(id);
    if (session == null) {
      return false;
    }
    node.beginUse(session);
    try {
      work.on(session);
      boolean unused = node.flush(session);
    } finally {
      node.endUse(session);
    }
    return true;
  }

  private static void begin(SessionRepository node, String id, Work work) {
    LiveSession session = node.create(id, HALF_AN_HOUR);
    node.beginUse(session);
    work.on(session);
    node.flush(session);
    node.endUse(session);
  }

  private static @Nullable Object get(SessionRepository node, String id, String name) {
    AtomicReference<Object> got = new AtomicReference<>();
    assertThat(request(node, id, session -> got.set(session.attribute(name)))).isTrue();
    return got.get();
  }

  private static void set(SessionRepository node, String id, String name, String value) {
    assertThat(request(node, id, session -> session.setAttribute(name, value))).isTrue();
  }

  @SuppressWarnings("unchecked")
  private static void add(LiveSession session, String item) {
    ((List<String>) requireNonNull(session.attribute("list"))).add(item);
  }

  private static void assertUnavailable(Runnable work) {
    assertThatThrownBy(work::run).isInstanceOf(StoreUnavailableException.class);
  }

  private void assertUnavailable(SessionRepository node, String id) {
    assertUnavailable(() -> node.open(id));
  }

  // ---------------------------------------------------------------- serving

  @Test
  void aSessionIsServedByTheNodeThatHasACopyAndByNoOther() {
    begin(a, "s", session -> session.setAttribute("text", "one"));
    bothAre(Failure.BEFORE);
    assertThat(get(a, "s", "text")).isEqualTo("one");
    assertUnavailable(b, "s");
    assertUnavailable(a, "unknown");
    assertThat(a.servedLocally()).isEqualTo(1);
    bothAre(Failure.NONE);
    assertThat(get(b, "s", "text")).isEqualTo("one");
    assertThat(a.open("unknown")).isNull();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatIsChangedMeanwhileIsWrittenByTheNextRequestOrInTheBackground(boolean background) {
    begin(
        a,
        "s",
        session -> {
          session.setAttribute("text", "one");
          session.setAttribute("list", new ArrayList<>(List.of("x")));
          session.setAttribute("old", "o");
        });
    bothAre(Failure.BEFORE);
    set(a, "s", "text", "two");
    request(a, "s", session -> add(session, "y"));
    request(a, "s", session -> session.removeAttribute("old"));
    request(a, "s", session -> session.setMaxInactiveInterval(Duration.ofHours(1)));
    assertThat(get(a, "s", "text")).isEqualTo("two");
    assertThat(a.unsavedSessions()).isEqualTo(1);
    assertUnavailable(a::maintain);
    bothAre(Failure.NONE);
    if (background) {
      a.maintain();
    } else {
      get(a, "s", "list");
    }
    assertThat(a.unsavedSessions()).isZero();
    LiveSession onB = requireNonNull(b.open("s"));
    assertThat(onB.attribute("text")).isEqualTo("two");
    assertThat(onB.attribute("list")).isEqualTo(List.of("x", "y"));
    assertThat(onB.attributeNames()).containsExactlyInAnyOrder("text", "list");
    assertThat(onB.maxInactiveInterval()).isEqualTo(Duration.ofHours(1));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anOutageThatBeginsInTheMiddleOfARequestFailsNothing(boolean background) {
    begin(a, "s", session -> session.setAttribute("list", new ArrayList<>(List.of("x"))));
    request(
        a,
        "s",
        session -> {
          add(session, "y");
          bothAre(Failure.BEFORE);
        });
    bothAre(Failure.NONE);
    // Which would take the place of a guess.
    Work another = session -> session.setAttribute("list", new ArrayList<>(List.of("z")));
    if (background) {
      request(b, "s", another);
      a.maintain();
    } else {
      request(a, "s", session -> request(b, "s", another));
    }
    assertThat(get(b, "s", "list")).isEqualTo(List.of("x", "y"));
  }

  @Test
  void whatAnotherNodeChangedMeanwhileIsNotLost() {
    begin(a, "s", session -> session.setAttribute("both", "0"));
    get(b, "s", "both");
    linkA.failure = Failure.BEFORE;
    set(a, "s", "a", "1");
    set(a, "s", "both", "of A");
    set(b, "s", "b", "2");
    set(b, "s", "both", "of B");
    linkA.failure = Failure.NONE;
    assertThat(get(a, "s", "b")).isEqualTo("2");
    LiveSession onB = requireNonNull(b.open("s"));
    assertThat(onB.attribute("a")).isEqualTo("1");
    assertThat(onB.attribute("b")).isEqualTo("2");
    assertThat(onB.attribute("both")).as("the later save").isEqualTo("of A");
  }

  /** It was changed in place, and answered for, before this node knew what the other had set. */
  @Test
  void whatIsKeptIsWhatWasChangedHereAndNotWhatARefreshBroughtMeanwhile() {
    begin(a, "s", session -> session.setAttribute("list", new ArrayList<>(List.of("x"))));
    Work another = session -> session.setAttribute("list", new ArrayList<>(List.of("z")));
    request(
        a,
        "s",
        session -> {
          add(session, "y");
          linkA.insteadOfSave =
              () -> {
                request(b, "s", another);
                assertThat(requireNonNull(a.open("s")).attribute("list")).isEqualTo(List.of("z"));
              };
        });
    a.maintain();
    assertThat(get(b, "s", "list")).isEqualTo(List.of("x", "y"));
  }

  // ---------------------------------------------------------------- beginning and end

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theFirstIdOfASessionThatBeganMeanwhileOpensNothing(boolean backBefore) {
    bothAre(Failure.AFTER);
    begin(a, "first", session -> session.setAttribute("text", "one"));
    bothAre(backBefore ? Failure.NONE : Failure.BEFORE);
    assertThat(a.rename(a.sessions().get(0), "second")).isTrue();
    bothAre(Failure.NONE);
    if (!backBefore) {
      a.maintain();
    }
    assertThat(b.open("first")).isNull();
    get(a, "second", "text");
    a.maintain();
    assertThat(get(b, "second", "text")).isEqualTo("one");
  }

  @Test
  void whatOutlivesTheStopIsNotAnsweredForUnlessItIsStored() {
    begin(a, "s", session -> session.setAttribute("text", "one"));
    LiveSession session = requireNonNull(a.open("s"));
    a.beginUse(session);
    session.setAttribute("text", "two");
    a.close();
    bothAre(Failure.BEFORE);
    assertUnavailable(() -> a.flush(session));
    assertUnavailable(() -> a.open("s"));
    bothAre(Failure.NONE);
    assertThat(a.flush(session)).isTrue();
    assertThat(get(b, "s", "text")).isEqualTo("two");
  }

  @ParameterizedTest
  @ValueSource(strings = {"BEFORE", "AFTER"})
  void aSessionThatBeginsMeanwhileIsStoredLater(Failure failure) {
    bothAre(failure);
    begin(
        a,
        "s",
        session -> {
          session.setAttribute("text", "one");
          session.setAttribute("gone", "soon");
        });
    assertThat(get(a, "s", "text")).isEqualTo("one");
    set(a, "s", "text", "two");
    request(a, "s", session -> session.removeAttribute("gone"));
    bothAre(Failure.NONE);
    a.maintain();
    get(a, "s", "text");
    LiveSession onB = requireNonNull(b.open("s"));
    assertThat(onB.attribute("text")).isEqualTo("two");
    assertThat(onB.attributeNames()).containsExactly("text");
    assertThat(a.unsavedSessions()).isZero();
  }

  @Test
  @Tag("G7")
  void aSessionThatCannotBeEndedForAllLivesOn() {
    begin(a, "s", session -> session.setAttribute("text", "one"));
    bothAre(Failure.AFTER);
    begin(a, "new", session -> session.setAttribute("text", "new"));
    bothAre(Failure.BEFORE);
    LiveSession session = requireNonNull(a.open("s"));
    LiveSession unstored = requireNonNull(a.open("new"));
    assertUnavailable(() -> a.invalidate(session));
    assertUnavailable(() -> a.rename(session, "other"));
    assertUnavailable(() -> a.invalidate(unstored));
    assertThat(get(a, "s", "text")).isEqualTo("one");
    bothAre(Failure.NONE);
    assertThat(a.invalidate(session)).isTrue();
    assertThat(a.invalidate(unstored)).isTrue();
    assertThat(b.open("s")).isNull();
    assertThat(b.open("new")).isNull();
  }

  @Test
  @Tag("G7")
  void whatIsChangedInASessionThatHasEndedElsewhereIsLostAndSaidOnce() {
    begin(a, "s", session -> session.setAttribute("text", "one"));
    linkA.failure = Failure.BEFORE;
    set(a, "s", "text", "two");
    set(a, "s", "text", "three");
    b.invalidate(requireNonNull(b.open("s")));
    linkA.failure = Failure.NONE;
    List<String> lines =
        logged(
            SessionRepository.class,
            () -> {
              a.maintain();
              a.maintain();
              assertThat(a.open("s")).isNull();
              assertThat(b.open("s")).isNull();
            });
    assertThat(lines).hasSize(1).allSatisfy(line -> assertThat(line).contains("ended meanwhile"));
    assertThat(a.unsavedSessions()).isZero();
    assertThat(a.refusedSaves()).isEqualTo(1);
  }

  @Test
  @Tag("G7")
  void aRequestWhoseSessionHasEndedElsewhereFindsNone() {
    begin(a, "s", session -> session.setAttribute("text", "one"));
    linkA.failure = Failure.BEFORE;
    set(a, "s", "text", "two");
    b.invalidate(requireNonNull(b.open("s")));
    linkA.failure = Failure.NONE;
    assertThat(a.open("s")).isNull();
    a.maintain();
    assertThat(b.open("s")).isNull();
    assertThat(a.unsavedSessions()).isZero();
  }

  @Test
  void whatIsChangedInASessionThatHasAnotherIdElsewhereReachesIt() {
    begin(a, "s", session -> session.setAttribute("text", "one"));
    linkA.failure = Failure.BEFORE;
    set(a, "s", "text", "two");
    assertThat(b.rename(requireNonNull(b.open("s")), "renamed")).isTrue();
    linkA.failure = Failure.NONE;
    assertThat(a.open("s")).isNull();
    assertThat(get(b, "renamed", "text")).isEqualTo("two");
  }

  // ---------------------------------------------------------------- time

  @Test
  @Tag("G6")
  void aCopyThatHasBeenIdleForTooLongIsNotServed() {
    begin(a, "s", session -> session.setAttribute("text", "one"));
    bothAre(Failure.BEFORE);
    begin(a, "new", session -> session.setAttribute("text", "new"));
    clock.set(Duration.ofMinutes(29));
    assertThat(get(a, "s", "text")).isEqualTo("one");
    assertThat(get(a, "new", "text")).isEqualTo("new");
    clock.set(Duration.ofHours(1));
    assertUnavailable(a, "s");
    assertUnavailable(a, "new");
    bothAre(Failure.NONE);
    assertThat(a.open("s")).isNull();
    a.maintain();
    assertThat(a.open("new")).isNull();
    clock.set(Duration.ofMinutes(61));
    Set<String> ended = new TreeSet<>();
    a.scavenge(session -> ended.add(session.id()));
    assertThat(ended).as("and the one that the store had").hasSize(2).contains("new");
    assertThat(a.sessions()).isEmpty();
    assertThat(a.unsavedSessions()).isZero();
  }

  /** To the store it has been idle for an hour. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Tag("G6")
  void aSessionInUseOutlivesAnOutageThatIsLongerThanItsTimeout(boolean changed) {
    begin(a, "s", session -> session.setAttribute("text", "one"));
    get(b, "s", "text");
    bothAre(Failure.BEFORE);
    for (int minutes = 20; minutes <= 60; minutes += 20) {
      clock.set(Duration.ofMinutes(minutes));
      if (changed) {
        set(a, "s", "text", "one");
      } else {
        get(a, "s", "text");
      }
      assertUnavailable(() -> b.scavenge(session -> {}));
    }
    clock.set(Duration.ofMinutes(65));
    bothAre(Failure.NONE);
    assertThat(b.scavenge(session -> {})).as("A has not told yet").isZero();
    assertThat(get(a, "s", "text")).isEqualTo("one");
    clock.set(Duration.ofMinutes(66));
    assertThat(b.scavenge(session -> {})).isZero();
    assertThat(get(b, "s", "text")).isEqualTo("one");
    clock.set(Duration.ofHours(2));
    assertThat(b.scavenge(session -> {})).as("it does expire").isEqualTo(1);
  }

  @Test
  @Tag("G6")
  void theStoreIsToldInTheBackgroundWhatWasInUse() {
    begin(a, "s", session -> session.setAttribute("text", "one"));
    bothAre(Failure.BEFORE);
    clock.set(Duration.ofMinutes(25));
    get(a, "s", "text");
    clock.set(Duration.ofMinutes(40));
    bothAre(Failure.NONE);
    a.maintain();
    assertThat(get(b, "s", "text")).isEqualTo("one");
  }

  @ParameterizedTest
  @ValueSource(strings = {"request one", "request two", "background one", "background two"})
  @Tag("G6")
  void whatHasBeenIdleForTooLongDoesNotLiveAgainForWhatWasKept(String how) {
    begin(a, "s", session -> session.setAttribute("text", "one"));
    bothAre(Failure.BEFORE);
    clock.set(Duration.ofMinutes(8));
    set(a, "s", "text", how.substring(how.indexOf(' ') + 1));
    clock.set(Duration.ofMinutes(40));
    bothAre(Failure.NONE);
    if (how.startsWith("background")) {
      a.maintain();
      assertThat(a.unsavedSessions()).isZero();
    } else {
      assertThat(a.open("s")).isNull();
    }
    assertThat(b.open("s")).isNull();
    clock.set(Duration.ofMinutes(41));
    assertThat(b.scavenge(session -> {})).isEqualTo(1);
  }

  @Test
  @Tag("G6")
  void shortOutagesDoNotPutOffTheEndOfWhatHasExpired() {
    begin(b, "s", session -> session.setAttribute("text", "one"));
    clock.set(Duration.ofMinutes(40));
    begin(a, "used", session -> session.setAttribute("text", "one"));
    bothAre(Failure.BEFORE);
    get(a, "used", "text");
    bothAre(Failure.NONE);
    get(a, "used", "text");
    assertThat(a.scavenge(session -> {})).isEqualTo(1);
  }

  @Test
  @Tag("G6")
  void oneOutageAfterTheOtherDoesNotPutItOffForEver() {
    begin(b, "s", session -> session.setAttribute("text", "one"));
    clock.set(Duration.ofMinutes(40));
    begin(a, "used", session -> session.setAttribute("text", "one"));
    int ended = 0;
    int rounds = 0;
    Duration now = Duration.ofMinutes(40);
    for (; rounds < 30 && ended == 0; rounds++) {
      bothAre(Failure.BEFORE);
      get(a, "used", "text");
      now = now.plusSeconds(10);
      clock.set(now);
      bothAre(Failure.NONE);
      get(a, "used", "text");
      now = now.plusSeconds(10);
      clock.set(now);
      ended = a.scavenge(session -> {});
    }
    assertThat(ended).isEqualTo(1);
    assertThat(rounds).as("it does wait").isGreaterThan(10);
  }

  // ---------------------------------------------------------------- bounds

  @Test
  void changesAreKeptOfSoManySessionsAsTheNearCacheHolds() {
    SessionRepository small =
        node(
            linkA,
            new SessionPolicy(
                    Duration.ofMinutes(1),
                    SessionPolicy.DirtyCheck.READ,
                    SessionPolicy.Undecodable.FAIL,
                    3)
                .with(StoreFailure.SERVE_LOCAL));
    bothAre(Failure.BEFORE);
    for (int i = 0; i < 3; i++) {
      begin(small, "s" + i, session -> session.setAttribute("text", "one"));
    }
    assertUnavailable(
        () -> begin(small, "one more", session -> session.setAttribute("text", "one")));
    for (int i = 0; i < 3; i++) {
      set(small, "s" + i, "text", "two");
    }
    assertThat(small.unsavedSessions()).isEqualTo(3);
    bothAre(Failure.NONE);
    small.maintain();
    for (int i = 0; i < 3; i++) {
      assertThat(get(b, "s" + i, "text")).isEqualTo("two");
    }
    assertThat(b.open("one more")).isNull();
  }

  @Test
  void changesAreKeptOfSoManyBytesAsTheNearCacheHolds() {
    SessionRepository small =
        node(
            linkA,
            new SessionPolicy(
                Duration.ofMinutes(1),
                SessionPolicy.DirtyCheck.READ,
                SessionPolicy.Undecodable.FAIL,
                100,
                1000,
                Optional.empty(),
                SessionPolicy.Freshness.STRICT,
                Duration.ZERO,
                StoreFailure.SERVE_LOCAL));
    begin(small, "read", session -> session.setAttribute("text", "one"));
    begin(small, "s", session -> session.setAttribute("text", "one"));
    bothAre(Failure.BEFORE);
    set(small, "s", "text", "x".repeat(900));
    assertUnavailable(() -> set(small, "read", "text", "y".repeat(200)));
    assertUnavailable(() -> set(small, "s", "more", "z".repeat(200)));
    assertUnavailable(small, "read");
    assertUnavailable(small, "s");
    bothAre(Failure.NONE);
    small.maintain();
    assertThat(get(b, "s", "text")).isEqualTo("x".repeat(900));
    assertThat(get(small, "s", "text")).isEqualTo("x".repeat(900));
    bothAre(Failure.BEFORE);
    begin(small, "new", session -> session.setAttribute("text", "one"));
    assertUnavailable(() -> set(small, "s", "text", "x".repeat(1100)));
    assertThat(get(small, "read", "text")).as("one alone is too large").isEqualTo("y".repeat(200));
    assertUnavailable(() -> set(small, "new", "text", "x".repeat(1100)));
    assertUnavailable(small, "new");
    assertThat(get(small, "read", "text")).isEqualTo("y".repeat(200));
    bothAre(Failure.NONE);
    get(small, "read", "text");
    assertThat(get(b, "new", "text")).isEqualTo("x".repeat(1100));
  }

  // ---------------------------------------------------------------- what it costs, what it says

  @Test
  void theFirstRequestThatFindsTheStoreBackWritesWhatOthersHaveChanged() {
    begin(a, "s", session -> session.setAttribute("text", "one"));
    begin(a, "other", session -> session.setAttribute("text", "one"));
    bothAre(Failure.BEFORE);
    set(a, "s", "text", "two");
    bothAre(Failure.NONE);
    get(a, "other", "text");
    assertThat(get(b, "s", "text")).isEqualTo("two");
  }

  @Test
  void theLogSaysOnceThatTheStoreIsAwayAndOnceThatItIsBack() {
    begin(a, "s", session -> session.setAttribute("text", "one"));
    List<String> lines =
        logged(
            Outage.class,
            () -> {
              bothAre(Failure.BEFORE);
              for (int i = 0; i < 10; i++) {
                set(a, "s", "n", Integer.toString(i));
              }
              bothAre(Failure.NONE);
              get(a, "s", "text");
            });
    assertThat(lines).hasSize(2);
    assertThat(lines.get(0)).contains("cannot be asked");
    assertThat(lines.get(1)).contains("answers again", "10 times", "1 have changes");
  }

  @Test
  void aSessionThatCannotBeSavedIsLoggedOnceAndKeepsNoOtherFromBeingSaved() {
    begin(a, "s", session -> session.setAttribute("text", "one"));
    begin(a, "other", session -> session.setAttribute("text", "one"));
    bothAre(Failure.BEFORE);
    set(a, "s", "text", "two");
    linkA.failure = Failure.REFUSED;
    linkB.failure = Failure.NONE;
    List<String> lines =
        logged(
            SessionRepository.class,
            () -> {
              for (int i = 0; i < 5; i++) {
                get(a, "other", "text");
                a.maintain();
              }
            });
    assertThat(lines).hasSize(1);
    linkA.failure = Failure.NONE;
    a.maintain();
    assertThat(get(b, "s", "text")).isEqualTo("two");
  }

  private static List<String> logged(Class<?> by, Runnable work) {
    List<String> lines = Collections.synchronizedList(new ArrayList<>());
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord line) {
            lines.add(line.getMessage());
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger logger = Logger.getLogger(by.getName());
    logger.addHandler(handler);
    try {
      work.run();
    } finally {
      logger.removeHandler(handler);
    }
    return lines;
  }

  // ---------------------------------------------------------------- at random

  /** What one session is to have, by what both nodes were answered for. */
  private static final class Expected {
    /** What each node has set last, by node and attribute; what is not there it has not touched. */
    final Map<String, String> last = new HashMap<>();

    boolean ended;

    /** It was not answered whether it has. */
    boolean unknown;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  @Tag("G2")
  @Tag("G7")
  void whatWasAnsweredForIsInTheStoreInTheEnd(long seed) {
    Random random = new Random(seed);
    Map<String, Expected> sessions = new HashMap<>();
    int serial = 0;
    for (int round = 0; round < 60; round++) {
      boolean flaky = random.nextBoolean();
      linkA.random = flaky ? random : null;
      linkB.random = flaky && random.nextBoolean() ? random : null;
      for (int step = 0; step < 10; step++) {
        SessionRepository node = random.nextBoolean() ? a : b;
        String id = "s" + random.nextInt(6) + "-" + round / 20;
        serial++;
        Expected expected = sessions.get(id);
        if (expected == null) {
          expected = new Expected();
          String first = Integer.toString(serial);
          try {
            begin(a, id, session -> session.setAttribute(id + "0", first));
            expected.last.put("a" + id + "0", id + "0=" + first);
            sessions.put(id, expected);
          } catch (StoreUnavailableException e) {
            throw new AssertionError("within the bounds every session is begun", e);
          }
        } else {
          act(node, id, expected, random, serial);
        }
        if (random.nextInt(5) == 0) {
          try {
            node.maintain();
          } catch (StoreUnavailableException e) {
            // The next time.
          }
        }
      }
    }
    linkA.random = null;
    linkB.random = null;
    a.maintain();
    b.maintain();
    assertThat(a.unsavedSessions() + b.unsavedSessions()).isZero();
    SessionRepository fresh = node(new Link(), SessionPolicy.DEFAULT);
    sessions.forEach((id, expected) -> check(fresh, id, expected));
  }

  private void act(
      SessionRepository node, String id, Expected expected, Random random, int serial) {
    String name = id + random.nextInt(4);
    String mine = (node == a ? "a" : "b") + name;
    boolean removes = random.nextInt(4) == 0;
    boolean ends = random.nextInt(40) == 0;
    String value = Integer.toString(serial);
    String done = null;
    try {
      LiveSession session = node.open(id);
      if (session == null) {
        // On B until A has stored it.
        assertThat(expected.ended || expected.unknown || (node == b && !isStored(id)))
            .as(id)
            .isTrue();
        return;
      }
      if (ends) {
        boolean unused = node.invalidate(session);
        expected.ended = true;
        return;
      }
      node.beginUse(session);
      try {
        if (removes && session.hasAttribute(name)) {
          session.removeAttribute(name);
          done = "-" + name;
        } else if (!removes) {
          session.setAttribute(name, value);
          done = name + "=" + value;
        }
        if (node.flush(session) && done != null) {
          expected.last.put(mine, done);
        }
      } finally {
        node.endUse(session);
      }
    } catch (StoreUnavailableException e) {
      expected.unknown |= ends;
    }
  }

  private boolean isStored(String id) {
    return !(inner.load(SessionKey.of(id), SessionStore.NO_VERSION) instanceof LoadResult.Missing);
  }

  private void check(SessionRepository fresh, String id, Expected expected) {
    LiveSession session = fresh.open(id);
    if (expected.unknown && session == null) {
      return;
    }
    if (expected.ended) {
      assertThat(session).as("%s has been ended", id).isNull();
      return;
    }
    requireNonNull(session, id);
    Set<String> sets = new HashSet<>(expected.last.values());
    sets.removeIf(each -> each.startsWith("-"));
    assertThat(new HashSet<>(applied)).as(id).containsAll(sets);
    for (int i = 0; i < 4; i++) {
      String name = id + i;
      String stored =
          applied.stream()
              .filter(each -> each.equals("-" + name) || each.startsWith(name + "="))
              .reduce("-" + name, (before, after) -> after);
      Object value = session.attribute(name);
      assertThat(value == null ? "-" + name : name + "=" + value).isEqualTo(stored);
      String ofA = expected.last.get("a" + name);
      String ofB = expected.last.get("b" + name);
      if (ofA != null || ofB != null) {
        assertThat(stored).isIn(ofA == null ? ofB : ofA, ofB == null ? ofA : ofB);
      }
    }
  }
}
