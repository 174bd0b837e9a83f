package io.sojourn.jetty;

import java.util.UUID;

class SerializeH2IT extends JettySerializeContract {

  SerializeH2IT() {
    super("jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1");
  }
}
