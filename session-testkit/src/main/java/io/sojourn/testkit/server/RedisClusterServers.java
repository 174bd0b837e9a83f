package io.sojourn.testkit.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A Redis Cluster of three masters, and of a replica for each if wanted.
 *
 * <p>A test ends a node by {@link RedisServer#kill()} or {@link RedisServer#suspend()} and begins
 * it again; a node keeps its place in the cluster and its slots over a kill, but no data. A second
 * after the end of a node the others hold it for dead, and its replica takes its place. Without
 * replicas they wait for three seconds, as nobody gains from their taking a busy machine's node for
 * dead; the slots of a dead master are served by nobody then, and all others go on. Thread-safe.
 */
public final class RedisClusterServers implements AutoCloseable {

  private static final int SLOTS = 16_384;
  private static final int MASTERS = 3;
  private static final int NODE_TIMEOUT_MILLIS = 1_000;
  private static final int LONG_NODE_TIMEOUT_MILLIS = 3_000;

  private final RedisAccess access;
  private final List<RedisServer> nodes = new CopyOnWriteArrayList<>();

  private RedisClusterServers(RedisAccess access) {
    this.access = access;
  }

  /**
   * Starts three masters for the caller alone, who has to close them, and returns when the cluster
   * is whole. They have about a third of the slots each, in the order of {@link #nodes()}.
   *
   * @throws IllegalStateException if they cannot be started; the message says what was tried
   */
  public static RedisClusterServers start() {
    return start(RedisAccess.OPEN);
  }

  /**
   * Starts three masters as {@link #start()} does, which do not let anybody in.
   *
   * @param access whom they let in
   * @throws IllegalStateException if they cannot be started; the message says what was tried
   */
  public static RedisClusterServers start(RedisAccess access) {
    return start(access, 0);
  }

  /**
   * Starts three masters and then their replicas, in the same order, for the caller alone, who has
   * to close them, and returns when the cluster is whole.
   *
   * @throws IllegalStateException if they cannot be started; the message says what was tried
   */
  public static RedisClusterServers startWithReplicas() {
    return start(RedisAccess.OPEN, MASTERS);
  }

  private static RedisClusterServers start(RedisAccess access, int replicas) {
    RedisClusterServers cluster = new RedisClusterServers(access);
    int timeout = replicas == 0 ? LONG_NODE_TIMEOUT_MILLIS : NODE_TIMEOUT_MILLIS;
    boolean started = false;
    try {
      for (int i = 0; i < MASTERS + replicas; i++) {
        cluster.nodes.add(
            RedisServer.launch(access, path -> new NodeProgram(path, access, timeout)));
      }
      cluster.form();
      started = true;
      return cluster;
    } catch (IOException e) {
      throw new IllegalStateException("The cluster cannot be formed: " + e.getMessage(), e);
    } finally {
      if (!started) {
        cluster.close();
      }
    }
  }

  private void form() throws IOException {
    for (int i = 0; i < nodes.size(); i++) {
      // Else all have the same epoch, and need time to find that out and choose new ones.
      RedisConnection.ask(nodes.get(i), "CLUSTER", "SET-CONFIG-EPOCH", Integer.toString(i + 1));
    }
    for (int i = 0; i < nodes.size(); i++) {
      for (RedisServer later : nodes.subList(i + 1, nodes.size())) {
        String port = Integer.toString(later.port());
        RedisConnection.ask(nodes.get(i), "CLUSTER", "MEET", "127.0.0.1", port);
      }
    }
    for (int i = 0; i < MASTERS; i++) {
      List<String> command = new ArrayList<>(List.of("CLUSTER", "ADDSLOTS"));
      IntStream.range(i * SLOTS / MASTERS, (i + 1) * SLOTS / MASTERS)
          .forEach(slot -> command.add(Integer.toString(slot)));
      RedisConnection.ask(nodes.get(i), command.toArray(String[]::new));
    }
    awaitWhole();
    for (int i = MASTERS; i < nodes.size(); i++) {
      String master = RedisConnection.ask(nodes.get(i - MASTERS), "CLUSTER", "MYID");
      RedisConnection.ask(nodes.get(i), "CLUSTER", "REPLICATE", master);
    }
    awaitWhole();
  }

  /**
   * Returns {@code redis-cluster://127.0.0.1:p1,127.0.0.1:p2,127.0.0.1:p3} with all nodes, or the
   * same with {@code rediss-cluster}.
   */
  public String url() {
    return nodes.stream()
        .map(RedisServer::address)
        .collect(Collectors.joining(",", access.scheme() + "-cluster://", ""));
  }

  /** Returns all nodes, those that were started as masters before those that were replicas. */
  public List<RedisServer> nodes() {
    return List.copyOf(nodes);
  }

  /**
   * Returns the slot of a key, which is UTF-8 in Redis.
   *
   * @throws IllegalStateException if no node answers
   */
  public int slot(String key) {
    String bytes = new String(key.getBytes(UTF_8), ISO_8859_1); // as connections here take it
    for (RedisServer node : nodes) {
      try {
        return Integer.parseInt(RedisConnection.ask(node, "CLUSTER", "KEYSLOT", bytes));
      } catch (IOException e) {
        // any other one knows it too
      }
    }
    throw new IllegalStateException("No node of " + url() + " answers");
  }

  /**
   * Returns the master that owns a slot, whether it runs or not; where nodes do not agree, the one
   * that came to own it last.
   *
   * @throws IllegalArgumentException if there is no such slot
   * @throws IllegalStateException if no node that answers knows an owner
   */
  public RedisServer owner(int slot) {
    if (slot < 0 || slot >= SLOTS) {
      throw new IllegalArgumentException("There is no slot " + slot);
    }
    return views().values().stream()
        .flatMap(view -> view.members().stream())
        .filter(member -> member.owns(slot))
        .max(Comparator.comparingLong(RedisClusterView.Member::epoch))
        .map(owner -> nodeOn(owner.port()))
        .orElseThrow(() -> new IllegalStateException("Nobody owns slot " + slot));
  }

  /**
   * Begins to move a slot from its owner to another master: declares it to be on its way there, and
   * moves no key yet.
   *
   * @throws IllegalArgumentException if there is no such slot, or the target owns it
   * @throws IllegalStateException if no node that answers knows an owner
   * @throws java.io.UncheckedIOException if the owner or the target refuses or does not answer
   */
  public RedisSlotMove beginMove(int slot, RedisServer target) {
    RedisServer owner = owner(slot);
    if (owner == target) {
      throw new IllegalArgumentException(target.address() + " owns slot " + slot);
    }
    RedisSlotMove move = new RedisSlotMove(this, slot, owner, target);
    move.begin();
    return move;
  }

  /**
   * Has another master join the cluster. It owns no slot until one is moved to it.
   *
   * @throws IllegalStateException if it does not come to be a part of the cluster
   */
  public RedisServer join() {
    RedisServer joining =
        RedisServer.launch(access, path -> new NodeProgram(path, access, LONG_NODE_TIMEOUT_MILLIS));
    nodes.add(joining);
    try {
      String port = Integer.toString(nodes.get(0).port());
      RedisConnection.ask(joining, "CLUSTER", "MEET", "127.0.0.1", port);
    } catch (IOException e) {
      throw new IllegalStateException("A node cannot join " + url() + ": " + e.getMessage(), e);
    }
    awaitWhole();
    return joining;
  }

  /**
   * Waits until the cluster is whole: each slot has a master that answers, and all nodes that
   * answer say that the cluster is well, agree on the slots, hold each other for alive and, if they
   * are replicas, follow their masters. After the end of a master this waits for its replica to
   * take its place, or for the master to be started again.
   *
   * @throws IllegalStateException if that does not come to be
   */
  public void awaitWhole() {
    Settling.await("A whole cluster", this::isWhole);
  }

  /** Ends all nodes and deletes their files. Closing twice does nothing. */
  @Override
  public void close() {
    nodes.forEach(RedisServer::close);
  }

  /** Returns true if all nodes that answer hold a node for a slot's owner, and throws otherwise. */
  boolean agreeOn(int slot, RedisServer owner) throws IOException {
    for (Map.Entry<RedisServer, RedisClusterView> view : views().entrySet()) {
      Optional<RedisClusterView.Member> member = view.getValue().withPort(owner.port());
      if (member.isEmpty() || !member.get().owns(slot)) {
        throw new IOException(view.getKey().address() + " names another owner");
      }
    }
    return true;
  }

  private boolean isWhole() throws IOException {
    Map<RedisServer, RedisClusterView> views = views();
    Set<Integer> answering =
        views.keySet().stream().map(RedisServer::port).collect(Collectors.toSet());
    Set<Map<String, String>> layouts =
        views.values().stream().map(RedisClusterView::layout).collect(Collectors.toSet());
    if (layouts.size() != 1) {
      throw new IOException("the nodes that answer do not agree: " + layouts);
    }
    for (Map.Entry<RedisServer, RedisClusterView> view : views.entrySet()) {
      checkHealth(view.getKey(), view.getValue(), answering);
    }
    return true;
  }

  private void checkHealth(RedisServer node, RedisClusterView view, Set<Integer> answering)
      throws IOException {
    List<RedisClusterView.Member> alive =
        view.members().stream().filter(member -> answering.contains(member.port())).toList();
    int served = alive.stream().mapToInt(RedisClusterView.Member::slotCount).sum();
    if (view.members().size() != nodes.size()
        || served != SLOTS
        || !alive.stream().allMatch(RedisClusterView.Member::isSound)) {
      throw new IOException(node.address() + " sees " + view.members());
    }
    require(node, "cluster_state", "ok", "CLUSTER", "INFO");
    if (!view.self().isMaster()) {
      require(node, "master_link_status", "up", "INFO", "replication");
    }
  }

  private static void require(RedisServer node, String property, String expected, String... asked)
      throws IOException {
    String value = RedisConnection.property(RedisConnection.ask(node, asked), property);
    if (!value.equals(expected)) {
      throw new IOException(node.address() + " has " + property + " " + value);
    }
  }

  /** Returns what the nodes hold for true that answer. */
  private Map<RedisServer, RedisClusterView> views() {
    Map<RedisServer, RedisClusterView> views = new LinkedHashMap<>();
    for (RedisServer node : nodes) {
      try {
        views.put(node, RedisClusterView.parse(RedisConnection.ask(node, "CLUSTER", "NODES")));
      } catch (IOException e) {
        // those who are left decide
      }
    }
    return views;
  }

  private RedisServer nodeOn(int port) {
    return nodes.stream()
        .filter(node -> node.port() == port)
        .findFirst()
        .orElseThrow(() -> new NoSuchElementException("No node of ours is on port " + port));
  }

  /** A node; it keeps what it knows of the cluster in its folder, over a kill too. */
  private static final class NodeProgram extends RedisProgram {

    private static final int BUS_OFFSET = 10_000;

    NodeProgram(Path executable, RedisAccess access, int timeoutMillis) {
      super(
          executable,
          access,
          words(
              "--cluster-enabled yes",
              "--cluster-config-file nodes.conf",
              "--cluster-node-timeout " + timeoutMillis,
              "--cluster-require-full-coverage no",
              "--cluster-replica-validity-factor 0",
              "--cluster-announce-ip 127.0.0.1",
              "--repl-diskless-sync no"));
    }

    @Override
    public int secondPortOffset() {
      return BUS_OFFSET;
    }
  }
}
