package io.sojourn.jetty;

import io.sojourn.SessionException;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.QuietException;

/**
 * A request's session cannot be had for now. Jetty answers it with 503, by the application's own
 * error page if it has one, and does not log each.
 */
final class SessionUnavailableException extends SessionException
    implements HttpException, QuietException {

  private static final long serialVersionUID = 1L;

  SessionUnavailableException(SessionException cause) {
    super(String.valueOf(cause.getMessage()), cause);
  }

  @Override
  public int getCode() {
    return HttpStatus.SERVICE_UNAVAILABLE_503;
  }

  @Override
  public String getReason() {
    return "The session is not available";
  }
}
