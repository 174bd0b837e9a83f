package io.sojourn.jdbc;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a driver is told unless the URL says otherwise: to notice a server that is gone within
 * seconds, to wait for a lock for no longer than a request would, to give up a connection that
 * leads to a server which takes no writes, and to have statements prepared by the server, so that
 * their text goes over the network once for each connection.
 */
enum DriverDefaults {
  MYSQL(
      Tests.MYSQL,
      ServerSql.MYSQL,
      "SET SESSION innodb_lock_wait_timeout = {seconds}",
      Duration.ofMillis(1),
      // Of each connection; on all of them MySQL has room for 16,382.
      "prepStmtCacheSize=64 prepStmtCacheSqlLimit=8192 cachePrepStmts=true useServerPrepStmts=true"
          + " tcpKeepAlive=true"),

  MARIADB(
      Tests.MYSQL,
      ServerSql.MYSQL,
      "SET SESSION innodb_lock_wait_timeout = {seconds}",
      Duration.ofMillis(1),
      "prepStmtCacheSize=64 useServerPrepStmts=true"),

  POSTGRESQL(
      Tests.POSTGRESQL,
      ServerSql.POSTGRESQL,
      // A plan may be made when a table is still small, and kept. Each statement here is about a
      // few rows that an index finds.
      "SET lock_timeout = '{millis}ms'; SET enable_seqscan = off",
      Duration.ofSeconds(1),
      "prepareThreshold=1 ApplicationName=sojourn tcpKeepAlive=true"),

  OTHER("", "", "", Duration.ofMillis(1), "");

  /** How drivers call the time for which they wait for an answer. */
  static final String SOCKET_TIMEOUT = "socketTimeout";

  /** While it connects, for which no request waits. */
  private static final Duration HANDSHAKE = Duration.ofSeconds(2);

  /** Each fails for a primary that a failover has made a replica. */
  private static final class Tests {
    static final String MYSQL =
        "SELECT IF(@@global.read_only OR @@global.innodb_read_only, (SELECT 1 UNION ALL SELECT 2), 1)";
    static final String POSTGRESQL =
        "SELECT 1 / CASE current_setting('transaction_read_only') WHEN 'on' THEN 0 ELSE 1 END";
  }

  /** Which server it is, and since when it runs: in whole seconds if it is for how long. */
  private static final class ServerSql {
    static final String MYSQL =
        "SELECT CONCAT_WS('/', @@server_id, @@hostname, @@port); SHOW GLOBAL STATUS LIKE 'Uptime'";
    static final String POSTGRESQL =
        "SELECT CAST(extract(epoch FROM pg_postmaster_start_time()) AS text)";
  }

  private final String testSql;
  private final String serverSql;
  private final String initSql;
  private final Duration unit;
  private final String fixed;

  /**
   * A driver.
   *
   * @param testSql fails on a connection that is of no use
   * @param serverSql tells one server from another, and from itself started again: a text, and if
   *     that does not say since when it runs, a row with for how long, in its second column
   * @param initSql what each new connection is told, with the time to wait for a lock
   * @param unit what its timeouts are counted in
   * @param fixed name=value, with spaces between
   */
  DriverDefaults(String testSql, String serverSql, String initSql, Duration unit, String fixed) {
    this.testSql = testSql;
    this.serverSql = serverSql;
    this.initSql = initSql;
    this.unit = unit;
    this.fixed = fixed;
  }

  static DriverDefaults of(String url) {
    if (url.startsWith("jdbc:mysql:")) {
      return MYSQL;
    }
    if (url.startsWith("jdbc:mariadb:")) {
      return MARIADB;
    }
    return url.startsWith("jdbc:postgresql:") ? POSTGRESQL : OTHER;
  }

  /** Fails on a connection that leads to a server which takes no writes; empty if there is none. */
  String testSql() {
    return testSql;
  }

  /** Tells one server from another: see the constructor; empty if there is no way to. */
  List<String> serverSql() {
    return serverSql.isEmpty() ? List.of() : List.of(serverSql.split("; ", -1));
  }

  /**
   * What each new connection is told. It waits for a lock for less than for an answer, where that
   * is more than the second which is the least that a database takes. What is given up before may
   * be written when the lock is gone: nobody was told that it was not.
   */
  String initSql(JdbcSettings settings) {
    Duration wait = settings.socketTimeout().dividedBy(2);
    return initSql
        .replace("{seconds}", Long.toString(wholeSeconds(wait)))
        .replace("{millis}", Long.toString(wait.toMillis()));
  }

  /** One at least, as MySQL has it. */
  private static long wholeSeconds(Duration time) {
    return Math.max(1, time.toSeconds());
  }

  /** By name, as the driver calls them. */
  Map<String, String> properties(JdbcSettings settings) {
    Map<String, String> properties = new TreeMap<>();
    if (this == OTHER) {
      return properties;
    }
    properties.put("connectTimeout", count(settings.connectionTimeout()));
    properties.put(SOCKET_TIMEOUT, count(longer(HANDSHAKE, settings.socketTimeout())));
    for (String property : fixed.split(" ", -1)) {
      int equals = property.indexOf('=');
      properties.put(property.substring(0, equals), property.substring(equals + 1));
    }
    return properties;
  }

  private static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) > 0 ? one : other;
  }

  private String count(Duration time) {
    return Long.toString(Math.max(1, time.plus(unit).minusNanos(1).dividedBy(unit)));
  }
}
