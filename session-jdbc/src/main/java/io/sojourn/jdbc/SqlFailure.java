package io.sojourn.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransactionRollbackException;
import java.sql.SQLTransientConnectionException;
import java.util.Set;

/** What an {@link SQLException} means for a store, whatever the database and its driver. */
enum SqlFailure {
  /**
   * The database cannot be asked over this connection: it is lost, or it leads to a server that
   * takes no writes, such as a primary that a failover has demoted.
   */
  OUTAGE,

  /** Two writers were in each other's way: nothing is written, and once more is likely to work. */
  CONFLICT,

  /** A row with this key is there already. */
  DUPLICATE_KEY,

  /** A table is not there. */
  NO_TABLE,

  /** A mistake of ours or in the tables. */
  OTHER;

  /*
   * PostgreSQL says by SQLSTATE alone what is wrong; its error code is 0. Codes of MySQL and MariaDB lie between 1000 and 4999,
   * those of H2 above 20000, so that one set holds both.
   */

  private static final Set<Integer> CONFLICT_CODES =
      Set.of(
          1020, // MariaDB: record has changed since last read
          1205, // MySQL: lock wait timeout
          1213, // MySQL: deadlock
          50200, // H2: lock timeout
          90131); // H2: row changed by another transaction

  private static final Set<String> CONFLICT_STATES = Set.of("55P03"); // lock not available

  private static final Set<Integer> DUPLICATE_CODES = Set.of(1062, 23505);
  private static final String DUPLICATE_STATE = "23505";

  private static final Set<Integer> NO_TABLE_CODES = Set.of(1146, 42102, 42103, 42104);
  private static final String NO_TABLE_STATE = "42P01";

  private static final Set<Integer> OUTAGE_CODES =
      Set.of(
          1021, // disk full
          1040, // too many connections
          1044, // access to the database denied
          1045, // access denied
          1047, // Galera: the node is not ready
          1049, // unknown database
          1053, // server shutdown in progress
          1114, // the table is full
          1129, // host is blocked
          1130, // host is not allowed
          1142, // command denied on the table
          1203, // too many connections of this user
          1226, // a limit of this user is exceeded
          1243, // the statement is not prepared over this connection, as behind a proxy
          1290, // the server runs with an option, such as read_only, that forbids this
          1317, // query interrupted
          1615, // the statement has to be prepared again
          1792, // read-only transaction
          1836, // read-only mode
          1927, // connection killed
          1969, // query took too long
          3024, // query took too long
          3032, // offline mode
          4031, // disconnected for inactivity
          57014, // H2: statement cancelled
          90020, // H2: database is open elsewhere
          90067, // H2: connection broken
          90096, // H2: not enough rights on the table
          90098, // H2: database closed
          90121); // H2: database closed, as the JVM is going down

  private static final Set<String> OUTAGE_STATES =
      Set.of(
          "25006", // read-only, as after a failover
          "3D000", // no such database
          "42501", // not enough rights
          "57014"); // statement cancelled, or took too long

  /**
   * Connection; account not accepted; resources, such as too many connections; shutdown; system.
   */
  private static final Set<String> OUTAGE_CLASSES = Set.of("08", "28", "53", "57", "58");

  /** What PostgreSQL says as it ends a connection. */
  private static final String ENDED = "57P0";

  static SqlFailure of(SQLException e) {
    int code = e.getErrorCode();
    String state = state(e);
    String stateClass = state.length() < 2 ? "" : state.substring(0, 2);
    if (CONFLICT_CODES.contains(code)
        || CONFLICT_STATES.contains(state)
        || stateClass.equals("40")
        || e instanceof SQLTransactionRollbackException) {
      return CONFLICT;
    }
    if (DUPLICATE_CODES.contains(code) || state.equals(DUPLICATE_STATE)) {
      return DUPLICATE_KEY;
    }
    if (NO_TABLE_CODES.contains(code) || state.equals(NO_TABLE_STATE)) {
      return NO_TABLE;
    }
    boolean outage =
        OUTAGE_CODES.contains(code)
            || OUTAGE_STATES.contains(state)
            || OUTAGE_CLASSES.contains(stateClass)
            || e instanceof SQLTransientConnectionException
            || e instanceof SQLNonTransientConnectionException
            || e instanceof SQLRecoverableException
            || e instanceof SQLTimeoutException;
    return outage ? OUTAGE : OTHER;
  }

  /**
   * What it means of this connection. One that is read-only is of no more use than one that is
   * closed: MySQL's driver makes it so when it goes on with a replica, and then asks no server.
   */
  static SqlFailure of(Connection connection, SQLException e) {
    SqlFailure meaning = of(e);
    boolean isUseless = isClosed(connection) || (meaning == OTHER && isReadOnly(connection));
    return isUseless ? OUTAGE : meaning;
  }

  private static boolean isReadOnly(Connection connection) {
    try {
      return connection.isReadOnly();
    } catch (SQLException e) {
      return false;
    }
  }

  /** Whether the connection is gone, so that the next one may lead to another server. */
  static boolean isLost(Connection connection, SQLException e) {
    String state = state(e);
    return state.startsWith("08") || state.startsWith(ENDED) || isClosed(connection);
  }

  static boolean isClosed(Connection connection) {
    try {
      return connection.isClosed();
    } catch (SQLException e) {
      return true;
    }
  }

  private static String state(SQLException e) {
    return e.getSQLState() == null ? "" : e.getSQLState();
  }
}
