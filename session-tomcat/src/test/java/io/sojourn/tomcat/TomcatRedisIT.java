package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class TomcatRedisIT extends TomcatRedisContract {

  private final RedisServer redis;

  TomcatRedisIT(RedisServer redis) {
    this.redis = redis;
  }

  @Override
  String url() {
    return redis.url();
  }

  @Test
  @Tag("R24")
  void anApplicationServesOnWhenAnotherOneOnTheSameRedisIsUndeployed() throws Exception {
    ContractClient anna = new ContractClient();
    ContractClient bert = new ContractClient();
    try (TomcatNode node = TomcatNode.start(onRedis())) {
      ContainerNode other = node.deploy("other", onRedis());
      anna.send(node, "set:user:anna");
      bert.send(other, "set:user:bert");
      other.close();
      assertThat(anna.send(node, "get:user", "set:n:1").line()).isEqualTo("anna");
      assertThat(new ContractClient().send(node, "set:user:carla", "get:user").line())
          .isEqualTo("carla");
      ContainerNode again = node.deploy("other", onRedis());
      assertThat(bert.send(again, "get:user").line()).isEqualTo("bert");
      assertThat(anna.send(node, "get:n").line()).isEqualTo("1");
    }
  }

  private SojournManager onRedis() {
    return ManagerElement.patient(redis.url());
  }
}
