package io.sojourn.jdbc;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.IdleTimeout;
import io.sojourn.NewSession;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import io.sojourn.StoreUnavailableException;
import io.sojourn.testkit.CuttingProxy;
import io.sojourn.testkit.Threads;
import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.MySqlServer;
import io.sojourn.testkit.server.PostgreSqlServer;
import io.sojourn.testkit.server.RealServers;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A host that no longer takes what is sent to it, while new connections lead to another one. By all
 * drivers at once, as most of the time goes by with waiting.
 */
@ExtendWith(RealServers.class)
class VanishedHostIT {

  /** More than a connection takes before somebody reads it. */
  private static final int BYTES = 5 << 20;

  private final List<String> urls;

  VanishedHostIT(MariaDbServer mariaDb, MySqlServer mySql, PostgreSqlServer postgreSql) {
    this.urls =
        List.of(
            mariaDb.jdbcUrl(mariaDb.newDatabase()),
            mariaDb.mySqlDriverUrl(mariaDb.newDatabase()),
            mySql.jdbcUrl(mySql.newDatabase()),
            postgreSql.jdbcUrl(postgreSql.newDatabase()));
  }

  @Test
  @Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  @Tag("G4")
  @Tag("R16")
  @Tag("R18")
  void aLargeSaveToAHostThatHasVanishedEndsAndKeepsNobodyFromTheNextOne() {
    Threads.run(urls.size(), thread -> assertASaveThatNobodyTakesEnds(urls.get(thread)));
  }

  private static void assertASaveThatNobodyTakesEnds(String url) {
    try (CuttingProxy proxy = new CuttingProxy(url);
        SessionStore store =
            new JdbcSessionStoreProvider().open(StoreConfiguration.of(proxy.url(), "app"))) {
      SessionKey key = SessionKey.of("s");
      IdleTimeout timeout = IdleTimeout.of(Duration.ofMinutes(30), Duration.ofMinutes(1));
      NewSession session =
          new NewSession(key, SessionStore.FIRST_VERSION, Instant.now(), timeout, Map.of());
      while (!created(store, session)) {} // a machine that is busy
      CompletableFuture<OptionalLong> large;
      do {
        proxy.freeze();
        large =
            CompletableFuture.supplyAsync(
                () -> store.save(change(key, "large", new byte[BYTES])),
                work -> new Thread(work).start());
        while (!saved(store, change(key, "small", new byte[1]))) {}
        large.handle((version, failure) -> version).join();
        // If it went well, it met a connection that is younger than the silence.
      } while (!large.isCompletedExceptionally());
      assertThatThrownBy(large::join).hasCauseInstanceOf(StoreUnavailableException.class);
      while (!saved(store, change(key, "large", new byte[BYTES]))) {}
    } catch (IOException e) {
      throw new AssertionError(url, e);
    }
  }

  private static SessionDelta change(SessionKey key, String name, byte[] value) {
    return new SessionDelta(
        key,
        Map.of(name, new AttributeChange.Set(EncodedValue.of(value))),
        Optional.empty(),
        Duration.ZERO);
  }

  private static boolean created(SessionStore store, NewSession session) {
    try {
      return store.create(session);
    } catch (StoreUnavailableException e) {
      return false;
    }
  }

  private static boolean saved(SessionStore store, SessionDelta delta) {
    try {
      return store.save(delta).isPresent();
    } catch (StoreUnavailableException e) {
      return false;
    }
  }
}
