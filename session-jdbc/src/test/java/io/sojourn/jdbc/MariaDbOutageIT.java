package io.sojourn.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.sojourn.IdleTimeout;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.testkit.server.MariaDbServer;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A database that is killed and comes back, under one store that nobody opens anew. */
class MariaDbOutageIT {

  @Test
  @Tag("G4")
  @Tag("G5")
  @Tag("R17")
  void aKilledDatabaseIsAnOutageAndWhatItAcknowledgedIsThereAfterwards() {
    try (MariaDbServer server = MariaDbServer.startPrivate()) {
      String url = server.jdbcUrl(server.newDatabase());
      server.kill();
      try (SessionStore store =
          new JdbcSessionStoreProvider().open(StoreConfiguration.of(url, "app"))) {
        SessionKey key = SessionKey.of("s");
        assertThatThrownBy(() -> store.load(key, SessionStore.NO_VERSION))
            .isInstanceOf(StoreUnavailableException.class);
        server.start();
        await().atMost(Duration.ofSeconds(30)).until(() -> answers(store));
        assertThat(
                store.create(
                    new NewSession(
                        key,
                        Instant.now(),
                        IdleTimeout.of(Duration.ofMinutes(30), Duration.ofMinutes(1)),
                        Map.of())))
            .isTrue();
        server.kill();
        assertThatThrownBy(() -> store.load(key, SessionStore.NO_VERSION))
            .isInstanceOf(StoreUnavailableException.class);
        assertThatThrownBy(store::ping).isInstanceOf(StoreUnavailableException.class);
        server.start();
        await().atMost(Duration.ofSeconds(30)).until(() -> answers(store));
        assertThat(store.load(key, SessionStore.NO_VERSION)).isInstanceOf(LoadResult.Found.class);
      }
    }
  }

  private static boolean answers(SessionStore store) {
    try {
      store.ping();
      return true;
    } catch (StoreUnavailableException e) {
      return false;
    }
  }
}
