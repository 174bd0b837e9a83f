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
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.awaitility.core.ConditionTimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A server's process, with a folder of its own and with the processes that it starts itself. They
 * are ended by their handles, never by name or port.
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

    /**
     * Returns how far above its port lies another one that the server takes, or 0 if it takes none.
     */
    default int secondPortOffset() {
      return 0;
    }

    /** Returns whether the server on this port answers and is the one with this process id. */
    boolean answers(int port, long pid);

    /**
     * Returns the signal that ends a server for good, at once and so that nothing of it is left in
     * the system; it is killed if that does not help.
     */
    default String endSignal() {
      return "KILL";
    }
  }

  /** Whether this is the user whom many servers refuse. */
  static final boolean IS_ROOT = System.getProperty("user.name").equals("root");

  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final Duration END_PATIENCE = Duration.ofSeconds(5);
  private static final long LOG_TAIL_BYTES = 4_000;
  private static final Path PROC = Path.of("/proc");
  private static final boolean HAS_PROC = Files.exists(PROC.resolve("self/stat"));
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

  /** Returns the command line of a program. */
  static List<String> command(Path program, List<String> arguments) {
    return Stream.concat(Stream.of(program.toString()), arguments.stream()).toList();
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
        program.secondPortOffset(),
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
      // A process that is born in between ends by itself, as it finds its parent gone.
      List<ProcessHandle> family = process.descendants().toList();
      process.destroyForcibly().onExit().join();
      family.forEach(ProcessHandle::destroyForcibly);
      waiting().until(() -> family.stream().allMatch(PrivateProcess::isGone));
    }
  }

  @Override
  public synchronized void suspend() {
    ProcessHandle parent = running().toHandle();
    stop(List.of(parent));
    stop(parent.descendants().toList()); // no more of them now
  }

  @Override
  public synchronized void resume() {
    ProcessHandle parent = running().toHandle();
    signal("CONT", Stream.concat(parent.descendants(), Stream.of(parent)).toList());
  }

  @Override
  public synchronized void close() {
    closed = true;
    end();
    kill();
    TemporaryFolders.deleteOrLog(folder);
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

  /** Lets a running server end as it wants to, but not for long. */
  private synchronized void end() {
    String signal = program.endSignal();
    if (signal.equals("KILL") || process == null || !process.isAlive()) {
      return;
    }
    try {
      resume();
      signal(signal, List.of(process.toHandle()));
      process.onExit().orTimeout(END_PATIENCE.toMillis(), MILLISECONDS).join();
    } catch (CompletionException | IllegalStateException | UncheckedIOException e) {
      System.getLogger(PrivateProcess.class.getName())
          .log(Level.WARNING, this + " did not end by itself", e);
    }
  }

  private void stop(List<ProcessHandle> processes) {
    if (processes.isEmpty()) {
      return;
    }
    signal("STOP", processes);
    if (HAS_PROC) {
      waiting().until(() -> processes.stream().allMatch(PrivateProcess::isStopped));
    }
  }

  /** Sends a signal to processes, the last of which has to be there. */
  private void signal(String signal, List<ProcessHandle> processes) {
    // The shell's own kill: small images have no other.
    String command =
        processes.stream()
            .map(each -> "kill -" + signal + " " + each.pid())
            .collect(Collectors.joining("; "));
    try {
      run(List.of("/bin/sh", "-c", command), folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A signal is on its way for a moment: only the state of every thread tells that it arrived. */
  private static boolean isStopped(ProcessHandle process) {
    try (Stream<Path> threads = Files.list(entry(process).resolve("task"))) {
      return threads.allMatch(thread -> "TZX".indexOf(state(thread)) >= 0);
    } catch (IOException | UncheckedIOException e) {
      return !process.isAlive();
    }
  }

  /** A process that nobody waits for still has an entry when it has ended. */
  private static boolean isGone(ProcessHandle process) {
    return !process.isAlive() || (HAS_PROC && "ZX".indexOf(state(entry(process))) >= 0);
  }

  private static Path entry(ProcessHandle process) {
    return PROC.resolve(Long.toString(process.pid()));
  }

  /** Returns the letter for the state of a process or thread, X for one that is gone. */
  private static char state(Path entry) {
    try {
      String stat = Files.readString(entry.resolve("stat"), StandardCharsets.ISO_8859_1);
      return stat.charAt(stat.lastIndexOf(')') + 2);
    } catch (IOException e) {
      return 'X';
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
