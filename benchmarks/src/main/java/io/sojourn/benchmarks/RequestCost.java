package io.sojourn.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What does a request cost whose session is kept by Sojourn, measured by one of a plain Tomcat?
 * Starts two Tomcats with their own manager, and for each store a server and two Tomcats with
 * Sojourn, each in a JVM of its own. Clients alternate between the two with Sojourn at every
 * request of a session; a session of a plain Tomcat stays where it is, half of them on each. They
 * check what they read. Prints the processor time of the Tomcats and of the store's server, how
 * often they asked the store and how many bytes that moved: medians of rounds in which all take
 * turns.
 *
 * <pre>
 * mvn -q -DskipTests -pl benchmarks -am package
 * java -cp benchmarks/target/benchmarks.jar io.sojourn.benchmarks.RequestCost redis,mariadb 20000
 * </pre>
 */
public final class RequestCost {

  /** Before anything is measured, unless told otherwise: servers have asked their store often. */
  private static final int WARM_UP = 200_000;

  private static final Mix AT_FIRST = new Mix(10);

  private static final int ROUNDS = 15;
  private static final int CLIENTS = 2;

  /** Of all clients together, about. */
  private static final int SESSIONS = 50;

  private final int requests;
  private final int clientCount;
  private final int warmUp;
  private final int roundCount;
  private final ExecutorService threads;

  private RequestCost(int requests, int clientCount, int warmUp, int roundCount) {
    this.requests = requests;
    this.clientCount = clientCount;
    this.warmUp = warmUp;
    this.roundCount = roundCount;
    this.threads = Executors.newFixedThreadPool(clientCount);
  }

  /** How many of a hundred requests write; negative if they ask for no session. */
  private record Mix(int writes) {
    @Override
    public String toString() {
      return switch (writes) {
        case -1 -> "no session";
        case 0 -> "read only";
        case 100 -> "write one";
        default -> (100 - writes) + " % read";
      };
    }
  }

  /** What is measured: Tomcats, and what they keep sessions in, if not in themselves. */
  private record Candidate(String name, List<Node> nodes, @Nullable CostStore store)
      implements AutoCloseable {

    /** Starts one of plain Tomcats, or of two with Sojourn over this kind of store. */
    static Candidate start(String kind) throws Exception {
      if (kind.equals(CostNode.STANDARD)) {
        return new Candidate("plain Tomcat", twoNodes(CostNode.STANDARD, "none"), null);
      }
      String[] words = kind.split("-", 2);
      CostStore store = CostStore.start(words[0]);
      String freshness = words.length > 1 ? words[1] : "strict";
      return new Candidate(kind, twoNodes(store.url(), freshness), store);
    }

    private static List<Node> twoNodes(String store, String freshness) throws IOException {
      return List.of(Node.start(store, freshness), Node.start(store, freshness));
    }

    boolean sharesSessions() {
      return store != null;
    }

    Duration nodeCpu() {
      return nodes.stream().map(Node::cpu).reduce(Duration.ZERO, Duration::plus);
    }

    @Override
    public void close() {
      for (Node node : nodes) {
        node.close();
      }
      if (store != null) {
        store.close();
      }
    }
  }

  /** A JVM with a Tomcat. */
  private record Node(Process process, int port) implements AutoCloseable {

    static Node start(String store, String freshness) throws IOException {
      String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
      Process process =
          new ProcessBuilder(
                  java,
                  "-Xmx1g",
                  "-cp",
                  System.getProperty("java.class.path"),
                  CostNode.class.getName(),
                  store,
                  freshness)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      BufferedReader output =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
      String line = output.readLine();
      if (line == null || !line.startsWith(CostNode.READY)) {
        throw new IOException("A node did not start: " + line);
      }
      return new Node(process, Integer.parseInt(line.substring(CostNode.READY.length())));
    }

    Duration cpu() {
      return RequestCost.cpu(process.toHandle());
    }

    /** Kills it: it has nothing to lose. */
    @Override
    public void close() {
      process.destroyForcibly();
    }
  }

  /** What a thousand requests cost. */
  private record Cost(double nodeMillis, double storeMillis, double calls, double bytes) {
    double bothMillis() {
      return nodeMillis + storeMillis;
    }
  }

  /**
   * Measures and prints.
   *
   * @param arguments stores with commas between, as {@link CostStore#start} has them, and with a
   *     hyphen the freshness, such as {@code redis-causal}; {@code redis,mariadb} unless given; and
   *     how many requests each round makes, {@code 20000} unless given; the sizes of the sessions
   *     in KB, {@code 2,20,200} unless given; and how many of a hundred requests write, {@code
   *     -1,0,10,100} unless given, where {@code -1} stands for requests that ask for no session;
   *     how many clients there are, {@code 2} unless given: with few of them, waking up is most of
   *     what a request costs; how many requests warm up, {@code 200000} unless given; and how many
   *     rounds there are, {@code 15} unless given: of many short ones each is over before the
   *     machine has become another one
   */
  public static void main(String[] arguments) throws Exception {
    List<String> kinds = new ArrayList<>(List.of(CostNode.STANDARD));
    kinds.addAll(List.of((arguments.length > 0 ? arguments[0] : "redis,mariadb").split(",")));
    int requests = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 20_000;
    List<Integer> sizes = numbers(arguments.length > 2 ? arguments[2] : "2,20,200");
    List<Integer> writes = numbers(arguments.length > 3 ? arguments[3] : "-1,0,10,100");
    int clients = arguments.length > 4 ? Integer.parseInt(arguments[4]) : CLIENTS;
    int warmUp = arguments.length > 5 ? Integer.parseInt(arguments[5]) : WARM_UP;
    int rounds = arguments.length > 6 ? Integer.parseInt(arguments[6]) : ROUNDS;
    List<Candidate> systems = new ArrayList<>();
    RequestCost benchmark = new RequestCost(requests, clients, warmUp, rounds);
    try {
      for (String kind : kinds) {
        systems.add(Candidate.start(kind));
      }
      benchmark.run(systems, sizes, writes.stream().map(Mix::new).toList());
    } finally {
      benchmark.threads.shutdown();
      for (Candidate system : systems) {
        system.close();
      }
    }
  }

  private static List<Integer> numbers(String listed) {
    return Stream.of(listed.split(",")).map(Integer::valueOf).toList();
  }

  private void run(List<Candidate> systems, List<Integer> sizes, List<Mix> mixes) throws Exception {
    say("Per 1,000 requests: ms of processor time; in brackets times the plain Tomcat's.");
    say("| Session | Requests | | Tomcats | store | both | calls | bytes of a request |");
    say("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (Candidate system : systems) {
      List<CostClient> clients = clients(system, sizes.get(0));
      drive(clients, warmUp, AT_FIRST);
      close(clients);
    }
    for (int kilobytes : sizes) {
      for (Mix mix : mixes) {
        List<List<Cost>> rounds = measure(systems, kilobytes, mix);
        for (int i = 0; i < systems.size(); i++) {
          int system = i;
          Function<ToDoubleFunction<List<Cost>>, Double> median =
              figure -> median(rounds.stream().mapToDouble(figure));
          say(
              "| %d KB | %s | %s | %.0f (%.2f) | %.0f | %.0f (%.2f) | %.0f | %.0f |",
              kilobytes,
              mix,
              systems.get(i).name,
              median.apply(round -> round.get(system).nodeMillis),
              median.apply(round -> round.get(system).nodeMillis / round.get(0).nodeMillis),
              median.apply(round -> round.get(system).storeMillis),
              median.apply(round -> round.get(system).bothMillis()),
              median.apply(round -> round.get(system).bothMillis() / round.get(0).nodeMillis),
              median.apply(round -> round.get(system).calls),
              median.apply(round -> round.get(system).bytes / 1000));
        }
      }
    }
  }

  private double median(DoubleStream values) {
    return values.sorted().skip(roundCount / 2).findFirst().orElseThrow();
  }

  private List<CostClient> clients(Candidate system, int kilobytes) throws IOException {
    List<Integer> ports = system.nodes.stream().map(Node::port).toList();
    List<CostClient> clients = new ArrayList<>();
    // An odd number, so that a client alternates between the nodes when it begins anew, too.
    int sessions = Math.max(1, SESSIONS / clientCount) | 1;
    for (int i = 0; i < clientCount; i++) {
      clients.add(new CostClient(ports, system.sharesSessions(), sessions, kilobytes, i));
    }
    return clients;
  }

  private static void close(List<CostClient> clients) throws IOException {
    for (CostClient client : clients) {
      client.close();
    }
  }

  /** Once to warm up, then in rounds in which all take turns: what each costs in each round. */
  private List<List<Cost>> measure(List<Candidate> systems, int kilobytes, Mix mix)
      throws Exception {
    List<List<CostClient>> clients = new ArrayList<>();
    try {
      for (Candidate system : systems) {
        List<CostClient> own = clients(system, kilobytes);
        clients.add(own);
        drive(own, requests, mix);
      }
      List<List<Cost>> rounds = new ArrayList<>();
      for (int round = 0; round < roundCount; round++) {
        Cost[] costs = new Cost[systems.size()];
        for (int i = 0; i < systems.size(); i++) {
          // Who came last comes first, so that nobody always has the machine as another left it.
          int next = round % 2 == 0 ? i : systems.size() - 1 - i;
          costs[next] = measure(systems.get(next), clients.get(next), mix);
        }
        rounds.add(List.of(costs));
      }
      return rounds;
    } finally {
      for (List<CostClient> own : clients) {
        close(own);
      }
    }
  }

  private Cost measure(Candidate system, List<CostClient> clients, Mix mix) throws Exception {
    CostStore store = system.store;
    CostStore.Work before = store == null ? CostStore.Work.NONE : store.work();
    Duration storeCpu = store == null ? Duration.ZERO : store.cpu();
    Duration nodeCpu = system.nodeCpu();
    drive(clients, requests, mix);
    nodeCpu = system.nodeCpu().minus(nodeCpu);
    storeCpu = store == null ? storeCpu : store.cpu().minus(storeCpu);
    CostStore.Work work = store == null ? before : store.work().since(before);
    double thousands = requests / 1000.0;
    return new Cost(
        nodeCpu.toMillis() / thousands,
        storeCpu.toMillis() / thousands,
        work.calls() / thousands,
        work.bytes() / thousands);
  }

  private void drive(List<CostClient> clients, int number, Mix mix) throws Exception {
    List<Future<?>> driven = new ArrayList<>();
    for (CostClient client : clients) {
      driven.add(
          threads.submit(
              () -> {
                client.run(number / clientCount, mix.writes);
                return null;
              }));
    }
    for (Future<?> each : driven) {
      each.get(10, TimeUnit.MINUTES);
    }
  }

  /** The processor time of a process so far; none if it has ended. */
  static Duration cpu(ProcessHandle process) {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  private static void say(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }
}
