package io.sojourn.tomcat;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.ContractClient.Answer;
import io.sojourn.testkit.ControlledStore;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.Threads;
import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A node that is killed as {@code kill -9} does, under load and while it ends sessions, and what
 * its clients and the other nodes find. {@code -Dsojourn.test.kills=50} kills more often.
 */
@ExtendWith(RealServers.class)
class KilledNodeIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final int SESSIONS = 500;

  /** How many sessions the node has ended when it is killed. */
  private static final int ENDED = 10;

  /** Longer than a session lives. */
  private static final Duration EXPIRED = Duration.ofHours(1);

  /** Longer than a node's claim holds. */
  private static final Duration LAPSED = EXPIRED.plusMinutes(2);

  private static final int KILLS = Integer.getInteger("sojourn.test.kills", 1);
  private static final int USERS = 4;

  /** How many requests each user is answered, at least, between two kills or starts. */
  private static final int REQUESTS = 10;

  /** How many of his requests are answered before a user logs out. */
  private static final int VISIT = 12;

  private final MariaDbServer mariaDb;
  private final String application = "killed-" + UUID.randomUUID();
  private final List<AutoCloseable> closeables = new ArrayList<>();
  private final List<ControlledStore> stores = new ArrayList<>();

  KilledNodeIT(MariaDbServer mariaDb) {
    this.mariaDb = mariaDb;
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable closeable : closeables) {
      closeable.close();
    }
  }

  private enum Kind {
    MARIADB,
    REDIS
  }

  /** How much a store holds, in rows or keys. */
  private interface Size {
    long ask() throws Exception;
  }

  /** An empty store. */
  private record Place(String url, Size size) {}

  private Place place(Kind kind) {
    if (kind == Kind.REDIS) {
      RedisServer redis = RedisServer.startPrivate();
      closeables.add(redis);
      return new Place(redis.url(), redis::keys);
    }
    String url = mariaDb.jdbcUrl(mariaDb.newDatabase());
    return new Place(
        url,
        () -> {
          try (Connection connection = DriverManager.getConnection(url);
              Statement statement = connection.createStatement();
              ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM sojourn_session")) {
            assertThat(rows.next()).isTrue();
            return rows.getLong(1);
          }
        });
  }

  /** A node in this process. */
  private TomcatNode node(Place place) throws Exception {
    ControlledStore store =
        new ControlledStore(clock -> PatientStores.open(place.url, application, clock));
    stores.add(store);
    closeables.add(0, store.store());
    TomcatNode node =
        TomcatNode.start(
            SessionEnds.manager(store.store()), (tomcat, context) -> SessionEnds.addTo(context));
    closeables.add(0, node);
    return node;
  }

  private TomcatProcess process(Place place, int ends) throws IOException {
    TomcatProcess process = TomcatProcess.start(place.url, application, ends);
    closeables.add(0, process);
    return process;
  }

  /** Moves the clocks of the nodes in this process. */
  private void setClock(Duration offset) {
    stores.forEach(store -> store.setClock(offset));
  }

  private static void scavenge(List<TomcatNode> nodes) {
    Threads.run(nodes.size(), number -> nodes.get(number).scavenge());
  }

  /** What a node's listeners were told. */
  private static List<String> told(ContainerNode node) {
    return new ContractClient().send(node.at(SessionEnds.PATH)).lines();
  }

  private static Set<String> told(List<TomcatNode> nodes) {
    List<String> all = nodes.stream().flatMap(node -> told(node).stream()).toList();
    assertThat(all).as("told once").doesNotHaveDuplicates();
    return new HashSet<>(all);
  }

  // ---------------------------------------------------------------- while it ends sessions

  /**
   * Of the sessions that the node had claimed it has ended some, of one it had told the listeners,
   * and of the others it had not.
   */
  @ParameterizedTest
  @EnumSource(Kind.class)
  @Tag("G6")
  @Tag("R28")
  @Tag("R32")
  @Tag("R34")
  void whatAKilledNodeHadClaimedIsEndedOnceByTheOthers(Kind kind) throws Exception {
    Place place = place(kind);
    TomcatProcess killed = process(place, ENDED);
    List<TomcatNode> others = List.of(node(place), node(place), node(place));
    List<ContainerNode> all = new ArrayList<>(others);
    all.add(killed);
    Threads.run(
        all.size(),
        thread -> {
          for (int i = thread; i < SESSIONS; i += all.size()) {
            ContractClient client = new ContractClient();
            assertThat(client.send(all.get(thread), "begin").status()).isEqualTo(200);
            assertThat(client.send(all.get((thread + 1) % all.size()), "names").line())
                .isEqualTo("mark");
          }
        });
    killed.setClock(EXPIRED);
    setClock(EXPIRED);
    killed.scavenge();
    int before = 2 * (ENDED + 1);
    await().atMost(PATIENCE).until(() -> told(killed).size() == before);
    scavenge(others);
    Set<String> unclaimed = told(others);
    assertThat(unclaimed.size() / 2).isBetween(SESSIONS - 50, SESSIONS - ENDED - 2);
    List<String> byKilled = told(killed);
    killed.kill();
    scavenge(others);
    assertThat(told(others)).as("while the claim holds").isEqualTo(unclaimed);
    setClock(LAPSED);
    scavenge(others);
    Set<String> byOthers = told(others);
    assertThat(byKilled).hasSize(before).doesNotHaveDuplicates();
    // The session that it was about to remove is told of again, and no other.
    assertThat(byOthers).hasSize(2 * (SESSIONS - ENDED));
    Set<String> twice = new HashSet<>(byKilled);
    twice.retainAll(byOthers);
    assertThat(twice).containsExactlyInAnyOrderElementsOf(byKilled.subList(before - 2, before));
    Set<String> once = new HashSet<>(byOthers);
    once.addAll(byKilled);
    assertThat(once).hasSize(2 * SESSIONS);
    assertThat(once.stream().filter(line -> line.startsWith("destroyed "))).hasSize(SESSIONS);
    assertThat(place.size.ask()).isZero();
  }

  // ---------------------------------------------------------------- under load

  /** Who sends each request to another node than the one before, and knows what was answered. */
  private static final class User {
    private final List<String> ended = new ArrayList<>();
    private final Set<String> sent = new HashSet<>();
    private final Set<String> answered = new HashSet<>();
    private final AtomicInteger answers = new AtomicInteger();
    private ContractClient client = new ContractClient();

    /** Sets an attribute that no other request sets or, when there are many, logs out. */
    void visit(ContainerNode node) {
      String id = client.sessionId();
      boolean leaves = answered.size() >= VISIT;
      String name = "n" + sent.size();
      if (!leaves) {
        sent.add(name);
      }
      Answer answer;
      try {
        answer = client.send(node, "names", leaves ? "invalidate" : "set:" + name + ":1");
      } catch (CompletionException e) {
        // It may have been done or not.
        assertThat(e).hasCauseInstanceOf(IOException.class);
        if (leaves || id == null) {
          begin();
        }
        return;
      }
      if (id != null) {
        check(answer);
        assertThat(client.sessionId()).isEqualTo(id);
      }
      if (leaves) {
        ended.add(requireNonNull(id));
        begin();
      } else {
        assertThat(answer.status()).isEqualTo(200);
        answered.add(name);
      }
      answers.incrementAndGet();
    }

    private void begin() {
      client = new ContractClient();
      sent.clear();
      answered.clear();
    }

    private void check(Answer names) {
      Set<String> found = new HashSet<>(List.of(names.line().split(",")));
      assertThat(found).contains("mark").containsAll(answered);
      found.remove("mark");
      assertThat(sent).containsAll(found);
    }

    void checkAll(ContainerNode node) {
      if (client.sessionId() != null) {
        check(client.send(node, "names"));
      }
      for (String id : ended) {
        ContractClient late = new ContractClient();
        late.useSessionId(id);
        assertThat(late.send(node, "names").line()).isEqualTo("none");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  @Tag("G1")
  @Tag("G2")
  @Tag("G5")
  @Tag("G7")
  @Tag("R25")
  @Tag("R28")
  @Tag("R65")
  void nothingThatWasAnsweredIsLostAndNothingStaysForEverWhenANodeIsKilledUnderLoad(Kind kind)
      throws Exception {
    Place place = place(kind);
    TomcatNode stays = node(place);
    TomcatProcess comesAndGoes = process(place, Integer.MAX_VALUE);
    List<ContainerNode> nodes = new CopyOnWriteArrayList<>(List.of(stays, comesAndGoes));
    List<User> users = Stream.generate(User::new).limit(USERS).toList();
    ContractClient member = new ContractClient();
    member.send(comesAndGoes, "begin");
    assertThat(member.send(comesAndGoes.at(SessionEnds.PATH), SessionEnds.LOGIN).line())
        .isEqualTo("anna");
    AtomicBoolean over = new AtomicBoolean();
    ExecutorService threads = Executors.newFixedThreadPool(USERS);
    List<Future<?>> visits = new ArrayList<>();
    try {
      for (User user : users) {
        visits.add(
            threads.submit(
                () -> {
                  while (!over.get()) {
                    user.visit(nodes.get(0));
                    user.visit(nodes.get(1));
                  }
                }));
      }
      for (int i = 0; i < KILLS; i++) {
        awaitAnswers(users, visits);
        comesAndGoes.kill();
        assertLoggedIn(member, stays);
        awaitAnswers(users, visits);
        comesAndGoes = process(place, Integer.MAX_VALUE);
        assertLoggedIn(member, comesAndGoes);
        nodes.set(1, comesAndGoes);
      }
      awaitAnswers(users, visits);
    } finally {
      over.set(true);
      threads.shutdown();
    }
    for (Future<?> each : visits) {
      each.get();
    }
    for (User user : users) {
      user.checkAll(stays);
      user.checkAll(comesAndGoes);
    }
    assertThat(place.size.ask()).isPositive();
    setClock(EXPIRED);
    stays.scavenge();
    assertThat(place.size.ask()).isZero();
  }

  private static void assertLoggedIn(ContractClient member, ContainerNode node) {
    assertThat(member.send(node.at(SessionEnds.PATH), SessionEnds.USER).line()).isEqualTo("anna");
  }

  private static void awaitAnswers(List<User> users, List<Future<?>> visits) throws Exception {
    List<Integer> before = users.stream().map(user -> user.answers.get()).toList();
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                visits.stream().anyMatch(Future::isDone)
                    || IntStream.range(0, USERS)
                        .allMatch(i -> users.get(i).answers.get() - before.get(i) >= REQUESTS));
    for (Future<?> each : visits) {
      if (each.isDone()) {
        each.get();
      }
    }
  }
}
