package io.sojourn.testkit.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class RedisClusterViewTest {

  private static final String ANSWER =
      """
      a1 127.0.0.1:15001@25001 myself,master - 0 1700000000000 3 connected 0-99 200 [7->-b2]
      b2 127.0.0.1:15002@25002,host master,fail? - 0 1700000000001 2 disconnected 100-199
      c3 127.0.0.1:15003@25003 slave a1 0 1700000000002 3 connected
      """;

  @Test
  void anAnswerTellsTheNodesAndTheirSlots() throws IOException {
    RedisClusterView view = RedisClusterView.parse(ANSWER);

    assertThat(view.members())
        .extracting(RedisClusterView.Member::port)
        .containsExactly(15001, 15002, 15003);
    assertThat(view.self().id()).isEqualTo("a1");
    assertThat(view.self().slotCount()).isEqualTo(101);
    assertThat(view.self().owns(99)).isTrue();
    assertThat(view.self().owns(100)).isFalse();
    assertThat(view.self().owns(200)).isTrue();
    assertThat(view.withPort(15002))
        .hasValueSatisfying(
            other -> {
              assertThat(other.epoch()).isEqualTo(2);
              assertThat(other.isSound()).isFalse();
            });
    assertThat(view.withPort(15003))
        .hasValueSatisfying(
            replica -> {
              assertThat(replica.isMaster()).isFalse();
              assertThat(replica.isSound()).isTrue();
            });
  }

  @Test
  void nodesThatAgreeOnTheSlotsHaveTheSameLayout() throws IOException {
    String others =
        ANSWER
            .replace("myself,master", "master")
            .replace("slave", "myself,slave")
            .replace(" [7->-b2]", "");

    assertThat(RedisClusterView.parse(others).layout())
        .isEqualTo(RedisClusterView.parse(ANSWER).layout());
    assertThat(RedisClusterView.parse(ANSWER.replace("0-99", "0-98")).layout())
        .isNotEqualTo(RedisClusterView.parse(ANSWER).layout());
  }

  @Test
  void whatRedisDoesNotAnswerIsRefused() {
    assertThatThrownBy(() -> RedisClusterView.parse("nonsense"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("nonsense");
  }
}
