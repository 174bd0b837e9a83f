package io.sojourn.tomcat;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.LoadResult;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoredAttribute;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.ContractClient.Answer;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the Manager element says of attributes that this node cannot decode. */
@ExtendWith(RealServers.class)
@Tag("G8")
class UndecodableIT {

  private static final String KEY = "old:" + "A".repeat(43) + "=";
  private static final String OTHER_KEY = "new:" + "B".repeat(42) + "A=";

  private final RedisServer redis;
  private final String application = "undecodable-" + UUID.randomUUID();
  private final ContractClient client = new ContractClient();
  private final Map<TomcatNode, SojournManager> managers = new HashMap<>();
  private final List<AutoCloseable> opened = new ArrayList<>();

  UndecodableIT(RedisServer redis) {
    this.redis = redis;
  }

  private TomcatNode start(String url, String... attributes) throws Exception {
    SojournManager manager = ManagerElement.patient(url, attributes);
    manager.setApplication(application);
    TomcatNode node = TomcatNode.start(manager);
    opened.add(0, node);
    managers.put(node, manager);
    return node;
  }

  private SessionStore open(String url) {
    SessionStore store =
        SessionStores.open(
            new StoreConfiguration(
                url, application, PatientStores.options(url), () -> Duration.ZERO),
            getClass().getClassLoader());
    opened.add(store);
    return store;
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable one : opened) {
      one.close();
    }
  }

  private Map<String, StoredAttribute> stored(SessionStore store) {
    SessionKey key = SessionKey.of(requireNonNull(client.sessionId()));
    return ((LoadResult.Found) store.load(key, SessionStore.NO_VERSION)).session().attributes();
  }

  /** How often this node has failed to decode something, as JMX shows it. */
  private long failures(TomcatNode node) throws Exception {
    return (long)
        ManagementFactory.getPlatformMBeanServer()
            .getAttribute(requireNonNull(managers.get(node)).getObjectName(), "decodeFailures");
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R41")
  void withAbsentItSeemsNotToBeThereAndStaysAsItIsForTheNodeThatCanReadIt(StoreKind kind)
      throws Exception {
    String url = kind.url(redis);
    TomcatNode old = start(url, "allowedClasses", "io.sojourn.testkit.*");
    TomcatNode absent = start(url, "onDecodeFailure", "absent");
    TomcatNode failing = start(url);
    SessionStore store = open(url);
    client.send(old, "add:cart:1", "set:a:1");
    String id = client.sessionId();
    Map<String, StoredAttribute> rows = stored(store);

    for (int i = 0; i < 3; i++) {
      Answer answer = client.send(absent, "get:cart", "get:a");
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.lines()).containsExactly("null", "1");
      assertThat(answer.cookies()).isEmpty();
      assertThat(client.send(failing, "get:cart").status()).isEqualTo(500);
      assertThat(client.send(failing, "get:a", "names").lines()).containsExactly("1", "a,cart");
    }
    assertThat(stored(store)).isEqualTo(rows);
    assertThat(failures(absent)).isEqualTo(3);
    client.send(absent, "set:b:2");
    client.send(old, "add:cart:2");
    assertThat(client.send(old, "get:cart", "get:b").lines()).containsExactly("1,2", "2");
    assertThat(client.sessionId()).isEqualTo(id);

    client.send(absent, "set:cart:another");
    assertThat(client.send(old, "get:cart").line()).isEqualTo("another");
    assertThat(client.send(failing, "get:cart").line()).isEqualTo("another");
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("G10")
  @Tag("R59")
  void withEncryptionWhatIsPlainOrOfAForeignKeyIsRefusedKeptAndCounted(StoreKind kind)
      throws Exception {
    String url = kind.url(redis);
    TomcatNode plain = start(url);
    TomcatNode foreign = start(url, "encryptionKeys", OTHER_KEY);
    TomcatNode forged = start(url, "encryptionKeys", OTHER_KEY.replace("new:", "old:"));
    TomcatNode ours = start(url, "encryptionKeys", KEY);
    SessionStore store = open(url);
    client.send(ours, "set:mine:1");
    client.send(plain, "set:plain:2");
    client.send(foreign, "set:foreign:3");
    client.send(forged, "set:forged:4");
    Map<String, StoredAttribute> rows = stored(store);
    assertThat(rows).containsKeys("mine", "plain", "foreign", "forged");

    long expected = 0;
    for (String name : List.of("plain", "foreign", "forged")) {
      assertThat(failures(ours)).isEqualTo(expected++);
      assertThat(client.send(ours, "get:" + name).status()).as(name).isEqualTo(500);
      assertThat(failures(ours)).as(name).isEqualTo(expected);
    }
    assertThat(client.send(ours, "get:mine").line()).isEqualTo("1");
    assertThat(failures(ours)).isEqualTo(expected);
    assertThat(stored(store)).isEqualTo(rows);
  }
}
