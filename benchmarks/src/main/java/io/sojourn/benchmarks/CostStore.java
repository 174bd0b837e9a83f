package io.sojourn.benchmarks;

import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.sojourn.testkit.server.RedisServer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The store of {@link RequestCost}, and what its server says of the work that it has. */
abstract class CostStore implements AutoCloseable {

  private List<ProcessHandle> processes = List.of();

  /**
   * What a server has done so far.
   *
   * @param calls commands or statements of its clients
   * @param bytes from and to them
   */
  record Work(long calls, long bytes) {
    static final Work NONE = new Work(0, 0);

    Work since(Work before) {
      return new Work(calls - before.calls, bytes - before.bytes);
    }
  }

  /**
   * Starts a server of this JVM's own.
   *
   * @param kind {@code redis}, {@code mariadb}, {@code mysql} or {@code postgresql}; of the last no
   *     calls and bytes are known
   * @throws IllegalArgumentException if it is something else
   */
  static CostStore start(String kind) throws SQLException {
    Set<Long> before = children().stream().map(ProcessHandle::pid).collect(Collectors.toSet());
    CostStore store = kind.equals("redis") ? new OfRedis() : new OfDatabase(kind);
    store.processes = children().stream().filter(child -> !before.contains(child.pid())).toList();
    return store;
  }

  private static List<ProcessHandle> children() {
    return ProcessHandle.current().children().toList();
  }

  abstract String url();

  abstract Work work() throws SQLException;

  @Override
  public abstract void close();

  /** The processor time of the server's processes. */
  final Duration cpu() {
    List<ProcessHandle> all = new ArrayList<>(processes);
    processes.forEach(process -> process.descendants().forEach(all::add));
    return all.stream().map(RequestCost::cpu).reduce(Duration.ZERO, Duration::plus);
  }

  private static final class OfRedis extends CostStore {
    private final RedisServer server = RedisServer.startPrivate();
    private final RedisClient client = RedisClient.create(server.url());
    private final StatefulRedisConnection<String, String> connection = client.connect();

    @Override
    String url() {
      return server.url();
    }

    @Override
    Work work() {
      String stats = connection.sync().info("stats");
      String scripts = connection.sync().info("commandstats");
      return new Work(
          figure(scripts, "cmdstat_evalsha:calls="),
          figure(stats, "total_net_input_bytes:") + figure(stats, "total_net_output_bytes:"));
    }

    private static long figure(String text, String name) {
      Matcher matcher = Pattern.compile(Pattern.quote(name) + "(\\d+)").matcher(text);
      return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
    }

    @Override
    public void close() {
      connection.close();
      client.shutdown();
      server.close();
    }
  }

  private static final class OfDatabase extends CostStore {
    private final BenchmarkDatabase database;
    private final boolean counts;
    private final Connection connection;

    OfDatabase(String kind) throws SQLException {
      database = BenchmarkDatabase.start(kind);
      counts = !kind.equals("postgresql");
      connection = DriverManager.getConnection(database.url());
    }

    @Override
    String url() {
      return database.url();
    }

    @Override
    Work work() throws SQLException {
      if (!counts) {
        return Work.NONE;
      }
      long calls = 0;
      long bytes = 0;
      try (Statement statement = connection.createStatement();
          ResultSet rows =
              statement.executeQuery(
                  "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_stmt_execute',"
                      + " 'Bytes_received', 'Bytes_sent')")) {
        while (rows.next()) {
          if (rows.getString(1).equals("Com_stmt_execute")) {
            calls = rows.getLong(2);
          } else {
            bytes += rows.getLong(2);
          }
        }
      }
      return new Work(calls, bytes);
    }

    @Override
    public void close() {
      try {
        connection.close();
      } catch (SQLException e) {
        // The server is about to end anyway.
      }
      database.close();
    }
  }
}
