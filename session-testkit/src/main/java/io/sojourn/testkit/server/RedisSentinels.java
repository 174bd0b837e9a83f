package io.sojourn.testkit.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

/**
 * A Redis master with one replica, and three Sentinels that watch over them.
 *
 * <p>A test ends a master by {@link RedisServer#kill()} or {@link RedisServer#suspend()}; few
 * seconds later the Sentinels hold it for dead, and soon after that the replica is the master. A
 * killed server that is started again asks the Sentinels first, as operators let it do, and becomes
 * a replica of the master that they name; one that was suspended holds itself for the master until
 * the Sentinels tell it otherwise, which takes them about ten seconds. Nothing is persisted: what a
 * server has not from a master is gone with a kill. Thread-safe.
 */
public final class RedisSentinels implements AutoCloseable {

  private static final String MASTER_NAME = "sojourn";
  private static final int SENTINELS = 3;
  private static final int QUORUM = 2;

  /**
   * More than the two seconds of standing still after which a Sentinel does nothing for a while, so
   * that a machine that stops for a moment is not taken for a dead master.
   */
  private static final int DOWN_AFTER_MILLIS = 2_500;

  private static final int FAILOVER_TIMEOUT_MILLIS = 3_000;

  private final RedisAccess access;

  /** The master and the replica, in the order in which they were started. */
  private final List<RedisServer> pair = new CopyOnWriteArrayList<>();

  private final List<RedisServer> sentinels = new CopyOnWriteArrayList<>();

  private RedisSentinels(RedisAccess access) {
    this.access = access;
  }

  /**
   * Starts all five for the caller alone, who has to close them, and returns when a failover could
   * take place.
   *
   * @throws IllegalStateException if they cannot be started; the message says what was tried
   */
  public static RedisSentinels start() {
    return start(RedisAccess.OPEN);
  }

  /**
   * Starts all five as {@link #start()} does, which do not let anybody in.
   *
   * @param access whom they let in
   * @throws IllegalStateException if they cannot be started; the message says what was tried
   */
  public static RedisSentinels start(RedisAccess access) {
    RedisSentinels servers = new RedisSentinels(access);
    boolean started = false;
    try {
      servers.startAll();
      started = true;
      return servers;
    } finally {
      if (!started) {
        servers.close();
      }
    }
  }

  private void startAll() {
    pair.add(RedisServer.launch(access, DataProgram::new));
    pair.add(RedisServer.launch(access, DataProgram::new));
    // First the replica, as Sentinels ask a master for replicas once in ten seconds.
    Settling.await("Replication", () -> follows(pair.get(1), pair.get(0)));
    int masterPort = pair.get(0).port();
    for (int i = 0; i < SENTINELS; i++) {
      sentinels.add(
          RedisServer.launch(access, path -> new SentinelProgram(path, access, masterPort)));
    }
    awaitReplication();
  }

  /**
   * Returns {@code redis-sentinel://127.0.0.1:p1,127.0.0.1:p2,127.0.0.1:p3/sojourn}, or the same
   * with {@code rediss-sentinel}.
   */
  public String url() {
    return sentinels.stream()
        .map(RedisServer::address)
        .collect(Collectors.joining(",", access.scheme() + "-sentinel://", "/" + MASTER_NAME));
  }

  /** Returns the Sentinels, so that a test can end some of them too. */
  public List<RedisServer> sentinels() {
    return List.copyOf(sentinels);
  }

  /**
   * Returns the server that the Sentinels name as the master now, whether it runs or not.
   *
   * @throws IllegalStateException if they do not agree on one, or less than two of them answer
   */
  public RedisServer master() {
    return Settling.await("Agreement on the master", this::named);
  }

  /**
   * Returns the one of the two servers that is not the {@link #master()}, whether it runs or not.
   *
   * @throws IllegalStateException if the Sentinels do not agree on the master, or less than two of
   *     them answer
   */
  public RedisServer replica() {
    return other(master());
  }

  /**
   * Has the Sentinels put the replica in the place of the master, though that goes on running, and
   * returns the new master. They may not be ready for it at once, or give it up: then they are
   * asked again.
   *
   * @throws IllegalStateException if they do not do it
   */
  public RedisServer replaceMaster() {
    RedisServer former = master();
    return Settling.await(
        "The failover from " + former.address(),
        () -> {
          if (named() == former) {
            RedisConnection.ask(sentinels.get(0), "SENTINEL", "FAILOVER", MASTER_NAME);
          }
          return successor(former);
        });
  }

  /**
   * Returns the new master when the Sentinels have put it in the place of a former one.
   *
   * @param former the master until then
   * @throws IllegalStateException if no failover takes place
   */
  public RedisServer awaitFailover(RedisServer former) {
    return Settling.await("The failover from " + former.address(), () -> successor(former));
  }

  private RedisServer successor(RedisServer former) throws IOException {
    RedisServer master = named();
    if (master == former) {
      throw new IOException("the Sentinels still name " + former.address());
    }
    require(master, "role", "master");
    return master;
  }

  /**
   * Waits until the master and the replica both run, the replica follows the master and all
   * Sentinels that answer know this, so that another failover could take place.
   *
   * @throws IllegalStateException if that does not come to be
   */
  public void awaitReplication() {
    Settling.await("Replication under Sentinels", this::isReady);
  }

  /** Ends all servers and deletes their files. Closing twice does nothing. */
  @Override
  public void close() {
    sentinels.forEach(RedisServer::close);
    pair.forEach(RedisServer::close);
  }

  private boolean isReady() throws IOException {
    RedisServer master = named();
    follows(other(master), master);
    int answering = 0;
    for (RedisServer sentinel : sentinels) {
      if (answers(sentinel)) {
        answering++;
      }
    }
    for (RedisServer sentinel : sentinels) {
      if (answers(sentinel)) {
        checkView(sentinel, answering);
      }
    }
    return true;
  }

  /** Throws unless a Sentinel sees a master, a replica and enough of the others, all of them up. */
  private static void checkView(RedisServer sentinel, int answering) throws IOException {
    try (RedisConnection connection = RedisConnection.open(sentinel)) {
      List<String> master = connection.texts("SENTINEL", "MASTER", MASTER_NAME);
      List<String> replicas = connection.texts("SENTINEL", "REPLICAS", MASTER_NAME);
      if (!value(master, "flags").equals("master")
          || !value(replicas, "flags").equals("slave")
          || !value(master, "num-slaves").equals("1")
          || Integer.parseInt(value(master, "num-other-sentinels")) < answering - 1) {
        throw new IOException(
            "Sentinel " + sentinel.address() + " sees " + master + " and " + replicas);
      }
    }
  }

  private static String value(List<String> namesAndValues, String name) throws IOException {
    int index = namesAndValues.indexOf(name);
    if (index < 0) {
      throw new IOException("no " + name + " in " + namesAndValues);
    }
    return namesAndValues.get(index + 1);
  }

  /** Returns the server that all Sentinels name which answer, two at least. */
  private RedisServer named() throws IOException {
    Set<String> ports = new HashSet<>();
    int answering = 0;
    for (RedisServer sentinel : sentinels) {
      try (RedisConnection connection = RedisConnection.open(sentinel)) {
        List<String> address = connection.texts("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME);
        ports.add(address.get(1));
        answering++;
      } catch (IOException e) {
        // those who are left decide
      }
    }
    if (answering < QUORUM || ports.size() != 1) {
      throw new IOException(answering + " Sentinels answer, and name the master at " + ports);
    }
    for (RedisServer server : pair) {
      if (ports.contains(Integer.toString(server.port()))) {
        return server;
      }
    }
    throw new IOException("the Sentinels name a stranger at " + ports);
  }

  private RedisServer other(RedisServer server) {
    return pair.get(0) == server ? pair.get(1) : pair.get(0);
  }

  private static boolean answers(RedisServer server) {
    try {
      return RedisConnection.ask(server, "PING").equals("PONG");
    } catch (IOException e) {
      return false;
    }
  }

  /** Returns true if a server follows another one, and throws otherwise. */
  private static boolean follows(RedisServer replica, RedisServer master) throws IOException {
    require(master, "role", "master");
    require(replica, "role", "slave");
    require(replica, "master_port", Integer.toString(master.port()));
    require(replica, "master_link_status", "up");
    return true;
  }

  private static void require(RedisServer server, String property, String expected)
      throws IOException {
    String answer = RedisConnection.ask(server, "INFO", "replication");
    String value = RedisConnection.property(answer, property);
    if (!value.equals(expected)) {
      throw new IOException(
          server.address() + " has " + property + " " + value + ", not " + expected);
    }
  }

  /** A master or replica, whatever it has to be when it starts. */
  private final class DataProgram extends RedisProgram {

    DataProgram(Path executable) {
      super(executable, access, List.of());
    }

    @Override
    public List<String> command(Path folder, int port) {
      List<String> command = new ArrayList<>(super.command(folder, port));
      // Otherwise Redis 7 waits for five seconds for more replicas to come.
      command.addAll(List.of("--repl-diskless-sync", "no"));
      int master = masterPort(port);
      if (master != port) {
        command.addAll(List.of("--replicaof", "127.0.0.1", Integer.toString(master)));
      }
      return command;
    }

    /** Returns the port of whom the Sentinels name, or who was first, or else our own. */
    private int masterPort(int ownPort) {
      if (sentinels.isEmpty()) {
        return pair.isEmpty() ? ownPort : pair.get(0).port();
      }
      try {
        return named().port();
      } catch (IOException e) {
        return ownPort; // nobody to ask, so that it has to do by itself
      }
    }
  }

  /** A Sentinel; it keeps what it knows in its configuration, over a kill too. */
  private static final class SentinelProgram extends RedisProgram {

    private static final String CONFIGURATION = "sentinel.conf";

    private final int masterPort;

    SentinelProgram(Path executable, RedisAccess access, int masterPort) {
      super(executable, access, List.of());
      this.masterPort = masterPort;
    }

    @Override
    public String name() {
      return "sentinel";
    }

    @Override
    public void prepare(Path folder) throws IOException {
      List<String> lines = new ArrayList<>();
      lines.add("sentinel monitor %s 127.0.0.1 %d %d".formatted(MASTER_NAME, masterPort, QUORUM));
      lines.add("sentinel down-after-milliseconds %s %d".formatted(MASTER_NAME, DOWN_AFTER_MILLIS));
      lines.add("sentinel failover-timeout %s %d".formatted(MASTER_NAME, FAILOVER_TIMEOUT_MILLIS));
      lines.addAll(access().sentinelConfiguration(MASTER_NAME));
      Files.write(folder.resolve(CONFIGURATION), lines);
    }

    @Override
    public List<String> command(Path folder, int port) {
      List<String> words = new ArrayList<>();
      words.addAll(List.of(folder.resolve(CONFIGURATION).toString(), "--sentinel"));
      words.addAll(List.of("--bind", "127.0.0.1", "--dir", folder.toString()));
      words.addAll(access().portArguments(port));
      return PrivateProcess.command(executable(), words);
    }
  }
}
