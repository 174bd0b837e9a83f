package io.sojourn.demo;

import io.sojourn.demo.Nodes.Backend;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The part of the person, played by a program: it visits the shop through the balancer, kills
 * nodes, and checks at every step that each node that is up knows the visitor and the cart. Prints
 * what it does and sees. For one thread.
 */
final class Story {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  /** Two requests reach both nodes when they take turns; after this many one is being left out. */
  private static final int PATIENCE = 20;

  /** What has been done so far, so what every node must know. */
  private record Done(String user, List<String> items, String lastWrittenOn) {

    static final Done NOTHING = new Done("", List.of(), "");

    Done signIn(String name) {
      return new Done(name, items, lastWrittenOn);
    }

    Done add(String item, String node) {
      List<String> more = new ArrayList<>(items);
      more.add(item);
      return new Done(user, List.copyOf(more), node);
    }
  }

  private final URI address;
  private final Cluster cluster;
  private final PrintStream out;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(LIMIT).build();

  private Done done = Done.NOTHING;
  private String cookie = "";
  private String lastAnswered = "";
  private String step = "";
  private int held;

  Story(URI address, Cluster cluster, PrintStream out) {
    this.address = address;
    this.cluster = cluster;
    this.out = out;
  }

  /**
   * Signs in and fills the cart; then, round after round, kills the node that answered last and
   * brings it back.
   *
   * @throws DemoFailure at the first step that does not hold
   */
  void play(int rounds) {
    visit();
    signIn();
    for (int i = 0; i < 3; i++) {
      add();
    }
    for (int i = 0; i < rounds; i++) {
      killAndGoOn();
    }
    signOut();
    out.printf("All %d steps held.%n", held);
  }

  private void visit() {
    step = "first visit";
    HttpResponse<String> page = send("GET", "/", "");
    expect("status", 200, page.statusCode());
    expect("a session cookie came", true, !cookie.isEmpty());
    String node = lastAnswered;
    everywhere(done);
    holds("hello from node " + node + ", you are nobody yet, cart: 0 items");
  }

  private void signIn() {
    step = "sign in";
    String before = cookie;
    String node = post("/sign-in", "name=Ada");
    expect("the session id changed", true, !cookie.equals(before));
    done = done.signIn("Ada");
    holds("as Ada, on node %s; known to %s".formatted(node, names(everywhere(done))));

    step = "the old id";
    String after = cookie;
    cookie = before;
    strangerEverywhere();
    cookie = after;
    everywhere(done);
    holds("opens nothing, on either node");
  }

  private String add() {
    String item = Shop.GOODS.get(done.items().size() % Shop.GOODS.size());
    step = "add " + item;
    String node = post("/cart", "item=" + item);
    done = done.add(item, node);
    List<Visit> seen = everywhere(done);
    holds("on node %s; seen on %s, cart: %s".formatted(node, names(seen), seen.get(0).count()));
    return node;
  }

  private void killAndGoOn() {
    String victim = lastAnswered;
    step = "kill node " + victim;
    ProcessHandle process = process(victim);
    HttpResponse<String> killed = send("POST", "/_demo/kill?node=" + victim, "");
    expect("status", 303, killed.statusCode());
    expect("its process is alive", false, process.isAlive());
    holds("SIGKILL to process " + process.pid());

    step = "ask at once";
    Visit seen = known(done);
    for (int i = 0; i < 4; i++) {
      expect("the dead node answers", false, seen.node().equals(victim));
      seen = known(done);
    }
    holds(hello(seen));

    expect("the dead node answers", false, add().equals(victim));

    step = "start node " + victim;
    try {
      cluster.start(victim);
    } catch (DemoFailure e) {
      throw failure(String.valueOf(e.getMessage()));
    }
    long newPid = process(victim).pid();
    expect("it is the same process", false, newPid == process.pid());
    holds("it is back, as process " + newPid);

    for (Visit visit : everywhere(done)) {
      step = "ask node " + visit.node();
      expect("process", process(visit.node()).pid(), visit.pid());
      holds(hello(visit));
    }
  }

  private void signOut() {
    step = "sign out";
    String node = post("/sign-out", "");
    strangerEverywhere();
    holds("on node " + node + "; nobody is known any more, on either node");
  }

  private void strangerEverywhere() {
    for (Visit visit : everywhere(Done.NOTHING)) {
      expect("session on node " + visit.node(), "", visit.session());
    }
  }

  /** Asks until each node that is up has answered; every answer must tell what was done. */
  private List<Visit> everywhere(Done expected) {
    Set<String> up =
        cluster.live().stream().map(Backend::name).collect(Collectors.toCollection(TreeSet::new));
    Map<String, Visit> seen = new TreeMap<>();
    for (int i = 0; i < PATIENCE && !seen.keySet().containsAll(up); i++) {
      Visit visit = known(expected);
      seen.put(visit.node(), visit);
    }
    expect("nodes that answer", up, seen.keySet());
    return List.copyOf(seen.values());
  }

  private Visit known(Done expected) {
    HttpResponse<String> answer = send("GET", "/state", "");
    expect("status", 200, answer.statusCode());
    Visit visit;
    try {
      visit = Visit.parse(answer.body());
    } catch (IllegalArgumentException e) {
      throw failure(String.valueOf(e.getMessage()));
    }
    String on = " on node " + visit.node();
    expect("user" + on, expected.user(), visit.user());
    expect("cart" + on, expected.items(), visit.items());
    expect("last written" + on, expected.lastWrittenOn(), visit.lastWrittenOn());
    return visit;
  }

  /** Sends a form and tells the node that took it. */
  private String post(String path, String form) {
    HttpResponse<String> answer = send("POST", path, form);
    expect("status", 303, answer.statusCode());
    return lastAnswered;
  }

  private HttpResponse<String> send(String method, String path, String form) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(address.resolve(path))
            .timeout(LIMIT)
            .method(method, HttpRequest.BodyPublishers.ofString(form))
            .header("Content-Type", "application/x-www-form-urlencoded");
    if (!cookie.isEmpty()) {
      request.header("Cookie", cookie);
    }
    HttpResponse<String> answer;
    try {
      answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw failure(method + " " + path + ": " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure("interrupted");
    }
    answer
        .headers()
        .firstValue("Set-Cookie")
        .ifPresent(set -> cookie = set.substring(0, (set + ";").indexOf(';')));
    answer.headers().firstValue(Shop.NODE_HEADER).ifPresent(node -> lastAnswered = node);
    return answer;
  }

  private ProcessHandle process(String node) {
    return cluster.live().stream()
        .filter(backend -> backend.name().equals(node))
        .findFirst()
        .flatMap(backend -> ProcessHandle.of(backend.pid()))
        .orElseThrow(() -> failure("node " + node + " is down"));
  }

  private static String hello(Visit visit) {
    return "hello from node %s, you are still %s, cart: %s, last written on node %s"
        .formatted(visit.node(), visit.user(), visit.count(), visit.lastWrittenOn());
  }

  private static String names(List<Visit> visits) {
    return visits.stream().map(Visit::node).collect(Collectors.joining(" and "));
  }

  private void holds(String seen) {
    held++;
    out.printf("%3d  %-12s  %s%n", held, step, seen);
  }

  private void expect(String what, Object expected, Object seen) {
    if (!Objects.equals(expected, seen)) {
      throw failure("%s: expected <%s>, saw <%s>".formatted(what, expected, seen));
    }
  }

  private DemoFailure failure(String what) {
    return new DemoFailure(
        DemoFailure.STORY, "FAILED at step %d, %s: %s".formatted(held + 1, step, what));
  }
}
