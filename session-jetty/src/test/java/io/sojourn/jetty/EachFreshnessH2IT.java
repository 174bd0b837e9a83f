package io.sojourn.jetty;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.EachFreshnessContract;
import io.sojourn.testkit.NodeSettings;
import io.sojourn.testkit.PatientStores;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.UUID;
import java.util.function.Supplier;

class EachFreshnessH2IT extends EachFreshnessContract {

  private static final String ROWS =
      "SELECT (SELECT COUNT(*) FROM sojourn_session)"
          + " + (SELECT COUNT(*) FROM sojourn_session_attribute)";

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  @Override
  protected ContainerNode start(NodeSettings settings) throws Exception {
    return JettyNode.start(settings);
  }

  @Override
  protected SessionStore open(String application, Supplier<Duration> clock) {
    return PatientStores.open(url, application, clock);
  }

  @Override
  protected long entries() throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(ROWS)) {
      rows.next();
      return rows.getLong(1);
    }
  }

  @Override
  protected boolean tells() {
    return false;
  }
}
