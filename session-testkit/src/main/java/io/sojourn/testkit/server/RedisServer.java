package io.sojourn.testkit.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.testcontainers.containers.GenericContainer;

/**
 * A running Redis.
 *
 * <p>One that was started here persists nothing: it is empty again after {@link #kill()} and {@link
 * #start()}. Thread-safe.
 */
public final class RedisServer extends RunningServer {

  private static final String PROPERTY = "sojourn.test.redis";
  private static final int DEFAULT_PORT = 6379;
  private static final int PROBE_TIMEOUT_MILLIS = 1_000;
  private static final String PROGRAM = "redis-server";
  private static final String IMAGE = "redis:7.4-alpine";
  private static final String ARTIFACT = "com.github.codemonstur/embedded-redis";

  private final String url;

  private RedisServer(Lifecycle lifecycle) {
    super(lifecycle);
    this.url = "redis://" + address();
  }

  private RedisServer(Lifecycle lifecycle, String url) {
    super(lifecycle);
    this.url = url;
  }

  /**
   * Starts a Redis for the caller alone, who may kill it and has to close it.
   *
   * @throws IllegalStateException if none can be started; the message says what was tried
   */
  public static RedisServer startPrivate() {
    return new RedisServer(
        ServerSearch.firstThatStarts(
            "Redis",
            PROPERTY,
            List.of(
                new ServerSearch.Way(
                    "Docker",
                    () ->
                        DockerContainer.launch(
                            RedisServer::container,
                            DEFAULT_PORT,
                            port -> answers(port, "process_id:"))),
                new ServerSearch.Way(
                    PROGRAM + " on the PATH", () -> PrivateProcess.launch(programOnPath())),
                new ServerSearch.Way(
                    "the Maven artifact " + ARTIFACT,
                    () -> PrivateProcess.launch(programInArtifact())))));
  }

  /** Returns the server that somebody gave for tests, or else a private one. */
  static RedisServer startShared() {
    return GivenAddress.of(PROPERTY).map(RedisServer::at).orElseGet(RedisServer::startPrivate);
  }

  /** Returns the server at a {@code redis:} address, which may carry a password and the like. */
  static RedisServer at(String url) {
    return new RedisServer(GivenAddress.reach(URI.create(url), DEFAULT_PORT), url);
  }

  static PrivateProcess.Program programInArtifact() throws IOException {
    Pattern wanted =
        Pattern.compile("(" + PROGRAM + ")-.*-" + Pattern.quote(UnpackedArtifact.platform()));
    return new RedisProgram(UnpackedArtifact.unpack(ARTIFACT, wanted).resolve(PROGRAM));
  }

  private static PrivateProcess.Program programOnPath() throws IOException {
    return new RedisProgram(ServerSearch.onPath(PROGRAM));
  }

  /** Returns {@code redis://127.0.0.1:port}, or the address that was given for tests. */
  public String url() {
    return url;
  }

  private static GenericContainer<?> container() {
    return new GenericContainer<>(IMAGE).withCommand(PROGRAM, "--save", "", "--appendonly", "no");
  }

  /** Asks for what identifies a server, so that no other one on the port is taken for ours. */
  private static boolean answers(int port, String expected) {
    try (Socket socket = new Socket()) {
      socket.connect(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), port), PROBE_TIMEOUT_MILLIS);
      socket.setSoTimeout(PROBE_TIMEOUT_MILLIS);
      socket.getOutputStream().write("INFO server\r\nQUIT\r\n".getBytes(StandardCharsets.US_ASCII));
      byte[] answer = socket.getInputStream().readAllBytes();
      return new String(answer, StandardCharsets.US_ASCII).contains(expected);
    } catch (IOException e) {
      return false;
    }
  }

  private record RedisProgram(Path executable) implements PrivateProcess.Program {

    @Override
    public String name() {
      return "redis";
    }

    @Override
    public List<String> command(Path folder, int port) {
      return List.of(
          executable.toString(),
          "--bind",
          "127.0.0.1",
          "--port",
          Integer.toString(port),
          "--dir",
          folder.toString(),
          "--save",
          "",
          "--appendonly",
          "no");
    }

    @Override
    public boolean answers(int port, long pid) {
      return RedisServer.answers(port, "process_id:" + pid + "\r\n");
    }
  }
}
