package io.sojourn.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sojourn.LoadResult;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** MariaDB, by either driver. */
abstract class MariaDbContract extends MySqlLikeContract {

  MariaDbContract(String database, UnaryOperator<String> url) {
    super(database, url);
  }

  /** It could see the save after that one, and then would never be told of that one. */
  @Test
  @Tag("G2")
  @Tag("R26")
  void aLoadWaitsForTheSaveThatIsUnderWay() throws Exception {
    SessionStore store = open();
    SessionKey key = created(store, Map.of("a", value("1")));
    try (Connection saver = DriverManager.getConnection(url())) {
      DatabaseOutageContract.lockSession(saver, key);
      CompletableFuture<LoadResult> loading =
          CompletableFuture.supplyAsync(() -> store.load(key, SessionStore.FIRST_VERSION));
      await().atMost(Duration.ofSeconds(9)).until(this::isALoadWaiting);
      try (var save = saver.prepareStatement("UPDATE sojourn_session SET version = 2")) {
        save.executeUpdate();
      }
      saver.commit();
      assertThat(loading.get(1, TimeUnit.MINUTES)).isInstanceOf(LoadResult.Changed.class);
    }
  }

  private boolean isALoadWaiting() throws SQLException {
    return number(
            "SELECT COUNT(*) FROM information_schema.innodb_trx"
                + " WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE '%SHARE MODE%'")
        > 0;
  }
}
