package io.sojourn.redis;

import static io.sojourn.redis.Sessions.HALF_AN_HOUR;
import static io.sojourn.redis.Sessions.newKey;
import static io.sojourn.redis.Sessions.newKeyFor;
import static io.sojourn.redis.Sessions.session;
import static io.sojourn.redis.Sessions.value;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.StoreUnavailableException;
import io.sojourn.StoredAttribute;
import io.sojourn.testkit.Threads;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Users who work on a few sessions through all nodes at once, and judge what they read, while
 * something happens to the servers.
 *
 * <p>Each user has an attribute of its own in each session, sets one that all set, and signs a list
 * by replacing what it has read of it. Each also has a session of its own now and then, which it
 * renames and removes. Whatever fails has to fail as unavailable.
 *
 * <p>What a user does follows from a seed, but not when.
 */
final class ChaosLoad {

  private static final int USERS = 6;
  private static final int SESSIONS = 3;
  private static final String SHARED = "shared";
  private static final String LIST = "list";

  /** Failing must not take the processor from those who do not. */
  private static final Duration AFTER_FAILURE = Duration.ofMillis(2);

  private final long seed;
  private final List<SessionStore> nodes;
  private final List<JudgedSession> sessions = new ArrayList<>();
  private final List<User> users = new ArrayList<>();

  /** Held shared by each write, and alone by who wants to have none under way. */
  private final ReadWriteLock writing = new ReentrantReadWriteLock(true);

  private volatile boolean over;

  ChaosLoad(long seed, List<SessionStore> nodes) {
    this.seed = seed;
    this.nodes = nodes;
    for (int i = 0; i < SESSIONS; i++) {
      sessions.add(new JudgedSession());
    }
    for (int i = 0; i < USERS; i++) {
      users.add(new User(i));
    }
  }

  List<SessionKey> keys() {
    return sessions.stream().map(session -> session.key).toList();
  }

  /** Has the users work for as long as the servers have something happen to them. */
  void during(Runnable chaos) {
    Threads.run(
        USERS + 1,
        thread -> {
          try {
            if (thread < USERS) {
              users.get(thread).work();
            } else {
              chaos.run();
              awaitProgress();
            }
          } catch (RuntimeException | Error e) {
            throw new AssertionError("With -Dsojourn.test.seed=" + seed + ": " + e, e);
          } finally {
            over = true;
          }
        });
    long saves = users.stream().mapToLong(user -> user.acknowledged.get()).sum();
    long failures = users.stream().mapToLong(user -> user.failures.get()).sum();
    System.out.printf("Seed %d: %d writes acknowledged, %d calls failed%n", seed, saves, failures);
  }

  /** Whether a user has found something wrong, so that nothing needs to happen any more. */
  boolean isOver() {
    return over;
  }

  /** Does something while nobody writes; what was written before is acknowledged, or has failed. */
  void whileNobodyWrites(Runnable work) {
    writing.writeLock().lock();
    try {
      work.run();
    } finally {
      writing.writeLock().unlock();
    }
  }

  /** Waits until each user has written something that was begun after now. */
  void awaitProgress() {
    List<Long> before = users.stream().map(user -> user.acknowledged.get()).toList();
    await()
        .alias("Each user's next write")
        .atMost(Sessions.PATIENCE)
        .until(
            () ->
                over
                    || users.stream()
                        .allMatch(user -> user.acknowledged.get() > before.get(user.number) + 1));
  }

  /** What is known of a session. */
  private final class JudgedSession {
    final SessionKey key = newKey();
    final Map<String, Register> registers = new HashMap<>();

    /** To be held by who saves it, for each node. */
    final List<Object> saving = nodes.stream().map(node -> new Object()).toList();

    /** The longest list that somebody has read. */
    final AtomicReference<String> signed = new AtomicReference<>("");

    /** The newest version that somebody has read or was told. */
    final AtomicLong version = new AtomicLong(SessionStore.FIRST_VERSION);

    JudgedSession() {
      Map<String, EncodedValue> values = new HashMap<>();
      for (int i = 0; i < USERS; i++) {
        registers.put("own" + i, new Register("0"));
      }
      registers.put(SHARED, new Register("0"));
      registers.keySet().forEach(name -> values.put(name, value("0")));
      values.put(LIST, value(""));
      assertThat(
              nodes
                  .get(0)
                  .create(
                      new NewSession(
                          key, SessionStore.FIRST_VERSION, Instant.now(), HALF_AN_HOUR, values)))
          .isTrue();
    }
  }

  /** What a user's node has of a session. */
  private static final class Copy {
    final Map<String, StoredAttribute> attributes = new HashMap<>();
    long version = SessionStore.NO_VERSION;

    String text(String name) {
      return new String(requireNonNull(attributes.get(name), name).value().bytes(), UTF_8);
    }

    long version(String name) {
      return requireNonNull(attributes.get(name), name).version();
    }

    void apply(LoadResult result, SessionKey key) {
      if (result instanceof LoadResult.Found found) {
        attributes.clear();
        attributes.putAll(found.session().attributes());
        version = found.session().version();
      } else if (result instanceof LoadResult.Changed changed) {
        attributes.putAll(changed.set());
        attributes.keySet().removeAll(changed.removed().keySet());
        version = changed.version();
      } else {
        assertThat(result).as("session %s", key).isInstanceOf(LoadResult.Unchanged.class);
      }
    }
  }

  /** One thread. */
  private final class User {
    final int number;
    final Random random;
    final Map<JudgedSession, List<Copy>> copies = new HashMap<>();

    /** The key of a session of its own, and the origin. */
    @Nullable SessionKey key;

    @Nullable SessionKey origin;

    int values;
    final AtomicLong acknowledged = new AtomicLong();
    final AtomicLong failures = new AtomicLong();

    User(int number) {
      this.number = number;
      this.random = new Random(seed + number);
      for (JudgedSession session : sessions) {
        copies.put(session, nodes.stream().map(node -> new Copy()).toList());
      }
    }

    void work() {
      while (!over) {
        step();
      }
      // Once more, in peace.
      for (JudgedSession session : sessions) {
        for (int node = 0; node < nodes.size(); node++) {
          int number = node;
          await().atMost(Sessions.PATIENCE).until(() -> load(session, number) != null);
        }
      }
    }

    private void step() {
      if (random.nextInt(5) == 0) {
        useOwnSession();
        return;
      }
      JudgedSession session = sessions.get(random.nextInt(SESSIONS));
      Copy copy = load(session, random.nextInt(nodes.size()));
      if (copy != null && random.nextInt(4) > 0) {
        save(session, copy, random.nextInt(nodes.size()));
      }
    }

    // -------------------------------------------------------------- a session of all

    /** Brings a copy up to date, and judges it; null if the node cannot. */
    private @Nullable Copy load(JudgedSession session, int node) {
      Copy copy = requireNonNull(copies.get(session)).get(node);
      long version = session.version.get();
      String signed = session.signed.get();
      Map<String, Register.Limits> limits = new HashMap<>();
      session.registers.forEach((name, register) -> limits.put(name, register.beginRead()));
      LoadResult result = ask(() -> nodes.get(node).load(session.key, copy.version));
      if (result == null) {
        return null;
      }
      copy.apply(result, session.key);
      assertThat(copy.version)
          .as("the version of session %s, which somebody knew before", session.key)
          .isGreaterThanOrEqualTo(version);
      session.version.accumulateAndGet(copy.version, Math::max);
      session.registers.forEach(
          (name, register) ->
              register.endRead(
                  requireNonNull(limits.get(name)), copy.text(name), copy.version(name)));
      String list = copy.text(LIST);
      assertThat(list).as("a list that was signed").startsWith(signed);
      assertThat(list.split(";")).as("signatures").doesNotHaveDuplicates();
      session.signed.accumulateAndGet(list, (a, b) -> a.length() < b.length() ? b : a);
      return copy;
    }

    private void save(JudgedSession session, Copy copy, int node) {
      values++;
      String text = number + "-" + values;
      Map<String, AttributeChange> changes = new HashMap<>();
      changes.put("own" + number, new AttributeChange.Set(value(text)));
      if (random.nextInt(3) == 0) {
        changes.put(SHARED, new AttributeChange.Set(value(text)));
      }
      // Not too long, for speed.
      boolean signs = random.nextInt(3) == 0 && copy.text(LIST).length() < 5_000;
      long listVersion = copy.version(LIST);
      if (signs) {
        changes.put(
            LIST, new AttributeChange.Replace(value(copy.text(LIST) + text + ";"), listVersion));
      }
      long version = session.version.get();
      Map<Register, Long> begun = new HashMap<>();
      changes.keySet().stream()
          .filter(session.registers::containsKey)
          .map(session.registers::get)
          .forEach(register -> begun.put(register, register.beginWrite()));
      SessionDelta delta = new SessionDelta(session.key, changes, Optional.empty(), Duration.ZERO);
      OptionalLong saved =
          write(
              () -> {
                // Nodes save a session once at a time.
                synchronized (session.saving.get(node)) {
                  return nodes.get(node).save(delta);
                }
              });
      if (saved == null) {
        return;
      }
      assertThat(saved).as("the version of session %s after a save", session.key).isPresent();
      assertThat(saved.getAsLong()).isGreaterThan(version);
      session.version.accumulateAndGet(saved.getAsLong(), Math::max);
      begun.forEach(Register::acknowledged);
      if (signs) {
        Copy after = load(session, random.nextInt(nodes.size()));
        if (after != null) {
          assertThat(after.version(LIST))
              .as("the version of a list that has been replaced, by %s or another", text)
              .isGreaterThan(listVersion);
        }
      }
    }

    // -------------------------------------------------------------- a session of one's own

    private void useOwnSession() {
      SessionStore node = nodes.get(random.nextInt(nodes.size()));
      if (key == null || origin == null) {
        SessionKey created = newKey();
        Boolean done = write(() -> node.create(session(created, "a", "1")));
        if (done != null) {
          assertThat(done).as("whether session %s was created", created).isTrue();
          key = created;
          origin = created;
        }
        return;
      }
      SessionKey present = key;
      SessionKey end = origin;
      switch (random.nextInt(4)) {
        case 0 -> {
          SessionKey next = newKeyFor(present);
          Boolean done = write(() -> node.rename(present, next));
          if (done == null) {
            Boolean old = exists(present);
            Boolean renamed = exists(next);
            if (old != null && renamed != null) {
              assertThat(renamed).as("whether %s goes by %s", present, next).isNotEqualTo(old);
            }
            key = renamed == null ? null : renamed ? next : present;
          } else {
            assertThat(done).as("whether session %s was renamed", present).isTrue();
            assertThat(exists(present)).as("what goes by %s", present).isNotEqualTo(true);
            key = next;
          }
        }
        case 1 -> {
          Boolean done = write(() -> node.remove(end));
          key = null;
          if (done != null) {
            assertThat(done).as("whether session %s was removed", end).isTrue();
            assertThat(exists(present)).as("what goes by %s", present).isNotEqualTo(true);
          }
        }
        default -> assertThat(exists(present)).as("what goes by %s", present).isNotEqualTo(false);
      }
    }

    /** Null if the node cannot tell. */
    private @Nullable Boolean exists(SessionKey wanted) {
      SessionStore node = nodes.get(random.nextInt(nodes.size()));
      LoadResult result = ask(() -> node.load(wanted, SessionStore.NO_VERSION));
      return result == null ? null : result instanceof LoadResult.Found;
    }

    // -------------------------------------------------------------- calls

    private <T> @Nullable T write(Supplier<T> call) {
      writing.readLock().lock();
      try {
        T answer = ask(call);
        if (answer != null) {
          acknowledged.incrementAndGet();
        }
        return answer;
      } finally {
        writing.readLock().unlock();
      }
    }

    /** Null if the store is unavailable; anything else that is thrown is an error. */
    private <T> @Nullable T ask(Supplier<T> call) {
      try {
        return call.get();
      } catch (StoreUnavailableException e) {
        failures.incrementAndGet();
        LockSupport.parkNanos(AFTER_FAILURE.toNanos());
        return null;
      }
    }
  }
}
