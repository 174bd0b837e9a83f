package io.sojourn.jetty;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.VersionCookieContract;
import java.time.Duration;
import java.util.UUID;
import org.eclipse.jetty.http.HttpCookie;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.session.AbstractSessionManager;

class VersionCookieIT extends VersionCookieContract {

  @Override
  protected ContainerNode start(SessionStore store, Setting setting) throws Exception {
    SojournSessionCacheFactory sessions = new SojournSessionCacheFactory();
    sessions.setSessionStore(store);
    sessions.setFreshness("causal");
    return JettyNode.start(
        sessions,
        "",
        node -> {
          node.context().sessions().setHttpOnly(setting.isHttpOnly());
          configure(setting, node);
        });
  }

  private static void configure(Setting setting, JettyNode node) {
    AbstractSessionManager manager = node.context().sessions();
    switch (setting) {
      case NAME -> manager.setSessionCookie("SID");
      case PATH_AND_DOMAIN -> {
        manager.setSessionPath("/shop");
        manager.setSessionDomain("shop.example");
      }
      case SECURE -> manager.setSecureCookies(true);
      case SECURE_CONNECTION ->
          node.server()
              .getConnectors()[0]
              .getConnectionFactory(HttpConnectionFactory.class)
              .getHttpConfiguration()
              .addCustomizer(secure());
      case SAME_SITE_STRICT -> manager.setSameSite(HttpCookie.SameSite.STRICT);
      case NOT_HTTP_ONLY -> {}
      case AGE -> manager.setMaxCookieAge(3600);
      case ALL -> {
        for (Setting each : Setting.values()) {
          if (each != Setting.ALL) {
            configure(each, node);
          }
        }
      }
    }
  }

  private static HttpConfiguration.Customizer secure() {
    return (request, headers) ->
        new Request.Wrapper(request) {
          @Override
          public boolean isSecure() {
            return true;
          }
        };
  }

  @Override
  protected SessionStore open(String application) {
    String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
    return PatientStores.open(url, application, () -> Duration.ZERO);
  }
}
