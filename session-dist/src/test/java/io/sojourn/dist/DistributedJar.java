package io.sojourn.dist;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;

/** The jar that this module builds. */
final class DistributedJar {

  /** Where Maven builds this module. */
  static final Path TARGET = Path.of(System.getProperty("basedir", ""), "target");

  static final Path FILE = TARGET.resolve("sojourn-tomcat.jar");

  /** The one in the archive for a Jetty. */
  static final Path JETTYS = TARGET.resolve("sojourn-jetty.jar");

  private DistributedJar() {}

  /** The names of all files in it. */
  static List<String> entries() throws IOException {
    return entries(FILE);
  }

  /** The names of all files in one of the two. */
  static List<String> entries(Path file) throws IOException {
    try (JarFile jar = new JarFile(file.toFile())) {
      return jar.stream().filter(entry -> !entry.isDirectory()).map(ZipEntry::getName).toList();
    }
  }

  /** The lines of a text in it. */
  static List<String> lines(String name) throws IOException {
    try (JarFile jar = new JarFile(FILE.toFile())) {
      return new String(jar.getInputStream(jar.getEntry(name)).readAllBytes(), UTF_8)
          .lines()
          .toList();
    }
  }
}
