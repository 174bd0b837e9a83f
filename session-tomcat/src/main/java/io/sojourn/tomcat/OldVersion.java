package io.sojourn.tomcat;

import io.sojourn.SessionRepository;
import io.sojourn.StoreUnavailableException;
import org.apache.catalina.Container;
import org.apache.catalina.Context;
import org.apache.catalina.core.StandardHost;

/**
 * A version of an application that Tomcat undeploys when it is not in use any more ({@code
 * undeployOldVersions}). What one node holds does not say so: others may have served its sessions.
 */
final class OldVersion {

  private OldVersion() {}

  /** Whether anybody would ask. */
  static boolean mayBeAskedFor(Context context) {
    return context.getParent() instanceof StandardHost host && host.getUndeployOldVersions();
  }

  /** Whether no session is left that only this version has. */
  static boolean isOutOfUse(SojournManager manager, SessionRepository repository) {
    Context context = manager.getContext();
    if (hasSuccessor(manager, context)) {
      return !repository.isInUse();
    }
    if (context.getSessionTimeout() <= 0) {
      manager.reportOnce(
          "undeployOldVersions does not undeploy "
              + context.getName()
              + ", whose sessions never expire; undeploy it when they are not needed any more");
      return false;
    }
    try {
      return repository.isEmpty();
    } catch (StoreUnavailableException e) {
      return false;
    }
  }

  /** Whether a later version of the application has this one's sessions for its own. */
  private static boolean hasSuccessor(SojournManager manager, Context context) {
    for (Container child : context.getParent().findChildren()) {
      if (child instanceof Context other
          && other.getPath().equals(context.getPath())
          && other.getWebappVersion().compareTo(context.getWebappVersion()) > 0
          && other.getManager() instanceof SojournManager later
          && later.isRunning()
          && later.sharesSessionsWith(manager)) {
        return true;
      }
    }
    return false;
  }
}
