package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.CausalContract;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.NodeSettings;
import io.sojourn.testkit.PatientStores;
import java.time.Duration;
import java.util.function.Supplier;

/** What causal freshness promises, on Tomcat. */
abstract class TomcatCausalContract extends CausalContract {

  private final String url;

  TomcatCausalContract(String url) {
    this.url = url;
  }

  @Override
  protected final ContainerNode start(NodeSettings settings) throws Exception {
    return TomcatNode.start(settings);
  }

  @Override
  protected final SessionStore open(String application, Supplier<Duration> clock) {
    return PatientStores.open(url, application, clock);
  }
}
