package io.sojourn.tomcat;

import io.sojourn.SessionBusyException;
import io.sojourn.SessionException;
import io.sojourn.StoreUnavailableException;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import java.io.IOException;
import org.apache.catalina.Context;
import org.apache.juli.logging.Log;
import org.apache.juli.logging.LogFactory;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;
import org.jspecify.annotations.Nullable;

/**
 * Keeps from Tomcat the exceptions that {@link SojournValve} answers: Tomcat would log each of an
 * outage, with its stack trace, as a failure of the servlet.
 *
 * <p>Thread-safe once it is added; to be added and removed by one thread.
 */
final class OutageFilter implements Filter {

  static final String NAME = "io.sojourn.outage";

  private static final Log LOG = LogFactory.getLog(OutageFilter.class);

  private final FilterDef definition = new FilterDef();
  private final FilterMap mapping = new FilterMap();
  private @Nullable Context context;

  OutageFilter() {
    definition.setFilterName(NAME);
    definition.setFilterClass(OutageFilter.class.getName());
    definition.setFilter(this);
    definition.setAsyncSupported("true");
    mapping.setFilterName(NAME);
    mapping.addURLPatternDecoded("/*");
    mapping.setDispatcher("REQUEST");
    mapping.setDispatcher("ASYNC");
  }

  /** Puts it before all other filters of a context that is about to start them. */
  void addTo(Context target) {
    target.addFilterDef(definition);
    target.addFilterMapBefore(mapping);
    context = target;
  }

  /** Takes it out of the context again. */
  void remove() {
    Context target = context;
    context = null;
    if (target != null) {
      target.removeFilterMap(mapping);
      target.removeFilterDef(definition);
    }
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    try {
      chain.doFilter(request, response);
    } catch (IOException | ServletException | RuntimeException e) {
      RequestScope scope = RequestScope.current();
      SessionException failure = sessionFailure(e);
      if (scope == null || failure == null) {
        throw e;
      }
      scope.failed(failure);
      if (request.isAsyncStarted()) {
        complete(request.getAsyncContext());
      }
    }
  }

  /** It would wait for its timeout, since Tomcat does not hear of the failure. */
  private static void complete(AsyncContext started) {
    try {
      started.complete();
    } catch (IllegalStateException e) {
      LOG.debug("A request whose session failed has been completed or dispatched already", e);
    }
  }

  /** What the valve answers, if the application passed it on, as it is or as a cause. */
  static @Nullable SessionException sessionFailure(Throwable thrown) {
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (cause instanceof StoreUnavailableException unavailable) {
        return unavailable;
      }
      if (cause instanceof SessionBusyException busy) {
        return busy;
      }
      if (cause instanceof IdChangeLostException lost) {
        return lost.busy();
      }
    }
    return null;
  }
}
