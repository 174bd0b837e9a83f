package io.sojourn.tomcat;

import org.apache.catalina.connector.Request;
import org.jspecify.annotations.Nullable;

/**
 * A request that came with another node's route: that node is gone, or its balancer has chosen
 * anew. The session's id gets this node's route as soon as the request has found it, and the client
 * is told when the response leaves, so that it stays here. The store hears nothing of it.
 *
 * <p>Used by one thread at a time, as requests are.
 */
final class Rerouting {

  private final Request request;
  private final SojournManager manager;
  private final String askedId;
  private final String localId;
  private @Nullable SojournSession rerouted;

  private Rerouting(Request request, SojournManager manager, String askedId, String localId) {
    this.request = request;
    this.manager = manager;
    this.askedId = askedId;
    this.localId = localId;
  }

  /** What has to be done for this request; null if nothing. */
  static @Nullable Rerouting of(Request request, SojournManager manager) {
    String askedId = request.getRequestedSessionId();
    String localId = askedId == null ? null : manager.withLocalRoute(askedId);
    return localId == null || localId.equals(askedId)
        ? null
        : new Rerouting(request, manager, askedId, localId);
  }

  /** The request has come by a session. */
  void use(SojournSession session) {
    if (session.getManager() == manager && session.reroute(askedId, localId)) {
      rerouted = session;
    }
  }

  /**
   * The response is about to leave. A session that has ended meanwhile is kept from the client, and
   * so is an id that another request has given it: who has only the old one must not get to know
   * that.
   */
  void tellClient() {
    SojournSession session = rerouted;
    if (session != null
        && session.isValid()
        && !session.live().isGone()
        && localId.equals(session.getIdInternal())) {
      request.changeSessionId(localId);
    }
  }
}
