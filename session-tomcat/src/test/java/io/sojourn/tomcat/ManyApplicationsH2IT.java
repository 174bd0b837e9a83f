package io.sojourn.tomcat;

import java.util.UUID;

class ManyApplicationsH2IT extends ManyApplicationsContract {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  @Override
  String url() {
    return url;
  }
}
