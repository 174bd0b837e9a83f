package io.sojourn.tomcat;

import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.JavaMelodyContract;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import net.bull.javamelody.MonitoringFilter;
import net.bull.javamelody.SessionListener;
import org.apache.catalina.core.StandardContext;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;

class JavaMelodyIT extends JavaMelodyContract {

  @Override
  protected ContainerNode start(String storeUrl, Path statistics) throws Exception {
    return TomcatNode.start(
        ManagerElement.patient(storeUrl, "allowedClasses", ALLOWED_CLASSES),
        (tomcat, context) -> {
          try {
            prepare(context, statistics);
          } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  @Override
  protected boolean concernsSessions(String logger) {
    return logger.startsWith("org.apache.catalina.core.")
        || logger.startsWith("org.apache.catalina.session.");
  }

  /** As with its jar in the application's folder, of which each node has one of its own. */
  private static void prepare(StandardContext context, Path statistics)
      throws IOException, URISyntaxException {
    Path jar =
        Path.of(MonitoringFilter.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Path libraries = Path.of(context.getDocBase(), "WEB-INF/lib");
    Files.createDirectories(libraries);
    Files.copy(jar, libraries.resolve(jar.getFileName()));
    context.addParameter("javamelody.storage-directory", statistics.toString());
    context.addApplicationListener(SessionListener.class.getName());
    FilterDef definition = new FilterDef();
    definition.setFilterName("javamelody");
    definition.setFilterClass(MonitoringFilter.class.getName());
    definition.setAsyncSupported("true");
    context.addFilterDef(definition);
    FilterMap mapping = new FilterMap();
    mapping.setFilterName("javamelody");
    mapping.addURLPattern("/*");
    context.addFilterMap(mapping);
  }
}
