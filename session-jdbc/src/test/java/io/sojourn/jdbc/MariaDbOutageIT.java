package io.sojourn.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.sojourn.IdleTimeout;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.testkit.Threads;
import io.sojourn.testkit.server.MariaDbServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
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

  @Test
  @Tag("G4")
  @Tag("R18")
  void anOutageLeavesNoConnectionOfThePoolInUse() throws SQLException {
    try (MariaDbServer server = MariaDbServer.startPrivate()) {
      String url = server.jdbcUrl(server.newDatabase());
      JdbcSettings settings =
          JdbcSettings.of(
              Map.of("maximumPoolSize", "4", "connectionTimeout", "500", "socketTimeout", "1000"),
              true);
      HikariConfig config = new HikariConfig();
      config.setJdbcUrl(url);
      config.setMaximumPoolSize(settings.maximumPoolSize());
      config.setConnectionTimeout(settings.connectionTimeout().toMillis());
      config.setValidationTimeout(settings.connectionTimeout().toMillis() / 2);
      DriverDefaults.of(url).apply(config, settings);
      try (HikariDataSource pool = new HikariDataSource(config)) {
        SessionStore store = JdbcSessionStore.of(pool, StoreConfiguration.of(url, "app"));
        await().atMost(Duration.ofSeconds(30)).until(() -> answers(store));
        server.suspend();
        try {
          Threads.run(
              12,
              thread ->
                  assertThatThrownBy(() -> store.load(SessionKey.of("s" + thread), 1))
                      .isInstanceOf(StoreUnavailableException.class));
        } finally {
          server.resume();
        }
        assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
        assertThat(pool.getHikariPoolMXBean().getThreadsAwaitingConnection()).isZero();
        await().atMost(Duration.ofSeconds(30)).until(() -> answers(store));
        List<Connection> all = new ArrayList<>();
        await()
            .atMost(Duration.ofSeconds(30))
            .ignoreExceptions()
            .until(
                () -> {
                  all.add(pool.getConnection());
                  return all.size() == settings.maximumPoolSize();
                });
        for (Connection connection : all) {
          assertThat(connection.isValid(30)).isTrue();
          connection.close();
        }
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
