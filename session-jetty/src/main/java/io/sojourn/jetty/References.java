package io.sojourn.jetty;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Replaces what a setting's value refers to, so that a secret need not stand beside the other
 * settings: {@code ${name}} is a system property or an environment variable, {@code ${file:path}}
 * what is in that file.
 */
final class References {

  private static final Pattern REFERENCE = Pattern.compile("\\$\\{([^}]*)}");
  private static final String FILE = "file:";

  private References() {}

  /**
   * The value with what it refers to.
   *
   * @param setting whose, for the message
   * @throws IllegalArgumentException if it refers to something that is not there; the message has
   *     no other part of the value
   */
  static String replaced(String setting, String value) {
    return REFERENCE
        .matcher(value)
        .replaceAll(
            reference -> Matcher.quoteReplacement(target(setting, reference, reference.group(1))));
  }

  private static String target(String setting, MatchResult reference, String name) {
    if (name.startsWith(FILE)) {
      return content(setting, reference, name.substring(FILE.length()));
    }
    String found = name.isEmpty() ? null : System.getProperty(name, System.getenv(name));
    if (found == null) {
      throw wrong(
          setting,
          reference,
          "there is no system property or environment variable of that name",
          null);
    }
    return found;
  }

  /** Without the line's end that an editor leaves behind. */
  private static String content(String setting, MatchResult reference, String path) {
    try {
      return Files.readString(Path.of(path), UTF_8).replaceFirst("\\R\\z", "");
    } catch (IOException | InvalidPathException e) {
      throw wrong(setting, reference, "the file cannot be read", e);
    }
  }

  private static IllegalArgumentException wrong(
      String setting, MatchResult reference, String why, @Nullable Exception cause) {
    return new IllegalArgumentException(
        setting + "=\"...\" refers to " + reference.group() + ", and " + why, cause);
  }
}
