package io.sojourn.jetty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;
import org.eclipse.jetty.jmx.MBeanContainer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What Jetty shows of sessions by JMX. */
@ExtendWith(RealServers.class)
class FiguresIT {

  private final RedisServer redis;
  private final String application = "figures-" + UUID.randomUUID();
  private final ContractClient client = new ContractClient();
  private final List<ContainerNode> nodes = new ArrayList<>();

  FiguresIT(RedisServer redis) {
    this.redis = redis;
  }

  @AfterEach
  void stop() {
    nodes.forEach(ContainerNode::close);
  }

  private JettyNode start(MBeanServer beans, String freshness) throws Exception {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setStore(redis.url());
    sessions.setStoreOptions("timeout=10s");
    sessions.setApplication(application);
    sessions.setAllowedClasses("io.sojourn.testkit.*");
    sessions.setFreshness(freshness);
    if (!freshness.equals("strict")) {
      // Longer than any test takes.
      sessions.setMaxStaleness("30");
    }
    JettyNode node =
        JettyNode.start(
            sessions, "", starting -> starting.server().addBean(new MBeanContainer(beans)));
    nodes.add(node);
    return node;
  }

  /** Jetty 12.1 names the server before the context. */
  private static ObjectName figures(MBeanServer beans) throws JMException {
    return beans
        .queryNames(new ObjectName("io.sojourn.metrics:type=sessionfigures,context=*ROOT,*"), null)
        .iterator()
        .next();
  }

  private static Object figure(MBeanServer beans, String name) throws JMException {
    return beans.getAttribute(figures(beans), name);
  }

  @Test
  @Tag("R72")
  void theFiguresAreThoseOfWhatThisNodeHasDone() throws Exception {
    MBeanServer beansOfA = MBeanServerFactory.newMBeanServer();
    MBeanServer beansOfB = MBeanServerFactory.newMBeanServer();
    JettyNode a = start(beansOfA, "strict");
    JettyNode b = start(beansOfB, "strict");
    ContractClient other = new ContractClient();
    client.send(a, "set:fruit:apple", "add:cart:1");
    other.send(a, "set:fruit:pear");
    client.send(b, "get:fruit", "get:cart");
    assertThat(figure(beansOfA, "Application")).isEqualTo(application);
    assertThat(figure(beansOfA, "SessionCounter")).isEqualTo(2L);
    assertThat(figure(beansOfB, "SessionCounter")).isEqualTo(0L);
    assertThat(figure(beansOfA, "ActiveSessions")).isEqualTo(2);
    assertThat(figure(beansOfB, "ActiveSessions")).isEqualTo(1);
    assertThat(figure(beansOfA, "StoreCalls")).isEqualTo(2L);
    assertThat(figure(beansOfB, "StoreCalls")).isEqualTo(1L);
    assertThat((Long) figure(beansOfB, "BytesLoaded")).isPositive();
    assertThat((Long) figure(beansOfA, "BytesSaved")).isPositive();
    assertThat((Long) figure(beansOfB, "DirtyChecks")).isPositive();
    assertThat((Long) figure(beansOfB, "DirtyCheckTime")).isNotNegative();
    assertThat((Long) figure(beansOfB, "StoreTime")).isNotNegative();
    for (String none : List.of("EncodeFailures", "DecodeFailures", "RefusedClasses")) {
      assertThat(figure(beansOfB, none)).as(none).isEqualTo(0L);
    }
    assertThat(figure(beansOfB, "StoreFailures")).isEqualTo(0L);
    client.send(b, "invalidate");
    other.send(a, "invalidate");
    client.send(a, "get:fruit");
    for (MBeanServer beans : List.of(beansOfA, beansOfB)) {
      assertThat(figure(beans, "ExpiredSessions")).isEqualTo(1L);
      assertThat(figure(beans, "ActiveSessions")).isEqualTo(0);
    }
    a.close();
    assertThat(beansOfA.queryNames(new ObjectName("io.sojourn.metrics:*"), null)).isEmpty();
  }

  @Test
  @Tag("R72")
  void theFiguresOfTheNearCacheSayWhatItIsGoodFor() throws Exception {
    MBeanServer beans = MBeanServerFactory.newMBeanServer();
    JettyNode a = start(beans, "causal");
    client.send(a, "set:fruit:apple");
    for (int i = 0; i < 3; i++) {
      client.send(a, "get:fruit");
    }
    assertThat(figure(beans, "NearCacheHits")).isEqualTo(3L);
    assertThat(figure(beans, "NearCacheMisses")).isEqualTo(0L);
    assertThat(figure(beans, "NearCacheBytesHeld")).isEqualTo(figure(beans, "BytesSaved"));
    new ContractClient().send(a, "set:fruit:pear");
    ContractClient stranger = new ContractClient();
    stranger.useSessionId(String.valueOf(client.sessionId()));
    stranger.send(a, "get:fruit");
    assertThat(figure(beans, "NearCacheRefreshes")).isEqualTo(1L);
    assertThat(figure(beans, "NearCacheEvictions")).isEqualTo(0L);
  }

  /** Nor while a request is using the session, nor by the operations that show all there is. */
  @Test
  @Tag("R58")
  void noMBeanOfTheServerShowsASessionsId() throws Exception {
    MBeanServer beans = MBeanServerFactory.newMBeanServer();
    JettyNode node = start(beans, "causal");
    client.send(node, "set:fruit:apple");
    String id = String.valueOf(client.sessionId());
    CompletableFuture<ContractClient.Answer> busy = client.sendLater(node, "get:fruit", "await:g");
    ContractClient watcher = new ContractClient();
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> !watcher.send(node, "waiting:g").line().equals("0"));
    int read = 0;
    for (ObjectName name : beans.queryNames(null, null)) {
      assertThat(name.toString()).doesNotContain(id);
      for (MBeanAttributeInfo attribute : beans.getMBeanInfo(name).getAttributes()) {
        assertThat(text(beans, name, attribute)).doesNotContain(id);
        read++;
      }
      for (MBeanOperationInfo operation : beans.getMBeanInfo(name).getOperations()) {
        if (operation.getName().equals("dump") && operation.getSignature().length == 0) {
          assertThat(String.valueOf(beans.invoke(name, "dump", null, null))).doesNotContain(id);
          read++;
        }
      }
    }
    assertThat(read).isGreaterThan(50);
    watcher.send(node, "open:g");
    assertThat(busy.join().line()).isEqualTo("apple");
  }

  private static String text(MBeanServer beans, ObjectName name, MBeanAttributeInfo attribute) {
    try {
      Object value = beans.getAttribute(name, attribute.getName());
      return value instanceof Object[] array ? Arrays.deepToString(array) : String.valueOf(value);
    } catch (JMException | RuntimeException e) {
      // Not every one of Jetty's can be read at any time.
      return String.valueOf(e);
    }
  }
}
