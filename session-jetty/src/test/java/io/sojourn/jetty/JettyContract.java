package io.sojourn.jetty;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.testkit.ContainerContract;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.NodeSettings;
import org.eclipse.jetty.util.Jetty;
import org.junit.jupiter.api.Test;

/** The contract of containers on the Jetty that is on the class path: 12.0, then 12.1. */
abstract class JettyContract extends ContainerContract {

  @Override
  protected final ContainerNode start(NodeSettings settings) throws Exception {
    return JettyNode.start(settings);
  }

  @Test
  void theJettyUnderTestIsTheOneIntended() {
    assertThat(Jetty.VERSION).startsWith(System.getProperty("sojourn.expectedJetty", "12.0") + ".");
  }
}
