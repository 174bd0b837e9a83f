package io.sojourn.tomcat;

import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.ServletResponseWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.apache.catalina.Context;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;

/**
 * Sees to it that a login page leaves only once its session is stored. FORM authentication forwards
 * to it with Tomcat's bare response, past the one that {@link SojournValve} hands out, and the
 * forward closes that.
 *
 * <p>Thread-safe.
 */
final class LoginPageFilter implements Filter {

  private final FilterDef definition = new FilterDef();
  private final FilterMap mapping = new FilterMap();

  LoginPageFilter() {
    definition.setFilterName("Sojourn login page");
    definition.setFilterClass(LoginPageFilter.class.getName());
    definition.setFilter(this);
    definition.setAsyncSupported("true");
    mapping.setFilterName(definition.getFilterName());
    mapping.addURLPattern("/*");
    mapping.setDispatcher(DispatcherType.FORWARD.name());
  }

  void addTo(Context context) {
    context.addFilterDef(definition);
    context.addFilterMapBefore(mapping);
  }

  void removeFrom(Context context) {
    context.removeFilterMap(mapping);
    context.removeFilterDef(definition);
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    RequestScope scope = RequestScope.current();
    if (scope == null
        || isWatched(response)
        || !(response instanceof HttpServletResponse httpResponse)) {
      chain.doFilter(request, response);
      return;
    }
    chain.doFilter(request, new SessionResponse(httpResponse, scope));
    if (!request.isAsyncStarted()) {
      scope.flush();
    }
  }

  private static boolean isWatched(ServletResponse response) {
    ServletResponse inner = response;
    while (inner instanceof ServletResponseWrapper wrapper && !(inner instanceof SessionResponse)) {
      inner = wrapper.getResponse();
    }
    return inner instanceof SessionResponse;
  }
}
