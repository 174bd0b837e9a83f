package io.sojourn.testkit.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class MySqlServerIT extends DatabaseServerChecks {

  private final MySqlServer shared;

  MySqlServerIT(MySqlServer shared) {
    super(MySqlServer.PRODUCT, shared, "&connectTimeout=1000&socketTimeout=1000");
    this.shared = shared;
  }

  @Override
  String databases() {
    return "SHOW DATABASES";
  }

  @Test
  void bothDriversReachTheSameServer() throws SQLException {
    String database = shared.newDatabase();
    update(shared.jdbcUrl(database), "CREATE TABLE t (id INT)");

    assertThat(query(shared.mariaDbDriverUrl(database), "SHOW TABLES")).isEqualTo("t");
    assertThat(query(shared.jdbcUrl(database), "SELECT VERSION()")).startsWith("8.");
  }
}
