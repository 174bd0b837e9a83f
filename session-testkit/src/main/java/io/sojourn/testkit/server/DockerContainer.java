package io.sojourn.testkit.server;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.WaitContainerResultCallback;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;

/**
 * A server in a container of its own.
 *
 * <p>Its port is bound to one that we choose: Docker would choose another one at each start. A kill
 * keeps the container, and with it the server's data.
 */
final class DockerContainer implements Lifecycle {

  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final GenericContainer<?> container;
  private final int port;
  private final IntPredicate answers;

  @GuardedBy("this")
  private boolean suspended;

  @GuardedBy("this")
  private boolean closed;

  private DockerContainer(GenericContainer<?> container, int port, IntPredicate answers) {
    this.container = container;
    this.port = port;
    this.answers = answers;
  }

  /**
   * Runs a container and returns when its server answers.
   *
   * @throws IOException if no Docker engine answers on this machine
   * @throws IllegalStateException if the container does not start
   */
  static DockerContainer launch(
      Supplier<GenericContainer<?>> template, int containerPort, IntPredicate answers)
      throws IOException {
    if (!Engine.ANSWERS) {
      throw new IOException("no engine answers on this machine");
    }
    return FreePort.use(
        port -> {
          GenericContainer<?> container = template.get().withExposedPorts(containerPort);
          container.setPortBindings(List.of("127.0.0.1:" + port + ":" + containerPort));
          DockerContainer server = new DockerContainer(container, port, answers);
          try {
            container.start();
            server.awaitAnswer();
          } catch (RuntimeException e) {
            server.close();
            throw new IllegalStateException("The container cannot be run: " + e.getMessage(), e);
          }
          return server;
        });
  }

  @Override
  public String host() {
    return "127.0.0.1";
  }

  @Override
  public int port() {
    return port;
  }

  @Override
  public synchronized void start() {
    if (closed) {
      throw new IllegalStateException("The container on port " + port + " is closed");
    }
    if (!container.isRunning()) {
      client().startContainerCmd(container.getContainerId()).exec();
      awaitAnswer();
    }
  }

  @Override
  public synchronized void kill() {
    if (container.isRunning()) {
      if (suspended) {
        resume(); // Docker does not kill what is paused
      }
      client().killContainerCmd(container.getContainerId()).exec();
      client()
          .waitContainerCmd(container.getContainerId())
          .exec(new WaitContainerResultCallback())
          .awaitStatusCode();
    }
  }

  @Override
  public synchronized void suspend() {
    requireRunning();
    if (!suspended) {
      client().pauseContainerCmd(container.getContainerId()).exec();
      suspended = true;
    }
  }

  @Override
  public synchronized void resume() {
    requireRunning();
    if (suspended) {
      client().unpauseContainerCmd(container.getContainerId()).exec();
      suspended = false;
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    kill();
    container.stop();
  }

  private void requireRunning() {
    if (!container.isRunning()) {
      throw new IllegalStateException("The container on port " + port + " is not running");
    }
  }

  private void awaitAnswer() {
    try {
      Awaitility.await()
          .pollInSameThread()
          .pollDelay(Duration.ZERO)
          .atMost(PATIENCE)
          .until(() -> answers.test(port));
    } catch (ConditionTimeoutException e) {
      throw new IllegalStateException("It does not answer on port " + port, e);
    }
  }

  private DockerClient client() {
    return container.getDockerClient();
  }

  /** Whether there is an engine to use; found out once. */
  private static final class Engine {

    static final boolean ANSWERS = find();

    /**
     * Testcontainers is asked only where there is a trace of Docker, because it takes its time to
     * find none and logs errors about it. An engine on another machine is of no use: its ports are
     * not ours, and tests' servers are to be reached from here only.
     */
    private static boolean find() {
      return mayExist()
          && DockerClientFactory.instance().isDockerAvailable()
          && DockerClientFactory.instance().dockerHostIpAddress().equals("localhost");
    }

    private static boolean mayExist() {
      String home = System.getProperty("user.home");
      String runtime = System.getenv().getOrDefault("XDG_RUNTIME_DIR", "/run");
      return System.getenv("DOCKER_HOST") != null
          || Stream.of(
                  Path.of("/var/run/docker.sock"),
                  Path.of(runtime, "docker.sock"),
                  Path.of(home, ".docker", "run", "docker.sock"),
                  Path.of(home, ".docker", "desktop", "docker.sock"),
                  Path.of(home, ".testcontainers.properties"))
              .anyMatch(Files::exists);
    }
  }
}
