package io.sojourn.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.RedisURI;
import io.lettuce.core.StatefulRedisConnectionImpl;
import io.lettuce.core.TrackingArgs;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.push.PushMessage;
import io.lettuce.core.protocol.ProtocolVersion;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A connection on which a server tells which keys of an application change (client tracking in
 * broadcast mode, https://redis.io/docs/latest/develop/reference/client-side-caching/). Opened
 * again whenever it was lost.
 *
 * <p>It is a connection of its own: on those that scripts are run on, the server would tell each
 * which of the others has changed something. Thread-safe.
 */
final class RedisWatch {

  private static final Duration PAUSE = Duration.ofMillis(500);
  private static final Duration HEARTBEAT = Duration.ofSeconds(1);
  private static final Pattern LASTING =
      Pattern.compile("(?i)^(NOPERM|NOPROTO|ERR (unknown|syntax|Client tracking))|RESP3");
  private static final String INVALIDATE = "invalidate";

  /** Told of by one thread at a time. */
  interface Watcher {
    /** From now on every change is told. */
    void watching();

    /** This key has changed. */
    void changed(String key);

    /** Anything may have changed, and what changes is not told until {@link #watching()}. */
    void lost();

    /** This server does not tell of changes. */
    void refused(String why);
  }

  private final RedisDriver driver;
  private final Supplier<RedisURI> uri;
  private final String prefix;
  private final Watcher watcher;

  @GuardedBy("this")
  private @Nullable StatefulRedisConnection<byte[], byte[]> connection;

  @GuardedBy("this")
  private boolean closed;

  /**
   * One that does not watch yet.
   *
   * @param uri where to, asked at each attempt
   * @param prefix what the names of the keys begin with
   */
  RedisWatch(RedisDriver driver, Supplier<RedisURI> uri, String prefix, Watcher watcher) {
    this.driver = driver;
    this.uri = uri;
    this.prefix = prefix;
    this.watcher = watcher;
  }

  /** Connects, in the background. */
  void start() {
    CompletableFuture<StatefulRedisConnection<byte[], byte[]>> connecting;
    try {
      connecting = driver.connectToPrimary(uri.get());
    } catch (RuntimeException e) {
      startLater();
      return;
    }
    var unused =
        connecting.whenComplete(
            (opened, failure) -> {
              if (failure == null) {
                watch(opened);
              } else {
                startLater();
              }
            });
  }

  private synchronized void startLater() {
    if (!closed) {
      driver.later(PAUSE, this::start);
    }
  }

  private void watch(StatefulRedisConnection<byte[], byte[]> opened) {
    synchronized (this) {
      if (closed) {
        var unused = opened.closeAsync();
        return;
      }
      connection = opened;
    }
    opened.addListener(message -> take(opened, message));
    opened.addListener(
        new RedisConnectionStateListener() {
          @Override
          public void onRedisDisconnected(RedisChannelHandler<?, ?> handler) {
            drop(opened);
          }
        });
    TrackingArgs args = TrackingArgs.Builder.enabled().bcast().prefixes(UTF_8, prefix);
    var unused =
        driver
            .within(HEARTBEAT, opened.async().clientTracking(args))
            .whenComplete(
                (done, failure) -> {
                  String refusal = failure == null ? refusal(opened) : refusal(failure);
                  if (refusal != null) {
                    watcher.refused(refusal);
                    close();
                  } else if (failure == null) {
                    watches(opened);
                    beat(opened);
                  } else {
                    drop(opened);
                  }
                });
    if (!opened.isOpen()) {
      drop(opened);
    }
  }

  /** Without RESP3 a server agrees to tell of changes, and has no way to. */
  private static @Nullable String refusal(StatefulRedisConnection<byte[], byte[]> opened) {
    return opened instanceof StatefulRedisConnectionImpl<byte[], byte[]> connection
            && connection.getConnectionState().getNegotiatedProtocolVersion()
                == ProtocolVersion.RESP2
        ? "it, or a proxy in front of it, does not speak RESP3"
        : null;
  }

  /** What a server says that will say the same next time; null if it may not. */
  private static @Nullable String refusal(Throwable failure) {
    String said = String.valueOf(failure.getMessage());
    return failure instanceof RedisCommandExecutionException && LASTING.matcher(said).find()
        ? said
        : null;
  }

  private synchronized void watches(StatefulRedisConnection<byte[], byte[]> opened) {
    if (connection == opened) {
      watcher.watching();
    }
  }

  /** Asks from time to time whether the server is still there: one that hangs says nothing. */
  private void beat(StatefulRedisConnection<byte[], byte[]> opened) {
    var unused =
        driver
            .within(HEARTBEAT, opened.async().ping())
            .whenComplete(
                (pong, failure) -> {
                  if (failure == null) {
                    driver.later(HEARTBEAT, () -> beat(opened));
                  } else {
                    drop(opened);
                  }
                });
  }

  private synchronized void take(
      StatefulRedisConnection<byte[], byte[]> opened, PushMessage message) {
    if (connection != opened || !message.getType().equals(INVALIDATE)) {
      return;
    }
    List<Object> content = message.getContent(UTF_8::decode);
    if (content.size() > 1 && content.get(1) instanceof List<?> keys) {
      keys.forEach(key -> watcher.changed(String.valueOf(key)));
    } else {
      // All keys are gone. What is told from now on is still told.
      watcher.lost();
      watcher.watching();
    }
  }

  /** Opens another connection: another server may be in the place of this one. */
  void reconnect() {
    StatefulRedisConnection<byte[], byte[]> present;
    synchronized (this) {
      present = connection;
    }
    if (present != null) {
      drop(present);
    }
  }

  private void drop(StatefulRedisConnection<byte[], byte[]> lost) {
    synchronized (this) {
      if (connection != lost) {
        return;
      }
      connection = null;
      watcher.lost();
    }
    var unused = lost.closeAsync();
    startLater();
  }

  /**
   * Watches no more. Repeatable.
   *
   * @return is done when the connection is closed
   */
  @CanIgnoreReturnValue
  CompletableFuture<Void> close() {
    StatefulRedisConnection<byte[], byte[]> present;
    synchronized (this) {
      closed = true;
      present = connection;
      connection = null;
    }
    return present == null ? CompletableFuture.completedFuture(null) : present.closeAsync();
  }
}
