package io.sojourn.tomcat;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.sojourn.testkit.ContainerNode;
import io.sojourn.testkit.ObservedStore;
import io.sojourn.testkit.PatientStores;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A Tomcat in a process of its own, which can be killed, with a {@link SojournManager} and {@link
 * SessionEnds}. It ends when this process does.
 */
final class TomcatProcess implements ContainerNode {

  private static final String READY = "ready ";
  private static final String SCAVENGE = "scavenge";

  private final Process process;
  private final PrintStream commands;
  private final URI uri;

  private TomcatProcess(Process process, PrintStream commands, URI uri) {
    this.process = process;
    this.commands = commands;
    this.uri = uri;
  }

  /**
   * Starts it.
   *
   * @param url where its store is
   * @param ends how many sessions it may remove from the store; it stands still before the next
   */
  static TomcatProcess start(String url, String application, int ends) throws IOException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                TomcatProcess.class.getName(),
                application,
                Integer.toString(ends))
            .redirectError(Redirect.INHERIT)
            .start();
    // The URL may hold a password, which nobody is to see in a list of processes.
    PrintStream commands = new PrintStream(process.getOutputStream(), true, UTF_8);
    commands.println(url);
    BufferedReader answers = process.inputReader(UTF_8);
    String line = answers.readLine();
    while (line != null && !line.startsWith(READY)) {
      line = answers.readLine();
    }
    if (line == null) {
      throw new IOException("It ended before it was ready; standard error says why");
    }
    return new TomcatProcess(process, commands, URI.create(line.substring(READY.length())));
  }

  /**
   * The process.
   *
   * @param arguments whose sessions, and how many of them it may remove
   */
  public static void main(String[] arguments) throws Exception {
    BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, UTF_8));
    AtomicReference<Duration> clock = new AtomicReference<>(Duration.ZERO);
    ObservedStore store =
        new ObservedStore(PatientStores.open(commands.readLine(), arguments[0], clock::get));
    AtomicInteger ends = new AtomicInteger(Integer.parseInt(arguments[1]));
    store.observe(
        operation -> {
          if (operation.equals("remove") && ends.getAndDecrement() <= 0) {
            standStill();
          }
        });
    TomcatNode node =
        TomcatNode.start(
            SessionEnds.manager(store), (tomcat, context) -> SessionEnds.addTo(context));
    System.out.println(READY + node.uri());
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      if (line.equals(SCAVENGE)) {
        new Thread(node::scavenge, SCAVENGE).start();
      } else {
        clock.set(Duration.parse(line));
      }
    }
    Runtime.getRuntime().halt(0);
  }

  private static void standStill() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public URI uri() {
    return uri;
  }

  /** Has it look for expired sessions, and does not wait until it has. */
  @Override
  public void scavenge() {
    commands.println(SCAVENGE);
  }

  /** Moves its store's clock for what it is told to do after that. */
  void setClock(Duration offset) {
    commands.println(offset);
  }

  /** Ends it as {@code kill -9} does. */
  void kill() {
    process.destroyForcibly().onExit().join();
  }

  @Override
  public void close() {
    kill();
  }
}
