package io.sojourn.dist;

import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.ObjectName;
import javax.management.StandardMBean;
import org.eclipse.jetty.session.AbstractSessionManager;

/** In a Jetty's own process, lets a test have it look for expired sessions now, by JMX. */
public final class Scavenging implements Runnable {

  /** Its name. */
  static final String NAME = "io.sojourn.dist:type=Scavenging";

  private final AbstractSessionManager sessions;

  /**
   * For these sessions.
   *
   * @throws JMException if there is one already
   */
  public Scavenging(AbstractSessionManager sessions) throws JMException {
    this.sessions = sessions;
    ManagementFactory.getPlatformMBeanServer()
        .registerMBean(new StandardMBean(this, Runnable.class), new ObjectName(NAME));
  }

  @Override
  public void run() {
    sessions.scavenge();
  }
}
