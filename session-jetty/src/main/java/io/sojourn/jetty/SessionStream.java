package io.sojourn.jetty;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.sojourn.SessionBusyException;
import io.sojourn.SessionException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.server.HttpStream;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/**
 * Sees every byte of a response just before it leaves: what the request changed in its session is
 * saved before the head and before the end, and where that cannot be done the head becomes a 503.
 */
final class SessionStream extends HttpStream.Wrapper {

  /*
   * This is the last place before the connection, whatever the response goes through above it: a redirect, an error page, a file,
   * an asynchronous write. Jetty calls it for one piece at a time.
   */

  /**
   * Seconds after which a client may try again: the store's pool and client find out sooner that it
   * is back.
   */
  private static final String RETRY_AFTER = "1";

  private final RequestScope scope;
  private final SojournSessionCache cache;

  /** Whether the client has been answered in the application's place. */
  private volatile boolean answered;

  SessionStream(HttpStream stream, RequestScope scope, SojournSessionCache cache) {
    super(stream);
    this.scope = scope;
    this.cache = cache;
  }

  @Override
  public void send(
      MetaData.Request request,
      MetaData.@Nullable Response head,
      boolean last,
      @Nullable ByteBuffer content,
      Callback callback) {
    if (answered) {
      callback.succeeded();
      return;
    }
    boolean begins = head != null && !HttpStatus.isInterim(head.getStatus());
    SessionException failure = begins || last ? scope.flush() : null;
    if (head != null && begins && failure != null) {
      cache.logOf(failure).failed("A request was answered 503", failure);
      refuse(request, head, last, content, callback, failure);
      return;
    }
    if (failure != null) {
      cache.logOf(failure).failed("A response had begun when its session failed", failure);
    }
    super.send(
        request,
        head == null || !begins ? head : with(head, scope.withCookies(head.getHttpFields())),
        last,
        content,
        callback);
  }

  private static MetaData.Response with(MetaData.Response head, HttpFields fields) {
    return fields == head.getHttpFields()
        ? head
        : new MetaData.Response(
            head.getStatus(),
            head.getReason(),
            head.getHttpVersion(),
            fields,
            head.getContentLength(),
            head.getTrailersSupplier());
  }

  /** Answers 503: as the application does, if it does, and else as if it had answered nothing. */
  private void refuse(
      MetaData.Request request,
      MetaData.Response head,
      boolean last,
      @Nullable ByteBuffer content,
      Callback callback,
      SessionException failure) {
    if (head.getStatus() == HttpStatus.SERVICE_UNAVAILABLE_503) {
      HttpFields.Mutable fields = scope.withoutCookies(head.getHttpFields());
      fields.put(HttpHeader.RETRY_AFTER, RETRY_AFTER);
      super.send(request, with(head, fields), last, content, callback);
      return;
    }
    answered = true;
    byte[] text =
        (failure instanceof SessionBusyException
                ? "The session is in use by other requests\n"
                : "The session store is not available\n")
            .getBytes(US_ASCII);
    HttpFields fields =
        HttpFields.build()
            .add(HttpHeader.RETRY_AFTER, RETRY_AFTER)
            .add(HttpHeader.CONTENT_TYPE, "text/plain")
            .add(HttpHeader.CONTENT_LENGTH, text.length);
    MetaData.Response refusal =
        new MetaData.Response(
            HttpStatus.SERVICE_UNAVAILABLE_503, null, head.getHttpVersion(), fields, text.length);
    // Who goes on writing is told that it is in vain.
    Callback then =
        last
            ? callback
            : Callback.from(
                () -> callback.failed(new SessionUnavailableException(failure)), callback::failed);
    super.send(request, refusal, true, ByteBuffer.wrap(text), then);
  }

  @Override
  public void succeeded() {
    try {
      scope.end();
    } finally {
      super.succeeded();
    }
  }

  @Override
  public void failed(Throwable why) {
    try {
      scope.end();
    } finally {
      super.failed(why);
    }
  }
}
