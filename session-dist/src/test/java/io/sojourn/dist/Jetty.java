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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.jspecify.annotations.Nullable;

/** A Jetty as it is downloaded, with a JETTY_BASE of its own into which our archive is unpacked. */
final class Jetty implements AutoCloseable {

  private static final Path ARCHIVE = DistributedJar.TARGET.resolve("sojourn-jetty.zip");
  private static final Path UNPACKED = DistributedJar.TARGET.resolve("jetty");

  /** Jetty says which port it has chosen. */
  private static final Pattern PORT =
      Pattern.compile("Started \\S*ServerConnector\\S*\\{[^}]*}\\{127\\.0\\.0\\.1:(\\d+)}");

  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final Path home;
  private final Path base;
  private @Nullable Process process;
  private int port;

  /**
   * A base, with these modules.
   *
   * @param line of Jetty's versions, such as 12.0
   */
  Jetty(String line, Path base, String modules) throws IOException {
    this.home = unpacked(line);
    this.base = base;
    Files.createDirectories(base);
    unpack();
    Process configuring =
        process("--add-modules=" + modules).redirectOutput(Redirect.to(out().toFile())).start();
    try {
      assertThat(configuring.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
          .as(this::log)
          .isTrue();
      assertThat(configuring.exitValue()).as(this::log).isZero();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } finally {
      configuring.destroyForcibly();
    }
  }

  /** A copy of another one's base. */
  Jetty(Jetty other, Path base) throws IOException {
    this.home = other.home;
    this.base = base;
    try (Stream<Path> files = Files.walk(other.base)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.copy(file, base.resolve(other.base.relativize(file).toString()));
      }
    }
  }

  private static Path unpacked(String line) throws IOException {
    try (Stream<Path> folders = Files.list(UNPACKED)) {
      return folders
          .filter(folder -> folder.getFileName().toString().startsWith("jetty-home-" + line + "."))
          .findFirst()
          .orElseThrow();
    }
  }

  private void unpack() throws IOException {
    try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(ARCHIVE))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        Path file = base.resolve(entry.getName());
        if (entry.isDirectory()) {
          Files.createDirectories(file);
        } else {
          Files.createDirectories(file.getParent());
          Files.copy(zip, file);
        }
      }
    }
  }

  private ProcessBuilder process(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + "/bin/java");
    // A server that lives for seconds.
    command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    // Whoever asks it by JMX does so at this address, whatever the machine's name stands for.
    command.add("-Djava.rmi.server.hostname=127.0.0.1");
    command.add("-jar");
    command.add(home.resolve("start.jar").toString());
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(base.toFile()).redirectErrorStream(true);
    builder.environment().keySet().removeIf(name -> name.startsWith("JETTY_"));
    return builder;
  }

  Path base() {
    return base;
  }

  /** Lays a web application in, at the path of its name. */
  void deploy(Path war) throws IOException {
    Files.copy(war, base.resolve("webapps").resolve(war.getFileName()));
  }

  /** Starts it, and does not wait for it. */
  void start(Map<String, String> environment, String... properties) throws IOException {
    List<String> arguments = new ArrayList<>(List.of(properties));
    arguments.add("jetty.http.host=127.0.0.1");
    arguments.add("jetty.http.port=0");
    ProcessBuilder builder =
        process(arguments.toArray(String[]::new)).redirectOutput(Redirect.to(out().toFile()));
    builder.environment().putAll(environment);
    Process started = builder.start();
    process = started;
    Runtime.getRuntime().addShutdownHook(new Thread(started::destroyForcibly));
  }

  long pid() {
    return running().pid();
  }

  /** Waits until it answers. */
  void awaitStart() {
    if (port != 0) {
      return;
    }
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
    assertThat(port).as(() -> "Jetty has not started:\n" + log()).isNotZero();
  }

  /** Waits until it has given up. */
  void awaitEnd() {
    await().atMost(PATIENCE).until(() -> !running().isAlive());
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
    return base.resolve("console");
  }

  URI uri(String path) {
    awaitStart();
    return URI.create("http://127.0.0.1:" + port + path);
  }

  /** Ends it as {@code kill -9} does. */
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
