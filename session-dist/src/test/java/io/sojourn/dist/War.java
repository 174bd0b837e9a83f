package io.sojourn.dist;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/** Packs web applications, and what they or servers bring along. */
final class War {

  private War() {}

  /**
   * Writes a war.
   *
   * @param libraries a folder with the jars to bring along
   * @param texts files by their names
   * @param classes classes to bring along
   */
  static void write(Path war, Path libraries, Map<String, String> texts, Class<?>... classes)
      throws IOException {
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(war));
        Stream<Path> jars = Files.list(libraries)) {
      for (Path jar : (Iterable<Path>) jars::iterator) {
        out.putNextEntry(new JarEntry("WEB-INF/lib/" + jar.getFileName()));
        Files.copy(jar, out);
      }
      write(out, texts, "WEB-INF/classes/", List.of(classes));
    }
  }

  /**
   * Writes a jar.
   *
   * @param texts files by their names
   */
  static void writeJar(Path jar, Map<String, String> texts, List<Class<?>> classes)
      throws IOException {
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      write(out, texts, "", classes);
    }
  }

  private static void write(
      JarOutputStream out, Map<String, String> texts, String folder, List<Class<?>> classes)
      throws IOException {
    for (Map.Entry<String, String> text : texts.entrySet()) {
      out.putNextEntry(new JarEntry(text.getKey()));
      out.write(text.getValue().getBytes(UTF_8));
    }
    for (Class<?> type : classes) {
      String name = type.getName().replace('.', '/') + ".class";
      out.putNextEntry(new JarEntry(folder + name));
      try (InputStream in = type.getResourceAsStream("/" + name)) {
        in.transferTo(out);
      }
    }
  }
}
