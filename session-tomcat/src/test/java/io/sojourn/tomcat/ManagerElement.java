package io.sojourn.tomcat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sojourn.testkit.PatientStores;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.IntrospectionUtils;

/** The {@code <Manager>} element of a context, as Tomcat reads it. */
final class ManagerElement {

  private ManagerElement() {}

  /** The manager that these attributes make, given as names and values in turn. */
  static SojournManager of(String... attributes) {
    SojournManager manager = new SojournManager();
    for (int i = 0; i < attributes.length; i += 2) {
      assertThat(IntrospectionUtils.setProperty(manager, attributes[i], attributes[i + 1]))
          .isTrue();
    }
    return manager;
  }

  /** The same with a store that waits for a slow machine. */
  static SojournManager patient(String url, String... attributes) {
    SojournManager manager = of(attributes);
    manager.setStore(url);
    PatientStores.options(url)
        .forEach(
            (name, value) ->
                assertThat(IntrospectionUtils.setProperty(manager, name, value)).isTrue());
    return manager;
  }

  /**
   * Starts a Tomcat that has to refuse this manager, and answers the messages that it logs of it.
   */
  static List<String> refusal(
      SojournManager manager, BiConsumer<Tomcat, StandardContext> preparation) {
    List<String> messages = Collections.synchronizedList(new ArrayList<>());
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord logged) {
            Throwable thrown = logged.getThrown();
            if (thrown instanceof LifecycleException && thrown.getCause() != null) {
              messages.add(String.valueOf(thrown.getCause().getMessage()));
            }
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger root = Logger.getLogger("");
    root.addHandler(handler);
    try {
      assertThatThrownBy(() -> TomcatNode.start(manager, preparation))
          .isInstanceOf(LifecycleException.class);
    } finally {
      root.removeHandler(handler);
    }
    return messages;
  }
}
