package io.sojourn.testkit.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class PostgreSqlServerIT extends DatabaseServerChecks {

  private final PostgreSqlServer shared;

  PostgreSqlServerIT(PostgreSqlServer shared) {
    super(PostgreSqlServer.PRODUCT, shared, "&connectTimeout=1&socketTimeout=1");
    this.shared = shared;
  }

  @Override
  String databases() {
    return "SELECT datname FROM pg_database";
  }

  @Test
  void statementsAreCounted() throws SQLException {
    String url = shared.jdbcUrl(shared.newDatabase());
    update(url, "CREATE EXTENSION pg_stat_statements");
    update(url, "CREATE TABLE counted (id INT)");

    assertThat(
            query(url, "SELECT calls FROM pg_stat_statements WHERE query LIKE '%TABLE counted%'"))
        .isEqualTo("1");
  }
}
