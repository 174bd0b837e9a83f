package io.sojourn.dist;

import io.sojourn.SessionStore;
import io.sojourn.SessionStoreProvider;
import io.sojourn.SessionStores;
import io.sojourn.StoreConfiguration;
import io.sojourn.testkit.ControlledStore;
import io.sojourn.testkit.StoreControl;
import java.lang.management.ManagementFactory;
import java.util.Set;
import javax.management.JMException;
import javax.management.ObjectName;
import javax.management.StandardMBean;

/**
 * In a server's own process, opens the store that a URL like {@code controlled:redis://...} names
 * as the distributed jar does, and lets a test steer it by JMX.
 */
public final class ControlledStoreProvider implements SessionStoreProvider {

  /** What URLs begin with. */
  static final String SCHEME = "controlled";

  /** The name of what steers the store. */
  static final String CONTROL = "io.sojourn.dist:type=StoreControl";

  /** For the service loader. */
  public ControlledStoreProvider() {}

  @Override
  public Set<String> schemes() {
    return Set.of(SCHEME);
  }

  @Override
  public SessionStore open(StoreConfiguration configuration) {
    String url = configuration.url().substring(SCHEME.length() + 1);
    ControlledStore controlled =
        new ControlledStore(
            clock ->
                SessionStores.open(
                    new StoreConfiguration(
                        url, configuration.application(), configuration.options(), clock),
                    ControlledStoreProvider.class.getClassLoader()));
    try {
      ManagementFactory.getPlatformMBeanServer()
          .registerMBean(
              new StandardMBean(controlled, StoreControl.class), new ObjectName(CONTROL));
    } catch (JMException e) {
      throw new IllegalStateException(e);
    }
    return controlled.store();
  }
}
