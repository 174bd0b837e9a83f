package io.sojourn.jetty;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Replaces what a setting's value refers to, so that a secret need not stand beside the other
 * settings: {@code ${name}} is a system property or an environment variable, {@code ${file:path}}
 * what is in that file, and {@code $$} before a brace the text <code>${</code> itself.
 */
final class References {

  private static final Pattern REFERENCE = Pattern.compile("\\$\\$\\{|\\$\\{([^}]*)}");
  private static final String FILE = "file:";

  private References() {}

  /**
   * The value with what it refers to.
   *
   * @param setting whose, for the message
   * @throws IllegalArgumentException if it refers to something that is not there; the message has
   *     no part of the value, which may be a secret with such a brace in it
   */
  static String replaced(String setting, String value) {
    return REFERENCE
        .matcher(value)
        .replaceAll(
            (MatchResult found) -> {
              String name = found.group(1);
              return Matcher.quoteReplacement(name == null ? "${" : target(setting, name));
            });
  }

  private static String target(String setting, String name) {
    if (name.startsWith(FILE)) {
      return content(setting, name.substring(FILE.length()));
    }
    String found = name.isEmpty() ? null : System.getProperty(name, System.getenv(name));
    if (found == null) {
      throw wrong(
          setting,
          "${...}, and there is no system property or environment variable of the name in it");
    }
    return found;
  }

  /** Without the line's end that an editor leaves behind. */
  private static String content(String setting, String path) {
    try {
      return Files.readString(Path.of(path), UTF_8).replaceFirst("\\R\\z", "");
    } catch (IOException | InvalidPathException e) {
      // Its message may have the path.
      throw wrong(
          setting,
          "${file:...}, and the file in it cannot be read (" + e.getClass().getSimpleName() + ")");
    }
  }

  private static IllegalArgumentException wrong(String setting, String what) {
    return new IllegalArgumentException(
        setting + "=\"...\" has a reference " + what + "; for the text ${ itself write $${");
  }
}
