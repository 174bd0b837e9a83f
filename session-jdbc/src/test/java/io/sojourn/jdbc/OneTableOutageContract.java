package io.sojourn.jdbc;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.AttributeChange;
import io.sojourn.EncodedValue;
import io.sojourn.LoadResult;
import io.sojourn.SessionException;
import io.sojourn.SessionKey;
import io.sojourn.SessionStore;
import io.sojourn.StoredAttribute;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The part of the contract that is the same on MySQL and MariaDB. */
abstract class OneTableOutageContract extends DatabaseOutageContract {

  @Override
  List<String> tables() {
    return List.of("sojourn_session");
  }

  /** The transaction that has written fewer rows gives way. */
  @Override
  void outweighSaves(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE ballast (id INT PRIMARY KEY AUTO_INCREMENT, a INT)");
      connection.setAutoCommit(false);
      statement.execute("INSERT INTO ballast (a) VALUES (1)" + ", (1)".repeat(200));
    }
  }

  @Override
  void lockAttribute(Connection connection, SessionKey key) throws SQLException {
    lockRow(
        connection,
        "SELECT version FROM sojourn_session WHERE application = 'app' AND origin = ? AND kind = 1"
            + " AND name = 'a' FOR UPDATE",
        key);
  }

  /** The save that sweeps is a part of the transaction that the database has undone. */
  @Test
  @Tag("G5")
  @Tag("R49")
  void aSweepThatGivesWayInADeadlockTakesNoSaveWithIt() throws SQLException {
    SessionStore store = open("connectionTimeout=10s", "socketTimeout=30s");
    SessionKey key = created(store);
    long holder = 1;
    assertThat(store.lease(key, holder, Duration.ofMinutes(5))).isEqualTo(SessionStore.Lease.TAKEN);
    store.save(change(key, "a", new AttributeChange.Remove()));
    long sweeps = 3L * SqlDialect.SWEEP_EVERY_VERSIONS;
    while (save(store, key, "b", "0").orElseThrow() < sweeps - 1) {}
    CompletableFuture<OptionalLong> save;
    try (Connection other = administrator.connect(database)) {
      outweighSaves(other);
      lockAttribute(other, key);
      AttributeChange one = new AttributeChange.Set(EncodedValue.of(new byte[] {'1'}));
      save = CompletableFuture.supplyAsync(() -> store.save(change(key, "b", one), holder));
      awaitBusy();
      lockSession(other, key);
      other.rollback();
    }
    assertThat(save).succeedsWithin(BOUND).isEqualTo(OptionalLong.of(sweeps));
    assertThat(number(store, key, "b")).isEqualTo(1);
  }

  /** As after a failover to a server whose settings are others. */
  @Test
  @Tag("R87")
  void aServerThatTakesLessThanTheOneBeforeRefusesAttributesByTheirNames() {
    int limit = 1 << 20;
    EncodedValue large = letters(2 * limit);
    SessionStore store = openPatient();
    SessionKey key = created(store);
    assertThat(store.refusal("video", large)).isEmpty();
    long before = administrator.limitPackets(limit);
    try {
      administrator.disconnect(administrator.connections());
      assertThatThrownBy(() -> store.save(change(key, "video", new AttributeChange.Set(large))))
          .isExactlyInstanceOf(SessionException.class)
          .hasMessageContaining("'video'")
          .hasMessageContaining("max_allowed_packet is " + limit);
      assertThat(store.refusal("video", large)).isPresent();
      EncodedValue largest = letters(limit - MySqlDialect.BYTES_AROUND_A_VALUE);
      assertThat(store.save(change(key, "image", new AttributeChange.Set(largest)))).hasValue(2);
      assertThat(((LoadResult.Changed) store.load(key, 1)).set().get("image"))
          .isEqualTo(new StoredAttribute(largest, 2));
      assertThat(store.refusal("image", letters(largest.size() + 1))).isPresent();
      // The first thing that a store ever does.
      assertThatThrownBy(
              () -> openPatient().save(change(key, "video", new AttributeChange.Set(large))))
          .isExactlyInstanceOf(SessionException.class)
          .hasMessageContaining("'video'");
    } finally {
      administrator.limitPackets(before);
    }
  }

  private static EncodedValue letters(int count) {
    return EncodedValue.of("a".repeat(count).getBytes(US_ASCII));
  }
}
