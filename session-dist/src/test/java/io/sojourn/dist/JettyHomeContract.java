package io.sojourn.dist;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerContract;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.NodeSettings;
import io.sojourn.testkit.PatientStores;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * The contract of containers on two Jettys as they are downloaded, each a process of its own, with
 * our archive unpacked into their JETTY_BASE and the module added.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
abstract class JettyHomeContract extends ContainerContract {

  private final String line;
  private final String environment;
  private final String storeUrl;
  private final Path folder;
  private final Map<String, JettyHomeNode> nodes = new TreeMap<>();
  private @Nullable Jetty prepared;

  /**
   * A contract.
   *
   * @param line of Jetty's versions, such as 12.0
   * @param environment such as ee10
   * @param folder to be filled
   */
  JettyHomeContract(String line, String environment, String storeUrl, Path folder) {
    this.line = line;
    this.environment = environment;
    this.storeUrl = storeUrl;
    this.folder = folder;
  }

  @Override
  protected final ContainerNode start(NodeSettings settings) throws IOException {
    if (prepared == null) {
      prepared = JettyHomeNode.prepare(line, environment, folder.resolve("prepared"));
    }
    Jetty jetty = new Jetty(prepared, folder.resolve(settings.name()));
    JettyHomeNode node =
        JettyHomeNode.start(jetty, storeUrl, settings.application(), settings.allowedClasses());
    nodes.put(settings.name(), node);
    return node;
  }

  @Override
  protected final SessionStore open(String application, Supplier<Duration> clock) {
    return PatientStores.open(storeUrl, application, clock);
  }

  @Test
  @Order(Integer.MAX_VALUE)
  @Tag("G5")
  @Tag("R25")
  @Tag("R38")
  @Tag("R69")
  void whatAKilledServerHasAnsweredForIsThere() {
    ContractClient client = new ContractClient();
    JettyHomeNode doomed = requireNonNull(nodes.get("A"));
    JettyHomeNode other = requireNonNull(nodes.get("B"));
    client.send(doomed, "set:a:1", "add:cart:apple");
    client.send(other, "add:cart:pear");
    client.send(doomed, "add:cart:plum", "set:a:2");
    doomed.close();
    assertThat(client.send(other, "get:a", "get:cart").lines())
        .containsExactly("2", "apple,pear,plum");
  }
}
