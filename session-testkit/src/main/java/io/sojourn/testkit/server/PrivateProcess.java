package io.sojourn.testkit.server;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.awaitility.core.ConditionTimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A server's process, with a folder of its own. It is ended by its handle, never by name or port.
 *
 * <p>The folder outlives a kill, so what the server keeps there is found again by the next start.
 * Whatever is still open when the JVM ends is closed then.
 */
final class PrivateProcess implements Lifecycle {

  /** How one kind of server is run. */
  interface Program {

    /** Returns a short name for folders and messages. */
    String name();

    /** Prepares a new, empty folder. */
    default void prepare(Path folder) throws IOException {}

    /** Returns the command that runs the server in the foreground. */
    List<String> command(Path folder, int port);

    /** Returns whether the server on this port answers and is the one with this process id. */
    boolean answers(int port, long pid);
  }

  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final long LOG_TAIL_BYTES = 4_000;
  private static final Set<PrivateProcess> OPEN = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> OPEN.forEach(PrivateProcess::close), "sojourn-stop-servers"));
  }

  private final Program program;
  private final Path folder;

  @GuardedBy("this")
  private int port;

  @GuardedBy("this")
  private @Nullable Process process;

  @GuardedBy("this")
  private boolean closed;

  private PrivateProcess(Program program, Path folder) {
    this.program = program;
    this.folder = folder;
  }

  /**
   * Runs a program in a new folder and on a free port, and returns when it answers.
   *
   * @throws IllegalStateException if it does not answer; the message ends with its log
   * @throws IOException if its folder cannot be prepared
   */
  static PrivateProcess launch(Program program) throws IOException {
    PrivateProcess process = new PrivateProcess(program, TemporaryFolders.create(program.name()));
    OPEN.add(process);
    boolean launched = false;
    try {
      process.prepareAndStart();
      launched = true;
      return process;
    } finally {
      if (!launched) {
        process.close();
      }
    }
  }

  /**
   * Runs a command to its end.
   *
   * @throws IOException if it cannot be run, fails or takes too long; the message ends with its log
   */
  static void run(List<String> command, Path folder) throws IOException {
    Process process = spawn(command, folder);
    try {
      process.onExit().orTimeout(PATIENCE.toMillis(), MILLISECONDS).join();
    } catch (CompletionException e) {
      process.destroyForcibly().onExit().join();
      throw new IOException(command.get(0) + " did not end within " + PATIENCE, e);
    }
    if (process.exitValue() != 0) {
      throw new IOException(command.get(0) + " failed" + logTail(folder));
    }
  }

  @Override
  public String host() {
    return "127.0.0.1";
  }

  @Override
  public synchronized int port() {
    return port;
  }

  Path folder() {
    return folder;
  }

  synchronized long pid() {
    return running().pid();
  }

  @Override
  public synchronized void start() {
    if (closed) {
      throw new IllegalStateException(this + " is closed");
    }
    if (process == null || !process.isAlive()) {
      startOn(port);
    }
  }

  private synchronized void prepareAndStart() throws IOException {
    program.prepare(folder);
    FreePort.use(
        candidate -> {
          startOn(candidate);
          return this;
        });
  }

  private synchronized void startOn(int port) {
    this.port = port;
    Process starting;
    try {
      starting = spawn(program.command(folder, port), folder);
    } catch (IOException e) {
      throw new IllegalStateException(this + " cannot be run: " + e.getMessage(), e);
    }
    process = starting;
    boolean ready = false;
    try {
      waiting().until(() -> !starting.isAlive() || program.answers(port, starting.pid()));
      ready = starting.isAlive();
    } catch (ConditionTimeoutException e) {
      throw new IllegalStateException(this + " does not answer" + logTail(folder), e);
    } finally {
      if (!ready) {
        kill();
      }
    }
    if (!ready) {
      throw new IllegalStateException(this + " ended at once" + logTail(folder));
    }
  }

  @Override
  public synchronized void kill() {
    if (process != null) {
      process.destroyForcibly().onExit().join();
    }
  }

  @Override
  public synchronized void suspend() {
    long pid = running().pid();
    signal("STOP", pid);
    Path threads = Path.of("/proc", Long.toString(pid), "task");
    if (Files.exists(threads)) {
      waiting().until(() -> allStopped(threads));
    }
  }

  @Override
  public synchronized void resume() {
    signal("CONT", running().pid());
  }

  @Override
  public synchronized void close() {
    closed = true;
    kill();
    try {
      TemporaryFolders.delete(folder);
    } catch (IOException e) {
      System.getLogger(PrivateProcess.class.getName())
          .log(Level.WARNING, "Could not delete " + folder, e);
    }
    OPEN.remove(this);
  }

  @Override
  public synchronized String toString() {
    return program.name() + " on port " + port;
  }

  @GuardedBy("this")
  private Process running() {
    if (process == null || !process.isAlive()) {
      throw new IllegalStateException(this + " is not running");
    }
    return process;
  }

  private void signal(String signal, long pid) {
    try {
      // The shell's own kill: small images have no other.
      run(List.of("/bin/sh", "-c", "kill -" + signal + " " + pid), folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A signal is on its way for a moment: only the state of every thread tells that it arrived. */
  private static boolean allStopped(Path threads) throws IOException {
    try (Stream<Path> each = Files.list(threads)) {
      for (Path thread : each.toList()) {
        String state = Files.readString(thread.resolve("stat"), StandardCharsets.ISO_8859_1);
        if (state.charAt(state.lastIndexOf(')') + 2) != 'T') {
          return false;
        }
      }
      return true;
    } catch (NoSuchFileException e) {
      return false; // a thread ended between the two looks
    }
  }

  private static Process spawn(List<String> command, Path folder) throws IOException {
    return new ProcessBuilder(command)
        .directory(folder.toFile())
        .redirectErrorStream(true)
        .redirectInput(Redirect.from(new File("/dev/null")))
        .redirectOutput(Redirect.appendTo(log(folder)))
        .start();
  }

  private static ConditionFactory waiting() {
    return Awaitility.await()
        .pollInSameThread()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20))
        .atMost(PATIENCE);
  }

  private static File log(Path folder) {
    return folder.resolve("log").toFile();
  }

  private static String logTail(Path folder) {
    try {
      byte[] log = Files.readAllBytes(log(folder).toPath());
      int length = (int) Math.min(log.length, LOG_TAIL_BYTES);
      return "; its log ends with:\n"
          + new String(log, log.length - length, length, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "; its log cannot be read: " + e.getMessage();
    }
  }
}
