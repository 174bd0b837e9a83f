package io.sojourn.tomcat;

import jakarta.servlet.ServletContainerInitializer;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletException;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Gives a {@link SojournManager} to a web application that has it in its own {@code WEB-INF/lib},
 * where Tomcat does not look for what {@code context.xml} names, or that asks for one by a context
 * parameter. The parameters are the attributes of {@code <Manager>} with {@code sojourn.} in front.
 *
 * <p>Containers find it by its service file, in their own class path too. It leaves alone who has
 * not asked, and does nothing in a container other than Tomcat.
 */
public final class SojournInitializer implements ServletContainerInitializer {

  private static final String PREFIX = "sojourn.";

  /** Where a Tomcat keeps what leads to the context, of this type. */
  private static final String RESOURCES = "org.apache.catalina.resources";

  private static final String RESOURCES_TYPE = "org.apache.catalina.WebResourceRoot";

  /** For the container. */
  public SojournInitializer() {}

  @Override
  public void onStartup(@Nullable Set<Class<?>> types, ServletContext application)
      throws ServletException {
    Map<String, String> attributes = attributes(application);
    ClassLoader own = SojournInitializer.class.getClassLoader();
    if (own != application.getClassLoader() && attributes.isEmpty()) {
      return;
    }
    Object resources = application.getAttribute(RESOURCES);
    if (isTomcats(resources, own)) {
      LocalManager.install(Objects.requireNonNull(resources), attributes);
    }
  }

  private static Map<String, String> attributes(ServletContext application) {
    Map<String, String> attributes = new TreeMap<>();
    for (String name : Collections.list(application.getInitParameterNames())) {
      if (name.startsWith(PREFIX)) {
        attributes.put(
            name.substring(PREFIX.length()),
            Objects.requireNonNull(application.getInitParameter(name), name));
      }
    }
    return attributes;
  }

  /** Asked by name: elsewhere there is no such type. */
  private static boolean isTomcats(@Nullable Object resources, ClassLoader loader) {
    try {
      return Class.forName(RESOURCES_TYPE, false, loader).isInstance(resources);
    } catch (ClassNotFoundException e) {
      return false;
    }
  }
}
