package io.sojourn.demo;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The node processes: starts them, kills them, and brings back those that died. Thread-safe.
 *
 * <p>Once closed no node is left, and none is started again. Should this process be killed itself,
 * its nodes notice that the pipe to them has closed, and end.
 */
final class Cluster implements Nodes, AutoCloseable {

  private static final Duration START_LIMIT = Duration.ofSeconds(30);
  private static final Duration END_LIMIT = Duration.ofSeconds(10);

  /** One process of a node; its address is known when it is up, and failed if it ended before. */
  private record Member(String name, Process process, CompletableFuture<URI> address) {

    boolean isUp() {
      return process.isAlive() && address.isDone() && !address.isCompletedExceptionally();
    }

    Backend backend() {
      return new Backend(name, process.pid(), address.join());
    }
  }

  private final Container container;
  private final String store;
  private final Path directory;
  private final Consumer<String> log;
  private final CountDownLatch closing = new CountDownLatch(1);

  @GuardedBy("this")
  private final Map<String, Member> members = new TreeMap<>();

  @GuardedBy("this")
  private @Nullable Duration restartDelay;

  /**
   * A cluster without nodes.
   *
   * @param container what every node runs
   * @param store the URL of the store that every node uses
   * @param log takes a line for each return of a node, and for each that a node prints
   */
  Cluster(Container container, String store, Consumer<String> log) {
    this.container = container;
    this.store = store;
    this.log = log;
    try {
      this.directory = Files.createTempDirectory("sojourn-demo");
    } catch (IOException e) {
      throw new DemoFailure(DemoFailure.START, "no temporary directory for the nodes: " + e);
    }
  }

  /**
   * Starts nodes, side by side, and waits until each is up.
   *
   * @throws DemoFailure if one does not come up
   */
  List<Backend> start(String... names) {
    List<Member> started = new ArrayList<>();
    for (String name : names) {
      started.add(launch(name));
    }
    List<Backend> backends = new ArrayList<>();
    for (Member member : started) {
      backends.add(await(member));
    }
    return backends;
  }

  /** From now on a node that dies comes back by itself, this long after. */
  synchronized void restartAfter(Duration delay) {
    restartDelay = delay;
  }

  @Override
  public synchronized List<Backend> live() {
    return members.values().stream().filter(Member::isUp).map(Member::backend).toList();
  }

  @Override
  public Optional<Backend> kill(String name) {
    Member member;
    synchronized (this) {
      member = members.get(name);
    }
    if (member == null || !member.isUp()) {
      return Optional.empty();
    }
    end(member.process());
    return Optional.of(member.backend());
  }

  @Override
  public void close() {
    List<Member> all;
    synchronized (this) {
      closing.countDown();
      all = List.copyOf(members.values());
    }
    all.forEach(member -> member.process().destroyForcibly());
    all.forEach(member -> end(member.process()));
    Node.deleteTree(directory);
  }

  private synchronized Member launch(String name) {
    if (closing.getCount() == 0) {
      throw new DemoFailure(DemoFailure.START, "the demo is ending");
    }
    Process process;
    try {
      process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx128m",
                  "-XX:+UseSerialGC",
                  "-XX:TieredStopAtLevel=1",
                  "-cp",
                  System.getProperty("java.class.path"),
                  Node.class.getName(),
                  name,
                  directory.toString(),
                  container.name())
              .start();
    } catch (IOException e) {
      throw new DemoFailure(DemoFailure.START, "node " + name + " did not start: " + e);
    }
    Member member = new Member(name, process, new CompletableFuture<>());
    members.put(name, member);
    tellStore(process);
    daemon(name + "-err", () -> read(member, process.getErrorStream()));
    daemon(name, () -> watch(member));
    return member;
  }

  private static Backend await(Member member) {
    String problem;
    try {
      member.address().get(START_LIMIT.toSeconds(), TimeUnit.SECONDS);
      return member.backend();
    } catch (ExecutionException e) {
      problem = "it ended with exit code " + member.process().exitValue();
    } catch (TimeoutException e) {
      problem = "it was not ready after " + START_LIMIT.toSeconds() + " s";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      problem = "interrupted";
    }
    member.process().destroyForcibly();
    throw new DemoFailure(
        DemoFailure.START, "node " + member.name() + " did not start: " + problem);
  }

  /** The store's URL may hold a password, so it travels by the pipe and not where ps shows it. */
  private void tellStore(Process process) {
    OutputStream input = process.getOutputStream();
    try {
      input.write((store + "\n").getBytes(StandardCharsets.UTF_8));
      input.flush();
    } catch (IOException e) {
      // It has died already, which whoever waits for it will hear.
    }
  }

  /** Follows a process to its end, and starts the next one if nodes are to come back. */
  private void watch(Member member) {
    Process process = member.process();
    read(member, process.getInputStream());
    try {
      int exitCode = process.waitFor();
      member.address().completeExceptionally(new IllegalStateException("exit code " + exitCode));
      Duration delay;
      synchronized (this) {
        delay = restartDelay;
      }
      if (delay != null && !closing.await(delay.toMillis(), TimeUnit.MILLISECONDS)) {
        comeBack(member);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void comeBack(Member dead) {
    String died = "node %s (process %d) died".formatted(dead.name(), dead.process().pid());
    try {
      Backend back = start(dead.name()).get(0);
      log.accept(died + " and is back as process " + back.pid());
    } catch (DemoFailure e) {
      // The process that failed has a watcher too, and that one tries again.
      log.accept(died + "; " + e.getMessage());
    }
  }

  private void read(Member member, InputStream output) {
    try (var lines = new BufferedReader(new InputStreamReader(output, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith(Node.READY)) {
          member.address().complete(URI.create(line.substring(Node.READY.length())));
        } else {
          log.accept("[" + member.name() + "] " + line);
        }
      }
    } catch (IOException e) {
      // The process was killed, and the pipe closed over this read.
    }
  }

  private static void end(Process process) {
    try {
      if (!process.destroyForcibly().waitFor(END_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        throw new IllegalStateException("process " + process.pid() + " outlived SIGKILL");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void daemon(String name, Runnable task) {
    Thread thread = new Thread(task, "sojourn-demo-" + name);
    thread.setDaemon(true);
    thread.start();
  }
}
