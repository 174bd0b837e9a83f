package io.sojourn.tomcat;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Constants;
import org.apache.catalina.startup.ContextConfig;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An application of Jakarta Faces (Mojarra and Weld, as they were released): its pages' state is in
 * the session, and so are the beans of the session and of each view.
 */
class JsfIT {

  private static final String ALLOWED_CLASSES =
      "jakarta.faces.** com.sun.faces.util.LRUMap com.sun.faces.application.view.*"
          + " org.jboss.weld.bean.StringBeanIdentifier org.jboss.weld.bean.proxy.util.*"
          + " org.jboss.weld.contexts.**";

  private static final Path LIBRARIES =
      Path.of(System.getProperty("basedir", "."), "target", "faces");

  private static final String WEB_XML =
      """
      <web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
        <context-param>
          <param-name>jakarta.faces.STATE_SAVING_METHOD</param-name>
          <param-value>server</param-value>
        </context-param>
        <servlet>
          <servlet-name>faces</servlet-name>
          <servlet-class>jakarta.faces.webapp.FacesServlet</servlet-class>
        </servlet>
        <servlet-mapping>
          <servlet-name>faces</servlet-name>
          <url-pattern>/faces/*</url-pattern>
        </servlet-mapping>
      </web-app>
      """;

  private static final String BEANS_XML =
      """
      <beans xmlns="https://jakarta.ee/xml/ns/jakartaee" version="4.0" bean-discovery-mode="all"/>
      """;

  private static final String PAGE =
      """
      <!DOCTYPE html>
      <html xmlns="http://www.w3.org/1999/xhtml" xmlns:h="jakarta.faces.html">
        <h:head/>
        <h:body>
          <h:form id="shop">
            <h:inputText id="item" value="#{choice.item}" required="true"/>
            <h:commandButton id="add" value="Add" action="#{basket.add(choice.item)}"/>
          </h:form>
          [basket #{basket.items}, of this page #{choice.count}, in its state #{view.attributes.count}]
          <h:messages/>
        </h:body>
      </html>
      """;

  private static final String BASKET =
      """
      package shop;

      @jakarta.inject.Named
      @jakarta.enterprise.context.SessionScoped
      public class Basket implements java.io.Serializable {
        private final java.util.List<String> items = new java.util.ArrayList<>();
        @jakarta.inject.Inject private Choice choice;

        public java.util.List<String> getItems() {
          return items;
        }

        public void add(String item) {
          items.add(item);
          choice.count();
        }
      }
      """;

  private static final String CHOICE =
      """
      package shop;

      import jakarta.faces.context.FacesContext;

      @jakarta.inject.Named
      @jakarta.faces.view.ViewScoped
      public class Choice implements java.io.Serializable {
        private String item;
        private int count;

        public String getItem() {
          return item;
        }

        public void setItem(String item) {
          this.item = item;
        }

        public int getCount() {
          return count;
        }

        void count() {
          count++;
          FacesContext.getCurrentInstance().getViewRoot().getAttributes().put("count", count);
        }
      }
      """;

  @TempDir static @Nullable Path classes;

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  @BeforeAll
  static void compile() throws IOException {
    Path folder = Files.createDirectories(requireNonNull(classes).resolve("shop"));
    List<Path> sources = List.of(folder.resolve("Basket.java"), folder.resolve("Choice.java"));
    Files.writeString(sources.get(0), BASKET);
    Files.writeString(sources.get(1), CHOICE);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    String path = String.join(File.pathSeparator, libraries().map(Path::toString).toList());
    List<String> options = List.of("-proc:none", "-classpath", path);
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      var units = files.getJavaFileObjectsFromPaths(sources);
      assertThat(compiler.getTask(null, files, null, options, null, units).call()).isTrue();
    }
  }

  private static Stream<Path> libraries() {
    return Stream.of("jakarta.faces.jar", "weld-servlet-shaded.jar")
        .map(LIBRARIES::resolve)
        .peek(jar -> assertThat(jar).as("from `mvn process-test-classes`").exists());
  }

  private TomcatNode start() throws Exception {
    return TomcatNode.start(
        ManagerElement.patient(url, "allowedClasses", ALLOWED_CLASSES),
        (tomcat, context) -> prepare(context));
  }

  private static void prepare(StandardContext context) {
    Path folder = Path.of(context.getDocBase());
    try {
      Path own = Files.createDirectories(folder.resolve("WEB-INF/classes/shop"));
      for (String name : List.of("Basket.class", "Choice.class")) {
        Files.copy(requireNonNull(classes).resolve("shop").resolve(name), own.resolve(name));
      }
      Path lib = Files.createDirectories(folder.resolve("WEB-INF/lib"));
      for (Path jar : libraries().toList()) {
        Files.copy(jar, lib.resolve(jar.getFileName()));
      }
      Files.writeString(folder.resolve("WEB-INF/web.xml"), WEB_XML);
      Files.writeString(folder.resolve("WEB-INF/beans.xml"), BEANS_XML);
      Files.writeString(folder.resolve("shop.xhtml"), PAGE);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    // Neither library has anything to be found so, and looking through their classes takes a
    // second.
    context.getJarScanner().setJarScanFilter((type, jar) -> false);
    ContextConfig config = new ContextConfig();
    config.setDefaultWebXml(Constants.NoDefaultWebXml);
    context.addLifecycleListener(config);
  }

  /** A page as a browser has it. */
  private record Page(String text, String state) {

    private static final Pattern STATE =
        Pattern.compile("name=\"jakarta.faces.ViewState\"[^>]* value=\"([^\"]+)\"");

    static Page of(Browser.Answer answer) {
      assertThat(answer.status()).as(answer.body()).isEqualTo(200);
      Matcher state = STATE.matcher(answer.body());
      assertThat(state.find()).as(answer.body()).isTrue();
      return new Page(answer.body(), state.group(1));
    }

    /** Fills in its form and sends it to this node. */
    Page add(Browser browser, TomcatNode node, String item) {
      return of(
          browser.post(
              page(node),
              "shop",
              "shop",
              "shop:item",
              item,
              "shop:add",
              "Add",
              "jakarta.faces.ViewState",
              state));
    }

    void shows(String basket, int ofThisPage) {
      assertThat(text)
          .contains(
              "[basket "
                  + basket
                  + ", of this page "
                  + ofThisPage
                  + ", in its state "
                  + (ofThisPage == 0 ? "" : ofThisPage)
                  + "]");
    }
  }

  private static URI page(TomcatNode node) {
    return node.uri().resolve("faces/shop.xhtml");
  }

  @Test
  @Tag("R46")
  void aPageThatWasRenderedHereIsSentBackThere() throws Exception {
    try (TomcatNode a = start();
        TomcatNode b = start()) {
      Browser browser = new Browser();
      Page first = Page.of(browser.get(page(a)));
      first.shows("[]", 0);
      Page second = first.add(browser, b, "apple");
      second.shows("[apple]", 1);
      Page third = second.add(browser, a, "pear");
      third.shows("[apple, pear]", 2);
    }
  }
}
