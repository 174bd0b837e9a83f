package io.sojourn.tomcat;

import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealServers.class)
class TomcatSerializeMariaDbIT extends TomcatSerializeContract {

  TomcatSerializeMariaDbIT(MariaDbServer mariaDb) {
    super(mariaDb.jdbcUrl(mariaDb.newDatabase()));
  }
}
