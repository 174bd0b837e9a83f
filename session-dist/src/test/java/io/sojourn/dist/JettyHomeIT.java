package io.sojourn.dist;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import io.sojourn.testkit.server.RedisServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.mariadb.jdbc.Driver;

/**
 * Two Jettys as they are downloaded, with our archive unpacked into their JETTY_BASE and the module
 * added, and a web application that knows nothing of it.
 */
@ExtendWith(RealServers.class)
class JettyHomeIT {

  private static final String WEB_XML =
      """
      <web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
        <servlet>
          <servlet-name>shop</servlet-name>
          <servlet-class>io.sojourn.dist.ShopServlet</servlet-class>
        </servlet>
        <servlet-mapping>
          <servlet-name>shop</servlet-name>
          <url-pattern>/cart</url-pattern>
        </servlet-mapping>
      </web-app>
      """;

  private final Path folder;

  JettyHomeIT(@TempDir Path folder) {
    this.folder = folder;
  }

  @Test
  @Tag("G5")
  @Tag("R38")
  @Tag("R69")
  void aCartOutlivesItsServerOnJetty120AndRedis(RedisServer redis) throws IOException {
    assertThatACartOutlivesItsServer("12.0", "ee10", redis.url());
  }

  @Test
  @Tag("G5")
  @Tag("R38")
  void aCartOutlivesItsServerOnJetty121AndRedis(RedisServer redis) throws IOException {
    assertThatACartOutlivesItsServer("12.1", "ee11", redis.url());
  }

  @Test
  @Tag("G5")
  @Tag("R38")
  void aCartOutlivesItsServerOnJetty120AndMariaDb(MariaDbServer mariaDb) throws IOException {
    assertThatACartOutlivesItsServer("12.0", "ee10", mariaDb.jdbcUrl(mariaDb.newDatabase()));
  }

  @Test
  @Tag("G5")
  @Tag("R38")
  void aCartOutlivesItsServerOnJetty121AndMariaDb(MariaDbServer mariaDb) throws IOException {
    assertThatACartOutlivesItsServer("12.1", "ee10", mariaDb.jdbcUrl(mariaDb.newDatabase()));
  }

  private void assertThatACartOutlivesItsServer(String line, String environment, String store)
      throws IOException {
    try (Jetty first = install(line, environment, "first");
        Jetty second = install(line, environment, "second")) {
      String property = "jetty.session.sojourn.store=" + store;
      first.start(Map.of(), property, "jetty.sessionIdManager.workerName=first");
      second.start(Map.of(), property, "jetty.sessionIdManager.workerName=second");
      first.awaitStart();
      second.awaitStart();
      Browser browser = new Browser();
      assertThat(browser.page(first.uri("/shop/cart?item=apple"))).isEqualTo("[apple]");
      assertThat(browser.page(second.uri("/shop/cart?item=pear"))).isEqualTo("[apple, pear]");
      assertThat(browser.page(first.uri("/shop/cart?item=plum"))).isEqualTo("[apple, pear, plum]");
      first.kill();
      assertThat(browser.page(second.uri("/shop/cart"))).isEqualTo("[apple, pear, plum]");
    }
  }

  @Test
  @Tag("R71")
  @Tag("R90")
  void aSettingThatMakesNoSenseAndASecondCacheStopTheServer() throws IOException {
    try (Jetty jetty = install("12.1", "ee10", "wrong")) {
      jetty.start(Map.of(), "jetty.session.sojourn.store=memory:", "jetty.session.sojourn.codec=x");
      jetty.awaitEnd();
      assertThat(jetty.log()).contains("codec=\"x\" must be one of: kryo, java");
      jetty.start(
          Map.of("SOJOURN_ENCRYPTION_KEYS", "a:tooShort"), "jetty.session.sojourn.store=memory:");
      jetty.awaitEnd();
      assertThat(jetty.log()).contains("encryptionKeys=\"...\": ").doesNotContain("tooShort");
      jetty.start(Map.of());
      jetty.awaitEnd();
      assertThat(jetty.log()).contains("store=\"...\" is missing");
      // Jetty itself does not let in a second module of the kind.
      jetty.start(Map.of(), "--module=session-cache-null");
      jetty.awaitEnd();
      assertThat(jetty.log()).contains("provides session-cache, which is already provided by");
    }
  }

  private Jetty install(String line, String environment, String name) throws IOException {
    Path base = folder.resolve(name);
    Jetty jetty = new Jetty(line, base, "http," + environment + "-deploy,session-store-sojourn");
    String driver = Driver.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    Files.copy(Path.of(driver), base.resolve("lib/sojourn/driver.jar"));
    War.write(
        base.resolve("webapps/shop.war"),
        Files.createDirectories(folder.resolve("nothing")),
        Map.of("WEB-INF/web.xml", WEB_XML),
        ShopServlet.class,
        ShopServlet.Basket.class);
    return jetty;
  }
}
