package io.sojourn.demo;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * A node: the main class of a JVM that runs one Tomcat or Jetty with one application, whose
 * sessions are kept by Sojourn.
 *
 * <p>It is started with its name, the directory that all nodes work in and what it is to run, and
 * told the store's URL by the first line of its standard input. When it is up it says so, and at
 * which address, by one line of its standard output. It ends when its standard input does, so no
 * node outlives the launcher, however that ends.
 */
final class Node {

  /** Begins the line that tells the node's address. */
  static final String READY = "sojourn-demo-node ready ";

  private static final Logger ROOT = quiet("", Level.WARNING);

  /** Tomcat warns of a machine that took a tenth of a second to make random numbers. */
  @SuppressWarnings("UnusedVariable") // held, or its level would be forgotten
  private static final Logger RANDOM_NUMBERS =
      quiet("org.apache.catalina.util.SessionIdGeneratorBase", Level.SEVERE);

  private Node() {}

  public static void main(String[] arguments) {
    String name = arguments[0];
    Path directory = Path.of(arguments[1]);
    Container container = Container.valueOf(arguments[2]);
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try {
      String store = input.readLine();
      if (store != null) {
        URI address = container.start(name, directory.resolve(name), store);
        System.out.println(READY + address);
        while (input.readLine() != null) {
          // Nothing more is said; only the end counts.
        }
      }
    } catch (Exception e) {
      ROOT.log(Level.SEVERE, "node " + name + " cannot start", e);
      Runtime.getRuntime().halt(1);
    }
    // The launcher is gone. Had it ended in order, it would have killed this process and tidied up
    // itself.
    deleteTree(directory);
    Runtime.getRuntime().halt(0);
  }

  /** Deletes a directory and what is in it, as far as that can be done. */
  static void deleteTree(Path directory) {
    try (Stream<Path> paths = Files.walk(directory)) {
      paths.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
    } catch (IOException | UncheckedIOException e) {
      // A temporary directory that another process is deleting as well.
    }
  }

  /** A logger says no more than this for as long as somebody holds it. */
  private static Logger quiet(String name, Level level) {
    System.setProperty("java.util.logging.SimpleFormatter.format", "%4$s %3$s: %5$s%6$s%n");
    Logger logger = Logger.getLogger(name);
    logger.setLevel(level);
    return logger;
  }
}
