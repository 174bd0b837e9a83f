package io.sojourn.jetty;

import java.util.UUID;

class OperationsH2IT extends OperationsContract {

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  @Override
  String url() {
    return url;
  }
}
