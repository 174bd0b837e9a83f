package io.sojourn.dist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A Tomcat as it is downloaded, in a folder of its own, that is run by its own script. */
final class Tomcat implements AutoCloseable {

  private static final Path UNPACKED = DistributedJar.TARGET.resolve("tomcat");

  /** What comes with Tomcat and is not needed here takes time to start. */
  private static final List<String> LEFT_OUT = List.of("webapps/docs", "webapps/host-manager");

  /** Tomcat chooses the port itself, and says which one when it begins to answer. */
  private static final Pattern PORT =
      Pattern.compile("Starting ProtocolHandler \\[\"http-nio-127\\.0\\.0\\.1-auto-\\d+-(\\d+)\"]");

  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final Path home;
  private @Nullable Process process;
  private int port;

  /**
   * A copy of the distribution that is told nothing yet but where to listen.
   *
   * @param line of Tomcat's versions, such as 10 or 11
   */
  Tomcat(String line, Path home, String node) throws IOException {
    this.home = home;
    copy(unpacked(line), home);
    edit("conf/server.xml", "<Server port=\"8005\"", "<Server port=\"-1\"");
    edit(
        "conf/server.xml",
        "<Connector port=\"8080\"",
        "<Connector address=\"127.0.0.1\" port=\"0\"");
    String engine = "<Engine name=\"Catalina\" defaultHost=\"localhost\"";
    edit("conf/server.xml", engine + ">", engine + " jvmRoute=\"" + node + "\">");
  }

  private static Path unpacked(String line) throws IOException {
    try (Stream<Path> folders = Files.list(UNPACKED)) {
      return folders
          .filter(
              folder -> folder.getFileName().toString().startsWith("apache-tomcat-" + line + "."))
          .findFirst()
          .orElseThrow();
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Path name = from.relativize(file);
        if (LEFT_OUT.stream().noneMatch(name::startsWith)) {
          Files.copy(file, to.resolve(name.toString()));
        }
      }
    }
  }

  Path home() {
    return home;
  }

  /** Replaces a text in a file, as one does with an editor. */
  void edit(String file, String before, String after) throws IOException {
    Path path = home.resolve(file);
    String text = Files.readString(path);
    int at = text.indexOf(before);
    assertThat(at).as(before).isNotNegative();
    Files.writeString(path, text.substring(0, at) + after + text.substring(at + before.length()));
  }

  /** Writes a file. */
  void write(String file, String text) throws IOException {
    Path path = home.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  /** Starts it, and does not wait for it. */
  void start(Map<String, String> environment) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder("/bin/sh", home.resolve("bin/catalina.sh").toString(), "run")
            .redirectErrorStream(true)
            .redirectOutput(Redirect.to(out().toFile()));
    builder.environment().keySet().removeIf(name -> name.startsWith("CATALINA_"));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("CATALINA_HOME", home.toString());
    // A server that lives for seconds.
    builder.environment().put("CATALINA_OPTS", "-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1");
    builder.environment().putAll(environment);
    Process started = builder.start();
    process = started;
    Runtime.getRuntime().addShutdownHook(new Thread(started::destroyForcibly));
  }

  /** Waits until it answers. */
  void awaitStart() {
    await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(50))
        .until(
            () -> {
              Matcher matcher = PORT.matcher(log());
              if (matcher.find()) {
                port = Integer.parseInt(matcher.group(1));
              }
              return port != 0 || !running().isAlive();
            });
    assertThat(port).as(() -> "Tomcat has not started:\n" + log()).isNotZero();
  }

  /** What it has written to the console, which is all that it logs. */
  String log() {
    try {
      return Files.readString(out(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path out() {
    return home.resolve("logs/console");
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + port + path);
  }

  /** Ends it as {@code kill -9} does. The script has become the server. */
  void kill() {
    running().destroyForcibly().onExit().join();
  }

  private Process running() {
    return Objects.requireNonNull(process, "not started");
  }

  @Override
  public void close() {
    if (process != null) {
      kill();
    }
  }
}
