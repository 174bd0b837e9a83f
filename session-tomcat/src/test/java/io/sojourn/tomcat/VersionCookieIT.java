package io.sojourn.tomcat;

import io.sojourn.SessionStore;
import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.PatientStores;
import io.sojourn.testkit.VersionCookieContract;
import java.time.Duration;
import java.util.UUID;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.http.Rfc6265CookieProcessor;

class VersionCookieIT extends VersionCookieContract {

  @Override
  protected ContainerNode start(SessionStore store, Setting setting) throws Exception {
    SojournManager manager = ManagerElement.of("freshness", "causal");
    manager.setSessionStore(store);
    return TomcatNode.start(
        manager,
        (tomcat, context) -> {
          context.setUseHttpOnly(setting.isHttpOnly());
          configure(setting, tomcat, context);
        });
  }

  private static void configure(Setting setting, Tomcat tomcat, StandardContext context) {
    switch (setting) {
      case NAME -> context.setSessionCookieName("SID");
      case PATH_AND_DOMAIN -> {
        context.setSessionCookiePath("/shop");
        context.setSessionCookieDomain("shop.example");
      }
      case SECURE ->
          context.addServletContainerInitializer(
              (classes, servletContext) -> servletContext.getSessionCookieConfig().setSecure(true),
              null);
      case SECURE_CONNECTION -> tomcat.getConnector().setSecure(true);
      case SAME_SITE_STRICT -> {
        Rfc6265CookieProcessor processor = new Rfc6265CookieProcessor();
        processor.setSameSiteCookies("strict");
        context.setCookieProcessor(processor);
      }
      case NOT_HTTP_ONLY -> {}
      case AGE ->
          context.addServletContainerInitializer(
              (classes, servletContext) -> servletContext.getSessionCookieConfig().setMaxAge(3600),
              null);
      case ALL -> {
        for (Setting each : Setting.values()) {
          if (each != Setting.ALL) {
            configure(each, tomcat, context);
          }
        }
      }
    }
  }

  @Override
  protected SessionStore open(String application) {
    String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";
    return PatientStores.open(url, application, () -> Duration.ZERO);
  }
}
