package io.sojourn.jdbc;

import com.zaxxer.hikari.HikariConfig;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a driver is told unless the URL says otherwise: to notice a server that is gone within
 * seconds, to wait for a lock for no longer than a request would, and to give up a connection that
 * leads to a server which takes no writes.
 */
enum DriverDefaults {
  MYSQL(
      // Both fail, or answer NULL, for a primary that a failover has made a replica.
      "SELECT IF(@@read_only, (SELECT 1 UNION ALL SELECT 2), 1)",
      "SET SESSION innodb_lock_wait_timeout = %d") {
    @Override
    Map<String, String> properties(JdbcSettings settings) {
      return Map.of(
          "connectTimeout",
          millis(settings.connectionTimeout()),
          "socketTimeout",
          millis(settings.socketTimeout()),
          "tcpKeepAlive",
          "true",
          "cachePrepStmts",
          "true");
    }
  },

  MARIADB(MYSQL.test, MYSQL.initSql) {
    @Override
    Map<String, String> properties(JdbcSettings settings) {
      return Map.of(
          "connectTimeout", millis(settings.connectionTimeout()),
          "socketTimeout", millis(settings.socketTimeout()));
    }
  },

  POSTGRESQL(
      "SELECT 1 / CASE WHEN pg_is_in_recovery() THEN 0 ELSE 1 END", "SET lock_timeout = '%ds'") {
    @Override
    Map<String, String> properties(JdbcSettings settings) {
      return Map.of(
          "connectTimeout",
          seconds(settings.connectionTimeout()),
          "socketTimeout",
          seconds(settings.socketTimeout()),
          "tcpKeepAlive",
          "true",
          "ApplicationName",
          "sojourn");
    }
  },

  OTHER("", "") {
    @Override
    Map<String, String> properties(JdbcSettings settings) {
      return Map.of();
    }
  };

  private final String test;
  private final String initSql;

  DriverDefaults(String test, String initSql) {
    this.test = test;
    this.initSql = initSql;
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

  abstract Map<String, String> properties(JdbcSettings settings);

  void apply(HikariConfig config, JdbcSettings settings) {
    if (!initSql.isEmpty()) {
      config.setConnectionTestQuery(test);
      config.setConnectionInitSql(initSql.formatted(lockWaitSeconds(settings)));
    }
    new LinkedHashMap<>(properties(settings))
        .forEach(
            (name, value) -> {
              if (!config.getJdbcUrl().contains(name + "=")) {
                config.addDataSourceProperty(name, value);
              }
            });
  }

  /** Less than the socket timeout, so that it is the server that says what is the matter. */
  private static long lockWaitSeconds(JdbcSettings settings) {
    return Math.max(1, settings.socketTimeout().toSeconds() / 2);
  }

  private static String millis(Duration time) {
    return Long.toString(time.toMillis());
  }

  private static String seconds(Duration time) {
    return Long.toString(Math.max(1, (time.toMillis() + 999) / 1000));
  }
}
