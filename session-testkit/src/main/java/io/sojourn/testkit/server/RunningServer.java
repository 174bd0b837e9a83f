package io.sojourn.testkit.server;

/** What the servers have in common: they run somewhere, and can be ended and begun again. */
abstract sealed class RunningServer implements AutoCloseable permits DatabaseServer, RedisServer {

  private final Lifecycle lifecycle;

  RunningServer(Lifecycle lifecycle) {
    this.lifecycle = lifecycle;
  }

  final String address() {
    return lifecycle.host() + ":" + lifecycle.port();
  }

  /** Returns the port that this server listens on; it stays the same for the server's life. */
  public final int port() {
    return lifecycle.port();
  }

  /**
   * Kills the server as {@code kill -9} does, and returns when it is gone. Does nothing if it is
   * not running.
   *
   * @throws UnsupportedOperationException if the server was not started by this JVM
   */
  public final void kill() {
    lifecycle.kill();
  }

  /**
   * Starts the server again after {@link #kill()}, on the same port, and returns when it answers.
   * Does nothing if it is running.
   *
   * @throws UnsupportedOperationException if the server was not started by this JVM
   * @throws IllegalStateException if the server does not start, for instance because its port was
   *     taken meanwhile, or if it is closed
   */
  public final void start() {
    lifecycle.start();
  }

  /**
   * Freezes the server as {@code kill -STOP} does: connections stay open and new ones may be
   * accepted by the kernel, but nothing is answered. Returns when it stands still.
   *
   * @throws UnsupportedOperationException if the server was not started by this JVM
   * @throws IllegalStateException if it is not running
   */
  public final void suspend() {
    lifecycle.suspend();
  }

  /**
   * Lets a server go on after {@link #suspend()}.
   *
   * @throws UnsupportedOperationException if the server was not started by this JVM
   * @throws IllegalStateException if it is not running
   */
  public final void resume() {
    lifecycle.resume();
  }

  /**
   * Ends the server, suspended or not, and deletes its files. A server that was not started by this
   * JVM goes on running. Closing twice does nothing.
   */
  @Override
  public void close() {
    lifecycle.close();
  }
}
