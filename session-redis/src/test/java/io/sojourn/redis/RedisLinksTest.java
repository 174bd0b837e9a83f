package io.sojourn.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.StoreConfiguration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class RedisLinksTest {

  @Test
  @Tag("R8")
  void aFailoverBeginsOneHistoryHoweverManyLinksFindIt() {
    RedisSettings settings = RedisSettings.of(StoreConfiguration.of("redis://127.0.0.1:1", "app"));
    try (RedisDriver driver = new RedisDriver(settings);
        RedisLinks links = new RedisLinks(driver, settings, "redis://127.0.0.1:1")) {
      long first = links.history(0);
      links.connected("a");
      links.connected("a");
      assertThat(links.history(0)).isEqualTo(first);
      assertThat(links.isPresent("a")).isTrue();

      links.connected("b");
      long second = links.history(0);
      assertThat(second).isGreaterThan(first);
      assertThat(links.isPresent("a")).as("one that still leads to the former").isFalse();
      links.connected("b");
      links.connected("b");
      assertThat(links.history(0)).isEqualTo(second);

      // Where the server does not say, each connection may lead to another one.
      links.connected("");
      long third = links.history(0);
      assertThat(third).isGreaterThan(second);
      assertThat(links.isPresent("")).isTrue();
      links.connected("");
      assertThat(links.history(0)).isGreaterThan(third);
    }
  }

  /** Several masters behind one address would have the links drop one another for ever. */
  @Test
  @Tag("R8")
  @Tag("R16")
  void serversThatTakeTurnsAreReportedOnceAndAllUsed() {
    RedisSettings settings =
        RedisSettings.of(StoreConfiguration.of("redis://:secret@127.0.0.1:1", "app"));
    try (RedisDriver driver = new RedisDriver(settings);
        RedisLinks links = new RedisLinks(driver, settings, "redis://***@127.0.0.1:1");
        LoggedWarnings warnings = new LoggedWarnings(RedisLinks.class.getName())) {
      links.connected("a");
      for (int i = 0; i < 10; i++) {
        links.connected(i % 2 == 0 ? "b" : "a");
      }
      assertThat(links.isPresent("b")).as("as in a failover").isFalse();
      assertThat(warnings.messages()).isEmpty();
      for (int i = 0; i < 100; i++) {
        links.connected(i % 2 == 0 ? "b" : "a");
      }
      assertThat(links.isPresent("a")).isTrue();
      assertThat(links.isPresent("b")).isTrue();
      long history = links.history(0);
      links.connected("b");
      assertThat(links.history(0)).isGreaterThan(history);
      assertThat(warnings.messages())
          .singleElement()
          .asString()
          .contains(
              "redis://***@127.0.0.1:1 leads to several servers", "ids a and b", "one primary");
    }
  }
}
