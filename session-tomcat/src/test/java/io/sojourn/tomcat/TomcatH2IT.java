package io.sojourn.tomcat;

import java.util.UUID;

class TomcatH2IT extends TomcatSqlContract {

  TomcatH2IT() {
    super("jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1");
  }
}
