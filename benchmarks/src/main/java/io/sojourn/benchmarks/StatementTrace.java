package io.sojourn.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.random.RandomGenerator;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * What a call of a JDBC store does on its connection: the statements, their parameters, what is
 * read of their results, and where a transaction begins and ends. It can be done again by bare JDBC
 * calls, for another session and with other content. Immutable; any number of threads may do it
 * again.
 */
final class StatementTrace {

  /** What is done with a connection, a statement or its result. */
  private enum Act {
    PREPARE,
    PREPARE_ANSWERING_KEY,
    PREPARE_ANSWERING_COLUMNS,
    SET_BYTES,
    SET_LONG,
    SET_TEXT,
    SET_NULL,
    QUERY,
    UPDATE,
    KEYS,
    NEXT,
    GET_BYTES,
    GET_LONG,
    GET_TEXT,
    WAS_NULL,
    CLOSE_RESULT,
    CLOSE_STATEMENT,
    AUTO_COMMIT,
    COMMIT
  }

  /** A statement and the columns that it is to answer. */
  private record Answering(String sql, List<String> columns) {}

  /**
   * One of them.
   *
   * @param act what
   * @param column of a parameter or a result; 0 for none
   * @param value what is given with it, if something is
   * @param fresh how much of the value, from its end, is another one in each call
   * @param isKey whether the value is the session's key
   */
  private record Step(Act act, int column, @Nullable Object value, int fresh, boolean isKey) {

    /** The same as it is next time, if that time was like this. */
    Step compared(Step again, byte[] key) {
      if (act != again.act || column != again.column) {
        throw new IllegalStateException(
            "Two calls did not do the same: " + act + " and " + again.act);
      }
      if (value instanceof byte[] bytes && again.value instanceof byte[] other) {
        return Arrays.equals(bytes, key)
            ? new Step(act, column, bytes, 0, true)
            : new Step(act, column, bytes, Arrays.equals(bytes, other) ? 0 : bytes.length, false);
      }
      if (value instanceof String text && again.value instanceof String other) {
        int same = Arrays.mismatch(text.getBytes(US_ASCII), other.getBytes(US_ASCII));
        return new Step(act, column, text, same < 0 ? 0 : text.length() - same, false);
      }
      return this;
    }

    byte @Nullable [] bytes(byte[] key, byte[] content) {
      if (isKey) {
        return key;
      }
      return fresh > 0 ? content : (byte[]) value;
    }

    String text(RandomGenerator random) {
      String text = String.valueOf(value);
      if (fresh > 0) {
        String end = Long.toString(random.nextLong() >>> 1 | 1L << 62, Character.MAX_RADIX);
        text = text.substring(0, text.length() - fresh) + end.substring(end.length() - fresh);
      }
      return text;
    }
  }

  private final Step[] steps;

  private StatementTrace(List<Step> steps) {
    this.steps = steps.toArray(Step[]::new);
  }

  /**
   * Does it again.
   *
   * @param pool gives the connection
   * @param key of the session
   * @param content what is written
   * @param random for names that are others in each call
   * @return what was read last, or how many rows were changed
   * @throws SQLException if the database does not do it
   */
  @SuppressWarnings("NullAway") // what was done could be done: a statement before its result
  Object again(DataSource pool, byte[] key, byte[] content, RandomGenerator random)
      throws SQLException {
    Object answer = "";
    PreparedStatement statement = null;
    ResultSet rows = null;
    try (Connection connection = pool.getConnection()) {
      for (Step step : steps) {
        switch (step.act) {
          case PREPARE -> statement = connection.prepareStatement((String) step.value);
          case PREPARE_ANSWERING_KEY ->
              statement =
                  connection.prepareStatement(
                      (String) step.value, PreparedStatement.RETURN_GENERATED_KEYS);
          case PREPARE_ANSWERING_COLUMNS -> {
            Answering answering = (Answering) step.value;
            statement =
                connection.prepareStatement(
                    answering.sql, answering.columns.toArray(String[]::new));
          }
          case SET_BYTES -> statement.setBytes(step.column, step.bytes(key, content));
          case SET_LONG -> statement.setLong(step.column, (Long) step.value);
          case SET_TEXT -> statement.setString(step.column, step.text(random));
          case SET_NULL -> statement.setNull(step.column, (Integer) step.value);
          case QUERY -> rows = statement.executeQuery();
          case UPDATE -> answer = statement.executeUpdate();
          case KEYS -> rows = statement.getGeneratedKeys();
          case NEXT -> answer = rows.next();
          case GET_BYTES -> answer = rows.getBytes(step.column);
          case GET_LONG -> answer = rows.getLong(step.column);
          case GET_TEXT -> answer = rows.getString(step.column);
          case WAS_NULL -> answer = rows.wasNull();
          case CLOSE_RESULT -> rows.close();
          case CLOSE_STATEMENT -> statement.close();
          case AUTO_COMMIT -> connection.setAutoCommit((Boolean) step.value);
          case COMMIT -> connection.commit();
        }
      }
    }
    return answer;
  }

  /** Has its connections note what is done with them. For one thread. */
  static final class Recorder {

    private final DataSource source;
    private @Nullable List<Step> steps;

    Recorder(DataSource pool) {
      source = watched(DataSource.class, pool);
    }

    /** What is to be used in the pool's place. */
    DataSource source() {
      return source;
    }

    /**
     * Makes a call three times, and compares the last two to find out what differs from one to the
     * next.
     *
     * @param key of the session that it is about
     * @param call what to record; writes other content each time
     */
    StatementTrace record(byte[] key, Callable<?> call) throws Exception {
      // A store's first call asks what it needs to know of its database.
      var unused = call.call();
      List<Step> first = steps(call);
      List<Step> second = steps(call);
      if (first.size() != second.size() || first.isEmpty()) {
        throw new IllegalStateException(
            "Two calls did not do the same: " + first.size() + " and " + second.size() + " steps");
      }
      List<Step> both = new ArrayList<>();
      for (int i = 0; i < first.size(); i++) {
        both.add(first.get(i).compared(second.get(i), key));
      }
      return new StatementTrace(both);
    }

    private List<Step> steps(Callable<?> call) throws Exception {
      List<Step> noted = new ArrayList<>();
      steps = noted;
      try {
        var unused = call.call();
      } finally {
        steps = null;
      }
      return noted;
    }

    private <T> T watched(Class<T> type, Object target) {
      InvocationHandler handler =
          (proxy, method, arguments) -> {
            note(target, method.getName(), arguments == null ? new Object[0] : arguments);
            Object answer;
            try {
              answer = method.invoke(target, arguments);
            } catch (InvocationTargetException e) {
              throw e.getCause();
            }
            if (answer instanceof Connection) {
              return watched(Connection.class, answer);
            }
            if (answer instanceof PreparedStatement) {
              return watched(PreparedStatement.class, answer);
            }
            return answer instanceof ResultSet ? watched(ResultSet.class, answer) : answer;
          };
      return type.cast(
          Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private void note(Object target, String method, Object[] arguments) {
      if (steps == null) {
        return;
      }
      if (arguments.length == 2 && arguments[1] instanceof String[] columns) {
        Answering answering = new Answering((String) arguments[0], List.of(columns));
        steps.add(new Step(Act.PREPARE_ANSWERING_COLUMNS, 0, answering, 0, false));
        return;
      }
      Act act = act(target, method, arguments.length);
      if (act == null) {
        return;
      }
      boolean hasColumn =
          arguments.length > 0 && arguments[0] instanceof Integer && !method.startsWith("exec");
      int column = hasColumn ? (Integer) arguments[0] : 0;
      int at = hasColumn ? 1 : 0;
      Object value = arguments.length > at ? arguments[at] : null;
      steps.add(new Step(act, column, value, 0, false));
    }

    /** Null for what has no effect on a database, such as a question to the driver. */
    private static @Nullable Act act(Object target, String method, int arguments) {
      return switch (method) {
        case "prepareStatement" -> arguments == 1 ? Act.PREPARE : Act.PREPARE_ANSWERING_KEY;
        case "setBytes" -> Act.SET_BYTES;
        case "setLong" -> Act.SET_LONG;
        case "setString" -> Act.SET_TEXT;
        case "setNull" -> Act.SET_NULL;
        case "executeQuery" -> Act.QUERY;
        case "executeUpdate" -> Act.UPDATE;
        case "getGeneratedKeys" -> Act.KEYS;
        case "next" -> Act.NEXT;
        case "getBytes" -> Act.GET_BYTES;
        case "getLong" -> Act.GET_LONG;
        case "getString" -> Act.GET_TEXT;
        case "wasNull" -> Act.WAS_NULL;
        case "setAutoCommit" -> Act.AUTO_COMMIT;
        case "commit" -> Act.COMMIT;
        case "close" ->
            target instanceof ResultSet
                ? Act.CLOSE_RESULT
                : target instanceof PreparedStatement ? Act.CLOSE_STATEMENT : null;
        case "getConnection", "getAutoCommit", "getNetworkTimeout", "getTransactionIsolation" ->
            null;
        default -> throw new IllegalStateException("Not known how to do " + method + " again");
      };
    }
  }
}
