package io.sojourn.jetty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.testkit.ApplicationClasses;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.Heap;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.redeployed.Garage;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import jakarta.servlet.Servlet;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;
import org.eclipse.jetty.jmx.MBeanContainer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A web application with classes of its own in its sessions, deployed again and again on a running
 * Jetty. {@code -Dsojourn.test.redeploys=1000} is the long form.
 */
@ExtendWith(RealServers.class)
class RedeployIT {

  private static final int REDEPLOYS = Integer.getInteger("sojourn.test.redeploys", 20);
  private static final int WARM_UP = 3;
  private static final int CLIENTS = 3;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Of which there is a fixed number for each application that is deployed. */
  private static final List<String> COUNTED =
      List.of(
          "io.sojourn.jetty.SojournSessionCache",
          "io.sojourn.jetty.RequestScope",
          "io.sojourn.SessionRepository",
          "io.sojourn.codec.KryoCodec",
          "io.sojourn.LiveSession",
          "io.sojourn.metrics.SessionFigures",
          "io.sojourn.testkit.redeployed.Car",
          "io.sojourn.testkit.redeployed.Garage",
          "com.zaxxer.hikari.HikariDataSource",
          "io.lettuce.core.RedisClient");

  private final RedisServer redis;
  private final MBeanServer beans = MBeanServerFactory.newMBeanServer();
  private final List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
  private final List<ContractClient> clients = new ArrayList<>();
  private Path code = Path.of("");
  private int miles;

  RedeployIT(RedisServer redis) {
    this.redis = redis;
  }

  @ParameterizedTest
  @ValueSource(strings = {"h2", "redis"})
  @Tag("R23")
  @Tag("R38")
  @Tag("R39")
  void redeploysLoseNothingAndLeaveNoClassLoaderAndNoThread(String store, @TempDir Path folder)
      throws Exception {
    code = ApplicationClasses.bring(folder, ApplicationClasses.GARAGE);
    String url =
        store.equals("redis")
            ? redis.url()
            : "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
    for (int i = 0; i < CLIENTS; i++) {
      clients.add(new ContractClient());
    }
    SojournSessionCacheFactory sessions = sessions(url);
    try (JettyNode node =
        JettyNode.start(
            sessions, "", starting -> starting.server().addBean(new MBeanContainer(beans)))) {
      redeploy(node, WARM_UP);
      Map<String, Integer> before = Heap.histogram();
      Map<String, Integer> threads = Heap.threads();
      redeploy(node, REDEPLOYS);
      // Jetty keeps with each connection what its last request was for, and with each selector the
      // connection that it saw last.
      node.closeConnections();
      await()
          .atMost(PATIENCE)
          .untilAsserted(
              () -> {
                node.connect();
                assertThat(alive()).isZero();
              });
      assertThat(beans.queryNames(new ObjectName("*:context=*shop,*"), null)).isEmpty();
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
                                  .isLessThanOrEqualTo(threads.getOrDefault(name, 0))));
    }
  }

  private static SojournSessionCacheFactory sessions(String url) {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setStore(url);
    PatientStores.options(url).forEach(sessions::setStoreOption);
    sessions.setApplication("redeploy-" + UUID.randomUUID());
    sessions.setConcurrency("serialize");
    sessions.setFreshness("causal");
    return sessions;
  }

  private void redeploy(JettyNode node, int times) throws Exception {
    for (int i = 0; i < times; i++) {
      ServletContext context = deploy(node);
      try (ContainerNode shop = node.at(context)) {
        assertThat(beans.queryNames(new ObjectName("io.sojourn.metrics:context=*shop,*"), null))
            .hasSize(1);
        miles++;
        for (ContractClient client : clients) {
          // The session of the application that was there before, on behalf of this one's classes.
          assertThat(client.send(shop, "drive").line()).isEqualTo(Integer.toString(miles));
        }
      }
    }
  }

  private ServletContext deploy(JettyNode node) throws Exception {
    WebApplicationLoader loader =
        new WebApplicationLoader(
            Garage.class.getPackageName() + ".", ApplicationClasses.classes(code).toUri().toURL());
    loaders.add(new WeakReference<>(loader));
    ServletContext context = new ServletContext("/shop");
    context.handler().setClassLoader(loader);
    Class<?> garage = loader.loadClass(Garage.class.getName());
    assertThat(garage).isNotSameAs(Garage.class);
    context.add((Servlet) garage.getConstructor().newInstance(), "/*");
    node.add(context);
    assertThat(context.sessions().getSessionCache()).isInstanceOf(SojournSessionCache.class);
    return context;
  }

  /** How many of the class loaders are not collected. */
  private long alive() {
    System.gc();
    return loaders.stream().filter(loader -> loader.get() != null).count();
  }
}
