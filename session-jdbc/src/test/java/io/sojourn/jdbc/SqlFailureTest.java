package io.sojourn.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransactionRollbackException;
import java.sql.SQLTransientConnectionException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SqlFailureTest {

  @ParameterizedTest
  @Tag("G4")
  @Tag("R16")
  @Tag("R21")
  @Tag("R49")
  @CsvSource({
    // MySQL and MariaDB
    "HY000, 1290, OUTAGE", // --read-only, as on a replica
    "HY000, 1836, OUTAGE", // read-only mode
    "25006, 1792, OUTAGE", // read-only transaction
    "08004, 1040, OUTAGE", // too many connections
    "28000, 1045, OUTAGE", // access denied
    "42000, 1044, OUTAGE", // access to the database denied
    "42000, 1049, OUTAGE", // unknown database
    "42000, 1142, OUTAGE", // command denied
    "42000, 1203, OUTAGE", // too many connections of the user
    "42000, 1226, OUTAGE", // a limit of the user
    "08S01, 0, OUTAGE", // communications link failure
    "08S01, 1053, OUTAGE", // shutdown
    "08S01, 1153, OUTAGE", // the server closes the connection on too large a packet
    "70100, 1317, OUTAGE", // interrupted
    "70100, 1969, OUTAGE", // took too long
    "HY000, 3024, OUTAGE", // took too long
    "HY000, 1021, OUTAGE", // disk full
    "08S01, 1047, OUTAGE", // Galera: not ready
    "HY000, 1114, OUTAGE", // table full
    "HY000, 1129, OUTAGE", // host blocked
    "HY000, 1130, OUTAGE", // host not allowed
    "70100, 1927, OUTAGE", // killed
    "HY000, 1243, OUTAGE", // unknown prepared statement
    "HY000, 1615, OUTAGE", // prepared statement to be prepared again
    "HY000, 3032, OUTAGE", // offline mode
    "HY000, 4031, OUTAGE", // disconnected for inactivity
    "HY000, 1205, CONFLICT", // lock wait timeout
    "40001, 1213, CONFLICT", // deadlock
    "HY000, 1020, CONFLICT", // record has changed
    "23000, 1062, DUPLICATE_KEY",
    "42S02, 1146, NO_TABLE",
    "42000, 1064, OTHER", // syntax
    "22001, 1406, OTHER", // data too long
    "21000, 1242, OTHER", // subquery returns more than one row
    // PostgreSQL
    "25006, 0, OUTAGE", // read-only transaction
    "08000, 0, OUTAGE",
    "08001, 0, OUTAGE",
    "08003, 0, OUTAGE",
    "08006, 0, OUTAGE",
    "28P01, 0, OUTAGE", // password
    "3D000, 0, OUTAGE", // no such database
    "42501, 0, OUTAGE", // not enough rights
    "53100, 0, OUTAGE", // disk full
    "53300, 0, OUTAGE", // too many connections
    "57014, 0, OUTAGE", // cancelled
    "57P01, 0, OUTAGE", // shutdown
    "57P03, 0, OUTAGE", // starting up
    "58030, 0, OUTAGE", // input or output
    "40001, 0, CONFLICT", // serialisation failure
    "40P01, 0, CONFLICT", // deadlock
    "55P03, 0, CONFLICT", // lock not available
    "23505, 0, DUPLICATE_KEY",
    "42P01, 0, NO_TABLE",
    "42601, 0, OTHER", // syntax
    "22012, 0, OTHER", // division by zero
    // H2
    "HYT00, 50200, CONFLICT", // lock timeout
    "40001, 40001, CONFLICT", // deadlock
    "23505, 23505, DUPLICATE_KEY",
    "90131, 90131, CONFLICT", // row changed by another transaction
    "42S02, 42102, NO_TABLE",
    "42S03, 42103, NO_TABLE", // others of like names are there
    "42S04, 42104, NO_TABLE", // none is there
    "57014, 57014, OUTAGE", // cancelled
    "90020, 90020, OUTAGE", // open elsewhere
    "90067, 90067, OUTAGE", // connection broken
    "90096, 90096, OUTAGE", // not enough rights
    "90098, 90098, OUTAGE", // closed
    "90121, 90121, OUTAGE", // closed, as the JVM is going down
    "22001, 22001, OTHER"
  })
  void whatADatabaseSays(String state, int code, SqlFailure meaning) {
    assertThat(SqlFailure.of(new SQLException("said", state, code))).isEqualTo(meaning);
  }

  /** Some drivers say by the type what they leave out of the rest. */
  @Test
  @Tag("G4")
  void whatADriverSaysByTheTypeAlone() {
    List<SQLException> outages =
        List.of(
            new SQLTransientConnectionException("said"),
            new SQLNonTransientConnectionException("said"),
            new SQLRecoverableException("said"),
            new SQLTimeoutException("said"));
    assertThat(outages.stream().map(SqlFailure::of)).containsOnly(SqlFailure.OUTAGE);
    assertThat(SqlFailure.of(new SQLTransactionRollbackException("said")))
        .isEqualTo(SqlFailure.CONFLICT);
    assertThat(SqlFailure.of(new SQLException("said"))).isEqualTo(SqlFailure.OTHER);
  }

  @Test
  @Tag("R8")
  void aConnectionIsLostIfItIsClosedOrItsServerIsGone() throws SQLException {
    Connection open = DriverManager.getConnection("jdbc:h2:mem:");
    try (open) {
      for (String state : List.of("08S01", "08006", "57P01")) {
        assertThat(SqlFailure.isLost(open, new SQLException("", state))).isTrue();
      }
      for (String state : List.of("42501", "57014", "70100", "25006", "53300")) {
        assertThat(SqlFailure.isLost(open, new SQLException("", state))).isFalse();
      }
      assertThat(SqlFailure.isLost(open, new SQLException(""))).isFalse();
    }
    assertThat(SqlFailure.isLost(open, new SQLException(""))).isTrue();
  }
}
