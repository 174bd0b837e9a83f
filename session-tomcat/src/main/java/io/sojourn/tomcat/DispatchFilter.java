package io.sojourn.tomcat;

import io.sojourn.SessionBusyException;
import io.sojourn.StoreUnavailableException;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.apache.catalina.Context;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;

/**
 * Does what {@link SojournValve} does for requests for what Tomcat dispatches to past the context's
 * valves: error pages, which it comes to when the request has left the valves, and whatever another
 * context that has no such valve forwards to, includes or dispatches to asynchronously.
 *
 * <p>Thread-safe.
 */
final class DispatchFilter implements Filter {

  private static final String NAME = "io.sojourn.tomcat.DispatchFilter";

  /** Adds it to a context that is about to start, in front of the application's filters. */
  static void addTo(Context context) {
    FilterDef definition = new FilterDef();
    definition.setFilterName(NAME);
    definition.setFilterClass(DispatchFilter.class.getName());
    definition.setFilter(new DispatchFilter());
    definition.setAsyncSupported("true");
    context.addFilterDef(definition);
    FilterMap mapping = new FilterMap();
    mapping.setFilterName(NAME);
    mapping.addURLPattern("/*");
    mapping.setDispatcher(DispatcherType.ASYNC.name());
    mapping.setDispatcher(DispatcherType.ERROR.name());
    mapping.setDispatcher(DispatcherType.FORWARD.name());
    mapping.setDispatcher(DispatcherType.INCLUDE.name());
    context.addFilterMapBefore(mapping);
  }

  static void removeFrom(Context context) {
    for (FilterMap mapping : context.findFilterMaps()) {
      if (NAME.equals(mapping.getFilterName())) {
        context.removeFilterMap(mapping);
      }
    }
    FilterDef definition = context.findFilterDef(NAME);
    if (definition != null) {
      context.removeFilterDef(definition);
    }
  }

  /** Whether the context has no filter but Sojourn's, which leave a response as it is. */
  static boolean isAlone(Context context) {
    for (FilterMap mapping : context.findFilterMaps()) {
      if (!NAME.equals(mapping.getFilterName())
          && !OutageFilter.NAME.equals(mapping.getFilterName())) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    if (request.getDispatcherType() != DispatcherType.ERROR && RequestScope.current() != null) {
      chain.doFilter(request, response);
      return;
    }
    RequestScope before = RequestScope.of(response);
    RequestScope scope = before == null ? new RequestScope(null, null, null, null, null) : before;
    ServletResponse ours =
        before == null && response instanceof HttpServletResponse http
            ? new SessionResponse(http, scope)
            : response;
    RequestScope outer = scope.enter();
    try {
      chain.doFilter(request, ours);
      if (scope.failure() == null) {
        scope.flush();
      }
    } catch (StoreUnavailableException | SessionBusyException e) {
      if (request.getDispatcherType() == DispatcherType.INCLUDE) {
        // The rest of the response is not this context's to answer.
        throw e;
      }
      answerOutage(ours);
    } catch (ServletException e) {
      if (scope.failure() == null) {
        throw e;
      }
      answerOutage(ours);
    } finally {
      RequestScope.leave(outer);
    }
  }

  /** 503 without a page: the page is what needed the store. */
  private static void answerOutage(ServletResponse response) {
    if (response instanceof HttpServletResponse http && !http.isCommitted()) {
      http.reset();
      SojournValve.unavailable(http);
    }
  }
}
