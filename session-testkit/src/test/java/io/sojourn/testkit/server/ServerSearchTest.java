package io.sojourn.testkit.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class ServerSearchTest {

  private static final ServerSearch.Way FAILS =
      new ServerSearch.Way(
          "by post",
          () -> {
            throw new IOException("no stamps");
          });

  @Test
  void theFirstWayThatWorksIsTaken() {
    GivenAddress server = new GivenAddress("localhost", 1);
    GivenAddress later = new GivenAddress("localhost", 2);

    assertThat(
            ServerSearch.firstThatStarts(
                "Cache",
                "test.cache",
                List.of(
                    FAILS,
                    new ServerSearch.Way("by hand", () -> server),
                    new ServerSearch.Way("by rail", () -> later))))
        .isSameAs(server);
  }

  @Test
  void whereNoWayWorksTheMessageSaysWhatWasTriedAndHowToGiveAnAddress() {
    assertThatThrownBy(
            () -> ServerSearch.firstThatStarts("Cache", "test.cache", List.of(FAILS, FAILS)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContainingAll(
            "Cache", "by post: no stamps", "property test.cache", "variable TEST_CACHE")
        .satisfies(e -> assertThat(e.getSuppressed()).hasSize(2));
  }

  @Test
  void programsAreFoundOnThePath() throws IOException {
    assertThat(ServerSearch.onPath("no-such-program", "sh")).hasFileName("sh");
    assertThatThrownBy(() -> ServerSearch.onPath("no-such-program"))
        .isInstanceOf(FileNotFoundException.class)
        .hasMessageContaining("no-such-program");
  }
}
