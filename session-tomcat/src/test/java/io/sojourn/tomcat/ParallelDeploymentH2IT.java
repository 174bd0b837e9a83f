package io.sojourn.tomcat;

import java.util.UUID;

class ParallelDeploymentH2IT extends ParallelDeploymentContract {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  @Override
  String url() {
    return url;
  }
}
