package io.sojourn.tomcat;

import io.sojourn.SessionBusyException;
import io.sojourn.SessionException;
import io.sojourn.StoreUnavailableException;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.catalina.Valve;
import org.apache.catalina.Wrapper;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.valves.ValveBase;
import org.apache.juli.logging.Log;
import org.apache.juli.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/**
 * Sees to it that what a request changed in its sessions is in the store before the response can
 * reach the client, and that a store that cannot be asked is answered with 503 and never looks like
 * a missing session.
 *
 * <p>Thread-safe. {@link SojournManager} puts it into its context's pipeline.
 */
final class SojournValve extends ValveBase {

  private static final Log LOG = LogFactory.getLog(SojournValve.class);

  /**
   * Seconds after which a client may try again: the store's pool and client find out sooner that it
   * is back.
   */
  private static final String RETRY_AFTER = "1";

  /** Where the context does not say. */
  private static final Duration LAST_REQUESTS_TIME = Duration.ofSeconds(2);

  private static final String DEFAULT_SERVLET = "org.apache.catalina.servlets.DefaultServlet";

  private final SojournManager manager;
  private final FailureLog outages = new FailureLog(LOG);
  private final FailureLog busy = new FailureLog(LOG);
  private final AtomicInteger requests = new AtomicInteger();
  private volatile boolean closed;

  SojournValve(SojournManager manager) {
    super(true);
    this.manager = manager;
  }

  @Override
  public void invoke(Request request, Response response) throws IOException, ServletException {
    // Tomcat does not tell a manager that another one has taken its place.
    if (request.getContext().getManager() != manager || isPlainFile(request)) {
      getNext().invoke(request, response);
      return;
    }
    requests.incrementAndGet();
    try {
      if (closed) {
        unavailable(response);
        sendError(response, "The web application is being stopped");
      } else {
        serve(request, response);
      }
    } finally {
      requests.decrementAndGet();
    }
  }

  /** Lets requests in. */
  void open() {
    closed = false;
  }

  /**
   * Lets no more requests in, and waits for a while until those are over that Tomcat has let in:
   * what they changed is saved before they leave.
   */
  void close() {
    closed = true;
    // It may be one of them that stops the application.
    RequestScope current = RequestScope.current();
    int own = current != null && current.isOf(manager) ? 1 : 0;
    long deadline = System.nanoTime() + lastRequestsTime().toNanos();
    while (requests.get() > own && System.nanoTime() - deadline < 0) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  /** How long Tomcat, too, waits for requests when it stops an application. */
  private Duration lastRequestsTime() {
    return getContainer() instanceof StandardContext context
        ? Duration.ofMillis(context.getUnloadDelay())
        : LAST_REQUESTS_TIME;
  }

  private void serve(Request request, Response response) throws IOException, ServletException {
    RequestScope scope = scope(request, response);
    scope.takeOver(manager, request);
    RequestScope outer = scope.enter();
    Authentication authentication = manager.authentication();
    try {
      scope.takeOverMapped(
          manager, request.getRequestedSessionId(), request.getCoyoteRequest().getStartTimeNanos());
      scope.resume();
      Valve next = getNext();
      Valve first = authentication == null ? next : authentication.begin(request, response, next);
      first.invoke(request, response);
      if (authentication != null) {
        authentication.end(request, scope, first == next);
      }
    } catch (StoreUnavailableException | SessionBusyException e) {
      scope.failed(e);
    } catch (IdChangeLostException e) {
      scope.failed(e.busy());
    } finally {
      try {
        end(request, response, scope, authentication);
      } finally {
        RequestScope.leave(outer);
        scope.release();
        if (authentication != null && !request.isAsync()) {
          authentication.release(request);
        }
      }
    }
  }

  /**
   * The scope of this request, which an asynchronous one brings along when it is dispatched again.
   */
  private RequestScope scope(Request request, Response response) {
    HttpServletResponse present = response.getResponse();
    RequestScope before = RequestScope.of(present);
    if (before != null) {
      before.adopt(manager, request);
      return before;
    }
    RequestScope scope =
        new RequestScope(
            manager,
            request,
            manager.leasesFor(request),
            Rerouting.of(request, manager),
            manager.seenBy(request));
    response.setResponse(new SessionResponse(present, scope));
    return scope;
  }

  /**
   * Whether nobody can come by a session while this request is answered: Tomcat's own servlet sends
   * a file, past no filter and no login. It uses sendfile only if the response is Tomcat's own.
   */
  private boolean isPlainFile(Request request) {
    Authentication authentication = manager.authentication();
    return isForFile(request)
        && DispatchFilter.isAlone(request.getContext())
        && (authentication == null || authentication.asksNothingOf(request))
        && !RequestScope.hasFoundOutside();
  }

  /** Whether it is answered by Tomcat's own servlet, which sends files. */
  static boolean isForFile(Request request) {
    Wrapper servlet = request.getWrapper();
    return servlet != null && DEFAULT_SERVLET.equals(servlet.getServletClass());
  }

  private void end(
      Request request,
      Response response,
      RequestScope scope,
      @Nullable Authentication authentication) {
    if (request.isAsync()) {
      scope.handOver();
      request
          .getAsyncContextInternal()
          .addListener(new Completion(request, response, scope, authentication));
      return;
    }
    SessionException failure = scope.finish();
    if (failure != null && !RequestScope.isOutage(failure)) {
      throw failure;
    }
    if (failure != null) {
      answerUnavailable(request, response, scope, failure);
    }
  }

  /**
   * The end of an asynchronous request, which Tomcat tells of before it sends what is left of the
   * response: what other threads have changed in place is saved here.
   */
  private final class Completion implements AsyncListener {

    private final Request request;
    private final Response response;
    private final RequestScope scope;
    private final @Nullable Authentication authentication;

    Completion(
        Request request,
        Response response,
        RequestScope scope,
        @Nullable Authentication authentication) {
      this.request = request;
      this.response = response;
      this.scope = scope;
      this.authentication = authentication;
    }

    @Override
    public void onComplete(AsyncEvent event) {
      if (authentication != null) {
        authentication.release(request);
      }
      if (RequestScope.current() == scope) {
        // By a dispatch, which is answered when it has left the valve.
        return;
      }
      scope.adopt(manager, request);
      SessionException failure = scope.finish();
      if (failure != null && response.isCommitted()) {
        logOf(failure).failed("A response had begun when its session failed", failure);
      } else if (failure != null) {
        // Without a page: it is too late for one.
        response.reset();
        scope.tellNewId();
        if (RequestScope.isOutage(failure)) {
          unavailable(response);
          logOf(failure).failed("A request was answered 503", failure);
        } else {
          response.setStatus(HttpServletResponse.SC_INTERNAL_SERVER_ERROR);
          LOG.error("A request was answered 500, since its session cannot be stored", failure);
        }
      }
    }

    @Override
    public void onTimeout(AsyncEvent event) {}

    @Override
    public void onError(AsyncEvent event) {}

    @Override
    public void onStartAsync(AsyncEvent event) {}
  }

  private void answerUnavailable(
      Request request, Response response, RequestScope scope, SessionException failure) {
    if (response.isCommitted()) {
      logOf(failure).failed("A response had begun when its session failed", failure);
      return;
    }
    // As if nothing had been answered yet: in particular no cookie for a session that is not
    // stored.
    response.reset();
    scope.tellNewId();
    request.removeAttribute(RequestDispatcher.ERROR_EXCEPTION);
    unavailable(response);
    sendError(
        response,
        failure instanceof SessionBusyException
            ? "The session is in use by other requests"
            : "The session store is not available");
    logOf(failure).failed("A request was answered 503", failure);
  }

  /** Where failures of this kind are logged, so that none hides the other. */
  FailureLog logOf(SessionException failure) {
    return failure instanceof SessionBusyException ? busy : outages;
  }

  /** Says that the client may try again. */
  static void unavailable(HttpServletResponse response) {
    response.setStatus(HttpServletResponse.SC_SERVICE_UNAVAILABLE);
    response.setHeader("Retry-After", RETRY_AFTER);
  }

  private static void sendError(Response response, String message) {
    try {
      response.sendError(HttpServletResponse.SC_SERVICE_UNAVAILABLE, message);
    } catch (IOException e) {
      LOG.debug("A client has gone before it could be told of an outage", e);
    }
  }
}
