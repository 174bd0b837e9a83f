package io.sojourn.jdbc;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.sojourn.EncodedValue;
import io.sojourn.PrincipalKey;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A statement whose parameters are given one after the other. For one thread. */
final class Parameters implements AutoCloseable {

  /** Thirty thousand years: beyond that a duration is for ever, and sums of two are still exact. */
  private static final Duration FOR_EVER = Duration.ofDays(10_000_000);

  final PreparedStatement statement;
  private int index;

  private Parameters(PreparedStatement statement) {
    this.statement = statement;
  }

  static Parameters of(Connection connection, String sql) throws SQLException {
    return new Parameters(connection.prepareStatement(sql));
  }

  /** With {@link PreparedStatement#getGeneratedKeys()} after it was executed. */
  static Parameters answeringKey(Connection connection, String sql) throws SQLException {
    return new Parameters(connection.prepareStatement(sql, Statement.RETURN_GENERATED_KEYS));
  }

  /**
   * With {@link PreparedStatement#getGeneratedKeys()} of this column, of each row that is written.
   */
  static Parameters answering(Connection connection, String sql, String column)
      throws SQLException {
    return new Parameters(connection.prepareStatement(sql, new String[] {column}));
  }

  @CanIgnoreReturnValue
  Parameters bytes(byte[] value) throws SQLException {
    statement.setBytes(++index, value);
    return this;
  }

  @CanIgnoreReturnValue
  Parameters allBytes(List<byte[]> values) throws SQLException {
    for (byte[] value : values) {
      bytes(value);
    }
    return this;
  }

  @CanIgnoreReturnValue
  Parameters text(String value) throws SQLException {
    statement.setString(++index, value);
    return this;
  }

  /** An attribute's content; null for the mark of its removal. */
  @CanIgnoreReturnValue
  Parameters content(@Nullable EncodedValue value) throws SQLException {
    statement.setBytes(++index, value == null ? null : value.bytes());
    return this;
  }

  /** NULL for nobody. */
  @CanIgnoreReturnValue
  Parameters principal(PrincipalKey value) throws SQLException {
    statement.setBytes(++index, value.isNobody() ? null : value.bytes());
    return this;
  }

  @CanIgnoreReturnValue
  Parameters number(long value) throws SQLException {
    statement.setLong(++index, value);
    return this;
  }

  @CanIgnoreReturnValue
  Parameters noNumber() throws SQLException {
    statement.setNull(++index, Types.BIGINT);
    return this;
  }

  /** In milliseconds. */
  @CanIgnoreReturnValue
  Parameters duration(Duration value) throws SQLException {
    return number(millis(value));
  }

  /** In milliseconds, cut to what can still be counted with. */
  static long millis(Duration value) {
    if (value.compareTo(FOR_EVER) > 0) {
      return FOR_EVER.toMillis();
    }
    return value.compareTo(FOR_EVER.negated()) < 0 ? -FOR_EVER.toMillis() : value.toMillis();
  }

  @Override
  public void close() throws SQLException {
    statement.close();
  }
}
