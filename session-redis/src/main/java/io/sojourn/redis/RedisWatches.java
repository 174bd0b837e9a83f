package io.sojourn.redis;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.lettuce.core.RedisURI;
import io.sojourn.ChangeListener;
import io.sojourn.SessionKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * Watches all servers that have keys of an application, and knows whether none of them is left out.
 * Thread-safe.
 */
final class RedisWatches {

  private static final String SESSION = "}:session:";

  private static final Duration CLOSING = Duration.ofSeconds(1);

  private final RedisDriver driver;
  private final String prefix;
  private final ChangeListener listener;

  @GuardedBy("this")
  private final Map<RedisAddress, RedisWatch> watches = new HashMap<>();

  /** Those of them that do not tell of changes at the moment. */
  @GuardedBy("this")
  private final Set<RedisAddress> silent = new HashSet<>();

  @GuardedBy("this")
  private boolean watching;

  @GuardedBy("this")
  private boolean closed;

  /**
   * Watches nothing yet.
   *
   * @param prefix what the names of the application's keys begin with
   */
  RedisWatches(RedisDriver driver, String prefix, ChangeListener listener) {
    this.driver = driver;
    this.prefix = prefix;
    this.listener = listener;
  }

  /**
   * These are the servers from now on.
   *
   * @param uris how to reach each
   */
  void watch(Map<RedisAddress, Supplier<RedisURI>> uris) {
    List<RedisWatch> left = new ArrayList<>();
    List<RedisWatch> begun = new ArrayList<>();
    synchronized (this) {
      if (closed || watches.keySet().equals(uris.keySet())) {
        return;
      }
      for (RedisAddress server : Set.copyOf(watches.keySet())) {
        if (!uris.containsKey(server)) {
          left.add(requireNonNull(watches.remove(server)));
          silent.remove(server);
        }
      }
      uris.forEach(
          (server, uri) -> {
            if (!watches.containsKey(server)) {
              RedisWatch watch = new RedisWatch(driver, uri, prefix, new OfServer(server));
              watches.put(server, watch);
              silent.add(server);
              begun.add(watch);
            }
          });
      judge();
    }
    // Not under the lock, which they take when they have something to tell.
    left.forEach(RedisWatch::close);
    begun.forEach(RedisWatch::start);
  }

  /** Another server may be in the place of one. */
  void reconnect() {
    all().forEach(RedisWatch::reconnect);
  }

  /** Watches no more. Repeatable. */
  void close() {
    synchronized (this) {
      closed = true;
    }
    RedisDriver.awaitClosed(
        CompletableFuture.allOf(
            all().stream().map(RedisWatch::close).toArray(CompletableFuture[]::new)),
        CLOSING);
  }

  private synchronized List<RedisWatch> all() {
    return List.copyOf(watches.values());
  }

  @GuardedBy("this")
  private void judge() {
    boolean all = !watches.isEmpty() && silent.isEmpty();
    if (watching && !all) {
      listener.lost();
    } else if (!watching && all) {
      listener.watching();
    }
    watching = all;
  }

  private synchronized void isSilent(RedisAddress server, boolean isSilent) {
    if (closed || !watches.containsKey(server)) {
      return;
    }
    if (isSilent) {
      silent.add(server);
    } else {
      silent.remove(server);
    }
    judge();
  }

  /** What one server tells. */
  private final class OfServer implements RedisWatch.Watcher {

    private final RedisAddress server;

    OfServer(RedisAddress server) {
      this.server = server;
    }

    @Override
    public void watching() {
      isSilent(server, false);
    }

    @Override
    public void changed(String key) {
      int begin = key.indexOf(SESSION);
      // Whatever else has our prefix is not ours.
      if (begin >= 0 && key.length() == begin + SESSION.length() + 2 * SessionKey.BYTES) {
        try {
          listener.changed(RedisKeys.keyIn(key));
        } catch (IllegalArgumentException e) {
          // Nor is this.
        }
      }
    }

    @Override
    public void lost() {
      isSilent(server, true);
    }

    @Override
    public void refused(String why) {
      listener.refused(why);
    }
  }
}
