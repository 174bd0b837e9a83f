package io.sojourn.demo;

import io.sojourn.demo.Nodes.Backend;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The launcher: two Tomcat or Jetty nodes that share their sessions, and a balancer before them,
 * for a person to play with or, with {@code --script}, to be put to the test.
 *
 * <p>Exit code 0: all went well; 1: a step of the story did not hold; 2: the demo could not begin.
 * However it ends, no node is left behind.
 */
final class Demo {

  private static final Duration RESTART_DELAY = Duration.ofSeconds(2);
  private static final int ROUNDS = 2;

  private Demo() {}

  public static void main(String[] arguments) throws InterruptedException {
    // What concerns the person is said in one line; drivers would say it in a hundred.
    Logger.getLogger("").setLevel(Level.OFF);
    int exitCode = 0;
    try {
      run(arguments);
    } catch (DemoFailure e) {
      System.out.flush();
      System.err.println(e.getMessage());
      exitCode = e.exitCode();
    }
    System.exit(exitCode);
  }

  private static void run(String[] arguments) throws InterruptedException {
    Options options = Options.parse(arguments);
    if (options.help()) {
      System.out.print(Options.HELP);
      return;
    }
    try (SharedStore store = options.store().map(SharedStore::at).orElseGet(SharedStore::embedded);
        Cluster cluster = new Cluster(options.container(), store.url(), Demo::log);
        Balancer balancer = new Balancer(options.port(), cluster)) {
      Runtime.getRuntime().addShutdownHook(new Thread(cluster::close, "sojourn-demo-end"));
      List<Backend> nodes = cluster.start("A", "B");
      balancer.start();
      System.out.printf(
          "Two %s nodes (A is process %d, B is process %d) keep their sessions in %s.%n",
          options.container().title(), nodes.get(0).pid(), nodes.get(1).pid(), store.description());
      if (options.script()) {
        new Story(balancer.address(), cluster, System.out).play(ROUNDS);
      } else {
        cluster.restartAfter(RESTART_DELAY);
        System.out.println("Open " + balancer.address() + " (Ctrl-C ends it all)");
        new CountDownLatch(1).await();
      }
    }
  }

  private static void log(String line) {
    System.err.println(line);
  }
}
