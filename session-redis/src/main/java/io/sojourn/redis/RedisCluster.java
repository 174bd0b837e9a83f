package io.sojourn.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.SlotHash;
import io.sojourn.ChangeListener;
import io.sojourn.SessionException;
import io.sojourn.StoreUnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The masters of a cluster: each script is run by the one that has the slot of its keys. Who has
 * which is asked of any node, at first and when one sends a call elsewhere or cannot be asked.
 * Thread-safe.
 */
final class RedisCluster implements ScriptRunner {

  /*
   * The driver's own client of clusters cannot do without its reconnecting, which sends again what was on its way; see RedisLink. What is
   * left to do here is little: a table of slots, and links to each master.
   */

  /** How often a call is sent elsewhere, as while slots are moved. */
  private static final int REDIRECTIONS = 5;

  /** Between questions who has which slots. */
  private static final long PAUSE_NANOS = Duration.ofMillis(100).toNanos();

  private final RedisDriver driver;
  private final RedisSettings settings;
  private final String url;
  private final AtomicReferenceArray<@Nullable Owner> owners =
      new AtomicReferenceArray<>(SlotHash.SLOT_COUNT);
  private final Map<RedisAddress, RedisLinks> links = new ConcurrentHashMap<>();
  private final Object refreshLock = new Object();

  @GuardedBy("refreshLock")
  private long refreshedAt = System.nanoTime() - PAUSE_NANOS;

  private final List<RedisWatches> changes = new CopyOnWriteArrayList<>();

  /** Held while it is found out who is to be watched, so that an older finding does not win. */
  private final Object watchLock = new Object();

  private volatile boolean closed;

  /**
   * Who has a slot.
   *
   * @param history a number for the slot's history since this one has it
   */
  private record Owner(RedisAddress node, long history) {}

  /**
   * A cluster that is asked for its masters when one is first needed.
   *
   * @param settings some of its nodes, and how to reach any
   * @param url the same for messages, without credentials
   */
  RedisCluster(RedisDriver driver, RedisSettings settings, String url) {
    this.driver = driver;
    this.settings = settings;
    this.url = url;
  }

  @Override
  public ScriptCall.Reply run(String attempted, ScriptCall call) {
    int slot = SlotHash.getSlot(call.keys()[0]);
    RedisAddress node = owner(attempted, slot);
    boolean asking = false;
    boolean lost = false;
    int redirections = 0;
    while (true) {
      try {
        ScriptCall.Reply reply = links(node).run(attempted, call, asking);
        return lost ? new ScriptCall.Reply(reply.value(), true) : reply;
      } catch (Redirection e) {
        if (++redirections > REDIRECTIONS) {
          throw unavailable(attempted, e);
        }
        asking = e.isOnce();
        node = e.target(node);
        if (!asking) {
          own(slot, node);
          watchMasters();
        }
      } catch (StoreUnavailableException e) {
        // What was asked of a node that has failed since may have been done, and be known to the
        // one in its place.
        RedisAddress failed = node;
        refresh(attempted, failed);
        node = owner(attempted, slot);
        if (lost || node.equals(failed)) {
          throw e;
        }
        lost = true;
        asking = false;
      }
    }
  }

  @Override
  public void runAll(String attempted, List<ScriptCall> calls, Consumer<Answered> onAnswer) {
    Map<RedisAddress, List<Integer>> byNode = new LinkedHashMap<>();
    for (int i = 0; i < calls.size(); i++) {
      RedisAddress node = owner(attempted, SlotHash.getSlot(calls.get(i).keys()[0]));
      byNode.computeIfAbsent(node, ignored -> new ArrayList<>()).add(i);
    }
    byNode.forEach((node, indexes) -> runAll(attempted, node, calls, indexes, onAnswer));
  }

  /** The one that the node sends elsewhere, and those after it, are run one by one. */
  private void runAll(
      String attempted,
      RedisAddress node,
      List<ScriptCall> calls,
      List<Integer> indexes,
      Consumer<Answered> onAnswer) {
    AtomicInteger answered = new AtomicInteger();
    try {
      links(node)
          .runAll(
              attempted,
              indexes.stream().map(calls::get).toList(),
              answer ->
                  onAnswer.accept(
                      new Answered(indexes.get(answered.getAndIncrement()), answer.value())));
    } catch (Redirection e) {
      // Each that is left finds its way by itself.
    } catch (StoreUnavailableException e) {
      refresh(attempted, node);
      throw e;
    }
    for (int index : indexes.subList(answered.get(), indexes.size())) {
      ScriptCall.Reply reply = run(attempted, calls.get(index));
      onAnswer.accept(new Answered(index, reply.value()));
    }
  }

  @Override
  public void ping() {
    String attempted = "ping";
    Set<RedisAddress> masters = masters();
    if (masters.isEmpty()) {
      refresh(attempted, null);
      masters = masters();
    }
    if (masters.isEmpty()) {
      throw unavailable(attempted, null);
    }
    masters.forEach(node -> links(node).ping());
  }

  @Override
  public Runnable watch(String prefix, ChangeListener listener) {
    RedisWatches created = new RedisWatches(driver, prefix, listener);
    changes.add(created);
    watchMasters();
    return () -> {
      changes.remove(created);
      created.close();
    };
  }

  /** Those that are known; nothing is told until there are any. */
  private void watchMasters() {
    if (changes.isEmpty()) {
      return;
    }
    synchronized (watchLock) {
      Map<RedisAddress, Supplier<RedisURI>> uris = new HashMap<>();
      for (RedisAddress master : masters()) {
        uris.put(master, () -> settings.uri(master, driver.patience(settings.timeout())));
      }
      changes.forEach(watches -> watches.watch(uris));
    }
  }

  @Override
  public void close() {
    closed = true;
    links.values().forEach(RedisLinks::close);
    changes.forEach(RedisWatches::close);
  }

  /** {@inheritDoc} Whoever has the slot by then, if it has just gone to another. */
  @Override
  public long history(int slot) {
    while (true) {
      Owner owner = owners.get(slot);
      if (owner == null) {
        return 0;
      }
      RedisLinks ofOwner = links.get(owner.node());
      long history =
          ofOwner == null ? owner.history() : Math.max(owner.history(), ofOwner.history(slot));
      if (owner.equals(owners.get(slot))) {
        return history;
      }
    }
  }

  // ---------------------------------------------------------------- who has which slots

  /** Unless it is known to be this one's. */
  private synchronized void own(int slot, RedisAddress node) {
    Owner known = owners.get(slot);
    if (known == null || !known.node().equals(node)) {
      driver.beginHistory(number -> owners.set(slot, new Owner(node, number)));
    }
  }

  /**
   * Has what is left to a node that has no links any more go on with another history: new links
   * cannot tell whether it is what it was.
   */
  private synchronized void forget(RedisAddress node) {
    for (int i = 0; i < owners.length(); i++) {
      int slot = i;
      Owner known = owners.get(slot);
      if (known != null && known.node().equals(node)) {
        driver.beginHistory(number -> owners.set(slot, new Owner(node, number)));
      }
    }
  }

  private RedisAddress owner(String attempted, int slot) {
    Owner owner = owners.get(slot);
    if (owner == null) {
      refresh(attempted, null);
      owner = owners.get(slot);
    }
    if (owner == null) {
      throw unavailable(attempted, null);
    }
    return owner.node();
  }

  private Set<RedisAddress> masters() {
    Set<RedisAddress> masters = new LinkedHashSet<>();
    for (int slot = 0; slot < owners.length(); slot++) {
      Owner owner = owners.get(slot);
      if (owner != null) {
        masters.add(owner.node());
      }
    }
    return masters;
  }

  /**
   * Asks who has which slots: the masters first, but one that has failed last, then the nodes that
   * the URL names. Does nothing if somebody has just asked.
   *
   * @throws StoreUnavailableException if no node can be asked
   */
  private void refresh(String attempted, @Nullable RedisAddress failed) {
    synchronized (refreshLock) {
      if (System.nanoTime() - refreshedAt < PAUSE_NANOS) {
        return;
      }
      Set<RedisAddress> candidates = masters();
      candidates.addAll(settings.addresses());
      if (failed != null && candidates.remove(failed)) {
        candidates.add(failed);
      }
      StoreUnavailableException last = null;
      for (RedisAddress candidate : candidates) {
        try {
          take(candidate, links(candidate).clusterSlots(attempted));
          watchMasters();
          refreshedAt = System.nanoTime();
          return;
        } catch (StoreUnavailableException e) {
          last = e;
        }
      }
      refreshedAt = System.nanoTime();
      throw last == null ? unavailable(attempted, null) : last;
    }
  }

  /** Takes what a node says: of each range of slots the first, the last, the master and others. */
  private void take(RedisAddress from, List<Object> ranges) {
    Set<RedisAddress> masters = new LinkedHashSet<>();
    for (Object range : ranges) {
      if (!(range instanceof List<?> parts
          && parts.size() > 2
          && parts.get(0) instanceof Long first
          && parts.get(1) instanceof Long last
          && parts.get(2) instanceof List<?> master
          && master.size() > 1
          && master.get(1) instanceof Long port)) {
        throw new SessionException(
            from + " gave an answer to CLUSTER SLOTS that makes no sense", null);
      }
      // Some do not know their own name.
      String host = master.get(0) instanceof byte[] name ? new String(name, UTF_8) : "";
      RedisAddress node =
          new RedisAddress(
              host.isEmpty() || host.equals("?") ? from.host() : host, port.intValue());
      masters.add(node);
      for (long slot = first; slot <= last; slot++) {
        own((int) slot, node);
      }
    }
    links.forEach(
        (node, link) -> {
          if (!masters.contains(node) && !node.equals(from)) {
            link.close();
            forget(node);
            links.remove(node, link);
          }
        });
  }

  private RedisLinks links(RedisAddress node) {
    RedisLinks ofNode =
        links.computeIfAbsent(node, address -> new RedisLinks(driver, settings, url, address));
    if (closed) {
      ofNode.close();
    }
    return ofNode;
  }

  private StoreUnavailableException unavailable(String attempted, @Nullable Redirection last) {
    return new StoreUnavailableException(
        "Cannot "
            + attempted
            + " in "
            + url
            + ": "
            + (last == null
                ? "no node of the cluster has the slot of its keys"
                : "its nodes send the call to each other (" + last.getMessage() + ")")
            + ". See CLUSTER INFO and CLUSTER SLOTS.",
        last);
  }
}
