package io.sojourn.tomcat;

import java.util.UUID;

class IdleTimeH2IT extends IdleTimeContract {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  @Override
  String url() {
    return url;
  }
}
