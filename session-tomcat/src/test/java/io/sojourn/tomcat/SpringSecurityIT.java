package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.FilterRegistration;
import jakarta.servlet.ServletContext;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.authentication.BadCredentialsException;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configuration.EnableWebSecurity;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.WebAttributes;
import org.springframework.security.web.util.matcher.RequestMatcher;
import org.springframework.web.context.support.AnnotationConfigWebApplicationContext;
import org.springframework.web.filter.DelegatingFilterProxy;

/** An application with Spring Security, whose user never stays on one node. */
@ExtendWith(RealServers.class)
class SpringSecurityIT {

  private static final Pattern TOKEN = Pattern.compile("name=\"_csrf\"[^>]*value=\"([^\"]+)\"");

  private final RedisServer redis;
  private final String application = "spring-" + UUID.randomUUID();
  private final List<TomcatNode> nodes = new ArrayList<>();
  private final Browser browser = new Browser();

  SpringSecurityIT(RedisServer redis) {
    this.redis = redis;
  }

  /** As in Spring Security's documentation. */
  @Configuration(proxyBeanMethods = false)
  @EnableWebSecurity
  static class Security {
    @Bean
    SecurityFilterChain chain(HttpSecurity http) throws Exception {
      RequestMatcher complaint = request -> request.getServletPath().equals("/complaint");
      return http.authorizeHttpRequests(
              requests ->
                  requests.requestMatchers(complaint).permitAll().anyRequest().authenticated())
          .formLogin(Customizer.withDefaults())
          .build();
    }

    @Bean
    UserDetailsService users() {
      return new InMemoryUserDetailsManager(
          User.withUsername("anna").password("{noop}secret").roles("CLERK").build());
    }
  }

  /** Says who asks. */
  private static final class Who extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      response
          .getWriter()
          .print(
              request.getRemoteUser()
                  + " "
                  + request.isUserInRole("CLERK")
                  + " "
                  + request.getParameter("page"));
    }
  }

  /** Says why the last login failed. */
  private static final class Complaint extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      Object failure = request.getSession().getAttribute(WebAttributes.AUTHENTICATION_EXCEPTION);
      response.getWriter().print(failure);
    }
  }

  private TomcatNode start(String url) throws Exception {
    SojournManager manager =
        ManagerElement.patient(
            url, "application", application, "allowedClasses", "org.springframework.security.**");
    TomcatNode node = TomcatNode.start(manager, (tomcat, context) -> prepare(context));
    nodes.add(node);
    return node;
  }

  private static void prepare(StandardContext context) {
    Tomcat.addServlet(context, "who", new Who());
    context.addServletMappingDecoded("/who", "who");
    Tomcat.addServlet(context, "complaint", new Complaint());
    context.addServletMappingDecoded("/complaint", "complaint");
    context.addServletContainerInitializer(
        (types, servletContext) -> addSpring(servletContext), null);
  }

  private static void addSpring(ServletContext servletContext) {
    AnnotationConfigWebApplicationContext spring = new AnnotationConfigWebApplicationContext();
    spring.register(Security.class);
    spring.setServletContext(servletContext);
    String name = "springSecurityFilterChain";
    FilterRegistration.Dynamic filter =
        servletContext.addFilter(name, new DelegatingFilterProxy(name, spring));
    filter.addMappingForUrlPatterns(EnumSet.allOf(DispatcherType.class), false, "/*");
  }

  @AfterEach
  void stop() {
    nodes.forEach(TomcatNode::close);
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  @Tag("R46")
  void loginErrorSavedRequestTokenAndUserTravel(StoreKind kind) throws Exception {
    String url = kind.url(redis);
    TomcatNode a = start(url);
    TomcatNode b = start(url);
    Browser.Answer refused = browser.get(a.uri().resolve("who?page=7"));
    String loginPage = browser.get(refused.locationAt(b)).body();
    Browser.Answer wrong = post(a, "login", loginPage, "username", "anna", "password", "wrong");
    loginPage = browser.get(wrong.locationAt(b)).body();
    assertThat(browser.get(b.uri().resolve("complaint")).body())
        .isEqualTo(BadCredentialsException.class.getName() + ": Bad credentials");
    String before = String.valueOf(browser.cookie("JSESSIONID", "/"));
    Browser.Answer in = post(a, "login", loginPage, "username", "anna", "password", "secret");
    assertThat(browser.cookie("JSESSIONID", "/")).isNotEqualTo(before);
    assertThat(browser.get(in.locationAt(b)).body()).isEqualTo("anna true 7");
    for (TomcatNode node : List.of(a, b, a)) {
      assertThat(browser.get(node.uri().resolve("who")).body()).isEqualTo("anna true null");
    }
    Browser thief = new Browser();
    thief.plant("JSESSIONID", before, "/");
    assertThat(thief.get(b.uri().resolve("who")).status()).isEqualTo(302);
    assertThat(browser.post(b.uri().resolve("logout"), "_csrf", "forged").status()).isEqualTo(403);
    String logoutPage = browser.get(b.uri().resolve("logout")).body();
    assertThat(post(a, "logout", logoutPage).status()).isEqualTo(302);
    for (TomcatNode node : nodes) {
      assertThat(browser.get(node.uri().resolve("who")).status()).isEqualTo(302);
    }
  }

  /** Posts a form of a page that came from another node, with the token that it had. */
  private Browser.Answer post(TomcatNode node, String path, String page, String... fields) {
    Matcher token = TOKEN.matcher(page);
    assertThat(token.find()).as(page).isTrue();
    List<String> form = new ArrayList<>(List.of("_csrf", token.group(1)));
    form.addAll(List.of(fields));
    return browser.post(node.uri().resolve(path), form.toArray(String[]::new));
  }
}
