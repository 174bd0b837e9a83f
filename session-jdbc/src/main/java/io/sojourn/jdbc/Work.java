package io.sojourn.jdbc;

import java.sql.Connection;
import java.sql.SQLException;

/** What an operation is done with. For one thread. */
final class Work {

  private final Connection connection;
  private final byte[] application;
  private final long clockOffset;
  private final boolean repeated;

  /**
   * The means for one attempt.
   *
   * @param connection in auto-commit mode
   * @param application whose sessions
   * @param clockOffset how far the database's clock is shifted, in milliseconds
   * @param repeated whether it is done again after a connection was lost, so that the first time
   *     may have taken effect
   */
  Work(Connection connection, byte[] application, long clockOffset, boolean repeated) {
    this.connection = connection;
    this.application = application;
    this.clockOffset = clockOffset;
    this.repeated = repeated;
  }

  /** Something to do on a connection. */
  @FunctionalInterface
  interface Task<T> {
    T run(Work work) throws SQLException;
  }

  Connection connection() {
    return connection;
  }

  byte[] application() {
    return application;
  }

  boolean repeated() {
    return repeated;
  }

  /** The text of a statement now. */
  String sql(SqlText text) {
    return text.ahead(clockOffset);
  }

  Parameters prepare(SqlText text) throws SQLException {
    return prepare(sql(text));
  }

  Parameters prepare(String sql) throws SQLException {
    return Parameters.of(connection, sql);
  }

  /** With {@link java.sql.PreparedStatement#getGeneratedKeys()} after it was executed. */
  Parameters prepareAnsweringKey(String sql) throws SQLException {
    return Parameters.answeringKey(connection, sql);
  }

  /** With {@link java.sql.PreparedStatement#getGeneratedKeys()} of this column of each row. */
  Parameters prepareAnswering(String sql, String column) throws SQLException {
    return Parameters.answering(connection, sql, column);
  }

  /** Carries out several statements as a whole, and as a part of the one that it is called in. */
  <T> T atomically(Task<T> task) throws SQLException {
    if (!connection.getAutoCommit()) {
      return task.run(this);
    }
    connection.setAutoCommit(false);
    try {
      T answer = task.run(this);
      connection.commit();
      connection.setAutoCommit(true);
      return answer;
    } catch (SQLException | RuntimeException e) {
      try {
        connection.rollback();
        connection.setAutoCommit(true);
      } catch (SQLException second) {
        // In the middle of something, and to switch auto-commit on could commit it: nobody may use
        // it any more.
        e.addSuppressed(second);
        connection.abort(Runnable::run);
      }
      throw e;
    }
  }
}
