package io.sojourn.testkit.server;

import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class MariaDbServerIT extends DatabaseServerChecks {

  MariaDbServerIT(MariaDbServer shared) {
    super(MariaDbServer.PRODUCT, shared, "&connectTimeout=1000&socketTimeout=1000");
  }

  @Override
  String databases() {
    return "SHOW DATABASES";
  }
}
