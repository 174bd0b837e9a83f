package io.sojourn.jdbc;

import java.util.UUID;

/** H2 inside this JVM. */
class H2DatabaseTest extends JdbcSessionStoreContract {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  @Override
  String url() {
    return url;
  }

  @Override
  String isOwnRow() {
    return "version > 0";
  }

  @Override
  String attributeRows() {
    return "sojourn_session_attribute";
  }
}
