package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariJNDIFactory;
import io.sojourn.testkit.ContractClient;
import io.sojourn.testkit.server.MariaDbServer;
import io.sojourn.testkit.server.RealServers;
import java.util.Map;
import java.util.function.BiConsumer;
import javax.sql.DataSource;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.ContextResource;
import org.apache.tomcat.util.descriptor.web.ContextResourceLink;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A store that is reached through a data source of Tomcat's. */
@ExtendWith(RealServers.class)
class TomcatJndiIT {

  private static final String NAME = "jdbc/sessions";
  private static final String STORE = "jndi:" + NAME;

  private final String url;

  TomcatJndiIT(MariaDbServer mariaDb) {
    this.url = mariaDb.jdbcUrl(mariaDb.newDatabase());
  }

  /** A {@code <Resource>}: a pool of two connections, with these properties beside. */
  private ContextResource pool(String name, Map<String, String> properties) {
    ContextResource resource = new ContextResource();
    resource.setName(name);
    resource.setType(DataSource.class.getName());
    resource.setCloseMethod("close");
    resource.setProperty("factory", HikariJNDIFactory.class.getName());
    resource.setProperty("jdbcUrl", url);
    resource.setProperty("maximumPoolSize", "2");
    properties.forEach(resource::setProperty);
    return resource;
  }

  private BiConsumer<Tomcat, StandardContext> ofTheContext(Map<String, String> properties) {
    return (tomcat, context) -> {
      tomcat.enableNaming();
      context.getNamingResources().addResource(pool(NAME, properties));
    };
  }

  private void ofTheServer(Tomcat tomcat, StandardContext context) {
    tomcat.enableNaming();
    tomcat.getServer().getGlobalNamingResources().addResource(pool("jdbc/pool", Map.of()));
    ContextResourceLink link = new ContextResourceLink();
    link.setName(NAME);
    link.setGlobal("jdbc/pool");
    link.setType(DataSource.class.getName());
    context.getNamingResources().addResourceLink(link);
  }

  /**
   * The other node has a pool of its own, because Tomcat's naming is there only once in a JVM, and
   * sees only what has been committed.
   */
  private void assertKeepsSessions(BiConsumer<Tomcat, StandardContext> naming) throws Exception {
    ContractClient client = new ContractClient();
    try (TomcatNode other = TomcatNode.start(ManagerElement.patient(url));
        TomcatNode node = TomcatNode.start(ManagerElement.of("store", STORE), naming)) {
      assertThat(client.send(node, "set:n:0").status()).isEqualTo(200);
      for (int i = 1; i <= 20; i++) {
        assertThat(client.send(i % 2 == 0 ? node : other, "get:n", "set:n:" + i).line())
            .isEqualTo(Integer.toString(i - 1));
      }
    }
    try (TomcatNode later = TomcatNode.start(ManagerElement.of("store", STORE), naming)) {
      assertThat(client.send(later, "get:n").line()).isEqualTo("20");
    }
  }

  @Test
  @Tag("R69")
  void aDataSourceOfTheContextKeepsTheSessions() throws Exception {
    assertKeepsSessions(ofTheContext(Map.of()));
  }

  @Test
  @Tag("R69")
  void aDataSourceOfTheServerKeepsTheSessions() throws Exception {
    assertKeepsSessions(this::ofTheServer);
  }

  @Test
  @Tag("R88")
  void whatIsWrittenThroughConnectionsWithoutAutoCommitIsCommitted() throws Exception {
    assertKeepsSessions(ofTheContext(Map.of("autoCommit", "false")));
  }

  @Test
  @Tag("R71")
  void aNameThatIsNotBoundStopsTheStartWithOneMessageThatNamesIt() {
    assertThat(
            ManagerElement.refusal(
                ManagerElement.of("store", "jndi:jdbc/nothing"), ofTheContext(Map.of())))
        .singleElement()
        .asString()
        .startsWith("store=\"jndi:jdbc/nothing\" names no resource")
        .contains("ResourceLink");
  }

  @Test
  @Tag("R71")
  void aDataSourceThatCannotBeMadeStopsTheStartWithOneMessageThatSaysWhy() {
    assertThat(
            ManagerElement.refusal(
                ManagerElement.of("store", STORE), ofTheContext(Map.of("maximumPoolSize", "0"))))
        .singleElement()
        .asString()
        .startsWith("store=\"jndi:jdbc/sessions\"")
        .contains("maxPoolSize cannot be less than 1");
  }

  @Test
  @Tag("R71")
  void aSettingOfAPoolIsRefusedForADataSourceThatHasOne() {
    assertThat(
            ManagerElement.refusal(
                ManagerElement.of("store", STORE, "maximumPoolSize", "3"), ofTheContext(Map.of())))
        .singleElement()
        .asString()
        .startsWith("maximumPoolSize=");
  }
}
