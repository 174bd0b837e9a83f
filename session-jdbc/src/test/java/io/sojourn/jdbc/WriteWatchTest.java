package io.sojourn.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What ends connections that take nothing more. */
class WriteWatchTest {

  private static Set<Thread> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals(WriteWatch.THREAD))
        .collect(Collectors.toSet());
  }

  @Test
  @Tag("R18")
  void itsThreadEndsWithItAndWhatComesLaterIsNotWatched() throws SQLException {
    Set<Thread> others = threads();
    WriteWatch watch = new WriteWatch();
    try (Connection connection = DriverManager.getConnection("jdbc:h2:mem:")) {
      assertThat(watch.endAfter(Duration.ofHours(1), connection).cancel(false)).isTrue();
      Set<Thread> own = threads();
      own.removeAll(others);
      assertThat(own).as("it waits for the next save").hasSize(1);
      watch.close();
      await().until(() -> own.stream().noneMatch(Thread::isAlive));
      assertThat(watch.endAfter(Duration.ZERO, connection).cancel(false)).isTrue();
      assertThat(threads()).isSubsetOf(others);
    }
  }
}
