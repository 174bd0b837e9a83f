package io.sojourn.jdbc;

import io.sojourn.StoreUnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What to do about the tables of a store before its first use.
 *
 * <p>Whether they are there, and as this version of Sojourn knows them, is told by the one row of a
 * table of its own, which is written last.
 */
enum Schema {
  /** Creates them where they are not there. */
  CREATE,

  /** Only checks that they are there: somebody else creates them. */
  CHECK;

  private static final long VERSION = 2;

  /**
   * The version that nodes of the release before insist on. What they lack is added first, they go
   * on beside new nodes, and the version is raised when none of them is left.
   */
  private static final long VERSION_BEFORE = 1;

  /** Fails where what {@link #VERSION} has more than {@link #VERSION_BEFORE} is not there yet. */
  private static final String ADDED = "SELECT saves FROM sojourn_session WHERE 1 = 0";

  private static final int ATTEMPTS = 20;

  /**
   * Reads what a user wrote.
   *
   * @throws IllegalArgumentException if it is neither
   */
  static Schema parse(String text) {
    return switch (text.strip().toLowerCase(Locale.ROOT)) {
      case "create" -> CREATE;
      case "check" -> CHECK;
      default ->
          throw new IllegalArgumentException(
              "schema=\"" + text + "\" must be \"create\" or \"check\"");
    };
  }

  /**
   * Makes sure of the tables.
   *
   * @param database what messages call it
   * @throws StoreUnavailableException if they are not there, or not of this version; the message
   *     says what to do
   */
  void ensure(Connection connection, SqlDialect dialect, String database) throws SQLException {
    OptionalLong version = version(connection, dialect);
    if (version.isEmpty()) {
      if (this == CHECK) {
        throw new StoreUnavailableException(
            "There are no tables for sessions in "
                + database
                + ", and schema=\"check\" leaves it to you to create them. Run:\n"
                + ddl(dialect),
            null);
      }
      version = create(connection, dialect, database);
    }
    long found = version.getAsLong();
    if (found != VERSION && !(found == VERSION_BEFORE && isAdded(connection, dialect))) {
      throw new StoreUnavailableException(
          "The tables for sessions in "
              + database
              + " are of version "
              + found
              + ", this is a Sojourn for version "
              + VERSION
              + ". See docs/operations.md for how to bring the two together",
          null);
    }
  }

  /**
   * Other nodes may be at it too, so that a statement fails whose work they are doing: what counts
   * is what is there afterwards.
   */
  private static OptionalLong create(Connection connection, SqlDialect dialect, String database)
      throws SQLException {
    for (int i = 1; ; i++) {
      try (Statement statement = connection.createStatement()) {
        for (String sql : statements(dialect)) {
          statement.execute(sql);
        }
      } catch (SQLException e) {
        if (SqlFailure.of(e) == SqlFailure.OUTAGE || i == ATTEMPTS) {
          throw new SQLException(
              "The tables for sessions could not be created in "
                  + database
                  + ": "
                  + e.getMessage()
                  + ". If the account may not, create them yourself. Run:\n"
                  + ddl(dialect),
              e.getSQLState(),
              e.getErrorCode(),
              e);
        }
      }
      OptionalLong version = version(connection, dialect);
      if (version.isPresent()) {
        return version;
      }
      LockSupport.parkNanos(5_000_000L * i);
    }
  }

  private static OptionalLong version(Connection connection, SqlDialect dialect)
      throws SQLException {
    String sql = dialect.named("SELECT version FROM sojourn_session_version");
    try (Statement statement = connection.createStatement()) {
      return SqlDialect.firstNumber(statement.executeQuery(sql));
    } catch (SQLException e) {
      if (SqlFailure.of(e) == SqlFailure.NO_TABLE) {
        return OptionalLong.empty();
      }
      throw e;
    }
  }

  private static boolean isAdded(Connection connection, SqlDialect dialect) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeQuery(dialect.named(ADDED)).close();
      return true;
    } catch (SQLException e) {
      if (SqlFailure.of(e) == SqlFailure.OTHER) {
        return false;
      }
      throw e;
    }
  }

  /** The statements that create the tables, for somebody to run. */
  static String ddl(SqlDialect dialect) {
    return statements(dialect).stream().collect(Collectors.joining(";\n", "", ";"));
  }

  private static List<String> statements(SqlDialect dialect) {
    try (InputStream in =
        Objects.requireNonNull(Schema.class.getResourceAsStream(dialect.schemaResource()))) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      String code =
          text.lines().filter(line -> !line.startsWith("--")).collect(Collectors.joining("\n"));
      return Stream.of(dialect.named(code).split(";\\s*(\\R|$)"))
          .map(String::strip)
          .filter(sql -> !sql.isEmpty())
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
