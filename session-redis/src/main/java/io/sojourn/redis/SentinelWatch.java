package io.sojourn.redis;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;

/**
 * Learns from a sentinel that another server has become the primary.
 *
 * <p>The former one, if it still runs, holds itself for the primary until the sentinels get round
 * to telling it, which takes seconds: it would take writes that are lost then, and show sessions as
 * they were. Thread-safe.
 */
final class SentinelWatch {

  private static final Logger LOGGER = System.getLogger(SentinelWatch.class.getName());

  /** What sentinels publish: name of the primary, its address before, and its address now. */
  private static final String SWITCH = "+switch-master";

  private static final Duration PAUSE = Duration.ofSeconds(1);
  private static final Duration HEARTBEAT = Duration.ofSeconds(5);
  private static final Duration AFTER_REFUSAL = Duration.ofMinutes(1);

  private final RedisDriver driver;
  private final List<RedisURI> sentinels;
  private final String primary;
  private final Runnable onSwitch;

  private boolean started;
  private boolean closed;

  /** Whether one was listened to before, so that something may have been missed since. */
  private boolean listened;

  private boolean refused;

  /**
   * One that does not listen yet.
   *
   * @param onSwitch what to do when another server has become the primary, or may have
   */
  SentinelWatch(RedisDriver driver, RedisSettings settings, Runnable onSwitch) {
    this.driver = driver;
    this.sentinels = settings.sentinelUris();
    this.primary = settings.master();
    this.onSwitch = onSwitch;
  }

  /** Begins to listen, in the background. Repeatable. */
  synchronized void start() {
    if (!started && !closed) {
      started = true;
      connect(0);
    }
  }

  /** Listens no more. */
  synchronized void close() {
    closed = true;
  }

  private void connect(int attempt) {
    var unused =
        driver
            .connectPubSub(sentinels.get(attempt % sentinels.size()))
            .whenComplete(
                (connection, failure) -> {
                  if (failure == null) {
                    listen(connection, attempt);
                  } else {
                    connectLater(attempt + 1, PAUSE);
                  }
                });
  }

  private synchronized void connectLater(int attempt, Duration pause) {
    if (!closed) {
      driver.later(pause, () -> connect(attempt));
    }
  }

  private void listen(StatefulRedisPubSubConnection<String, String> connection, int attempt) {
    connection.addListener(
        new RedisPubSubAdapter<String, String>() {
          @Override
          public void message(String channel, String message) {
            if (message.startsWith(primary + " ")) {
              onSwitch.run();
            }
          }
        });
    var unused =
        driver
            .within(HEARTBEAT, connection.async().subscribe(SWITCH))
            .whenComplete(
                (done, failure) -> {
                  if (failure == null) {
                    listens();
                    beat(connection, attempt);
                  } else if (failure instanceof RedisCommandExecutionException) {
                    isRefused(failure);
                    giveUp(connection, attempt, AFTER_REFUSAL);
                  } else {
                    giveUp(connection, attempt, PAUSE);
                  }
                });
  }

  /** Asks from time to time whether the sentinel is still there: one that hangs says nothing. */
  private void beat(StatefulRedisPubSubConnection<String, String> connection, int attempt) {
    var unused =
        driver
            .within(HEARTBEAT, connection.async().ping())
            .whenComplete(
                (pong, failure) -> {
                  if (failure == null) {
                    driver.later(PAUSE, () -> beat(connection, attempt));
                  } else {
                    giveUp(connection, attempt, PAUSE);
                  }
                });
  }

  private void giveUp(
      StatefulRedisPubSubConnection<String, String> connection, int attempt, Duration pause) {
    var unused = connection.closeAsync();
    connectLater(attempt + 1, pause);
  }

  private void listens() {
    boolean mayHaveMissed;
    synchronized (this) {
      mayHaveMissed = listened;
      listened = true;
    }
    if (mayHaveMissed) {
      onSwitch.run();
    }
  }

  private synchronized void isRefused(Throwable failure) {
    if (!refused && !closed) {
      refused = true;
      LOGGER.log(
          Level.WARNING,
          "Sentinels do not let this node listen to {0}, so it may stay with a server that is no"
              + " longer the primary until that says so: {1}. docs/operations.md has the rule that"
              + " is enough.",
          SWITCH,
          failure.getMessage());
    }
  }
}
