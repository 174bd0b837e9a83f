package io.sojourn.demo;

import java.util.UUID;

class JettyAndTomcatH2IT extends TomcatAndJettyContract {

  JettyAndTomcatH2IT() {
    super(false, "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1");
  }
}
