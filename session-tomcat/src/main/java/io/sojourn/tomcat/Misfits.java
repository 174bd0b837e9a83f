package io.sojourn.tomcat;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Values of the {@code <Manager>} or {@code <Valve>} element that make no sense, and that Tomcat
 * would silently take for something else or throw away: they are kept until the start, which they
 * stop. Not thread-safe.
 */
final class Misfits {

  /** What Tomcat leaves as it is when it knows no property of this name. */
  private static final Pattern REFERENCE = Pattern.compile("\\$\\{[^}]*}");

  private final Map<String, IllegalArgumentException> misfits = new TreeMap<>();

  /** A flag's value, of which Tomcat takes any text but "true" for false. */
  boolean flag(String attribute, String value) {
    String flag = value.strip().toLowerCase(Locale.ROOT);
    note(attribute, value, flag.equals("true") || flag.equals("false"), "true or false");
    return flag.equals("true");
  }

  /** Notes whether the start has to be refused for this value. */
  void note(String attribute, String value, boolean fits, String expected) {
    if (fits) {
      misfits.remove(attribute);
    } else {
      misfits.put(attribute, misfit(attribute, value, expected));
    }
  }

  /** What is wrong with a value. */
  static IllegalArgumentException misfit(String attribute, String value, String expected) {
    return new IllegalArgumentException(attribute + "=\"" + value + "\" must be " + expected);
  }

  /**
   * Stops the start if there is one.
   *
   * @throws IllegalArgumentException that says what is wrong with the first
   */
  void refuse() {
    for (IllegalArgumentException misfit : misfits.values()) {
      throw misfit;
    }
  }

  /**
   * Stops the start if a value refers to something that is not set.
   *
   * @throws IllegalArgumentException that names the attribute, and no more of its value
   */
  static void refuseReference(String attribute, String value) {
    Matcher reference = REFERENCE.matcher(value);
    if (reference.find()) {
      throw new IllegalArgumentException(
          attribute
              + "=\"...\" refers to "
              + reference.group()
              + ", which is not set: a system property, or an environment variable if"
              + " conf/catalina.properties has Tomcat look there");
    }
  }
}
