package io.sojourn.redis;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.lettuce.core.RedisURI;
import io.sojourn.ChangeListener;
import io.sojourn.SessionException;
import io.sojourn.StoreUnavailableException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The few ways to one server. Each is shared by all threads; one that is used by nobody is not
 * connected. Thread-safe.
 */
final class RedisLinks implements ScriptRunner {

  /*
   * Answers come in the order of the questions, so a long one holds up those behind it. A call that
   * may be long never takes the first link, and as long as it lasts others keep off the one that it
   * has taken. One that nobody could know to be long holds up few: where answers are awaited, the
   * next call takes another link.
   */

  private static final Logger LOGGER = System.getLogger(RedisLinks.class.getName());

  private static final int LINKS = 4;

  /** How often another server may be found in a while: more often than by any failover. */
  private static final int MOST_CHANGES = 30;

  private static final Duration WHILE = Duration.ofMinutes(1);

  /** What a call that may be long counts for: more than there are threads. */
  private static final int LONG = 100_000;

  private final String url;
  private final List<RedisLink> links;

  /** How many calls are under way on each. */
  private final AtomicIntegerArray load = new AtomicIntegerArray(LINKS);

  private final RedisDriver driver;
  private final RedisSettings settings;
  private final int replicas;
  private final @Nullable SentinelWatch watch;
  private final List<RedisWatches> changes = new CopyOnWriteArrayList<>();

  /**
   * The replication id of the server that was connected to last; null if there was none yet, empty
   * if it is unknown.
   */
  private volatile @Nullable String replicationId;

  private volatile long history;

  /** Whether the address leads to several servers, so that none of them is the present one. */
  private volatile boolean takingTurns;

  /** When the first change was of those that are counted, by {@link System#nanoTime()}. */
  @GuardedBy("this")
  private long changedSince;

  @GuardedBy("this")
  private int changesCounted;

  @GuardedBy("this")
  private boolean reported;

  @GuardedBy("this")
  private boolean closed;

  /** Links to the server that the settings name, or to the primary of the sentinels. */
  RedisLinks(RedisDriver driver, RedisSettings settings, String url) {
    SentinelWatch watching =
        settings.hasSentinels() ? new SentinelWatch(driver, settings, this::reconnect) : null;
    this.url = url;
    this.watch = watching;
    this.driver = driver;
    this.settings = settings;
    this.replicas = settings.replicas();
    this.links =
        links(
            driver,
            patience -> {
              if (watching != null) {
                watching.start();
              }
              return settings.uri(patience);
            },
            settings,
            url,
            false);
  }

  /** Links to one node of a cluster. */
  RedisLinks(RedisDriver driver, RedisSettings settings, String url, RedisAddress node) {
    this.url = url + " (" + node + ")";
    this.watch = null;
    this.driver = driver;
    this.settings = settings;
    this.replicas = settings.replicas();
    this.links = links(driver, patience -> settings.uri(node, patience), settings, this.url, true);
  }

  private List<RedisLink> links(
      RedisDriver driver,
      Function<Duration, RedisURI> uri,
      RedisSettings settings,
      String url,
      boolean ofCluster) {
    return IntStream.range(0, LINKS)
        .mapToObj(i -> new RedisLink(driver, uri, settings, url, ofCluster, this))
        .toList();
  }

  @Override
  public ScriptCall.Reply run(String attempted, ScriptCall call) {
    return run(attempted, call, false);
  }

  /**
   * The same.
   *
   * @param asking whether the server only has what it is asked for on its way to it
   */
  ScriptCall.Reply run(String attempted, ScriptCall call, boolean asking) {
    boolean waits = replicas > 0 && call.script().isKept();
    return on(waits || call.mayBeLong(), link -> link.run(attempted, call, asking));
  }

  @Override
  public void runAll(String attempted, List<ScriptCall> calls, Consumer<Answered> onAnswer) {
    on(
        true,
        link -> {
          link.runAll(attempted, calls, onAnswer);
          return true;
        });
  }

  @Override
  public void ping() {
    on(
        false,
        link -> {
          link.ping();
          return true;
        });
  }

  /**
   * Asks a node of a cluster who has which slots.
   *
   * @return the answer to {@code CLUSTER SLOTS}
   * @throws StoreUnavailableException if it cannot be asked
   * @throws SessionException if it says something unexpected
   */
  List<Object> clusterSlots(String attempted) {
    return on(false, link -> link.clusterSlots(attempted));
  }

  @Override
  public long history(int slot) {
    return history;
  }

  /*
   * A server that says which history of its data it has is known by that: to connect anew to the same one, as after a network's fault or an
   * answer that did not come, means nothing. The first link that finds another one begins a history for all of them; by then the others are
   * of no use until they have been connected anew, since they may still lead to the former primary.
   *
   * Several masters behind one address would have the links end each other's connections for ever. So after many changes in a while all
   * are of use, and each server that is connected to in the place of another begins a history, as ever.
   */

  /**
   * Takes note of the server that a link has been connected to, before anybody asks it anything.
   */
  synchronized void connected(String id) {
    if (closed) {
      return;
    }
    String before = replicationId;
    replicationId = id;
    if (before != null && (id.isEmpty() || !id.equals(before))) {
      driver.beginHistory(number -> history = number);
      if (!before.isEmpty() && !id.isEmpty()) {
        countChange(before, id);
      }
    }
  }

  @GuardedBy("this")
  private void countChange(String before, String id) {
    long now = System.nanoTime();
    if (changesCounted == 0 || now - changedSince > WHILE.toNanos()) {
      changesCounted = 0;
      changedSince = now;
    }
    changesCounted++;
    takingTurns = changesCounted > MOST_CHANGES;
    if (takingTurns && !reported) {
      reported = true;
      LOGGER.log(
          Level.WARNING,
          "{0} leads to several servers that do not replicate one another, among them those with"
              + " the replication ids {1} and {2}: sessions of one are missing in the other. Let it"
              + " lead to one primary.",
          url,
          before,
          id);
    }
  }

  /**
   * Whether a connection to a server with this replication id is one to the present server, as far
   * as there is one.
   */
  boolean isPresent(String id) {
    return id.equals(replicationId) || takingTurns;
  }

  /** Has all links connect anew: another server may be in the place of the present one. */
  void reconnect() {
    links.forEach(RedisLink::reconnect);
    changes.forEach(RedisWatches::reconnect);
  }

  /** {@inheritDoc} Not of a node of a cluster, which is to be watched as a whole. */
  @Override
  public Runnable watch(String prefix, ChangeListener listener) {
    RedisWatches created = new RedisWatches(driver, prefix, listener);
    changes.add(created);
    RedisAddress server = settings.addresses().get(0);
    created.watch(Map.of(server, () -> settings.uri(driver.patience(settings.timeout()))));
    return () -> {
      changes.remove(created);
      created.close();
    };
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true; // and its history does not go on
    }
    if (watch != null) {
      watch.close();
    }
    links.forEach(RedisLink::close);
    changes.forEach(RedisWatches::close);
  }

  private <T> T on(boolean mayBeLong, Function<RedisLink, T> call) {
    int weight = mayBeLong ? LONG : 1;
    int chosen = mayBeLong ? 1 : 0;
    for (int i = chosen + 1; i < LINKS && load.get(chosen) > 0; i++) {
      if (load.get(i) < load.get(chosen)) {
        chosen = i;
      }
    }
    load.addAndGet(chosen, weight);
    try {
      return call.apply(links.get(chosen));
    } finally {
      load.addAndGet(chosen, -weight);
    }
  }
}
