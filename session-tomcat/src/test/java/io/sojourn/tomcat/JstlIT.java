package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.jsp.jstl.fmt.LocalizationContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.jasper.servlet.JasperInitializer;
import org.apache.jasper.servlet.JspServlet;
import org.apache.taglibs.standard.Version;
import org.apache.tomcat.util.scan.StandardJarScanner;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** An application whose pages keep the language of a session by JSTL's tags. */
class JstlIT {

  private static final String TAGS =
      "<%@ page contentType=\"text/plain\" %><%@ taglib prefix=\"fmt\" uri=\"jakarta.tags.fmt\" %>";

  private static final List<String> PAGES = List.of("choose", "texts", "number", "hello");

  private final String url = "jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1";

  private TomcatNode start() throws Exception {
    return TomcatNode.start(ManagerElement.patient(url), (tomcat, context) -> prepare(context));
  }

  private static void prepare(StandardContext context) {
    Path folder = Path.of(context.getDocBase());
    try {
      Path classes = Files.createDirectories(folder.resolve("WEB-INF/classes"));
      Path libraries = Files.createDirectories(folder.resolve("WEB-INF/lib"));
      for (Class<?> inLibrary : List.of(LocalizationContext.class, Version.class)) {
        Path jar = Path.of(inLibrary.getProtectionDomain().getCodeSource().getLocation().toURI());
        Files.copy(jar, libraries.resolve(jar.getFileName()));
      }
      Files.writeString(classes.resolve("texts_en.properties"), "hello=Hello\n");
      Files.writeString(classes.resolve("texts_de.properties"), "hello=Hallo\n");
      page(folder, "choose", "<fmt:setLocale value=\"${param.locale}\" scope=\"session\"/>");
      page(folder, "texts", "<fmt:setBundle basename=\"texts\" scope=\"session\"/>");
      page(folder, "number", "<fmt:formatNumber value=\"1234.5\"/>");
      page(folder, "hello", "<fmt:message key=\"hello\"/>");
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    StandardJarScanner scanner = new StandardJarScanner();
    scanner.setScanClassPath(false);
    context.setJarScanner(scanner);
    context.addServletContainerInitializer(new JasperInitializer(), null);
    Tomcat.addServlet(context, "jsp", new JspServlet());
    // Each by its name: the contract's servlet has all others.
    for (String page : PAGES) {
      context.addServletMappingDecoded("/" + page + ".jsp", "jsp");
    }
  }

  private static void page(Path folder, String name, String text) throws IOException {
    Files.writeString(folder.resolve(name + ".jsp"), TAGS + text);
  }

  @Test
  @Tag("R46")
  void theLanguageAndTheTextsThatASessionWasGivenAreThoseOfEveryNode() throws Exception {
    try (TomcatNode a = start();
        TomcatNode b = start()) {
      Browser browser = new Browser();
      ask(browser, a, "choose.jsp?locale=de");
      ask(browser, b, "texts.jsp");
      for (TomcatNode node : List.of(a, b, a)) {
        assertThat(ask(browser, node, "number.jsp")).isEqualTo("1.234,5");
        assertThat(ask(browser, node, "hello.jsp")).isEqualTo("Hallo");
      }
      ask(browser, b, "choose.jsp?locale=en");
      ask(browser, a, "texts.jsp");
      assertThat(ask(browser, b, "number.jsp")).isEqualTo("1,234.5");
      assertThat(ask(browser, b, "hello.jsp")).isEqualTo("Hello");
    }
  }

  private static String ask(Browser browser, TomcatNode node, String page) {
    Browser.Answer answer = browser.get(node.uri().resolve(page));
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    return answer.body().strip();
  }
}
