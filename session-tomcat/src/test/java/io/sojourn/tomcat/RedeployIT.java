package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.testkit.ApplicationClasses;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.Heap;
import io.sojourn.testkit.redeployed.Car;
import io.sojourn.testkit.redeployed.Garage;
import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import io.sojourn.tomcat.Browser.Answer;
import java.lang.ref.WeakReference;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.apache.catalina.Lifecycle;
import org.apache.catalina.LifecycleEvent;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.session.StandardManager;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A web application with classes of its own in its sessions, deployed again and again while
 * browsers go on using it, on this node and on another. {@code -Dsojourn.test.redeploys=1000} is
 * the long form.
 */
@ExtendWith(RealServers.class)
class RedeployIT {

  private static final int REDEPLOYS = Integer.getInteger("sojourn.test.redeploys", 30);
  private static final int RELOADS = 3;
  private static final int WARM_UP = 3;
  private static final int BROWSERS = 4;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Of which there is a fixed number for each application that is deployed. */
  private static final List<String> COUNTED =
      List.of(
          "org.apache.catalina.loader.ParallelWebappClassLoader",
          "org.apache.catalina.core.StandardContext",
          "io.sojourn.tomcat.SojournManager",
          "io.sojourn.SessionRepository",
          "io.sojourn.codec.KryoCodec",
          "io.sojourn.LiveSession",
          "io.sojourn.testkit.redeployed.Garage",
          "com.zaxxer.hikari.HikariDataSource",
          "io.lettuce.core.RedisClient");

  /** Lettuce starts them when it first needs them: two for each of the nodes that live on. */
  private static final String LAZY_THREAD = "sojourn-lettuce-eventExecutorLoop";

  private static final int LAZY_THREADS = 4;

  private enum Kind {
    H2,
    MARIADB,
    REDIS
  }

  private final MariaDbServer mariaDb;
  private final RedisServer redis;
  private final String application = "redeploy-" + UUID.randomUUID();
  private final List<WeakReference<ClassLoader>> loaders = new ArrayList<>();

  /** Requests that the node has answered that is deployed again and again. */
  private final AtomicInteger answered = new AtomicInteger();

  private String url = "";
  private String freshness = "";
  private Path code = Path.of("");

  /** The one that was deployed last. */
  private StandardContext context = new StandardContext();

  private volatile boolean stopped;

  RedeployIT(MariaDbServer mariaDb, RedisServer redis) {
    this.mariaDb = mariaDb;
    this.redis = redis;
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  @Tag("R23")
  @Tag("R38")
  @Tag("R39")
  void redeploysUnderLoadLoseNothingAndLeaveNoClassLoaderAndNoThread(
      Kind kind, @TempDir Path folder) throws Exception {
    underLoad(kind, folder, node -> redeploy(node, WARM_UP), node -> redeploy(node, REDEPLOYS));
  }

  @ParameterizedTest
  @EnumSource(
      value = Kind.class,
      names = {"H2", "REDIS"})
  @Tag("R23")
  @Tag("R38")
  @Tag("R39")
  void reloadsUnderLoadLoseNothingAndLeaveNoClassLoaderAndNoThread(Kind kind, @TempDir Path folder)
      throws Exception {
    underLoad(kind, folder, node -> redeploy(node, WARM_UP), node -> reload(node, RELOADS));
  }

  /** What is done with the node while browsers use it. */
  private interface Moves {
    void on(TomcatNode node) throws Exception;
  }

  private void underLoad(Kind kind, Path folder, Moves warmUp, Moves moves) throws Exception {
    url =
        switch (kind) {
          case H2 -> "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
          case MARIADB -> mariaDb.jdbcUrl(mariaDb.newDatabase());
          case REDIS -> redis.url();
        };
    // Whichever it is, the near cache is full of objects of the application's own.
    freshness =
        switch (kind) {
          case H2 -> "strict";
          case MARIADB -> "causal";
          case REDIS -> "tracked";
        };
    code = ApplicationClasses.bring(folder, ApplicationClasses.GARAGE);
    try (TomcatNode still = TomcatNode.start(new StandardManager(), (tomcat, context) -> {});
        TomcatNode moving = TomcatNode.start(new StandardManager(), (tomcat, context) -> {});
        ContainerNode stays = deploy(still);
        Complaints complaints = new Complaints()) {
      ExecutorService executor = Executors.newFixedThreadPool(BROWSERS);
      try {
        List<Future<Integer>> browsers = new ArrayList<>();
        Callable<Integer> drives = () -> drive(uri(stays), moving.uri().resolve("shop/garage"));
        for (int i = 0; i < BROWSERS; i++) {
          browsers.add(executor.submit(drives));
        }
        warmUp.on(moving);
        Map<String, Integer> before = Heap.histogram();
        Map<String, Integer> threads = Heap.threads();
        moves.on(moving);
        stopped = true;
        for (Future<Integer> browser : browsers) {
          assertThat(browser.get()).isPositive();
        }
        context = new StandardContext();
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(alive()).isEqualTo(1));
        await()
            .atMost(PATIENCE)
            .untilAsserted(
                () -> {
                  Map<String, Integer> after = Heap.histogram();
                  assertThat(COUNTED)
                      .allSatisfy(
                          type ->
                              assertThat(after.getOrDefault(type, 0))
                                  .isLessThanOrEqualTo(before.getOrDefault(type, 0)));
                });
        await()
            .atMost(PATIENCE)
            .untilAsserted(
                () ->
                    assertThat(Heap.threads())
                        .allSatisfy(
                            (name, count) ->
                                assertThat(count)
                                    .as(name)
                                    .isLessThanOrEqualTo(
                                        Math.max(
                                            threads.getOrDefault(name, 0),
                                            name.startsWith(LAZY_THREAD) ? LAZY_THREADS : 0))));
      } finally {
        stopped = true;
        executor.shutdownNow();
      }
      assertThat(complaints.messages).isEmpty();
    }
  }

  private void redeploy(TomcatNode node, int times) throws Exception {
    for (int i = 0; i < times; i++) {
      try (ContainerNode deployed = deploy(node)) {
        assertThat(deployed.uri()).isNotNull();
        awaitAnswers();
      }
    }
  }

  private void reload(TomcatNode node, int times) throws Exception {
    try (ContainerNode deployed = deploy(node)) {
      assertThat(deployed.uri()).isNotNull();
      for (int i = 0; i < times; i++) {
        awaitAnswers();
        context.reload();
        loaders.add(new WeakReference<>(context.getLoader().getClassLoader()));
      }
      awaitAnswers();
    }
  }

  private void awaitAnswers() {
    int before = answered.get();
    await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(5))
        .until(() -> answered.get() > before + 2 * BROWSERS);
  }

  /** How many of the class loaders are not collected. */
  private long alive() {
    System.gc();
    return loaders.stream().filter(loader -> loader.get() != null).count();
  }

  private ContainerNode deploy(TomcatNode node) throws Exception {
    ContainerNode deployed =
        node.deploy(
            "shop",
            ManagerElement.patient(url, "application", application, "freshness", freshness),
            starting -> {
              starting.setDocBase(code.toString());
              starting.addLifecycleListener(RedeployIT::addGarage);
              context = starting;
            });
    ClassLoader loader = context.getLoader().getClassLoader();
    assertThat(loader.loadClass(Car.class.getName())).isNotSameAs(Car.class);
    loaders.add(new WeakReference<>(loader));
    return deployed;
  }

  /** At each start, as a web.xml would. */
  private static void addGarage(LifecycleEvent event) {
    if (event.getType().equals(Lifecycle.CONFIGURE_START_EVENT)) {
      StandardContext starting = (StandardContext) event.getLifecycle();
      Tomcat.addServlet(starting, "garage", Garage.class.getName());
      starting.addServletMappingDecoded("/garage", "garage");
    }
  }

  private static URI uri(ContainerNode deployed) {
    return deployed.uri().resolve("garage");
  }

  /** Drives a mile at each request, and looks whether an answered one is missing. */
  private int drive(URI here, URI there) {
    Browser browser = new Browser();
    int miles = 0;
    int failed = 0;
    for (int i = 0; !stopped; i++) {
      URI uri = i % 2 == 0 ? here : there;
      Answer answer = browser.get(URI.create(uri + "?drive"));
      if (answer.status() == 200 && !answer.body().isEmpty()) {
        int now = Integer.parseInt(answer.body());
        assertThat(now).isBetween(miles + 1, miles + 1 + failed);
        miles = now;
        failed = 0;
        if (uri.equals(there)) {
          answered.incrementAndGet();
        }
      } else {
        failed++;
      }
    }
    Answer last = browser.get(here);
    while (last.status() != 200) {
      last = browser.get(here);
    }
    assertThat(Integer.parseInt(last.body())).isBetween(miles, miles + failed);
    return miles;
  }

  /** What has been logged of leaks, and with a stack trace. */
  private static final class Complaints extends Handler implements AutoCloseable {
    private final List<String> messages = new ArrayList<>();

    Complaints() {
      Logger.getLogger("").addHandler(this);
    }

    @Override
    public synchronized void publish(LogRecord logged) {
      String message = logged.getLoggerName() + ": " + logged.getMessage() + logged.getThrown();
      // Tomcat takes threads that are about to leave the application for threads of its own.
      if ((logged.getThrown() != null || message.contains("memory leak"))
          && logged.getLevel().intValue() >= Level.WARNING.intValue()
          && !message.contains("a thread named [http-nio")
          && !message.contains("a thread named [Catalina-utility")) {
        messages.add(message);
      }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
      Logger.getLogger("").removeHandler(this);
    }
  }
}
