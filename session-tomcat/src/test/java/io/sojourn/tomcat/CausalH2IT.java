package io.sojourn.tomcat;

import java.util.UUID;

class CausalH2IT extends TomcatCausalContract {

  CausalH2IT() {
    super("jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1");
  }
}
