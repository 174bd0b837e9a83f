package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.testkit.ContainerContract;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.NodeSettings;
import org.apache.catalina.util.ServerInfo;
import org.junit.jupiter.api.Test;

/**
 * The contract of containers on the Tomcat that is on the class path: 10.1, and in a second run 11.
 */
abstract class TomcatContract extends ContainerContract {

  @Override
  protected final ContainerNode start(NodeSettings settings) throws Exception {
    return TomcatNode.start(settings);
  }

  @Test
  void theTomcatUnderTestIsTheOneIntended() {
    assertThat(ServerInfo.getServerNumber())
        .startsWith(System.getProperty("sojourn.expectedTomcat", "10.1") + ".");
  }
}
