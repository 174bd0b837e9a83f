package io.sojourn.jetty;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The module's properties as a server's user has set them. Jetty hands over those that it is asked
 * for, and says nothing of one that nobody asks for, which is how a misspelt one looks.
 */
final class ModuleProperties {

  /*
   * Nothing that runs in the server can list its properties: start.jar hands them to the XML files by way of a file that it
   * deletes. So what it reads is read once more.
   */

  private static final String PREFIX = "jetty.session.sojourn.";

  /** One of Jetty's stores, which the store's clock leaves nothing to say. */
  private static final String GRACE_PERIOD = "jetty.session.gracePeriod.seconds";

  /** Those of Jetty's session caches and stores that the module hands over. */
  private static final String OF_JETTY =
      "jetty.session.evictionPolicy, jetty.session.saveOnInactiveEviction,"
          + " jetty.session.saveOnCreate, jetty.session.removeUnloadableSessions,"
          + " jetty.session.flushOnResponseCommit, jetty.session.invalidateOnShutdown,"
          + " jetty.session.savePeriod.seconds";

  /** A line of an ini file or an argument, also one that adds to a value or is only a default. */
  private static final Pattern PROPERTY =
      Pattern.compile(
          "(?:-D)?("
              + Pattern.quote(PREFIX)
              + "[^=?+\\s]*|"
              + Pattern.quote(GRACE_PERIOD)
              + ")\\s*[?+]?(?:=.*)?");

  private ModuleProperties() {}

  /**
   * Refuses those that are not among the known ones, all in one message.
   *
   * @param base the JETTY_BASE; null if the server has none
   * @param known the names after the prefix
   */
  static void refuseUnknown(@Nullable String base, Set<String> known) {
    Map<String, String> unknown = new TreeMap<>();
    for (String property : System.getProperties().stringPropertyNames()) {
      note(property, "the system properties", known, unknown);
    }
    for (String argument : System.getProperty("sun.java.command", "").split("\\s+", -1)) {
      note(argument, "the command line", known, unknown);
    }
    if (base != null) {
      try {
        noteFile(Path.of(base, "start.ini"), known, unknown);
        noteFolder(Path.of(base, "start.d"), known, unknown);
      } catch (IOException e) {
        throw new UncheckedIOException("The settings in " + base + " cannot be read", e);
      }
    }
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException(refusal(known, unknown));
    }
  }

  private static String refusal(Set<String> known, Map<String, String> unknown) {
    List<String> refusals = new ArrayList<>();
    String gracePeriodPlace = unknown.remove(GRACE_PERIOD);
    if (!unknown.isEmpty()) {
      List<String> names = new ArrayList<>();
      unknown.forEach((name, place) -> names.add(name + " (in " + place + ")"));
      refusals.add(
          String.join(", ", names)
              + " is no setting of Sojourn's; these are: "
              + PREFIX
              + String.join(", ", known)
              + ", and of Jetty's own: "
              + OF_JETTY);
    }
    if (gracePeriodPlace != null) {
      refusals.add(
          GRACE_PERIOD
              + " (in "
              + gracePeriodPlace
              + ") has no meaning here, since the store's clock decides what has expired: leave it"
              + " out");
    }
    return String.join("; ", refusals);
  }

  private static void noteFolder(Path folder, Set<String> known, Map<String, String> unknown)
      throws IOException {
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.ini")) {
        for (Path file : files) {
          noteFile(file, known, unknown);
        }
      }
    }
  }

  private static void noteFile(Path file, Set<String> known, Map<String, String> unknown)
      throws IOException {
    List<String> lines = Files.exists(file) ? Files.readAllLines(file, ISO_8859_1) : List.of();
    for (String line : lines) {
      note(line.strip(), file.toString(), known, unknown);
    }
  }

  private static void note(
      String text, String place, Set<String> known, Map<String, String> unknown) {
    Matcher matcher = PROPERTY.matcher(text);
    if (matcher.matches()) {
      String name = matcher.group(1);
      if (!name.startsWith(PREFIX) || !known.contains(name.substring(PREFIX.length()))) {
        unknown.putIfAbsent(name, place);
      }
    }
  }
}
