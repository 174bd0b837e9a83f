package io.sojourn.jetty;

import org.eclipse.jetty.server.Context;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.handler.ContextHandler;
import org.jspecify.annotations.Nullable;

/**
 * Hears from Jetty whenever a thread begins to run something of a request in the context, and when
 * it is done with that. Thread-safe.
 */
final class ScopeListener implements ContextHandler.ContextScopeListener {

  private final SojournSessionCache cache;
  private final String attribute;

  ScopeListener(SojournSessionCache cache) {
    this.cache = cache;
    // One request may pass through several contexts.
    this.attribute = RequestScope.class.getName() + "." + System.identityHashCode(cache);
  }

  @Override
  public void enterScope(Context context, @Nullable Request request) {
    RequestScope.enter(request == null ? null : scope(request));
  }

  private @Nullable RequestScope scope(Request request) {
    try {
      if (request.getAttribute(attribute) instanceof RequestScope scope) {
        return scope;
      }
      // One that another context has dispatched to shares its sessions.
      RequestScope outer = RequestScope.current();
      RequestScope scope =
          new RequestScope(
              cache, request, outer == null || outer.isOver() ? cache.leasesFor(request) : null);
      request.addHttpStreamWrapper(stream -> new SessionStream(stream, scope, cache));
      scope.begin();
      request.setAttribute(attribute, scope);
      return scope;
    } catch (IllegalStateException e) {
      // The request is over, and this is something that has outlived it.
      return null;
    }
  }

  @Override
  public void exitScope(Context context, @Nullable Request request) {
    RequestScope.leave();
  }
}
