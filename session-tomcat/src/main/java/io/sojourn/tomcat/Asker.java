package io.sojourn.tomcat;

import java.util.List;
import org.apache.catalina.connector.CoyoteAdapter;
import org.apache.catalina.connector.Request;
import org.apache.catalina.startup.HostConfig;

/**
 * Who asks the manager a question whose usual answer would be wrong for him. Tomcat does not say,
 * so it is known by the caller's class. To be asked by the method that was called itself.
 */
final class Asker {

  private Asker() {}

  /**
   * Whether Tomcat asks which version of an application has the session (parallel deployment), or
   * which of several session cookies leads to one. It does so before the request has come to any
   * valve, so an exception would become a 500.
   */
  static boolean isMapper() {
    return is(CoyoteAdapter.class) || is(Request.class, CoyoteAdapter.class);
  }

  /** Whether Tomcat asks if a version of an application is in use, to undeploy it if not. */
  static boolean isDeployer() {
    return is(HostConfig.class);
  }

  private static boolean is(Class<?>... callers) {
    // Here, above, the method that asks, and its callers.
    return StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE)
        .walk(
            frames ->
                frames
                    .skip(3)
                    .limit(callers.length)
                    .map(StackWalker.StackFrame::getDeclaringClass)
                    .toList()
                    .equals(List.of(callers)));
  }
}
