package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.SessionStore;
import jakarta.servlet.ServletContext;
import jakarta.servlet.SessionCookieConfig;
import jakarta.servlet.SessionTrackingMode;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.session.ManagerBase;
import org.apache.catalina.session.StandardManager;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.IntrospectionUtils;
import org.apache.tomcat.util.http.Rfc6265CookieProcessor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * How a client and two nodes that take turns tell each other the session: by the same cookies and
 * in the same addresses as with one plain Tomcat, whatever is configured.
 */
abstract class SessionTrackingContract {

  private static final Pattern ID = Pattern.compile("[0-9A-F]{32}");

  private static final List<String> SCRIPT =
      List.of(
          "look",
          "set=1",
          "look",
          "set=2",
          "look",
          "redirect",
          "rename",
          "look",
          "look",
          "set=3",
          "look",
          "end",
          "look",
          "set=4",
          "look",
          "look");

  /** Opens the store. Called once for each server. */
  abstract SessionStore open(String application);

  /** What of Tomcat's own settings is not as it is by default. */
  enum Settings {
    DEFAULT,
    COOKIE_OF_THE_CONTEXT,
    COOKIE_OF_THE_APPLICATION,
    SAME_SITE_AND_PARTITIONED,
    NO_COOKIES,
    URL_ONLY,
    COOKIE_ONLY;

    void prepare(StandardContext context) {
      switch (this) {
        case DEFAULT -> {}
        case COOKIE_OF_THE_CONTEXT -> {
          context.setSessionCookieName("SID");
          context.setSessionCookiePath("/");
          context.setSessionCookieDomain("shop.example");
          context.setUseHttpOnly(false);
        }
        case COOKIE_OF_THE_APPLICATION ->
            configure(
                context,
                servletContext -> {
                  SessionCookieConfig cookie = servletContext.getSessionCookieConfig();
                  cookie.setName("APP");
                  cookie.setPath("/tracked");
                  cookie.setMaxAge(3600);
                  cookie.setSecure(true);
                });
        case SAME_SITE_AND_PARTITIONED -> {
          Rfc6265CookieProcessor processor = new Rfc6265CookieProcessor();
          processor.setSameSiteCookies("strict");
          context.setCookieProcessor(processor);
          assertThat(IntrospectionUtils.setProperty(context, "usePartitioned", "true")).isTrue();
        }
        case NO_COOKIES -> context.setCookies(false);
        case URL_ONLY -> track(context, EnumSet.of(SessionTrackingMode.URL));
        case COOKIE_ONLY -> track(context, EnumSet.of(SessionTrackingMode.COOKIE));
      }
    }

    private static void track(StandardContext context, Set<SessionTrackingMode> modes) {
      configure(context, servletContext -> servletContext.setSessionTrackingModes(modes));
    }

    private static void configure(StandardContext context, Consumer<ServletContext> how) {
      context.addServletContainerInitializer(
          (classes, servletContext) -> how.accept(servletContext), null);
    }
  }

  @ParameterizedTest
  @EnumSource
  @Tag("R70")
  void clientsAreToldTheSessionAsOneServerTellsIt(Settings settings) throws Exception {
    List<String> one = new ArrayList<>();
    try (TomcatNode plain = start(new StandardManager(), settings)) {
      for (boolean keepsCookies : List.of(true, false)) {
        one.addAll(new Client(List.of(plain), keepsCookies).play());
      }
    }
    String application = "tracking-" + UUID.randomUUID();
    List<String> two = new ArrayList<>();
    try (SessionStore storeA = open(application);
        SessionStore storeB = open(application);
        TomcatNode a = start(manager(storeA), settings);
        TomcatNode b = start(manager(storeB), settings)) {
      for (boolean keepsCookies : List.of(true, false)) {
        two.addAll(new Client(List.of(a, b), keepsCookies).play());
      }
    }
    assertThat(one).anyMatch(answer -> answer.contains("value=2"));
    assertThat(two).containsExactlyElementsOf(one);
  }

  private static SojournManager manager(SessionStore store) {
    SojournManager manager = new SojournManager();
    manager.setSessionStore(store);
    return manager;
  }

  private static TomcatNode start(ManagerBase manager, Settings settings) throws Exception {
    return TomcatNode.start(
        manager,
        (tomcat, context) -> {
          settings.prepare(context);
          Tomcat.addServlet(context, "tracked", new Tracked());
          context.addServletMappingDecoded("/tracked/*", "tracked");
        });
  }

  /** Says how it was told the session, and how it would tell it. */
  private static final class Tracked extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      String query = request.getQueryString();
      HttpSession present = request.getSession(false);
      if (query.startsWith("set")) {
        request.getSession().setAttribute("value", query.substring("set=".length()));
      } else if (query.equals("rename") && present != null) {
        request.changeSessionId();
      } else if (query.equals("end") && present != null) {
        present.invalidate();
      } else if (query.equals("redirect")) {
        response.sendRedirect(response.encodeRedirectURL("/tracked/next?look"));
        return;
      }
      HttpSession session = request.getSession(false);
      response
          .getWriter()
          .printf(
              "value=%s id=%s valid=%s cookie=%s url=%s next=%s redirect=%s elsewhere=%s",
              session == null ? "none" : session.getAttribute("value"),
              session == null ? "none" : session.getId(),
              request.isRequestedSessionIdValid(),
              request.isRequestedSessionIdFromCookie(),
              request.isRequestedSessionIdFromURL(),
              response.encodeURL("/tracked/next"),
              response.encodeRedirectURL("/tracked/next"),
              response.encodeURL("http://elsewhere.example/"));
    }
  }

  /** A browser that asks its servers in turn, wherever the last page led. */
  private static final class Client {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final Pattern NEXT = Pattern.compile("next=(\\S+)");

    private final List<TomcatNode> nodes;
    private final boolean keepsCookies;
    private final List<String> ids = new ArrayList<>();
    private @Nullable String cookie;
    private String path = "/tracked/next";

    Client(List<TomcatNode> nodes, boolean keepsCookies) {
      this.nodes = nodes;
      this.keepsCookies = keepsCookies;
    }

    List<String> play() throws Exception {
      List<String> answers = new ArrayList<>();
      for (String step : SCRIPT) {
        URI node = nodes.get(answers.size() % nodes.size()).uri();
        HttpRequest.Builder request = HttpRequest.newBuilder(node.resolve(path + "?" + step));
        if (cookie != null && keepsCookies) {
          request.header("Cookie", cookie);
        }
        HttpResponse<String> response = HTTP.send(request.build(), BodyHandlers.ofString());
        List<String> cookies = response.headers().allValues("Set-Cookie");
        for (String set : cookies) {
          cookie = set.split(";", 2)[0];
        }
        String location = response.headers().firstValue("Location").orElse("nowhere");
        Matcher next = NEXT.matcher(response.body());
        if (next.find()) {
          path = next.group(1);
        }
        answers.add(
            numbered(
                step + " -> " + response.body() + " " + location + " " + cookies,
                node.getAuthority()));
      }
      return answers;
    }

    /** The same with each id by its number, and without the server's name. */
    private String numbered(String answer, String server) {
      return ID.matcher(answer)
          .replaceAll(
              id -> {
                if (!ids.contains(id.group())) {
                  ids.add(id.group());
                }
                return "id" + ids.indexOf(id.group());
              })
          .replace(server, "server")
          .replaceAll("Expires=[^;]*", "Expires=later");
    }
  }
}
