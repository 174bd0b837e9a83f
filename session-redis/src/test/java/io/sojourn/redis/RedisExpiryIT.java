package io.sojourn.redis;

import static io.sojourn.redis.Sessions.found;
import static io.sojourn.redis.Sessions.newKey;
import static io.sojourn.redis.Sessions.set;
import static io.sojourn.redis.Sessions.value;
import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.NewSession;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.Threads;
import io.sojourn.testkit.server.RedisServer;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Many sessions that expire within a minute: {@code sojourn.test.expiring} of them. */
class RedisExpiryIT {

  private static final int SESSIONS = Integer.getInteger("sojourn.test.expiring", 100_000);
  private static final int SESSIONS_BY_TURNS = 5_000;
  private static final int LIVING = 50;

  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Duration TOUCH = Duration.ofSeconds(1);
  private static final Duration END = MINUTE.multipliedBy(2).plusSeconds(3);

  /** Both have some 1,700 sessions expire at once. */
  private static final Duration TICK = Duration.ofSeconds(1);

  private static final Duration TICK_BY_TURNS = Duration.ofSeconds(20);

  /** Longer than the time that passes: no node dies here. */
  private static final Duration CLAIM_TIME = Duration.ofHours(1);

  /** As scavenging has it. */
  private static final int CLAIM_LIMIT = 50;

  private static final int SCAVENGERS = 3;
  private static final int CREATORS = 16;

  private static final Duration SLOW = Duration.ofMillis(5);
  private static final int ATTEMPTS = 3;

  private final List<SessionStore> nodes = new ArrayList<>();
  private volatile StoreTime time = new StoreTime();

  private RedisServer server;
  private RedisClient client;
  private RedisCommands<String, String> redis;

  @BeforeEach
  void startServer() {
    server = RedisServer.startPrivate();
    client = RedisClient.create(server.url());
    redis = client.connect().sync();
    redis.configSet("slowlog-log-slower-than", Long.toString(SLOW.toMillis() * 1_000));
    while (nodes.size() <= SCAVENGERS) {
      nodes.add(
          new RedisSessionStore(
              new StoreConfiguration(
                  server.url(), "shop", Map.of("timeout", "20s"), () -> time.offset())));
    }
  }

  @AfterEach
  void stopServer() {
    nodes.forEach(SessionStore::close);
    client.shutdown(0, 2, TimeUnit.SECONDS);
    server.close();
  }

  /**
   * The server's log of slow commands goes by the clock on the wall, so it also has scripts that
   * the system took the processor from for a while, as it does where many run at once. If any is in
   * it, the clients take turns: then the processor time that a call has cost the server tells
   * whether a script had as much to do as the log says.
   */
  @Test
  @Tag("G6")
  @Tag("R80")
  void eachIsClaimedOnceWhileOthersLiveAndNoScriptHoldsUpTheServer() {
    expire(SESSIONS, TICK, new AllAtOnce());
    List<String> slow = slowScripts();
    for (int attempt = 1; !slow.isEmpty() && attempt <= ATTEMPTS; attempt++) {
      System.out.println("Slow, or waiting for the processor: " + slow);
      ByTurns turns = new ByTurns();
      expire(SESSIONS_BY_TURNS, TICK_BY_TURNS, turns);
      System.out.println("The longest call took the server " + turns.longest + " of its processor");
      slow = turns.slow;
    }
    assertThat(slow).as("scripts of %s and more", SLOW).isEmpty();
  }

  /** Lets a minute pass in which so many sessions expire. */
  private void expire(int count, Duration tick, Order order) {
    long before = redis.dbsize();
    time = new StoreTime();
    Set<SessionKey> expiring = createExpiring(count);
    redis.slowlogReset();
    Set<SessionKey> claimed = ConcurrentHashMap.newKeySet();
    Threads.run(
        SCAVENGERS + 1,
        thread -> {
          if (thread < SCAVENGERS) {
            scavenge(nodes.get(thread), order, claimed);
          } else {
            keepAlive(nodes.get(thread), order, tick);
          }
        });
    assertThat(claimed).isEqualTo(expiring);
    assertThat(redis.dbsize()).as("keys that are left").isEqualTo(before);
  }

  /** Creates sessions that expire one after the other, the last a minute after the first. */
  private Set<SessionKey> createExpiring(int count) {
    EncodedValue user = value("x".repeat(200));
    List<Set<SessionKey>> created =
        Threads.call(
            CREATORS,
            thread -> {
              SessionStore node = nodes.get(thread % nodes.size());
              Set<SessionKey> keys = new HashSet<>();
              for (int i = thread; i < count; i += CREATORS) {
                Duration idle = MINUTE.plus(MINUTE.multipliedBy(i).dividedBy(count));
                keys.add(created(node, idle, "user", user));
              }
              return keys;
            });
    Set<SessionKey> all = new HashSet<>();
    created.forEach(all::addAll);
    return all;
  }

  private static SessionKey created(
      SessionStore node, Duration idle, String name, EncodedValue value) {
    SessionKey key = newKey();
    IdleTimeout timeout = IdleTimeout.of(idle, TOUCH);
    assertThat(
            node.create(
                new NewSession(
                    key, SessionStore.FIRST_VERSION, Instant.now(), timeout, Map.of(name, value))))
        .isTrue();
    return key;
  }

  private void scavenge(SessionStore node, Order order, Set<SessionKey> claimed) {
    while (true) {
      Duration before = time.passed();
      boolean over = before.compareTo(END) >= 0;
      List<SessionRecord> some = order.call(() -> node.claimExpired(CLAIM_LIMIT, CLAIM_TIME));
      for (SessionRecord session : some) {
        SessionKey origin = session.origin();
        assertThat(claimed.add(origin))
            .as("whether %s is claimed for the first time", origin)
            .isTrue();
        assertThat(order.call(() -> node.remove(origin))).isTrue();
      }
      if (over && some.isEmpty()) {
        return;
      }
      if (!over && some.size() < CLAIM_LIMIT) {
        time.awaitMoreThan(before);
      }
    }
  }

  /** Saves sessions that would expire within the minute, and lets it pass as they are saved. */
  private void keepAlive(SessionStore node, Order order, Duration tick) {
    try {
      time.pass(MINUTE);
      List<SessionKey> living = new ArrayList<>();
      while (living.size() < LIVING) {
        living.add(order.call(() -> created(node, MINUTE.dividedBy(2), "a", value("1"))));
      }
      long version = SessionStore.FIRST_VERSION;
      while (time.passed().compareTo(END) < 0) {
        version++;
        for (SessionKey key : living) {
          assertThat(order.call(() -> node.save(set(key, "a", "2")))).hasValue(version);
        }
        if (time.isWaitedFor()) {
          time.pass(tick);
        }
      }
      for (SessionKey key : living) {
        assertThat(found(node, key).version()).isEqualTo(version);
        assertThat(node.remove(key)).isTrue();
      }
    } finally {
      // Those who wait for it are not to wait for ever.
      time.pass(END);
    }
  }

  /** Some of those that the server has noted, if any. */
  private List<String> slowScripts() {
    List<String> slow = new ArrayList<>();
    for (Object entry : redis.slowlogGet(128)) {
      List<?> parts = (List<?>) entry;
      String command = String.valueOf(parts.get(3));
      if (slow.size() < 10 && command.toLowerCase(Locale.ROOT).startsWith("[eval")) {
        slow.add(parts.get(2) + " us " + command);
      }
    }
    return slow;
  }

  /** How the nodes' calls follow each other. */
  private interface Order {
    <T> T call(Supplier<T> call);
  }

  private static final class AllAtOnce implements Order {
    @Override
    public <T> T call(Supplier<T> call) {
      return call.get();
    }
  }

  /** One by one, each with a look at what it cost. */
  private final class ByTurns implements Order {
    final List<String> slow = new ArrayList<>();
    Duration longest = Duration.ZERO;

    @Override
    public synchronized <T> T call(Supplier<T> call) {
      Duration before = processorTime();
      T answer = call.get();
      Duration taken = processorTime().minus(before);
      if (taken.compareTo(longest) > 0) {
        longest = taken;
      }
      if (taken.compareTo(SLOW) >= 0) {
        slow.addAll(slowScripts());
      }
      redis.slowlogReset();
      return answer;
    }

    private Duration processorTime() {
      return redis
          .info("cpu")
          .lines()
          .filter(line -> line.matches("used_cpu_(sys|user):.*"))
          .map(line -> new BigDecimal(line.substring(line.indexOf(':') + 1)))
          .map(seconds -> Duration.ofNanos(seconds.movePointRight(9).longValue()))
          .reduce(Duration.ZERO, Duration::plus);
    }
  }

  /** What the stores take for the time: it stands still unless a test passes it. */
  private static final class StoreTime {
    private final long start = System.currentTimeMillis();
    private Duration passed = Duration.ZERO;
    private boolean waitedFor;

    synchronized Duration offset() {
      return passed.minusMillis(System.currentTimeMillis() - start);
    }

    synchronized Duration passed() {
      return passed;
    }

    synchronized void pass(Duration duration) {
      passed = passed.plus(duration);
      waitedFor = false;
      notifyAll();
    }

    synchronized boolean isWaitedFor() {
      return waitedFor;
    }

    synchronized void awaitMoreThan(Duration before) {
      waitedFor |= passed.equals(before);
      while (passed.equals(before)) {
        try {
          wait();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new AssertionError("Interrupted", e);
        }
      }
    }
  }
}
