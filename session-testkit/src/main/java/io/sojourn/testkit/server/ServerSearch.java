package io.sojourn.testkit.server;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Looks for a way to run a server, and says what was tried where there is none. */
final class ServerSearch {

  /** One way to run a server. */
  record Way(String name, Attempt attempt) {}

  /** Starts a server, or says in an exception why it cannot. */
  @FunctionalInterface
  interface Attempt {
    Lifecycle start() throws IOException;
  }

  private ServerSearch() {}

  /**
   * Starts a server in the first of the given ways that works.
   *
   * @throws IllegalStateException if none works
   */
  static Lifecycle firstThatStarts(String server, String property, List<Way> ways) {
    List<Exception> failures = new ArrayList<>();
    StringBuilder message =
        new StringBuilder("No " + server + " could be started for tests. Tried:");
    for (Way way : ways) {
      try {
        return way.attempt().start();
      } catch (IOException | RuntimeException e) {
        failures.add(e);
        message.append("\n  - ").append(way.name()).append(": ").append(e.getMessage());
      }
    }
    message
        .append("\nMake one of these work. Tests that share a server also take the address of one")
        .append(" from the system property ")
        .append(property)
        .append(" or the environment variable ")
        .append(GivenAddress.variable(property));
    IllegalStateException none = new IllegalStateException(message.toString());
    failures.forEach(none::addSuppressed);
    throw none;
  }

  /**
   * Returns the first of these programs that is found, by name and then by folder: those on the
   * PATH, and the ones where systems keep their servers out of a user's PATH.
   *
   * @throws FileNotFoundException if there is none
   */
  static Path onPath(String... programs) throws FileNotFoundException {
    String path = System.getenv().getOrDefault("PATH", "");
    List<Path> folders =
        Stream.concat(
                Stream.of(path.split(":")).filter(folder -> !folder.isEmpty()),
                Stream.of("/usr/local/sbin", "/usr/sbin"))
            .map(Path::of)
            .toList();
    for (String program : programs) {
      for (Path folder : folders) {
        Path file = folder.resolve(program);
        if (Files.isRegularFile(file) && Files.isExecutable(file)) {
          return file;
        }
      }
    }
    throw new FileNotFoundException("no " + String.join(" or ", programs) + " there");
  }
}
