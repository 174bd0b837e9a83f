package io.sojourn.testkit.server;

/** Where a server runs and what can be done to it there. Thread-safe. */
sealed interface Lifecycle extends AutoCloseable
    permits DockerContainer, GivenAddress, PrivateProcess {

  String host();

  int port();

  void start();

  void kill();

  void suspend();

  void resume();

  @Override
  void close();
}
