package io.sojourn.testkit;

import static java.util.Objects.requireNonNull;

import io.sojourn.testkit.ContractClient.Answer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Several clients of one session, each with several requests under way at once, that write the same
 * attributes on two servers: sets, removals, and changes in place. Finds what breaks the promise of
 * the servers' freshness.
 *
 * <p>What a request must see are the writes that were answered before it was sent, if they are its
 * client's own, or its client has seen them, or they were answered longer ago than the servers may
 * use a copy. A write is later than another if it was sent when that one had been answered, or if
 * somebody who had to see that one saw this one. So a request has seen too little if what it shows
 * is earlier than what it must see. Of writes that overlap any may be the later one.
 */
final class OverlappingClients {

  /*
   * A cart is judged by its last item, which says who has written it, and the item before a new one by what that request must see:
   * it is what the new one was put upon. What is before an item never changes, so nothing is torn or mixed.
   *
   * One client throws away what it is told of versions, and so must see whatever was answered.
   */

  private static final List<String> ATTRIBUTES = List.of("x", "y", "cart");
  private static final String CART = "cart";
  private static final String NOTHING = "null";
  private static final int CLIENTS = 4;

  /** The number of the client that keeps no cookie but its session's. */
  private static final int FORGETFUL = CLIENTS - 1;

  /** How many requests of a client are under way. */
  private static final int AT_ONCE = 3;

  /**
   * How many versions later than an answer those may be that reach its client before it does: the
   * cookies put up with less than sixteen.
   */
  private static final int OVERTAKING = 14;

  /** How many letters are before the version in a cookie. */
  private static final int TAG_LENGTH = 11;

  private final List<ContainerNode> nodes;
  private final Duration maxStaleness;
  private final Consumer<Duration> clock;
  private final boolean heeded;
  private final Random random;
  private final List<Client> clients = new ArrayList<>();
  private final List<Request> underWay = new ArrayList<>();
  private final List<Write> writes = new ArrayList<>();
  private final Map<String, String> before = new HashMap<>();
  private final List<String> log = new ArrayList<>();
  private final List<Violation> found = new ArrayList<>();
  private Duration time = Duration.ZERO;

  /** The latest version that a client has been told. */
  private long latest;

  /**
   * Nothing has been sent.
   *
   * @param maxStaleness how long ago something must have been answered to be seen by everybody
   * @param clock moves the clock of the servers and of the store
   * @param heeded false if the clients go on telling the first version that they were told
   */
  OverlappingClients(
      List<ContainerNode> nodes,
      Duration maxStaleness,
      Consumer<Duration> clock,
      boolean heeded,
      long seed) {
    this.nodes = nodes;
    this.maxStaleness = maxStaleness;
    this.clock = clock;
    this.heeded = heeded;
    this.random = new Random(seed);
  }

  private static final class Client {
    final int number;
    final ContractClient http = new ContractClient();
    final Map<String, String> firstTold;

    /** The writes that it has seen, its own among them. */
    final Set<Write> seen = new HashSet<>();

    final Set<Write> own = new HashSet<>();

    Client(int number, ContainerNode node, @Nullable String id) {
      this.number = number;
      if (id != null) {
        http.useSessionId(id);
      }
      http.send(node, "begin");
      firstTold = http.otherCookies();
    }
  }

  private static final class Write {
    final int number;
    final String attribute;

    /** What it leaves there, or puts into the cart. */
    final String value;

    /** The numbers of the writes to this attribute that are earlier. */
    final BitSet earlier = new BitSet();

    /** By the clock; null while it is under way. */
    @Nullable Duration answered;

    Write(int number, String attribute, String value) {
      this.number = number;
      this.attribute = attribute;
      this.value = value;
    }

    @Override
    public String toString() {
      return attribute + "=" + value + "#" + number;
    }
  }

  /**
   * What was wrong.
   *
   * @param what for people
   * @param isOfItsOwnWrite whether a client was not shown what it had written itself before
   */
  record Violation(String what, boolean isOfItsOwnWrite) {
    @Override
    public String toString() {
      return what;
    }
  }

  /** A request under way. */
  private static final class Request {
    final int number;
    final Client client;
    final @Nullable Write write;

    /** The writes whose effects, or later ones, it must show. */
    final Set<Write> mustSee;

    final CompletableFuture<Answer> answer;

    /** How many versions later than it shows there may be when its answer reaches its client. */
    int overtakers;

    Request(
        int number,
        Client client,
        @Nullable Write write,
        Set<Write> mustSee,
        int overtakers,
        CompletableFuture<Answer> answer) {
      this.number = number;
      this.client = client;
      this.write = write;
      this.mustSee = mustSee;
      this.overtakers = overtakers;
      this.answer = answer;
    }
  }

  /** Sends that many requests, and answers what was wrong; nothing if all was well. */
  List<Violation> run(int requests) {
    Client first = new Client(0, nodes.get(0), null);
    clients.add(first);
    while (clients.size() < CLIENTS) {
      clients.add(new Client(clients.size(), nodes.get(1), first.http.sessionId()));
    }
    for (String attribute : ATTRIBUTES) {
      Write nothing = new Write(writes.size(), attribute, NOTHING);
      nothing.answered = time;
      writes.add(nothing);
    }
    for (int i = 0; i < requests && found.isEmpty(); i++) {
      while (isFull()) {
        receive();
      }
      send(i, clients.get(random.nextInt(CLIENTS)));
      while (!underWay.isEmpty() && random.nextInt(5) < 2) {
        receive();
      }
      time = time.plusMillis(random.nextLong(1 + maxStaleness.toMillis() / 20));
      clock.accept(time);
    }
    while (!underWay.isEmpty()) {
      receive();
    }
    compareServers();
    return found;
  }

  private boolean isFull() {
    return underWay.size() == CLIENTS * AT_ONCE
        || underWay.stream().anyMatch(request -> request.overtakers >= OVERTAKING);
  }

  private void send(int number, Client client) {
    if (underWay(client) == AT_ONCE) {
      return;
    }
    while (overtakers(client) > OVERTAKING && underWay(client) > 0) {
      receive();
    }
    Set<Write> mustSee = new HashSet<>(client.seen);
    for (Write write : writes) {
      Duration answered = write.answered;
      if (answered != null
          && (client.number == FORGETFUL
              || maxStaleness.isZero()
              || answered.plus(maxStaleness).compareTo(time) < 0)) {
        mustSee.add(write);
      }
    }
    List<String> operations = new ArrayList<>();
    Write write = null;
    String value = "w" + writes.size();
    switch (random.nextInt(8)) {
      case 0 -> {
        write = begin("x", value);
        operations.add("set:x:" + value);
      }
      case 1 -> {
        write = begin("y", value);
        operations.add("set:y:" + value);
      }
      case 2, 3 -> {
        write = begin(CART, value);
        operations.add("add:cart:" + value);
      }
      case 4 -> {
        if (random.nextBoolean()) {
          write = begin("y", NOTHING);
          operations.add("remove:y");
        }
      }
      default -> {
        // Only looks.
      }
    }
    ATTRIBUTES.forEach(attribute -> operations.add("get:" + attribute));
    if (random.nextInt(4) == 0) {
      operations.add("flush");
    }
    if (client.number == FORGETFUL) {
      client.http.useOtherCookies(Map.of());
    } else if (!heeded) {
      client.http.useOtherCookies(client.firstTold);
    }
    int overtakers = overtakers(client);
    if (write != null) {
      underWay.forEach(request -> request.overtakers++);
    }
    int node = random.nextInt(nodes.size());
    log.add(
        "%d client %d to %d: %s with %s"
            .formatted(
                number, client.number, node, operations, client.http.otherCookies().entrySet()));
    underWay.add(
        new Request(
            number,
            client,
            write,
            mustSee,
            overtakers,
            client.http.sendApart(nodes.get(node), operations.toArray(String[]::new))));
  }

  private long underWay(Client client) {
    return underWay.stream().filter(request -> request.client == client).count();
  }

  /**
   * How many versions later than this client is shown next there may be when all that is under way
   * is done: it may be shown a copy that is as old as what it has seen.
   */
  private int overtakers(Client client) {
    int writing = (int) underWay.stream().filter(request -> request.write != null).count();
    long seen = version(client);
    return seen == 0 || !heeded || client.number == FORGETFUL
        ? writing
        : writing + (int) Math.max(0, latest - seen);
  }

  /** The version that a client says it has seen; 0 if it says none. */
  private static long version(Client client) {
    return client.http.otherCookies().values().stream()
        .mapToLong(cookie -> Long.parseLong(cookie.substring(TAG_LENGTH)))
        .max()
        .orElse(0);
  }

  /** A write that is about to be sent: what has been answered is earlier. */
  private Write begin(String attribute, String value) {
    Write begun = new Write(writes.size(), attribute, value);
    for (Write other : writes) {
      if (other.attribute.equals(attribute) && other.answered != null) {
        putBefore(other, begun);
      }
    }
    writes.add(begun);
    return begun;
  }

  private void putBefore(Write earlier, Write later) {
    BitSet more = (BitSet) earlier.earlier.clone();
    more.set(earlier.number);
    for (Write other : writes) {
      if (other.earlier.get(later.number)) {
        other.earlier.or(more);
      }
    }
    later.earlier.or(more);
  }

  /** Has any of the answers reach its client. */
  private void receive() {
    Request request = underWay.remove(random.nextInt(underWay.size()));
    Answer answer = request.answer.join();
    log.add(
        "%d answered %d %s with %s"
            .formatted(request.number, answer.status(), answer.lines(), answer.cookies()));
    request.client.http.keepCookies(answer.cookies());
    latest = Math.max(latest, version(request.client));
    List<String> lines = answer.lines().stream().filter(line -> !line.equals("flushed")).toList();
    if (answer.status() != 200 || lines.size() != ATTRIBUTES.size()) {
      report(request, answer.toString(), false);
      return;
    }
    for (int i = 0; i < ATTRIBUTES.size(); i++) {
      look(request, ATTRIBUTES.get(i), lines.get(i));
    }
    Write write = request.write;
    if (write != null) {
      write.answered = time;
      request.client.seen.add(write);
      request.client.own.add(write);
    }
  }

  private void look(Request request, String attribute, String answered) {
    // An empty cart has been set by somebody who has not put anything into it yet.
    String shown = answered.isEmpty() ? NOTHING : answered;
    String value = shown;
    if (attribute.equals(CART)) {
      String[] items = shown.split(",", -1);
      value = items[items.length - 1];
      for (int i = 0; i < items.length && !shown.equals(NOTHING); i++) {
        String base = i == 0 ? NOTHING : items[i - 1];
        if (!before.computeIfAbsent(items[i], item -> base).equals(base)) {
          report(request, "shows " + shown + " where " + items[i] + " came upon " + before, false);
        }
        if (request.write != null && items[i].equals(request.write.value)) {
          judge(request, attribute, base);
        }
      }
    }
    judge(request, attribute, value);
  }

  private void judge(Request request, String attribute, String value) {
    List<Write> candidates = new ArrayList<>();
    for (Write write : writes) {
      if (write.attribute.equals(attribute) && write.value.equals(value)) {
        candidates.add(write);
      }
    }
    List<Write> possible = new ArrayList<>();
    Set<Write> missed = new HashSet<>();
    boolean ownMissed = true;
    for (Write candidate : candidates) {
      Set<Write> later = later(request, candidate);
      if (later.isEmpty()) {
        possible.add(candidate);
      }
      ownMissed &= !Collections.disjoint(later, request.client.own);
      missed.addAll(later);
    }
    if (possible.isEmpty()) {
      report(
          request,
          "shows " + attribute + "=" + value + ", and must see " + missed,
          ownMissed && !candidates.isEmpty());
    } else if (possible.size() == 1) {
      Write shown = possible.get(0);
      for (Write write : request.mustSee) {
        if (write.attribute.equals(attribute) && write != shown) {
          putBefore(write, shown);
        }
      }
      request.client.seen.add(shown);
    }
  }

  /** What the request must see and is later than what it shows. */
  private static Set<Write> later(Request request, Write shown) {
    Set<Write> later = new HashSet<>();
    for (Write write : request.mustSee) {
      if (write.attribute.equals(shown.attribute) && write.earlier.get(shown.number)) {
        later.add(write);
      }
    }
    return later;
  }

  /** When nothing is under way both servers show the same. */
  private void compareServers() {
    ContractClient client = new ContractClient();
    client.useSessionId(requireNonNull(clients.get(0).http.sessionId()));
    List<List<String>> shown = new ArrayList<>();
    for (ContainerNode node : nodes) {
      client.useOtherCookies(Map.of());
      shown.add(client.send(node, "get:x", "get:y", "get:cart").lines());
    }
    if (!shown.get(0).equals(shown.get(1))) {
      found.add(new Violation("In the end the servers show " + shown, false));
    }
  }

  private void report(Request request, String what, boolean isOfItsOwnWrite) {
    List<String> latest = log.subList(Math.max(0, log.size() - 60), log.size());
    String message =
        "Request "
            + request.number
            + " of client "
            + request.client.number
            + " "
            + what
            + "\n  "
            + String.join("\n  ", latest);
    found.add(new Violation(message, isOfItsOwnWrite));
  }
}
