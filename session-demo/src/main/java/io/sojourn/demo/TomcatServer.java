package io.sojourn.demo;

import io.sojourn.tomcat.SojournManager;
import java.net.URI;
import java.nio.file.Path;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;

/** A Tomcat with the application. */
final class TomcatServer {

  private TomcatServer() {}

  /** Starts it, and answers where it listens. */
  static URI start(String name, Path directory, String store) throws LifecycleException {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(directory.toString());
    Connector connector = new Connector();
    connector.setPort(0);
    connector.setProperty("address", "127.0.0.1");
    // A connection for each request: one that cannot be made proves that the node never saw the
    // request.
    connector.setProperty("maxKeepAliveRequests", "1");
    tomcat.setConnector(connector);

    Context context = tomcat.addContext("", null);
    context.setRequestCharacterEncoding("UTF-8");
    SojournManager manager = new SojournManager();
    manager.setStore(store);
    manager.setApplication(SharedStore.APPLICATION);
    // Classes in WEB-INF need no mention; this application is a part of the program around it.
    manager.setAllowedClasses(Cart.class.getName());
    context.setManager(manager);
    Tomcat.addServlet(context, "shop", new Shop(name));
    context.addServletMappingDecoded("/*", "shop");

    tomcat.start();
    if (!context.getState().isAvailable() || !connector.getState().isAvailable()) {
      throw new LifecycleException("Tomcat is up, but its application is not");
    }
    return URI.create("http://127.0.0.1:" + connector.getLocalPort());
  }
}
