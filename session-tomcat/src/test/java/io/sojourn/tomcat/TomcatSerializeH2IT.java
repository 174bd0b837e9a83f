package io.sojourn.tomcat;

import java.util.UUID;

class TomcatSerializeH2IT extends TomcatSerializeContract {

  TomcatSerializeH2IT() {
    super("jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1");
  }
}
