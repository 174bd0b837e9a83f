package io.sojourn.demo;

import java.net.URI;
import java.nio.file.Path;

/** What a node runs. */
enum Container {
  TOMCAT("Tomcat") {
    @Override
    URI start(String name, Path directory, String store) throws Exception {
      return TomcatServer.start(name, directory, store);
    }
  },
  JETTY("Jetty") {
    @Override
    URI start(String name, Path directory, String store) throws Exception {
      return JettyServer.start(name, store);
    }
  };

  private final String title;

  Container(String title) {
    this.title = title;
  }

  /** What people call it. */
  String title() {
    return title;
  }

  /**
   * Starts one in this JVM.
   *
   * @param name the node's name
   * @param directory where it may work
   * @param store the URL of the store for its sessions
   * @return where it listens
   * @throws Exception if it does not start
   */
  abstract URI start(String name, Path directory, String store) throws Exception;
}
