package io.sojourn.jdbc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.StoredAttribute;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.Threads;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;

/**
 * Many threads on one session, through two stores, for {@code sojourn.test.hammerSeconds}.
 *
 * <p>Each thread sets, replaces and removes attributes of its own, for which it knows what must be
 * there; writes one that all write; and signs a list by replacing what it has read of it. Now and
 * then it brings its copy of the session up to date.
 */
final class Hammer {

  private static final Duration TIME =
      Duration.ofSeconds(Integer.getInteger("sojourn.test.hammerSeconds", 3));
  private static final int THREADS_OF_A_STORE = 16;
  private static final String SHARED = "shared";
  private static final String LIST = "list";

  private Hammer() {}

  /** Hammers a session of this database. */
  static void run(String url) {
    try (SessionStore one = PatientStores.open(url, "hammer", () -> Duration.ZERO);
        SessionStore two = PatientStores.open(url, "hammer", () -> Duration.ZERO)) {
      SessionKey key = SessionKey.of(UUID.randomUUID().toString());
      IdleTimeout timeout = IdleTimeout.of(Duration.ofMinutes(30), Duration.ofMinutes(1));
      Map<String, EncodedValue> first = Map.of(LIST, value(""));
      assertThat(
              one.create(
                  new NewSession(key, SessionStore.FIRST_VERSION, Instant.now(), timeout, first)))
          .isTrue();

      long end = System.nanoTime() + TIME.toNanos();
      List<User> users =
          Threads.call(
              2 * THREADS_OF_A_STORE,
              thread -> {
                User user = new User(thread, thread % 2 == 0 ? one : two, key);
                while (System.nanoTime() < end) {
                  user.step();
                }
                return user;
              });

      SessionRecord stored = ((LoadResult.Found) two.load(key, SessionStore.NO_VERSION)).session();
      long saves = users.stream().mapToLong(user -> user.saves).sum();
      long loads = users.stream().mapToLong(user -> user.loads).sum();
      assertThat(stored.version()).isEqualTo(SessionStore.FIRST_VERSION + saves);
      Map<String, EncodedValue> expected = new HashMap<>();
      for (User user : users) {
        expected.putAll(user.own);
        user.refresh();
        assertThat(user.copy)
            .as("the copy of thread %d", user.thread)
            .isEqualTo(stored.attributes());
      }
      Map<String, EncodedValue> values = new HashMap<>();
      stored.attributes().forEach((name, attribute) -> values.put(name, attribute.value()));
      assertThat(text(requireNonNull(values.remove(SHARED)))).startsWith("of thread ");
      List<String> list = List.of(text(requireNonNull(values.remove(LIST))).split("(?<=;)"));
      assertThat(list).doesNotHaveDuplicates();
      for (User user : users) {
        assertThat(list).containsAll(user.signatures);
        assertThat(user.refusedSignatures).doesNotContainAnyElementsOf(list);
      }
      assertThat(values).isEqualTo(expected);
      System.out.printf(
          "%s: %d saves and %d loads in %d s, %d signatures%n",
          url.replaceFirst("[?;].*", ""), saves, loads, TIME.toSeconds(), list.size());
    }
  }

  private static EncodedValue value(String text) {
    return EncodedValue.of(text.getBytes(UTF_8));
  }

  private static String text(EncodedValue value) {
    return new String(value.bytes(), UTF_8);
  }

  /** One thread, with its copy of the session. */
  private static final class User {
    private final int thread;
    private final SessionStore store;
    private final SessionKey key;
    private final Random random;
    private final Map<String, EncodedValue> own = new HashMap<>();
    private final Map<String, Long> ownVersions = new HashMap<>();
    private Map<String, StoredAttribute> copy = new HashMap<>();
    private long version = SessionStore.NO_VERSION;
    private long saves;
    private long loads;
    private final List<String> signatures = new ArrayList<>();
    private final List<String> refusedSignatures = new ArrayList<>();

    User(int thread, SessionStore store, SessionKey key) {
      this.thread = thread;
      this.store = store;
      this.key = key;
      this.random = new Random(thread);
    }

    void step() {
      String name = "t" + thread + "-" + random.nextInt(4);
      EncodedValue next = value(name + " " + saves);
      Long known = ownVersions.get(name);
      switch (random.nextInt(6)) {
        case 0, 1 -> {
          AttributeChange shared = new AttributeChange.Set(value("of thread " + thread));
          long saved = save(Map.of(name, new AttributeChange.Set(next), SHARED, shared));
          put(name, next, saved);
        }
        case 2 -> {
          save(Map.of(name, new AttributeChange.Remove()));
          own.remove(name);
          ownVersions.remove(name);
        }
        case 3 -> {
          if (known == null) {
            save(Map.of(name, new AttributeChange.Replace(next, 1)));
          } else {
            put(name, next, save(Map.of(name, new AttributeChange.Replace(next, known))));
          }
        }
        case 4 -> sign();
        default -> refresh();
      }
    }

    private void put(String name, EncodedValue value, long saved) {
      own.put(name, value);
      ownVersions.put(name, saved);
    }

    /** Signs the list that all sign, if nobody else has signed it since it was read. */
    private void sign() {
      refresh();
      StoredAttribute list = requireNonNull(copy.get(LIST));
      String signature = thread + "-" + saves + ";";
      EncodedValue signed = value(text(list.value()) + signature);
      long saved = save(Map.of(LIST, new AttributeChange.Replace(signed, list.version())));
      refresh();
      // If somebody has signed after that, nobody can tell yet.
      long present = requireNonNull(copy.get(LIST)).version();
      if (present == saved) {
        signatures.add(signature);
      } else if (present < saved) {
        refusedSignatures.add(signature);
      }
    }

    private long save(Map<String, AttributeChange> changes) {
      var saved = store.save(new SessionDelta(key, changes, Optional.empty(), Duration.ZERO));
      assertThat(saved).isPresent();
      saves++;
      return saved.getAsLong();
    }

    /** Brings the copy up to date, and checks that what this thread wrote is in it. */
    void refresh() {
      long before = version;
      LoadResult result = load(before);
      if (result instanceof LoadResult.Found found) {
        copy = new HashMap<>(found.session().attributes());
        version = found.session().version();
      } else if (result instanceof LoadResult.Changed changed) {
        assertThat(changed.version()).isGreaterThan(version);
        copy.putAll(changed.set());
        copy.keySet().removeAll(changed.removed().keySet());
        version = changed.version();
        if (load(before) instanceof LoadResult.Changed later) {
          checkNothingWasMissing(changed, later);
        }
      } else {
        assertThat(result).isInstanceOf(LoadResult.Unchanged.class);
      }
      Map<String, EncodedValue> seen = new HashMap<>();
      copy.forEach(
          (name, attribute) -> {
            if (name.startsWith("t" + thread + "-")) {
              seen.put(name, attribute.value());
            }
          });
      assertThat(seen).isEqualTo(own);
    }

    private LoadResult load(long since) {
      loads++;
      return store.load(key, since);
    }

    /** Whoever was answered once will not be told again what had been written by then. */
    private static void checkNothingWasMissing(
        LoadResult.Changed answer, LoadResult.Changed later) {
      later
          .set()
          .forEach(
              (name, attribute) -> {
                if (attribute.version() <= answer.version()) {
                  assertThat(answer.set()).containsEntry(name, attribute);
                }
              });
      later
          .removed()
          .forEach(
              (name, removed) -> {
                if (removed <= answer.version()) {
                  assertThat(answer.removed()).containsEntry(name, removed);
                }
              });
    }
  }
}
