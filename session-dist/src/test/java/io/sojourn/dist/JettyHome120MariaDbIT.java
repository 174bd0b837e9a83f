package io.sojourn.dist;

import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(RealServers.class)
class JettyHome120MariaDbIT extends JettyHomeContract {

  JettyHome120MariaDbIT(MariaDbServer mariaDb, @TempDir Path folder) {
    super("12.0", "ee10", mariaDb.jdbcUrl(mariaDb.newDatabase()), folder);
  }
}
