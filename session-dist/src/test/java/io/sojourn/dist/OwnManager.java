package io.sojourn.dist;

import org.apache.catalina.session.StandardManager;

/** A manager that only a web application brings along. */
public final class OwnManager extends StandardManager {

  /** For Tomcat. */
  public OwnManager() {}
}
